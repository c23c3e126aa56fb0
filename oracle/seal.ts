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
} from "../protocol/index.ts";
import type { Batches } from "./batches.ts";
import type { Chain, Hex, SettledHead } from "./chain.ts";
import { withHashes } from "./hashes.ts";
import type { Job, JobItem } from "./jobs.ts";
import type { Logs, StoredHead, StoredLog } from "./logs.ts";
import { planLog, STRIDE } from "./plan.ts";
import type { Meter } from "./view.ts";

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
};

/** What one meter has to settle, in the order in which it must be. */
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
  for (const meter of meters) shares.push(await shareOf(sealing, meter, isUnattestable(meter.keyId), at.timestamp));

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

async function shareOf(sealing: Sealing, meter: Meter, isUnattestable: boolean, now: number): Promise<Share> {
  const { chain, logs, rules } = sealing;
  const { keyId } = meter;
  const share: Share = { keyId, attested: sealing.hasAttestor, segments: [] };
  const unsettled = logs.of(keyId).filter((log) => log.size > (meter.logs[log.epoch]?.size ?? 0));
  if (unsettled.length === 0) return share;
  const terms = await chain.termsOf(keyId);
  // a superseded key's later heads mint nothing: its readings stay provable under the heads that it signed
  if (terms.status !== "active") return share;
  let latest = await chain.latestOf(keyId);
  const mayGoUnattested = async () => (await chain.unattestedFrom(latest.settledAt)) <= now;
  if (isUnattestable && (await mayGoUnattested())) share.attested = false;
  const { attested } = share;
  for (const log of unsettled) {
    // without attestation a meter advances once, and then has to wait again
    if (!attested && log.epoch >= latest.epoch && !(await mayGoUnattested())) continue;
    const settled = await chain.logOf(keyId, log.epoch);
    if (log.size <= settled.size) continue;
    if (settled.size > 0 && !equal(await log.hashOf(0, settled.size), fromHex(settled.root))) {
      sealing.logger.error({ keyId, epoch: log.epoch, settled }, "stored readings are not the settled ones");
      continue;
    }
    const [first] = await log.readings(0, 1);
    const [base] = settled.size === 0 ? [first] : await log.readings(settled.size - 1, settled.size);
    const plan = planLog(
      {
        epoch: log.epoch,
        settledSize: settled.size,
        first: first as Uint8Array,
        base: base as Uint8Array,
        heads: await log.headsAfter(settled.size),
      },
      latest,
      terms,
      { now, ...rules, stride: attested ? strideWithin(rules.batchLimit) : Number.POSITIVE_INFINITY },
    );
    const heads = attested ? plan.heads : plan.heads.slice(0, 1);
    let settledSize = settled.size;
    for (const head of heads) {
      share.segments.push(planned(meter, log, terms.capacity, settledSize, head));
      settledSize = head.size;
    }
    latest = heads.length > 0 ? settledAtLast(plan.latest, now) : latest;
  }
  return share;
}

/** Readings that a segment may add so that a batch holds it, wherever it begins. */
const strideWithin = (batchLimit: number): number => {
  const overhead = batchLength([segmentLength(SIZE_LIMIT - 1, 1)]);
  return Math.max(1, Math.min(STRIDE, Math.floor((batchLimit - overhead) / READING_LENGTH)));
};

const settledAtLast = (latest: SettledHead, now: number): SettledHead => ({ ...latest, settledAt: now });

function planned(meter: Meter, log: StoredLog, capacity: number, settledSize: number, head: StoredHead): Planned {
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

/** Fills batches up to `limit` bytes. A meter stands in one batch only: what does not fit has to wait for its end. */
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
 * The batch as the DON will see it, verified as the DON will. A meter that the DON would refuse, since it was given a
 * lower capacity than it had when it measured, is left out. Where no DON is asked its rules do not count.
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
  for (const { segment } of batch) segments.push(await segment());
  const bytes = encodeBatch({ domain: headDomain, segments });
  const verified = attested ? await verifyBatch(bytes, limit) : undefined;
  if (verified && !verified.ok) {
    const refused = await refusedIn(sealing, batch, segments);
    logger.error({ keys: refused, failure: verified.failure }, "the DON would refuse these meters: they are left out");
    const others = batch.filter(({ item }) => !refused.includes(item.keyId));
    const sealed = await sealBatch(sealing, others, limit, attested, block);
    return { jobs: sealed.jobs, refused: [...refused, ...sealed.refused] };
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

/** The keys of a batch with a segment that the DON would refuse; all of them where it is the batch as a whole. */
async function refusedIn({ headDomain }: Sealing, batch: readonly Planned[], segments: Segment[]): Promise<string[]> {
  const refused = new Set<string>();
  for (const [i, segment] of segments.entries()) {
    if (!(await verifySegment(headDomain, segment)).ok) refused.add((batch[i] as Planned).item.keyId);
  }
  return refused.size > 0 ? [...refused] : [...new Set(batch.map(({ item }) => item.keyId))];
}
