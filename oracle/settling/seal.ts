/** Seals batches: reads the logs' unsettled parts, chooses heads (plan.ts) and packs the segments up to them. */
import type { Logger } from "pino";
import {
  attestationLeaf,
  attestationRoot,
  batchLength,
  encodeBatch,
  equal,
  fromHex,
  frontier,
  READING_LENGTH,
  type Segment,
  SIZE_LIMIT,
  segmentLength,
  timestampOf,
  toHex,
  verifyBatch,
  verifySegment,
} from "../../protocol/index.ts";
import type { Chain, Hex, Terms } from "../chain/chain.ts";
import type { Meter } from "../chain/view.ts";
import { withHashes } from "../store/hashes.ts";
import { type Batches, type Logs, StoreDamaged, type StoredHead, type StoredLog } from "../store/store.ts";
import type { Job, JobItem } from "./jobs.ts";
import { type PlanRules, planLogs, planRest, STRIDE, type UnsettledLog } from "./plan.ts";
import { gapFor } from "./rest.ts";

export type SealRules = {
  /** bytes of a batch at most */
  batchLimit: number;
  /** s; see PlanRules */
  alignment: number;
  patience: number;
};

export type Sealing = {
  chain: Chain;
  logs: Logs;
  batches: Batches;
  headDomain: Uint8Array;
  rules: SealRules;
  /** whether there is a DON to ask */
  hasAttestor: boolean;
  logger: Logger;
  /** Hears of a meter that is left out, as what is stored of it is damaged. */
  onDamaged: (keyId: string, damage: StoreDamaged) => void;
};

/** What one meter has to settle, in the order in which it must be; the rest of an earlier epoch is a share of its own. */
type Share = { keyId: string; attested: boolean; segments: Planned[] };
type Planned = { item: Omit<JobItem, "segment">; length: number; segment: () => Promise<Segment> };

/**
 * Batches for `meters`, made durable, the keys of those that have more than one batch holds, and the keys that the DON
 * would refuse. A meter is sealed for settlement without attestation where there is no attestor, or where
 * `isUnattestable` and the contract allows it now.
 */
export async function seal(
  sealing: Sealing,
  meters: readonly Meter[],
  isUnattestable: (keyId: string) => boolean,
  at: { block: number; timestamp: number },
): Promise<{ jobs: Job[]; behind: string[]; refused: string[] }> {
  const shares: Share[] = [];
  for (const meter of meters) {
    const { keyId } = meter;
    const own = await unlessDamaged(sealing, keyId, () =>
      sharesOf(sealing, meter, isUnattestable(keyId), at.timestamp),
    );
    shares.push(...(own ?? []));
  }

  const jobs: Job[] = [];
  const behind: string[] = [];
  const refused: string[] = [];
  for (const attested of [true, false]) {
    const limit = attested ? sealing.rules.batchLimit : Number.POSITIVE_INFINITY;
    const packed = pack(
      sealing,
      shares.filter((share) => share.segments.length > 0 && share.attested === attested),
      limit,
    );
    behind.push(...packed.behind);
    for (const batch of packed.batches) {
      const sealed = await sealBatch(sealing, batch, limit, attested, at.block);
      jobs.push(...sealed.jobs);
      refused.push(...sealed.refused);
    }
  }
  return { jobs, behind, refused };
}

/** Nothing where what is stored of a meter is damaged: it stops no other. */
async function unlessDamaged<T>(sealing: Sealing, keyId: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof StoreDamaged)) throw error;
    sealing.onDamaged(keyId, error);
    return undefined;
  }
}

async function sharesOf(sealing: Sealing, meter: Meter, isUnattestable: boolean, now: number): Promise<Share[]> {
  const { chain, logs, hasAttestor } = sealing;
  const { keyId } = meter;
  const unsettled = (await logs.of(keyId)).filter((log) => log.size > (meter.logs[log.epoch]?.size ?? 0));
  if (unsettled.length === 0) return [];
  const terms = await chain.termsOf(keyId);
  // what another key superseded mints nothing: its readings stay provable under the heads that it signed
  if (terms.status !== "active") return [];
  const latest = await chain.latestOf(keyId);
  const mayGoUnattested = chain.unattestedFrom(latest.timestamp, latest.settledAt) <= now;
  const attested = hasAttestor && !(isUnattestable && mayGoUnattested);

  const ahead = attested || mayGoUnattested ? unsettled.filter(({ epoch }) => epoch >= latest.epoch) : [];
  const parts = (await Promise.all(ahead.map((log) => unsettledPartOf(sealing, log)))).filter(
    (part) => part !== undefined,
  );
  const planned = planLogs(parts, latest, terms, planRulesOf(sealing, attested, now));
  const share: Share = { keyId, attested, segments: [] };
  const sizes = new Map(parts.map(({ epoch, settledSize }) => [epoch, settledSize]));
  for (const { epoch, head } of planned) {
    const log = ahead.find((one) => one.epoch === epoch) as StoredLog;
    share.segments.push(planSegment(meter, log, terms.capacity, sizes.get(epoch) as number, head));
    sizes.set(epoch, head.size);
  }
  const earlier = unsettled.filter(({ epoch }) => epoch < latest.epoch);
  const rest = await restOf(sealing, meter, earlier, terms, latest.settledAt, now);
  return rest ? [share, rest] : [share];
}

/**
 * The rest of one earlier epoch, the first that has any: it changes what the others may mint. It goes without attestation
 * as soon as it may, so that nothing waits for ever which the DON would refuse.
 */
async function restOf(
  sealing: Sealing,
  meter: Meter,
  earlier: readonly StoredLog[],
  terms: Terms,
  settledAt: number,
  now: number,
): Promise<Share | undefined> {
  const { chain, hasAttestor } = sealing;
  const { keyId } = meter;
  const gaps = await Promise.all(earlier.map(({ epoch }) => gapFor(chain, keyId, epoch)));
  for (const [i, log] of earlier.entries()) {
    const gap = gaps[i];
    if (!gap) continue;
    const attested = chain.unattestedFrom(gap.since, settledAt) > now;
    if (attested && !hasAttestor) continue;
    const part = await unsettledPartOf(sealing, log);
    const head = part && planRest(part, gap, terms, planRulesOf(sealing, attested, now));
    if (!head) continue;
    return { keyId, attested, segments: [planSegment(meter, log, terms.capacity, part.settledSize, head)] };
  }
  return undefined;
}

/** What the chain has not settled of a log; undefined where it has all, or another's readings. */
async function unsettledPartOf({ chain, logger }: Sealing, log: StoredLog): Promise<UnsettledLog | undefined> {
  const { keyId, epoch } = log;
  const settled = await chain.logOf(keyId, epoch);
  if (log.size <= settled.size) return undefined;
  if (settled.size > 0 && !equal(await log.hashOf(0, settled.size), fromHex(settled.root))) {
    logger.error({ keyId, epoch, settled }, "stored readings are not the settled ones");
    return undefined;
  }
  const [first] = await log.readings(0, 1);
  const [base] = settled.size === 0 ? [first] : await log.readings(settled.size - 1, settled.size);
  return {
    epoch,
    settledSize: settled.size,
    first: first as Uint8Array,
    base: base as Uint8Array,
    heads: await log.headsAfter(settled.size),
  };
}

const planRulesOf = ({ chain, rules }: Sealing, attested: boolean, now: number): PlanRules => ({
  ...{ now, alignment: rules.alignment, patience: rules.patience },
  stride: attested ? strideWithin(rules.batchLimit) : Number.POSITIVE_INFINITY,
  allowedFrom: attested ? () => 0 : chain.unattestedFrom,
});

/** Readings that a segment may add so that a batch holds it, wherever it begins. */
const strideWithin = (batchLimit: number): number => {
  const overhead = batchLength([segmentLength(SIZE_LIMIT - 1, 1)]);
  return Math.max(1, Math.min(STRIDE, Math.floor((batchLimit - overhead) / READING_LENGTH)));
};

function planSegment(meter: Meter, log: StoredLog, capacity: number, settledSize: number, head: StoredHead): Planned {
  const from = Math.max(0, settledSize - 1);
  const { size, signature } = head;
  const key = { keyId: log.keyId as Hex, publicKey: meter.publicKey as Hex };
  const timestamp = timestampOf(head.reading);
  return {
    item: { ...key, epoch: log.epoch, settledSize, from, size, timestamp, capacity },
    length: segmentLength(from, size - from),
    segment: async () => ({
      publicKey: fromHex(meter.publicKey),
      epoch: log.epoch,
      from,
      capacity,
      frontier: await withHashes(log.hashOf, (range) => frontier(range, from)),
      readings: await log.readings(from, size),
      signature,
    }),
  };
}

/** Fills batches up to `limit` bytes. A share stands in one batch only: what does not fit has to wait for its end. */
function pack(
  { logger }: Sealing,
  shares: readonly Share[],
  limit: number,
): { batches: Planned[][]; behind: string[] } {
  const batches: Planned[][] = [];
  const behind: string[] = [];
  let batch: Planned[] = [];
  const fits = (...more: Planned[]) => batchLength([...batch, ...more].map(({ length }) => length)) <= limit;
  for (const { keyId, segments } of shares) {
    if (!fits(segments[0] as Planned)) {
      if (batch.length > 0) batches.push(batch);
      batch = [];
    }
    let taken = 0;
    while (taken < segments.length && fits(segments[taken] as Planned)) batch.push(segments[taken++] as Planned);
    if (taken === 0) logger.error({ keyId, bytes: segments[0]?.length, limit }, "a segment is larger than a batch");
    else if (taken < segments.length) behind.push(keyId);
  }
  if (batch.length > 0) batches.push(batch);
  return { batches, behind };
}

type Sealed = { jobs: Job[]; refused: string[] };

/**
 * The batch as the DON will see it, verified as the DON will. What the DON would refuse of a meter, since that was given a
 * lower capacity than it had when it measured, is left out with all that follows it. Where no DON is asked its rules do
 * not count.
 */
async function sealBatch(
  sealing: Sealing,
  batch: readonly Planned[],
  limit: number,
  attested: boolean,
  block: number,
): Promise<Sealed> {
  const { headDomain, batches, logger } = sealing;
  if (batch.length === 0) return { jobs: [], refused: [] };
  const segments: Segment[] = [];
  const damaged = new Set<string>();
  for (const { item, segment } of batch) {
    const made = await unlessDamaged(sealing, item.keyId, segment);
    if (made) segments.push(made);
    else damaged.add(item.keyId);
  }
  if (damaged.size > 0) {
    const others = batch.filter(({ item }) => !damaged.has(item.keyId));
    return sealBatch(sealing, others, limit, attested, block);
  }
  const bytes = encodeBatch({ domain: headDomain, segments });
  const verified = attested ? await verifyBatch(bytes, limit) : undefined;
  if (verified && !verified.ok) {
    const refused = await refusedIn(sealing, batch, segments);
    const keys = [...refused.keys()];
    logger.error({ keys, failure: verified.failure }, "the DON would refuse these meters: they are left out");
    const others = batch.filter(({ item }, i) => i < (refused.get(item.keyId) ?? batch.length));
    const sealed = await sealBatch(sealing, others, limit, attested, block);
    return { jobs: sealed.jobs, refused: [...keys, ...sealed.refused] };
  }
  const leaves = verified?.value.segments.map(attestationLeaf) ?? [];
  const job: Job = {
    digest: await batches.put(bytes),
    root: toHex(attestationRoot(leaves)),
    attested,
    sealedBlock: block,
    leaves: leaves.map(toHex),
    items: batch.map(({ item }, segment) => ({ ...item, segment })),
    stage: "sealed",
    transactions: [],
    attempts: 0,
    retryAt: 0,
  };
  return { jobs: [job], refused: [] };
}

/** By key, the first segment of a batch that the DON would refuse; of every key where it is the batch as a whole. */
async function refusedIn(
  { headDomain }: Sealing,
  batch: readonly Planned[],
  segments: readonly Segment[],
): Promise<Map<string, number>> {
  const refused = new Map<string, number>();
  for (const [i, segment] of segments.entries()) {
    const { keyId } = (batch[i] as Planned).item;
    if (!refused.has(keyId) && !(await verifySegment(headDomain, segment)).ok) refused.set(keyId, i);
  }
  return refused.size > 0 ? refused : new Map(batch.map(({ item }) => [item.keyId, 0]));
}
