/**
 * Which heads to settle: for every log the newest that the contract accepts, so chosen that the segments up to it fit a
 * batch and the DON. Nothing here is believed: DON and contract check again.
 */
import { conditionsOf, energyOf, sourceOf, timestampOf } from "../../protocol/index.ts";
import { POST_LIMIT } from "../accepting/readings.ts";
import type { Gap, SettledHead, Terms } from "../chain/chain.ts";
import { CLOCK_TOLERANCE, EPOCH_STRIDE, HARMLESS_CONDITIONS } from "../chain/rules.ts";
import type { StoredHead } from "../store/store.ts";
import { producedIn } from "./rest.ts";

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
  /** Unix time (s) from which a settlement may go on from a reading of `timestamp`, of a key last settled at `settledAt` */
  allowedFrom: (timestamp: number, settledAt: number) => number;
};

export const STRIDE = POST_LIMIT;

export type PlannedHead = { epoch: number; head: StoredHead };

/**
 * The heads to settle one after the other of a key's newest settled log and of newer ones, in the order of epochs. One
 * that is too far above the last settled is reached over others that produced nothing, which else are passed over.
 */
export function planLogs(
  logs: readonly UnsettledLog[],
  latest: SettledHead,
  terms: Terms,
  rules: PlanRules,
): PlannedHead[] {
  const planned: PlannedHead[] = [];
  let standing = latest;
  let steps: PlannedHead[] = [];
  let nextStep: PlannedHead | undefined;
  for (const log of logs) {
    const { epoch } = log;
    if (nextStep && epoch > standing.epoch + EPOCH_STRIDE) {
      steps.push(nextStep);
      [standing, nextStep] = [settledBy(nextStep, rules.now), undefined];
    }
    const plan = planLog(log, standing, terms, rules);
    if (plan.heads.length > 0) {
      planned.push(...steps, ...plan.heads.map((head) => ({ epoch, head })));
      [standing, steps, nextStep] = [plan.latest, [], undefined];
    } else if (epoch > standing.epoch) {
      const accepted = (head: StoredHead) => producedBy(head, log, standing, terms, rules) !== undefined;
      const head = nextHead(log, rules, accepted);
      if (head) nextStep = { epoch, head };
    }
  }
  return planned;
}

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
  let [standing, left] = [latest, log];
  const accepted = (head: StoredHead) => (producedBy(head, left, standing, terms, rules) ?? 0n) > 0n;
  const next = () => nextHead(left, rules, accepted);
  for (let head = next(); head; head = next()) {
    const { size, reading } = head;
    heads.push(head);
    standing = settledBy({ epoch: log.epoch, head }, rules.now);
    left = { ...left, settledSize: size, base: reading, heads: left.heads.filter((later) => later.size > size) };
  }
  return { heads, latest: standing };
}

/** The head to settle in a log of an earlier epoch, if any. It has waited if it must: that depends on its gap. */
export function planRest(log: UnsettledLog, gap: Gap, terms: Terms, rules: PlanRules): StoredHead | undefined {
  const first = log.settledSize === 0 ? log.first : undefined;
  const accepted = ({ reading }: StoredHead) => isSound(reading, terms) && producedIn(gap, reading, first) > 0n;
  return nextHead(log, rules, accepted);
}

const settledBy = ({ epoch, head: { size, reading } }: PlannedHead, now: number): SettledHead => ({
  ...{ epoch, size, timestamp: timestampOf(reading), energy: energyOf(reading), settledAt: now },
});

function nextHead(
  log: UnsettledLog,
  rules: PlanRules,
  accepted: (head: StoredHead) => boolean,
): StoredHead | undefined {
  const acceptable = log.heads.filter(accepted);
  const aligned =
    rules.alignment === 0
      ? acceptable
      : acceptable.filter(({ reading }) => timestampOf(reading) % rules.alignment === 0);
  const waited = rules.now - timestampOf(log.base);
  const candidates = aligned.length === 0 && waited > rules.patience ? acceptable : aligned;
  return candidates.findLast(({ size }) => size - log.settledSize <= rules.stride) ?? candidates[0];
}

/** What of a head's reading does not depend on others. */
const isSound = (reading: Uint8Array, { source }: Terms): boolean =>
  (conditionsOf(reading) & ~HARMLESS_CONDITIONS) === 0 && sourceOf(reading) === source;

/** mWh that the contract would mint for a head, as far as its own log decides that; undefined where it would refuse it. */
function producedBy(
  { size, reading }: StoredHead,
  log: UnsettledLog,
  latest: SettledHead,
  terms: Terms,
  { now, allowedFrom }: PlanRules,
): bigint | undefined {
  if (allowedFrom(latest.timestamp, latest.settledAt) > now) return undefined;
  if (timestampOf(reading) > now + CLOCK_TOLERANCE || !isSound(reading, terms)) return undefined;
  const base = baseOf(log, latest);
  if (!base) return undefined;
  const elapsed = timestampOf(reading) - base.timestamp;
  if (elapsed < 0 || (elapsed === 0 && size !== 1)) return undefined;
  const produced = energyOf(reading) - base.energy;
  const possible = (BigInt(terms.capacity) * 1000n * BigInt(elapsed)) / 3600n;
  return produced >= 0n && produced <= possible ? produced : undefined;
}

/** What the contract mints from: see WattWitness._base. Undefined where it refuses. */
function baseOf(log: UnsettledLog, latest: SettledHead): { timestamp: number; energy: bigint } | undefined {
  const { timestamp, energy } = latest;
  if (log.epoch === latest.epoch) return { timestamp, energy };
  if (log.epoch > latest.epoch + EPOCH_STRIDE) return undefined;
  const first = { timestamp: timestampOf(log.first), energy: energyOf(log.first) };
  if (first.energy >= energy) return { timestamp, energy };
  return first.timestamp > timestamp ? first : undefined;
}
