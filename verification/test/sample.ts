/** Proofs of a device in memory, made as an oracle makes them; nothing of it is on a chain. */
import {
  createLog,
  domain,
  encodeHead,
  encodeReading,
  inclusionProof,
  keyIdOf,
  type Place,
  publicKeyOf,
  sign,
  toHex,
} from "../../protocol/index.ts";
import type { Served } from "./world.ts";

export const PLACE: Place = { chainId: 31337, registry: `0x${"5f".repeat(20)}` };
export const PRIVATE_KEY = new Uint8Array(32).fill(7);
export const PUBLIC_KEY = publicKeyOf(PRIVATE_KEY);

/** One a minute, of a roof that makes 3 kW. */
export const readings = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) =>
    encodeReading({
      ...{ timestamp: 1_773_997_200 + 60 * i, energy: 50_000n * BigInt(i), power: 3_000_000n },
      ...{ voltage: 230_100, temperature: -250, source: 0x10, conditions: 0x03 },
    }),
  );

export type SampleOptions = {
  log?: Uint8Array[];
  index?: number;
  privateKey?: Uint8Array;
  /** what the device says is its last reading */
  last?: Uint8Array;
  place?: Place;
};

export function sample({
  log = readings(21),
  index = 5,
  privateKey = PRIVATE_KEY,
  last = log.at(-1) as Uint8Array,
  place = PLACE,
}: SampleOptions = {}): Served {
  const { range, root } = createLog(log);
  const head = encodeHead(domain("head", place), { epoch: 1, size: log.length, reading: last, root: root() });
  const publicKey = publicKeyOf(privateKey);
  return {
    ...{ keyId: toHex(keyIdOf(publicKey)), epoch: 1, index, reading: toHex(log[index] as Uint8Array) },
    signed: {
      ...{ size: log.length, reading: toHex(last), root: toHex(root()), signature: toHex(sign(head, privateKey)) },
      proof: inclusionProof(range, index, log.length).map(toHex),
    },
    public_key: toHex(publicKey),
  };
}
