/** What the tests of certificates stand on: settled hours of a meter, and the runs of readings that prove them. */
import { type Hex, parseEventLogs, type TransactionReceipt } from "viem";
import { encodeReading, fromHex, timestampOf } from "../../../protocol/index.ts";
import { hourlyCertificatesAbi } from "../../abi.ts";
import type { Wallet } from "../../deploy.ts";
import { createMeter, placed, SOURCE, START, STEP, type TestMeter, UNITS } from "../fixture.ts";
import type { Parks } from "../parks/fixture.ts";

/** Readings at 10 s in an hour, and what they make of it at the tests' power: mWh. */
export const PER_HOUR = 360;
export const HOUR = 3_600;
export const HOURLY = STEP * BigInt(PER_HOUR);

/** s of a quarter of an hour, and mWh that 3.6 kW make of it. */
export const QUARTER = HOUR / 4;
export const PER_QUARTER = 900_000n;

/** mWh of the register; `after`: s after the quarter */
type Moment = { quarter: number; energy?: bigint; conditions?: number; after?: number };

/** Readings at these quarters of hours, counted from START. */
export const at = (moments: readonly (number | Moment)[]): Uint8Array[] =>
  moments
    .map((moment) => (typeof moment === "number" ? { quarter: moment } : moment))
    .map(({ quarter, energy, conditions = 0, after = 0 }: Moment) =>
      encodeReading({
        ...{ timestamp: START + quarter * QUARTER + after, energy: energy ?? BigInt(quarter) * PER_QUARTER },
        ...{ power: 3_600_000n, source: SOURCE, conditions },
      }),
    );

export const quarters = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

export type Run = { keyId: Hex; epoch: number; readings: ReturnType<typeof placed>[] };

/** These readings of a log of which `size` are settled. */
export const runOf = (meter: TestMeter, indices: readonly number[], size: number, epoch = 1): Run => ({
  keyId: meter.id,
  epoch,
  readings: indices.map((index) => placed(meter, index, size, epoch)),
});

/** Where the readings at full hours stand in a log. */
export const fullHours = (meter: TestMeter, size: number, epoch = 1): number[] =>
  meter
    .readingsOf(epoch)
    .slice(0, size)
    .flatMap((reading, index) => (timestampOf(reading) % HOUR === 0 ? [index] : []));

export const idOf = (meter: Hex, start: number, end: number): bigint => {
  const bytes = new Uint8Array(32);
  bytes.set(fromHex(meter).subarray(0, 24));
  const view = new DataView(bytes.buffer);
  view.setUint32(24, start);
  view.setUint32(28, end - start);
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
};

/** Meters whose logs settle as they are. */
export const metersOf = (chain: Parks) => ({
  /** A meter with a log of these readings, all settled a day after START. */
  async settled(readings: Uint8Array[], seed = 1): Promise<TestMeter> {
    const meter = await chain.registered(createMeter(chain.place, seed, readings));
    await chain.at(START + 24 * HOUR);
    await chain.settleAttested({ meter, to: readings.length });
    return meter;
  },
  /** All of its next log; `before`: of the last settled reading, Unix time, s. */
  async settledNext(meter: TestMeter, epoch: number, readings: Uint8Array[], before: number): Promise<void> {
    meter.begin(epoch, readings);
    await chain.settleAttested({ meter, epoch, to: readings.length, settled: 0, settledTimestamp: before });
  },
});

/** Calls on certificates, with the tokens approved that they take. */
export function certificatesOf(chain: Parks) {
  const { certificates, publicClient, send, token, owner } = chain;
  const act = (functionName: string, args: readonly unknown[], by: Wallet = owner) =>
    send({ ...certificates, functionName, args }, by);
  const read = (functionName: string, ...args: readonly unknown[]): Promise<never> =>
    publicClient.readContract({ ...certificates, functionName, args } as never) as Promise<never>;
  const approve = (by: Wallet = owner, amount = 2n ** 128n) =>
    send({ ...token, functionName: "approve", args: [certificates.address, amount] }, by);
  const issue = (meter: Hex, runs: readonly Run[], by: Wallet = owner) => act("issue", [meter, runs], by);
  /** The certificates that a transaction issued: hours from START to START, and mWh. */
  const issuedBy = ({ logs }: TransactionReceipt): [number, number, bigint][] =>
    parseEventLogs({ abi: hourlyCertificatesAbi, eventName: "Issued", logs }).flatMap(({ args }) =>
      args.ids.map((id, i): [number, number, bigint] => {
        const [start, length] = [Number((id >> 32n) & 0xffffffffn), Number(id & 0xffffffffn)];
        return [(start - START) / HOUR, (start + length - START) / HOUR, args.energies[i] as bigint];
      }),
    );
  const held = (account: Hex, id: bigint): Promise<bigint> => read("balanceOf", account, id);
  /** Free tokens, those beneath certificates and retired ones make what was minted: mWh of each. */
  async function accounts() {
    const [supply, locked, retired] = await Promise.all([
      chain.supply(),
      chain.balanceOf(certificates.address),
      publicClient.readContract({ ...token, functionName: "totalRetired" }),
    ]);
    return { free: (supply - locked) / UNITS, locked: locked / UNITS, retired: retired / UNITS };
  }
  return { act, read, approve, issue, issuedBy, held, accounts };
}
