/** What the contracts keep of keys and meters, as the events make it. Times are Unix time (s), energies mWh. */
import type { Hex } from "viem";
import type { Where } from "../finding.ts";

/** IWattWitness.Status */
export const STATUS = { active: 1, frozen: 2, superseded: 3, decommissioned: 4 } as const;

/** A settled log, with what its last settled reading is known to be. */
export type SettledLog = { size: number; root: Hex; timestamp: number; energy: bigint };

export type Gap = { since: number; until: number; energyBefore: bigint; energyAfter: bigint; room: bigint };

export type Key = {
  keyId: Hex;
  meter: Hex;
  /** x ‖ y */
  publicKey: Hex;
  status: number;
  since: number;
  /** 0 = to this day */
  until: number;
  rotatedIn: boolean;
  payee: Hex;
  /** W */
  capacity: number;
  source: number;
  raised: boolean;
  /** when the capacity was raised, and from what; stays after it is over */
  raise: { raisedAt: number; before: number };
  /** of the newest log */
  epoch: number;
  settledAt: number;
  produced: bigint;
  logs: Map<number, SettledLog>;
  gaps: Map<number, Gap>;
  /** how it came in: by its baseline, whose claim is in the transaction */
  begun: { size: number; root: Hex; timestamp: number; epoch: number; energy: bigint; owner: Hex; where: Where };
  /** of a meter's first key, as it was registered */
  registered?: { owner: Hex; capacity: number; source: number; details: Hex };
  /** of one that was rotated in */
  previous?: Hex;
  /** rotated in by a proposal, so that nothing is signed by the key before */
  isProposed?: boolean;
};

export type Meter = {
  meter: Hex;
  owner: Hex;
  details: Hex;
  /** in their order */
  keys: Key[];
  /** mWh under keys that are over */
  before: bigint;
  watcher: Hex;
  /** a transfer ends a watcher where the new owner has no code, which no event says */
  watcherMayBeGone: boolean;
};

export const latestOf = (key: Key): SettledLog => key.logs.get(key.epoch) as SettledLog;
export const currentOf = (meter: Meter): Key => meter.keys.at(-1) as Key;

/** mWh that `capacity` W make in `time` s */
export const possible = (capacity: number, time: number): bigint => (BigInt(capacity) * 1000n * BigInt(time)) / 3600n;

/** WattWitness._possibleOf: before the capacity was raised, only as much as it was then. */
export function possibleBetween({ capacity, raise }: Key, start: number, end: number): bigint {
  const earlier = Math.max(0, Math.min(raise.raisedAt, end) - start);
  return possible(capacity, end - start) - possible(Math.max(0, capacity - raise.before), earlier);
}

/** What a register rose; where it is lower it was lost. */
export const rise = (energy: bigint, later: bigint): bigint => (later > energy ? later - energy : 0n);
