/**
 * The rules of WattWitness.settle over what its events say: what must have been, to have been settled. Each rule has the
 * word under which it is refuted.
 */
import type { Hex } from "viem";
import { SIZE_LIMIT } from "../../protocol/index.ts";
import type { Where } from "../finding.ts";
import { type Gap, type Key, latestOf, possible, possibleBetween, rise, type SettledLog, STATUS } from "./keys.ts";

const CLOCK_TOLERANCE = 300;
const EPOCH_STRIDE = 64;
const NEVER = 0xffff_ffff;

/** A settlement with what held when it was made: all that its readings are held against. */
export type Settlement = {
  meter: Hex;
  keyId: Hex;
  /** x ‖ y */
  publicKey: Hex;
  /** zero = on the device's signature alone */
  attestation: Hex;
  payee: Hex;
  epoch: number;
  fromSize: number;
  size: number;
  timestamp: number;
  energy: bigint;
  produced: bigint;
  root: Hex;
  /** W, and channel and register, as registered then */
  capacity: number;
  source: number;
  /** this log as it was settled before; absent = it was not */
  before?: SettledLog;
  /** reading 0 of a log that begins here */
  first?: { timestamp: number; energy: bigint };
  where: Where;
};

export type Told = Pick<
  Settlement,
  | "epoch"
  | "fromSize"
  | "size"
  | "timestamp"
  | "energy"
  | "produced"
  | "root"
  | "attestation"
  | "payee"
  | "first"
  | "meter"
>;

export type Refute = (rule: string, expected: unknown, found: unknown) => void;

type Moment = { blockTime: number; unattestedAfter: number };

/** Holds a settlement against what was settled before, and then takes it as it is told. */
export function settle(key: Key, told: Told, { blockTime, unattestedAfter }: Moment, refute: Refute): void {
  const log = key.logs.get(told.epoch);
  if (key.status !== STATUS.active) refute("key not active", STATUS.active, key.status);
  if (key.payee !== told.payee) refute("payee", key.payee, told.payee);
  if (key.meter !== told.meter) refute("other meter", key.meter, told.meter);
  if (told.fromSize !== (log?.size ?? 0)) refute("size does not join", log?.size ?? 0, told.fromSize);
  if (told.size <= told.fromSize) refute("size not forward", `more than ${told.fromSize}`, told.size);
  if (told.size >= SIZE_LIMIT) refute("size out of range", `less than ${SIZE_LIMIT}`, told.size);
  if ((told.fromSize === 0) !== (told.first !== undefined)) {
    refute("log begun", told.fromSize === 0 ? "reading 0" : "none", told.first ? "reading 0" : "none");
  }
  if (told.timestamp > blockTime + CLOCK_TOLERANCE) refute("time ahead", blockTime + CLOCK_TOLERANCE, told.timestamp);
  const isRest = told.epoch < key.epoch;
  const since = isRest ? restSince(key, told) : latestOf(key).timestamp;
  if (isUnattested(told.attestation)) {
    const allowed = unattestedAfter === NEVER ? "never" : Math.min(since, key.settledAt) + unattestedAfter;
    if (allowed === "never" || blockTime < allowed) refute("attestation required", allowed, blockTime);
  }
  if (isRest) settleRest(key, told, refute);
  else settleNewest(key, told, blockTime, refute);
}

export const isUnattested = (attestation: Hex): boolean => /^0x0+$/.test(attestation);

function settleNewest(key: Key, told: Told, blockTime: number, refute: Refute): void {
  const latest = latestOf(key);
  const isNew = told.epoch !== key.epoch;
  const base = isNew && told.first && told.first.energy < latest.energy ? told.first : latest;
  if (told.epoch > key.epoch + EPOCH_STRIDE) refute("epoch too far", key.epoch + EPOCH_STRIDE, told.epoch);
  if (base !== latest && base.timestamp <= latest.timestamp)
    refute("time not forward", latest.timestamp, base.timestamp);
  const isFirst = told.size === 1 && told.timestamp === base.timestamp;
  if (told.timestamp <= base.timestamp && !isFirst) refute("time not forward", base.timestamp, told.timestamp);
  if (told.energy < base.energy) refute("energy backward", base.energy, told.energy);
  if (told.produced !== told.energy - base.energy) refute("produced", told.energy - base.energy, told.produced);
  const most = possible(key.capacity, told.timestamp - base.timestamp);
  if (told.produced > most) refute("beyond capacity", most, told.produced);
  if (key.raised) {
    const asRaised = possibleBetween(key, base.timestamp, told.timestamp);
    if (told.produced > asRaised) refute("beyond capacity", asRaised, told.produced);
  }
  if (isNew) leave(key, told);
  if (key.raised && told.timestamp >= key.raise.raisedAt) key.raised = false;
  key.epoch = told.epoch;
  key.settledAt = blockTime;
  store(key, told);
}

function store(key: Key, { epoch, size, root, timestamp, energy, produced }: Told): void {
  key.logs.set(epoch, { size, root, timestamp, energy });
  key.produced += produced;
}

/** WattWitness._leave: what is left to settle of the time before the new log. */
function leave(key: Key, told: Told): void {
  const latest = latestOf(key);
  const { first } = told;
  if (!first || first.timestamp <= latest.timestamp) return;
  const goesOn = first.energy >= latest.energy;
  const end = goesOn ? told.timestamp : first.timestamp;
  const room = possibleBetween(key, latest.timestamp, end) - (goesOn ? told.produced : 0n);
  key.gaps.set(key.epoch, {
    ...{
      since: latest.timestamp,
      until: first.timestamp,
      energyBefore: latest.energy,
      energyAfter: first.energy,
      room,
    },
  });
}

const NO_GAP: Gap = { since: 0, until: 0, energyBefore: 0n, energyAfter: 0n, room: 0n };

/** The log whose gap an earlier head fills: its own, or the settled one before it. */
function gapEpoch(key: Key, { epoch, fromSize }: Told): number {
  if (fromSize !== 0) return epoch;
  for (let step = 1; step <= EPOCH_STRIDE && step <= epoch; step++) if (key.logs.has(epoch - step)) return epoch - step;
  return epoch;
}

const restSince = (key: Key, told: Told): number => (key.gaps.get(gapEpoch(key, told)) ?? NO_GAP).since;

/** WattWitness._settleRest: in the gap between settled logs a head of an earlier epoch mints what the register rose more. */
function settleRest(key: Key, told: Told, refute: Refute): void {
  const at = gapEpoch(key, told);
  const gap = key.gaps.get(at) ?? NO_GAP;
  const isOwn = at === told.epoch;
  const from = isOwn || !told.first ? { timestamp: gap.since, energy: gap.energyBefore } : told.first;
  const { timestamp, energy } = told;
  const risen = rise(gap.energyBefore, from.energy) + rise(from.energy, energy) + rise(energy, gap.energyAfter);
  const produced = risen - rise(gap.energyBefore, gap.energyAfter);
  if (gap.until === 0) refute("no gap", "a gap between settled logs", "none");
  if (told.produced !== produced) refute("produced", produced, told.produced);
  if (energy < from.energy) refute("energy backward", from.energy, energy);
  if (timestamp >= gap.until) refute("outside gap", `before ${gap.until}`, timestamp);
  if (produced > gap.room) refute("beyond capacity", gap.room, produced);
  const isForward = isOwn
    ? timestamp > gap.since && produced !== 0n
    : (timestamp > from.timestamp || (timestamp === from.timestamp && told.size === 1)) && from.timestamp > gap.since;
  if (!isForward) refute("outside gap", `after ${gap.since}`, timestamp);

  const room = gap.room - produced;
  let left = room;
  if (!isOwn) {
    const before = least(
      room,
      rise(rise(gap.energyBefore, from.energy), possibleBetween(key, gap.since, from.timestamp)),
    );
    left -= before;
    key.gaps.set(at, { ...gap, until: from.timestamp, energyAfter: from.energy, room: before });
  }
  key.gaps.set(told.epoch, { ...gap, since: timestamp, energyBefore: energy, room: left });
  store(key, told);
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
