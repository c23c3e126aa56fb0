/**
 * Which heads to settle: for every log the newest that the contract accepts, so chosen that the segments up to it fit a
 * batch and the DON. Nothing here is believed: DON and contract check again.
 */
import { conditionsOf, energyOf, sourceOf, timestampOf } from "../protocol/index.ts";
import type { SettledHead, Terms } from "./chain.ts";
import type { StoredHead } from "./logs.ts";
import { CLOCK_TOLERANCE, POST_LIMIT } from "./readings.ts";

/** Conditions that do not block a head, as on chain: energy repeated (bit 1), step not counted (bit 2). */
export const HARMLESS_CONDITIONS = 0x06;

/** A log with more readings than are settled. */
export type UnsettledLog = {
  epoch: number;
  /** readings of it that are settled */
  settledSize: number;
  /** reading 0 */
  first: Uint8Array;
  /** the last settled reading; of a log never settled reading 0 */
  base: Uint8Array;
  /** heads after settledSize, in order */
  heads: readonly StoredHead[];
};

export type PlanRules = {
  /** Unix time, s: the chain's */
  now: number;
  /** s; heads stand at multiples of it. 0 = anywhere */
  alignment: number;
  /** s without a head at such a multiple after which any head will do */
  patience: number;
  /** readings that a segment adds at most, unless the only head is further */
  stride: number;
};

export const STRIDE = POST_LIMIT;

/**
 * The heads to settle one after the other in `log`, none where nothing was produced. `latest` is what the contract measures
 * against, and is returned as it will be then.
 */
export function planLog(
  log: UnsettledLog,
  latest: SettledHead,
  terms: Terms,
  rules: PlanRules,
): { heads: StoredHead[]; latest: SettledHead } {
  const heads: StoredHead[] = [];
  let [standing, rest] = [latest, log];
  for (let head = nextHead(rest, standing, terms, rules); head; head = nextHead(rest, standing, terms, rules)) {
    const { size, reading } = head;
    heads.push(head);
    if (log.epoch >= standing.epoch) {
      standing = {
        epoch: log.epoch,
        size,
        timestamp: timestampOf(reading),
        energy: energyOf(reading),
        settledAt: rules.now,
      };
    }
    rest = { ...rest, settledSize: size, base: reading, heads: rest.heads.filter((later) => later.size > size) };
  }
  return { heads, latest: standing };
}

function nextHead(log: UnsettledLog, latest: SettledHead, terms: Terms, rules: PlanRules): StoredHead | undefined {
  const acceptable = log.heads.filter((head) => isAcceptable(head, log, latest, terms, rules.now));
  const aligned =
    rules.alignment === 0
      ? acceptable
      : acceptable.filter(({ reading }) => timestampOf(reading) % rules.alignment === 0);
  const waited = rules.now - timestampOf(log.base);
  const candidates = aligned.length === 0 && waited > rules.patience ? acceptable : aligned;
  return candidates.findLast(({ size }) => size - log.settledSize <= rules.stride) ?? candidates[0];
}

/** The contract's checks of a head, as far as its own log decides them, and that it mints something. */
function isAcceptable(
  { size, reading }: StoredHead,
  log: UnsettledLog,
  latest: SettledHead,
  terms: Terms,
  now: number,
): boolean {
  if (timestampOf(reading) > now + CLOCK_TOLERANCE) return false;
  if ((conditionsOf(reading) & ~HARMLESS_CONDITIONS) !== 0) return false;
  if (sourceOf(reading) !== terms.source) return false;
  // a log that the key has left behind mints nothing: it is recorded where something was produced
  if (log.epoch < latest.epoch) return energyOf(reading) > energyOf(log.base);
  const base = baseOf(log, latest);
  if (!base) return false;
  const elapsed = timestampOf(reading) - base.timestamp;
  if (elapsed <= 0 && size !== 1) return false;
  const produced = energyOf(reading) - base.energy;
  return produced > 0n && produced <= (BigInt(terms.capacity) * 1000n * BigInt(elapsed)) / 3600n;
}

/** What the contract mints from: see WattWitness._base. Undefined where it refuses. */
function baseOf(log: UnsettledLog, latest: SettledHead): { timestamp: number; energy: bigint } | undefined {
  const { timestamp, energy } = latest;
  if (log.epoch === latest.epoch) return { timestamp, energy };
  const first = { timestamp: timestampOf(log.first), energy: energyOf(log.first) };
  if (first.timestamp <= timestamp) return undefined;
  return first.energy < energy ? first : { timestamp, energy };
}
