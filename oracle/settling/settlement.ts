/**
 * Brings batches to the chain: seal, request an attestation, settle, confirm. What to do next is asked of the chain each
 * time; a job (jobs.ts) only remembers what was sealed and which transactions were signed. So a crash anywhere resumes,
 * and a reorganisation that takes something back has it sent again.
 */
import type { Logger } from "pino";
import { type SettlementItem, settlementItem } from "../../contracts/settlement.ts";
import { fromHex } from "../../protocol/index.ts";
import type { Call, Chain, SettledHead, Terms } from "../chain/chain.ts";
import type { Follower } from "../chain/follower.ts";
import type { Publisher } from "../publishing/publisher.ts";
import { batchUrl } from "../publishing/urls.ts";
import { createSaid, firstLine } from "../said.ts";
import { withHashes } from "../store/hashes.ts";
import { type Store, StoreDamaged, StoreUnavailable } from "../store/store.ts";
import type { Job, JobItem, Sent } from "./jobs.ts";
import { gapFor, producedIn } from "./rest.ts";
import { type SealRules, seal } from "./seal.ts";
import type { Tally } from "./tally.ts";
import { createUnpublished, type UnpublishedBatch } from "./unpublished.ts";

/** Items of one call to settle at first; fewer where so many take more gas than a transaction may. */
const ITEMS_PER_CALL = 128;
/** s after which a transaction that is in no block is sent again for a higher fee */
const STUCK_AFTER = 300;
/** Refusals and reverts after which a batch is given up. */
const ATTEMPTS = 5;
/** s that the DON may take, by Chainlink's own limit, and after which it is asked again */
const [ANSWER_DUE, ANSWER_PATIENCE] = [300, 900];
const NO_ANSWER = "the DON did not answer";
/** s after which to look again where there was nothing to seal */
const LOOK_AGAIN = 60;
const NO_ATTESTATION = `0x${"00".repeat(32)}` as const;

export type SettlementOptions = {
  store: Store;
  chain: Chain;
  follower: Follower;
  headDomain: Uint8Array;
  rules: SealRules;
  /** s between seals */
  settleEvery: number;
  /** s before the second attempt at a refused batch; doubles with each */
  retryAfter: number;
  confirmations: number;
  /** absent: settles without attestation only */
  attestation: { subscriptionId: bigint; publicUrls: readonly string[] } | undefined;
  /** absent: nothing is published but by this oracle's own routes */
  publisher: Publisher | undefined;
  /** bytes of readings that this oracle has accepted since it started: as many as a batch holds do not wait for their time */
  accepted: () => number;
  /** hears what was paid, and that the DON answered */
  tally: Pick<Tally, "paid" | "answered">;
  /** Unix time, s */
  now: () => number;
  logger: Logger;
};

export type Settlement = {
  /** Does everything that can be done now. Call it again when time or the chain has moved on; one at a time. */
  step(): Promise<void>;
  /** Jobs under way. */
  jobs(): Job[];
  /** Why what could be settled is not, a sentence each: what it waits for, and what was refused last. */
  obstacles(): string[];
};

/** An item that can be settled now, and the timestamp of the settled reading that it goes on from when its turn comes. */
type Standing = { item: JobItem; settledTimestamp: number };

/** What the chain says of an item's key; `rested`: whether a rest of it has its turn now, which changes all others. */
type KeyState = { terms: Terms; latest: SettledHead; rested: boolean };

type Schedule = {
  /** Unix time of the last look for something to seal, s */
  lookedAt: number;
  /** whether there was something */
  found: boolean;
  /** keys with more to settle than their batch held */
  behind: string[];
  /** keys whose batch the DON never attested, or would not */
  unattestable: string[];
};

export async function createSettlement(options: SettlementOptions): Promise<Settlement> {
  const { store, chain, follower, tally, logger, now, settleEvery, confirmations } = options;
  const { logs, batches } = store;
  const records = await store.records<Job>("jobs");
  const finished = await store.records<Job>("jobs-finished");
  const schedule = await store.document<Schedule>("schedule", {
    lookedAt: 0,
    found: false,
    behind: [],
    unattestable: [],
  });
  const { publisher } = options;
  const unpublished =
    publisher &&
    (await createUnpublished({ records: await store.records<UnpublishedBatch>("unpublished"), publisher, logger }));
  const open = new Map((await records.all()).map((job) => [job.digest as string, job]));

  const sealing = {
    ...{ chain, logs, batches, headDomain: options.headDomain, rules: options.rules, logger },
    hasAttestor: options.attestation !== undefined,
    onDamaged(keyId: string, { message: reason }: Error) {
      waits.set(keyId, reason);
      if (said.isNew(keyId, reason)) logger.error({ keyId, reason }, "a log is damaged: its meter is not settled");
    },
  };

  const said = createSaid();
  /** by digest of a job or key id, what it waits for, or was refused with, since the last step */
  const waits = new Map<string, string>();
  let itemsPerCall = ITEMS_PER_CALL;
  let acceptedAtSeal = options.accepted();

  const save = (job: Job) => records.put(job.digest, job);

  async function enter(job: Job, stage: Job["stage"]): Promise<void> {
    if (job.stage === stage) return;
    job.stage = stage;
    await save(job);
    logger.info({ batch: job.digest, stage, items: job.items.length }, `batch ${stage}`);
  }

  /* SEALING */

  async function sealDue(): Promise<void> {
    const { lookedAt, found } = schedule.data;
    const lookAgain = Math.min(settleEvery, Math.max(options.rules.alignment, LOOK_AGAIN));
    const isFull = options.accepted() >= acceptedAtSeal + options.rules.batchLimit;
    const due = isFull || now() >= lookedAt + (found ? settleEvery : lookAgain);
    if (!due && schedule.data.behind.length === 0) return;
    const busy = new Set([...open.values()].flatMap(({ items }) => items.map(({ keyId }) => keyId as string)));
    const isTurn = ({ keyId }: { keyId: string }) => !busy.has(keyId) && (due || schedule.data.behind.includes(keyId));
    const meters = follower.meters().filter(isTurn);
    if (!due && meters.length === 0) return;
    if (due) acceptedAtSeal = options.accepted();
    for (const { keyId } of meters) waits.delete(keyId);
    const isUnattestable = (keyId: string) => schedule.data.unattestable.includes(keyId);
    const { jobs, behind, refused } = await seal(sealing, meters, isUnattestable, {
      block: follower.newest.block,
      timestamp: Math.max(now(), follower.newest.timestamp),
    });
    for (const job of jobs) {
      await save(job);
      open.set(job.digest, job);
      logger.info({ batch: job.digest, items: job.items.length, attested: job.attested }, "batch sealed");
    }
    const sealed = new Set(meters.map(({ keyId }) => keyId));
    await schedule.update((data) => {
      data.behind = [...data.behind.filter((keyId) => !sealed.has(keyId)), ...behind];
      data.unattestable = [...new Set([...data.unattestable, ...refused])];
      if (due) [data.lookedAt, data.found] = [now(), jobs.length > 0];
    });
  }

  /* TRANSACTIONS */

  /** Signs, writes down, sends. Returns false where it cannot be done now. */
  async function send(job: Job, what: Pick<Sent, "purpose" | "segments">, call: Call): Promise<boolean> {
    const unmined = [...open.values()].flatMap(({ transactions }) => transactions).filter(({ block }) => !block);
    const nonce = Math.max(await chain.transactionCount(), ...unmined.map((sent) => sent.nonce + 1));
    const signing = await chain.sign(call, nonce);
    if (!signing.ok) {
      // price and funds may be others soon; what is said of them once is not said again
      if (signing.failure === "price" || signing.failure === "funds") waitFor(job, signing.reason);
      else await fail(job, signing.reason);
      return false;
    }
    await write(job, [...job.transactions, { ...signing.transaction, ...what, sentAt: now() }]);
    await chain.broadcast(signing.transaction.raw);
    logger.info({ batch: job.digest, ...what, transaction: signing.transaction.hash }, "transaction sent");
    return true;
  }

  /** Writes a job's transactions down. What cannot be written down is not remembered either, and so never sent. */
  async function write(job: Job, transactions: Sent[]): Promise<void> {
    const before = job.transactions;
    job.transactions = transactions;
    await save(job).catch((error) => {
      job.transactions = before;
      throw error;
    });
  }

  function waitFor(job: Job, reason: string): void {
    waits.set(job.digest, reason);
    if (said.isNew(job.digest, reason)) logger.warn({ batch: job.digest, reason }, "settling waits");
  }

  /** The receipt of a transaction, or of one that it replaced. */
  async function receiptOf(sent: Sent) {
    for (const hash of [sent.hash, ...(sent.replaced ?? [])]) {
      const receipt = await chain.receiptOf(hash);
      if (receipt) return receipt;
    }
    return undefined;
  }

  const isStuck = ({ sentAt = now() }: Sent): boolean => now() >= sentAt + STUCK_AFTER;

  /** Whether nonces before its own are missing: a node that told of too high a count was wrong, or another chain's. */
  async function isBeyondReach({ nonce }: Sent): Promise<boolean> {
    const own = new Set([...open.values()].flatMap(({ transactions }) => transactions.map((sent) => sent.nonce)));
    for (let before = await chain.transactionCount(); before < nonce; before++) if (!own.has(before)) return true;
    return false;
  }

  /** What is to be sent of what has been in no block: for a higher fee after long, as far as the cap allows. */
  async function unstuck(job: Job, sent: Sent): Promise<Sent> {
    if (!isStuck(sent)) return sent;
    const raised = await chain.raise(sent.raw);
    if (!raised.ok) {
      waitFor(job, raised.reason);
      return sent;
    }
    const { hash, raw } = raised.transaction;
    const replaced = [...(sent.replaced ?? []), sent.hash];
    const again = { ...sent, hash, raw, replaced, sentAt: now() };
    await write(
      job,
      job.transactions.map((one) => (one === sent ? again : one)),
    );
    logger.info({ batch: job.digest, transaction: hash }, "transaction sent again for a higher fee");
    return again;
  }

  /** Looks after what was sent. Returns whether all of it is in blocks. */
  async function areMined(job: Job): Promise<boolean> {
    for (const sent of [...job.transactions]) {
      const receipt = await receiptOf(sent);
      if (receipt && sent.fee === undefined) {
        sent.fee = String(receipt.fee);
        tally.paid(sent.purpose, receipt);
      }
      if (receipt?.succeeded) {
        if (sent.block === receipt.block) continue;
        sent.block = receipt.block;
        sent.minedAt ??= now();
        await save(job);
      } else if (receipt) {
        drop(job, sent);
        await fail(job, `transaction ${sent.hash} reverted`);
        return false;
      } else {
        if (sent.block !== undefined) {
          logger.warn({ batch: job.digest, transaction: sent.hash }, "a reorganisation took a transaction back");
          delete sent.block;
          delete sent.minedAt;
          await save(job);
        }
        if (await isReplaced(sent)) {
          logger.warn({ batch: job.digest, transaction: sent.hash }, "another transaction used the nonce");
          drop(job, sent);
          await save(job);
          continue;
        }
        if (isStuck(sent) && (await isBeyondReach(sent))) {
          logger.warn({ batch: job.digest, transaction: sent.hash }, "a transaction waits for nonces that nobody uses");
          drop(job, sent);
          await save(job);
          continue;
        }
        const resent = await unstuck(job, sent);
        await chain.broadcast(resent.raw);
        return (await receiptOf(resent)) !== undefined && areMined(job);
      }
    }
    return true;
  }

  /** Asks for the receipt once more, after the count: it could be mined in between. */
  async function isReplaced(sent: Sent): Promise<boolean> {
    return (await chain.transactionCount()) > sent.nonce && !(await receiptOf(sent));
  }

  function drop(job: Job, sent: Sent): void {
    job.transactions = job.transactions.filter(({ hash }) => hash !== sent.hash);
  }

  /** Another attempt later, or none. */
  async function fail(job: Job, reason: string): Promise<void> {
    job.attempts += 1;
    job.reason = reason;
    waits.set(job.digest, reason);
    job.retryAt = now() + options.retryAfter * 2 ** (job.attempts - 1);
    // what the DON could not fetch may not be there any more
    delete job.published;
    await save(job);
    logger.warn({ batch: job.digest, attempt: job.attempts, reason }, "batch refused");
    if (job.attempts >= ATTEMPTS) await finish(job, "abandoned");
  }

  async function finish(job: Job, stage: "settled" | "abandoned"): Promise<void> {
    await enter(job, stage);
    const keys = job.items.map(({ keyId }) => keyId as string);
    if (job.attested) {
      await schedule.update((data) => {
        const others = data.unattestable.filter((keyId) => !keys.includes(keyId));
        data.unattestable = stage === "abandoned" ? [...others, ...keys] : others;
      });
    }
    if (stage === "settled" && !job.published) await unpublished?.add(job);
    await finished.put(job.digest, job);
    await records.remove(job.digest);
    open.delete(job.digest);
    waits.delete(job.digest);
  }

  /* STAGES */

  /** Takes a job one stage on. Returns whether there may be more to do at once. */
  async function advance(job: Job): Promise<boolean> {
    if (now() < job.retryAt) return false;
    waits.delete(job.digest);
    if (!(await areMined(job))) return false;
    const isPublished = await publish(job);
    const standing = await standingItems(job);
    if (standing.length === 0) {
      await confirm(job);
      return false;
    }
    const attestation = job.attested ? await attest(job, isPublished) : "attested";
    if (attestation !== "attested") return attestation === "asked";
    return settle(job, standing);
  }

  async function confirm(job: Job): Promise<void> {
    await enter(job, "settling");
    const { block } = await chain.newest();
    const isFinal = job.transactions.every((sent) => block - (sent.block as number) + 1 >= confirmations);
    if (isFinal) await finish(job, job.items.length > 0 ? "settled" : "abandoned");
  }

  /**
   * Whether the batch is where the DON fetches it, with the logs that it is of. Only an attestation waits for that: what
   * settles without one is published when it can be, later if need be (unpublished.ts).
   */
  async function publish(job: Job): Promise<boolean> {
    if (!publisher || job.published) return true;
    const about = `publishing ${job.digest}`;
    const publication = await publisher.publish(job.digest, job.items);
    if (publication.isPublished) {
      if (said.over(about)) delete job.reason;
      job.published = true;
      await save(job);
      logger.info({ batch: job.digest }, "batch published");
    } else if (publication.reason !== undefined) {
      job.reason = publication.reason;
      waits.set(job.digest, job.reason);
      if (said.isNew(about, job.reason)) logger.warn({ batch: job.digest, reason: job.reason }, "publishing waits");
    }
    return publication.isPublished;
  }

  async function attest(job: Job, isPublished: boolean): Promise<"attested" | "asked" | "waiting"> {
    const request = job.transactions.find(({ purpose }) => purpose === "request");
    const attestation = await chain.attestation(job.root, request?.block ?? job.sealedBlock);
    if (attestation.state === "attested") {
      if (job.stage === "requested") tally.answered(now());
      if (job.stage === "sealed" || job.stage === "requested") await enter(job, "attested");
      return "attested";
    }
    const isAskedByOther = !request && attestation.state === "pending" && job.attempts === 0;
    if (!request && !isAskedByOther) return isPublished && (await ask(job)) ? "asked" : "waiting";
    if (isAskedByOther) job.askedAt ??= now();
    await enter(job, "requested");
    const waited = now() - (request?.minedAt ?? job.askedAt ?? now());
    if (attestation.state !== "refused" && waited <= ANSWER_PATIENCE) {
      // asked again it is not taken to be there before it has answered
      if (waited > ANSWER_DUE) waits.set(job.digest, `the DON was asked ${waited} s ago and has not answered`);
      else if (job.reason === NO_ANSWER) waits.set(job.digest, NO_ANSWER);
      return "waiting";
    }
    if (attestation.state === "refused") tally.answered(now());
    if (request) drop(job, request);
    await enter(job, "sealed");
    await fail(job, attestation.state === "refused" ? attestation.reason : NO_ANSWER);
    return "waiting";
  }

  async function ask(job: Job): Promise<boolean> {
    if (!options.attestation) {
      await fail(job, "there is no attestor to ask");
      return false;
    }
    const { subscriptionId, publicUrls } = options.attestation;
    const urls = publicUrls.map((base) => batchUrl(base, job.digest));
    const { digest, root } = job;
    const isSent = await send(job, { purpose: "request" }, { to: "attestor", digest, root, urls, subscriptionId });
    if (isSent) await enter(job, "requested");
    return isSent;
  }

  /**
   * The items that can be settled now. What was settled, here or by anyone else, is passed by: a reorganisation may take
   * it back. What the contract skips, or would, is left out for good: its readings are sealed again. So no item is sent
   * in two transactions that are in blocks.
   */
  async function standingItems(job: Job): Promise<Standing[]> {
    const sizes = new Map<string, number>();
    const keys = new Map<string, KeyState>();
    const standing: Standing[] = [];
    const skipped = new Set<JobItem>();
    const sent = new Set(job.transactions.flatMap(({ segments = [] }) => segments));
    for (const item of job.items) {
      const log = `${item.keyId}/${item.epoch}`;
      const size = sizes.get(log) ?? (await chain.logOf(item.keyId, item.epoch)).size;
      sizes.set(log, size);
      if (size !== item.settledSize) continue;
      const key = keys.get(item.keyId) ?? (await keyStateOf(item.keyId));
      keys.set(item.keyId, key);
      const isRest = item.epoch < key.latest.epoch;
      if (isRest && key.rested) continue;
      const since = isRest ? await restingFrom(item) : key.latest.timestamp;
      const reason =
        obstacleTo(item, key.terms, since) ?? (sent.has(item.segment) ? "the contract skipped it" : undefined);
      if (since === undefined || reason !== undefined) {
        logger.warn({ batch: job.digest, item, reason }, "an item is left out");
        skipped.add(item);
        continue;
      }
      standing.push({ item, settledTimestamp: since });
      sizes.set(log, item.size);
      const { epoch, timestamp } = item;
      keys.set(item.keyId, isRest ? { ...key, rested: true } : { ...key, latest: { ...key.latest, epoch, timestamp } });
    }
    await leaveOut(job, skipped);
    return standing;
  }

  const keyStateOf = async (keyId: string): Promise<KeyState> => {
    const [terms, latest] = await Promise.all([chain.termsOf(keyId), chain.latestOf(keyId)]);
    return { terms, latest, rested: false };
  };

  /** When the gap begins in which an item of an earlier epoch mints something; undefined where there is none. */
  async function restingFrom(item: JobItem): Promise<number | undefined> {
    const gap = await gapFor(chain, item.keyId, item.epoch);
    if (!gap) return undefined;
    const { head, first } = await headOf(item);
    return producedIn(gap, head.reading, item.settledSize === 0 ? first : undefined) > 0n ? gap.since : undefined;
  }

  async function leaveOut(job: Job, items: ReadonlySet<JobItem>): Promise<void> {
    if (items.size === 0) return;
    job.items = job.items.filter((item) => !items.has(item));
    await save(job);
  }

  async function settle(job: Job, standing: readonly Standing[]): Promise<boolean> {
    await enter(job, "settling");
    const attestation = job.attested ? job.root : NO_ATTESTATION;
    let chosen = standing.slice(0, itemsPerCall);
    let items = await Promise.all(chosen.map((one) => settlementOf(job, one)));
    let simulated = await chain.simulate({ to: "wattWitness", attestation, items });
    while (!simulated.ok && simulated.failure === "size" && chosen.length > 1) {
      itemsPerCall = Math.ceil(chosen.length / 2);
      [chosen, items] = [chosen.slice(0, itemsPerCall), items.slice(0, itemsPerCall)];
      simulated = await chain.simulate({ to: "wattWitness", attestation, items });
    }
    if (simulated.ok) {
      const segments = chosen.map(({ item }) => item.segment);
      return send(job, { purpose: "settle", segments }, { to: "wattWitness", attestation, items });
    }

    logger.error({ batch: job.digest, reason: simulated.reason }, "the contract would refuse the settlement");
    const refused = new Set<JobItem>();
    for (const { item } of chosen) {
      // with the earlier ones of its key, or it would be skipped instead of refused
      const upTo = items.filter((_, i) => {
        const other = (chosen[i] as Standing).item;
        return other.keyId === item.keyId && other.segment <= item.segment && !refused.has(other);
      });
      const alone = await chain.simulate({ to: "wattWitness", attestation, items: upTo });
      if (alone.ok) continue;
      logger.error({ batch: job.digest, item, reason: alone.reason }, "an item is left out");
      refused.add(item);
    }
    // a refused item takes the later ones of its log with it: they are skipped where their place is not reached
    await leaveOut(job, refused);
    if (refused.size > 0) return true;
    await fail(job, simulated.reason);
    return false;
  }

  async function settlementOf(job: Job, { item, settledTimestamp }: Standing): Promise<SettlementItem> {
    const { log, head, first: firstReading } = await headOf(item);
    const root = await log.hashOf(0, item.size);
    return withHashes(log.hashOf, (range) =>
      settlementItem({
        publicKey: fromHex(item.publicKey),
        head: { epoch: item.epoch, size: item.size, reading: head.reading, root },
        signature: head.signature,
        settledSize: item.settledSize,
        settledTimestamp,
        capacity: item.capacity,
        range,
        firstReading,
        attested: job.attested ? { from: item.from, leaves: job.leaves.map(fromHex), index: item.segment } : undefined,
      }),
    );
  }

  /** An item's head, its log, and reading 0 of that. */
  async function headOf({ keyId, epoch, size }: JobItem) {
    const log = await logs.get(keyId, epoch);
    const head = (await log?.headsAfter(size - 1))?.[0];
    if (!log || head?.size !== size) throw new Error(`head ${size} of ${keyId}/${epoch} is missing`);
    const [first] = await log.readings(0, 1);
    return { log, head, first };
  }

  async function advanceAll(): Promise<void> {
    for (const job of [...open.values()]) {
      try {
        while (open.has(job.digest) && (await advance(job)));
      } catch (error) {
        if (error instanceof StoreUnavailable) throw error;
        const reason = firstLine(error);
        waits.set(job.digest, reason);
        if (!said.isNew(job.digest, reason)) continue;
        const what = error instanceof StoreDamaged ? "a log is damaged" : "the chain could not be asked";
        logger.error({ batch: job.digest, reason }, `${what}; trying again later`);
      }
    }
  }

  return {
    jobs: () => [...open.values()],
    obstacles: () => [...new Set([...waits.values(), ...(unpublished?.obstacles() ?? [])])],
    async step() {
      await advanceAll();
      await sealDue();
      await advanceAll();
      await unpublished?.step();
    },
  };
}

/** Why the contract will skip an item however often it is sent; `since`: what it goes on from, if anything. */
function obstacleTo(item: JobItem, { status, capacity }: Terms, since: number | undefined): string | undefined {
  if (status !== "active") return `the key is ${status}`;
  if (since === undefined) return "a newer epoch was settled, and nothing is left of this one";
  if (item.capacity !== capacity) {
    return `the capacity is ${capacity} W, no longer the ${item.capacity} W that it was sealed with`;
  }
  return undefined;
}
