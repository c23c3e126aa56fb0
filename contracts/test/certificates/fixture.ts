/** What the tests of certificates stand on: settled hours of a meter, and the runs of readings that prove them. */
import { type Hex, parseEventLogs, type TransactionReceipt } from "viem";
import { fromHex, timestampOf } from "../../../protocol/index.ts";
import { hourlyCertificatesAbi } from "../../abi.ts";
import type { Wallet } from "../../deploy.ts";
import { placed, START, STEP, type TestMeter, UNITS } from "../fixture.ts";
import type { Parks } from "../parks/fixture.ts";

/** Readings at 10 s in an hour, and what they make of it at the tests' power: mWh. */
export const PER_HOUR = 360;
export const HOUR = 3_600;
export const HOURLY = STEP * BigInt(PER_HOUR);

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
