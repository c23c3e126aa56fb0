/**
 * What an oracle accepts from a meter: every check of DON and contract that can be made when readings arrive, in the order
 * in which an attacker would try them. No call to the chain is made for a post: what it knows of the chain is at hand.
 *
 * The capacity bucket goes on over the whole log, while the DON begins each segment with an empty one. A fuller bucket
 * only overflows sooner, so no segment of an accepted log, wherever it begins, is refused by the DON.
 */
import {
  checkStep,
  conditionsOf,
  encodeHead,
  equal,
  type Failure,
  fromHex,
  isSize,
  type Moment,
  momentOf,
  READING_LENGTH,
  sourceOf,
  timestampOf,
} from "../../protocol/index.ts";
import { CLOCK_TOLERANCE } from "../chain/rules.ts";
import type { Meter } from "../chain/view.ts";
import type { Logs, StoredLog } from "../store/store.ts";
import type { Equivocations } from "./equivocations.ts";
import { type Refusal, type Rule, refusal } from "./refusal.ts";
import { createVerifying, type VerifyHead } from "./verifying.ts";

/** Readings of one post at most: a segment must fit a batch. */
export const POST_LIMIT = 8192;

export type Post = { keyId: string; epoch: number; size: number; readings: string[]; signature: string };

/** `size` is what the oracle has now. */
export type Accepted = { size: number };

export type Acceptance = {
  logs: Logs;
  headDomain: Uint8Array;
  /** the meter that a key belongs to, as the chain knows it; undefined where it does not */
  meterOf: (keyId: string) => Meter | undefined;
  /** Unix time, s */
  now: () => number;
  /** keeps what a device signed against what it signed before */
  equivocations: Pick<Equivocations, "witness">;
  verifyHead: VerifyHead;
};

/** One for all that is accepted in this process. */
const verifyHead = createVerifying();

type Answer = { ok: true; value: Accepted } | { ok: false; refusal: Refusal };

/** Answers posts, those of one key one after the other. */
export function createAcceptance(given: Omit<Acceptance, "verifyHead">): (post: Post) => Promise<Answer> {
  const acceptance = { ...given, verifyHead };
  const turns = new Map<string, Promise<unknown>>();
  return (post) => {
    const turn = (turns.get(post.keyId) ?? Promise.resolve()).catch(() => {}).then(() => accept(acceptance, post));
    turns.set(post.keyId, turn);
    const forget = () => {
      if (turns.get(post.keyId) === turn) turns.delete(post.keyId);
    };
    turn.then(forget, forget);
    return turn;
  };
}

const no = (rule: Rule, message: string, values: Record<string, string | number> = {}): Answer => ({
  ok: false,
  refusal: refusal(rule, message, values),
});

async function accept(acceptance: Acceptance, post: Post): Promise<Answer> {
  const { logs, headDomain, meterOf, now, verifyHead } = acceptance;
  const { keyId, epoch, size } = post;
  const meter = meterOf(keyId);
  if (!meter) return no("unknown meter", "the chain knows no meter with this key");
  if (meter.status === "decommissioned") return no("key ended", "the meter of this key was decommissioned");
  const count = post.readings.length;
  if (count > POST_LIMIT) return no("too many readings", `a post has at most ${POST_LIMIT} readings`, { count });
  if (count === 0) return no("count zero", "a post has at least one reading");
  if (!isSize(size) || size < count) {
    return no("size out of range", "size is that of the log after the post: from 1 to 2^40 - 1", { size, count });
  }

  const stored = await logs.of(keyId);
  const newest = Math.max(meter.latest.epoch, stored.at(-1)?.epoch ?? 0);
  const begun = stored.find((log) => log.epoch === epoch);
  if (epoch < newest) {
    if (begun) await witness(acceptance, begun, meter, post);
    return no("wrong epoch", "a newer log of this key has begun", { epoch, newest });
  }
  const has = begun?.size ?? 0;
  const start = size - count;
  if (start > has) return gap(start, has);

  const readings = post.readings.map(fromHex);
  const log = begun ?? (await logs.open(keyId, epoch));
  // another oracle on this store began it meanwhile
  if (log.size !== has) return accept(acceptance, post);
  const known = await log.readings(start, Math.min(size, has));
  const other = known.findIndex((reading, i) => !equal(reading, readings[i] as Uint8Array));
  if (other !== -1) {
    await witness(acceptance, log, meter, post);
    return no("wrong reading", "another reading was signed in this place", { index: start + other });
  }
  if (size <= has) return { ok: true, value: { size: has } };

  const fresh = readings.slice(known.length);
  const misshapen = checkShape(fresh, meter.source, has);
  if (misshapen) return { ok: false, refusal: misshapen };
  const { until = Number.POSITIVE_INFINITY } = meter;
  // a post that only ends after it has the last readings that count: its one signature is over all of them
  if (timestampOf(fresh[0] as Uint8Array) >= until) {
    return no("key ended", "another key succeeded this one: what it measures from then on counts no more", { until });
  }
  const steps = checkSteps(before(log, meter, stored), fresh, meter.capacity);
  if (!steps.ok) return no(steps.failure, MESSAGES[steps.failure] ?? steps.failure, { index: has + steps.at });
  const latest = timestampOf(fresh.at(-1) as Uint8Array);
  if (latest > now() + CLOCK_TOLERANCE) {
    return no("time ahead", "a reading is more than five minutes ahead of the clock", {
      timestamp: latest,
      now: now(),
    });
  }

  const settled = meter.logs[epoch];
  if (settled && has < settled.size && settled.size <= size) {
    const root = log.rootWith(fresh.slice(0, settled.size - has));
    if (!equal(root, fromHex(settled.root))) {
      return no("log inconsistent", "these are not the readings that are settled on chain", { settled: settled.size });
    }
  }
  const head = { epoch, size, reading: fresh.at(-1) as Uint8Array, root: log.rootWith(fresh) };
  const signature = fromHex(post.signature);
  const signed = await verifyHead(encodeHead(headDomain, head), signature, fromHex(meter.publicKey));
  if (!signed.ok) return no(signed.failure, MESSAGES[signed.failure] ?? signed.failure);

  if (await log.append(fresh, signature, steps.bucket)) return { ok: true, value: { size } };
  // another oracle on this store was faster: what it stored decides
  return accept(acceptance, post);
}

const witness = (
  { equivocations }: Acceptance,
  log: StoredLog,
  { publicKey }: Meter,
  { size, readings, signature }: Post,
): Promise<void> =>
  equivocations.witness(log, publicKey, { size, readings: readings.map(fromHex), signature: fromHex(signature) });

const gap = (start: number, has: number): Answer =>
  no("gap", "readings before these are missing: go on from size", { start, size: has });

const MESSAGES: Partial<Record<Rule, string>> = {
  "time not forward": "a reading is not later than the one before it",
  "energy backward": "a reading has less energy than the one before it",
  "beyond capacity": "more was produced than the capacity and a quarter of an hour in hand allow",
  "wrong length": "a reading has 32 bytes, a signature 64",
  "high s": "the signature's s is above half the order",
  "bad key": "the meter's key is no point of the curve",
  "bad signature": "the meter's key did not sign this head for this chain and registry",
};

/** What a reading alone must be. */
function checkShape(readings: readonly Uint8Array[], source: number, from: number): Refusal | undefined {
  for (const [i, reading] of readings.entries()) {
    const index = from + i;
    if (reading.length !== READING_LENGTH) return refusal("wrong length", "a reading has 32 bytes", { index });
    if (sourceOf(reading) > 0x1f || conditionsOf(reading) > 0x0f) {
      return refusal("reserved bits", "a reading has a reserved bit", { index });
    }
    if (sourceOf(reading) !== source) {
      return refusal("source mismatch", "a reading is of another channel or register than the meter's", {
        index,
        source: sourceOf(reading),
        registered: source,
      });
    }
  }
  return undefined;
}

/** The reading that the next ones follow; `mayDrop` where its energy may be lost: over the step into a new epoch. */
type Before = Moment & { bucket: bigint; mayDrop: boolean };

/** The log's last reading or, of a new log, the last that is stored or settled of the key's earlier ones. */
function before(log: StoredLog, meter: Meter, stored: readonly StoredLog[]): Before | undefined {
  if (log.last) return { ...momentOf(log.last), bucket: log.bucket, mayDrop: false };
  const earlier = stored.at(-1);
  const last = earlier?.last && { ...momentOf(earlier.last), bucket: earlier.bucket, mayDrop: true };
  if (meter.latest.epoch === log.epoch) return last;
  const { timestamp, energy } = meter.latest;
  if (last && last.timestamp >= timestamp) return last;
  return { timestamp, energy: BigInt(energy), bucket: 0n, mayDrop: true };
}

type Steps = { ok: true; bucket: bigint } | { ok: false; failure: Failure; at: number };

/** The protocol's rules between readings, going on from `start`. Returns the bucket they leave. */
export function checkSteps(start: Before | undefined, readings: readonly Uint8Array[], capacity: number): Steps {
  let previous: Before | undefined = start;
  for (const [at, reading] of readings.entries()) {
    const next = momentOf(reading);
    // where the register was lost only the time is to go on
    const from = previous?.mayDrop && next.energy < previous.energy ? { ...previous, energy: next.energy } : previous;
    const step = from && checkStep(from === previous ? from.bucket : 0n, from, next, capacity);
    if (step && !step.ok) return { ok: false, failure: step.failure, at };
    previous = { ...next, bucket: step?.value ?? 0n, mayDrop: false };
  }
  return { ok: true, bucket: previous?.bucket ?? 0n };
}
