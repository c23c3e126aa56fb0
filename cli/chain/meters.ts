/** What the registry says of meters. */
import { type Hex, parseEventLogs, zeroAddress } from "viem";
import { meterRegistryAbi } from "../../contracts/abi.ts";
import { createRanges } from "../../oracle/chain/viem/ranges.ts";
import { Problem } from "../problem.ts";
import type { Deployment } from "./deployment.ts";
import { refusalIn } from "./refusals.ts";

/** IWattWitness.Status, IMeterRegistry.Change: by their numbers */
const STATUSES = ["none", "active", "frozen", "superseded", "decommissioned"] as const;
export const CHANGES = ["key", "owner", "capacity"] as const;
export type Change = (typeof CHANGES)[number];

/** Keys and ids in one answer. */
const PAGE = 100n;

export const onRegistry = ({ registry }: Deployment) => ({ address: registry, abi: meterRegistryAbi }) as const;

export type Meter = Awaited<ReturnType<typeof meterOf>>;

/** A meter as it stands. Throws a Problem where there is none. */
export async function meterOf(deployment: Deployment, meter: Hex) {
  const { client } = deployment;
  try {
    const { status, ...told } = await client.readContract({
      ...{ ...onRegistry(deployment), functionName: "meterOf", args: [meter] },
    });
    return { meter, ...told, status: STATUSES[status] ?? "none" };
  } catch (error) {
    throw problemOf(error, meter);
  }
}

const problemOf = (error: unknown, meter: Hex): unknown =>
  refusalIn(error)?.includes("MeterUnknown")
    ? new Problem(`No meter ${meter} is registered. A meter's id is the key id that it was first registered with.`)
    : error;

/** `since` and `until` (0 = to this day): Unix time, s. */
export type Key = { keyId: Hex; since: number; until: number };

export async function keysOf(deployment: Deployment, { meter, keyCount }: Meter): Promise<Key[]> {
  const { client } = deployment;
  const keys: Key[] = [];
  for (let start = 0n; start < keyCount; start += PAGE) {
    const args = [meter, start, PAGE] as const;
    keys.push(...(await client.readContract({ ...onRegistry(deployment), functionName: "keysOf", args })));
  }
  return keys;
}

export type Proposal = { change: Change; value: bigint; executableAt: number; proposer: Hex };

/** What is proposed for a meter and not void. */
export async function proposalsOf(deployment: Deployment, meter: Hex): Promise<Proposal[]> {
  const { client } = deployment;
  const delay = await client.readContract({ ...onRegistry(deployment), functionName: "PROPOSAL_DELAY" });
  const { timestamp } = await client.getBlock();
  const found = await Promise.all(
    CHANGES.map(async (change, number) => {
      const args = [meter, number] as const;
      const told = await client.readContract({ ...onRegistry(deployment), functionName: "proposalOf", args });
      return { change, ...told };
    }),
  );
  return found
    .filter(({ proposedAt }) => proposedAt > 0n && timestamp < proposedAt + 2n * delay)
    .map(({ change, value, proposedAt, proposer }) => ({
      ...{ change, value, proposer },
      executableAt: Number(proposedAt + delay),
    }));
}

/** Every meter that was ever registered, the first first. */
export async function allMeters(deployment: Deployment): Promise<{ meter: Hex; block: number }[]> {
  const { client, registry, fromBlock } = deployment;
  const newest = Number(await client.getBlockNumber());
  const meters: { meter: Hex; block: number }[] = [];
  for await (const logs of createRanges(client).logs([registry], Number(fromBlock), newest)) {
    for (const { args, blockNumber } of parseEventLogs({ abi: meterRegistryAbi, eventName: "MeterRegistered", logs })) {
      meters.push({ meter: args.meter, block: Number(blockNumber) });
    }
  }
  return meters;
}

export const isNobody = (account: Hex): boolean => account === zeroAddress;
