/** What a forger makes: logs told otherwise, batches and posts of them, signatures in another form. */
import { zeroHash } from "viem";
import { headParts, publicKeyParts, signatureParts } from "../../contracts/settlement.ts";
import {
  attestedItems,
  bent,
  createMeter,
  headOf,
  type Part,
  produce,
  START,
  segmentOf,
  signHead,
  type TestMeter,
} from "../../contracts/test/fixture.ts";
import { createLog, encodeBatch, fromHex, keyIdOf, ORDER, type Reading, toHex } from "../../protocol/index.ts";
import type { ChainReader } from "../../verification/chain/reader.ts";

/** The same device, with other readings from `index` on. */
export function liar(
  meter: TestMeter,
  index: number,
  change: (reading: Uint8Array, i: number) => Uint8Array,
): TestMeter {
  const readings = meter.readingsOf().map((reading, i) => (i < index ? reading : change(reading, i)));
  return meterWith(meter, readings);
}

/** The same device, with this log. */
export const meterWith = ({ place, privateKey }: TestMeter, readings: Uint8Array[]): TestMeter =>
  createMeter(place, privateKey[0] as number, readings);

/** The first half of a log that the same device began after its first, settled to `size`, and whose register went on. */
export function begunAfter(device: TestMeter, size: number, epoch: number) {
  const log = produce({ count: 100, from: { timestamp: START + 3000, energy: 2_000_000n } });
  const meter = meterWith(device, device.readingsOf());
  meter.begin(epoch, log);
  const settledTimestamp = START + 10 * (size - 1);
  return { part: { meter, epoch, to: 50, settled: 0, settledTimestamp }, first: log[0] as Uint8Array };
}

/** The same device, with something else in its last reading of `size`. */
export const lastBent = (meter: TestMeter, size: number, change: Partial<Reading>): TestMeter =>
  liar(meter, size - 1, (reading, i) => (i === size - 1 ? bent(reading, change) : reading));

export function batchOf(...parts: Part[]): Uint8Array {
  const segments = parts.map((part) => ({ ...segmentOf(part), ...(part.signature && { signature: part.signature }) }));
  return encodeBatch({ domain: (parts[0] as Part).meter.headDomain, segments });
}

/** What a device posts of readings `from` to the part's end. */
export function postOf({ meter, epoch = 1, to, head, signature }: Part, from: number) {
  const signed = signature ?? signHead(meter, { ...headOf(meter, to, epoch), ...head });
  const readings = meter.readingsOf(epoch).slice(from, to).map(toHex);
  return { keyId: meter.id, epoch, size: to, readings, signature: toHex(signed) };
}

/** The other form of a signature: that with the high s. */
export function highS(signature: Uint8Array): Uint8Array {
  const s = ORDER - BigInt(toHex(signature.subarray(32)));
  return Uint8Array.of(...signature.subarray(0, 32), ...fromHex(s.toString(16).padStart(64, "0")));
}

/** The root that a DON is asked for. */
export const rootOf = (...parts: Part[]) => attestedItems(parts).attestation;

/** The same log under a key that somebody wrote down. */
export const withKey = (meter: TestMeter, publicKey: Uint8Array): TestMeter => ({
  ...{ ...meter, publicKey, id: toHex(keyIdOf(publicKey)) },
});

/** Two heads of one size that a device signed, as a proof of equivocation. */
export function equivocationOf(meter: TestMeter, size: number) {
  const [first, second] = [headOf(meter, size), { ...headOf(meter, size), root: new Uint8Array(32).fill(7) }];
  const nothing = { index: 0n, reading: zeroHash, proof: [] };
  return {
    ...{ key: publicKeyParts(meter.publicKey), first: headParts(first), second: headParts(second) },
    ...{ one: nothing, other: nothing },
    firstSignature: signatureParts(signHead(meter, first)),
    secondSignature: signatureParts(signHead(meter, second)),
  };
}

/** Tiles of a log of less than 256 readings, by their paths below a mirror. */
export function tilesOf(meter: TestMeter, size: number): Map<string, Uint8Array> {
  const readings = meter.readingsOf().slice(0, size);
  const { range } = createLog(readings);
  const path = `tlog/${meter.id}/1/tile`;
  const entries = readings.flatMap((reading) => [Uint8Array.of(0, 32), reading]);
  return new Map([
    [`${path}/entries/000.p/${size}`, Uint8Array.from(Buffer.concat(entries))],
    [`${path}/0/000.p/${size}`, Uint8Array.from(Buffer.concat(readings.map((_, i) => range(i, i + 1))))],
  ]);
}

export type Log = { address: string; topics: string[]; transactionHash: string };

/** A node that tells of logs what `lie` makes of them. */
export const lying = (node: ChainReader, lie: (logs: Log[]) => Log[]): ChainReader => ({
  async request(call) {
    const answer = await node.request(call);
    return call.method === "eth_getLogs" ? lie(answer as Log[]) : answer;
  },
});

/** A node that goes on answering what it answered once. */
export function remembering(node: ChainReader): ChainReader {
  const known = new Map<string, unknown>();
  return {
    async request(call) {
      const name = JSON.stringify(call);
      if (!known.has(name)) known.set(name, await node.request(call));
      return structuredClone(known.get(name));
    },
  };
}
