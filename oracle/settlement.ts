/**
 * Brings batches to the chain: seal, request an attestation, settle, confirm. What to do next is asked of the chain each
 * time; a job (jobs.ts) only remembers what was sealed and which transactions were signed. So a crash anywhere resumes,
 * and a reorganisation that takes something back has it sent again.
 */
import { join } from "node:path";
import { Low } from "lowdb";
import type { Logger } from "pino";
import { type SettlementItem, settlementItem } from "../contracts/settlement.ts";
import { fromHex } from "../protocol/index.ts";
import type { Batches } from "./batches.ts";
import type { Call, Chain } from "./chain.ts";
import { jsonFile } from "./durable.ts";
import type { Follower } from "./follower.ts";
import { withHashes } from "./hashes.ts";
import type { Job, JobItem, Sent } from "./jobs.ts";
import type { Logs } from "./logs.ts";
import { openRecords } from "./records.ts";
import { type SealRules, seal } from "./seal.ts";

/** Items of one call to settle: what a block holds with ease. */
const ITEMS_PER_CALL = 40;
/** Refusals and reverts after which a batch is given up. */
const ATTEMPTS = 5;
/** s that the DON may take: Chainlink's own limit is 300. */
const ANSWER_PATIENCE = 900;
/** s after which to look again where there was nothing to seal */
const LOOK_AGAIN = 60;
const NO_ATTESTATION = `0x${"00".repeat(32)}` as const;

export type SettlementOptions = {
  directory: string;
  chain: Chain;
  follower: Follower;
  logs: Logs;
  batches: Batches;
  headDomain: Uint8Array;
  rules: SealRules;
  /** s between seals */
  settleEvery: number;
  /** s before the second attempt at a refused batch; doubles with each */
  retryAfter: number;
  confirmations: number;
  /** absent: settles without attestation only */
  attestation: { subscriptionId: bigint; publicUrls: readonly string[] } | undefined;
  /** Unix time, s */
  now: () => number;
  logger: Logger;
};

export type Settlement = {
  /** Does everything that can be done now. Call it again when time or the chain has moved on; one at a time. */
  step(): Promise<void>;
  /** Jobs under way. */
  jobs(): Job[];
};

type Schedule = {
  /** Unix time of the last look for something to seal, s */
  lookedAt: number;
  /** whether there was something */
  found: boolean;
  /** keys with more to settle than their batch held */
  behind: string[];
  /** keys whose batch the DON never attested */
  unattestable: string[];
};

export async function createSettlement(options: SettlementOptions): Promise<Settlement> {
  const { directory, chain, follower, logs, batches, logger, now, settleEvery, confirmations } = options;
  const records = await openRecords<Job>(join(directory, "jobs"));
  const finished = await openRecords<Job>(join(directory, "jobs-finished"));
  const schedule = new Low<Schedule>(jsonFile(join(directory, "schedule.json")), {
    lookedAt: 0,
    found: false,
    behind: [],
    unattestable: [],
  });
  await schedule.read();
  const open = new Map((await records.all()).map((job) => [job.digest as string, job]));

  const sealing = {
    ...{ chain, logs, batches, headDomain: options.headDomain, rules: options.rules, logger },
    hasAttestor: options.attestation !== undefined,
  };

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
    const due = now() >= lookedAt + (found ? settleEvery : lookAgain);
    if (!due && schedule.data.behind.length === 0) return;
    const busy = new Set([...open.values()].flatMap(({ items }) => items.map(({ keyId }) => keyId as string)));
    const isTurn = ({ keyId }: { keyId: string }) => !busy.has(keyId) && (due || schedule.data.behind.includes(keyId));
    const meters = follower.meters().filter(isTurn);
    if (!due && meters.length === 0) return;
    const isUnattestable = (keyId: string) => schedule.data.unattestable.includes(keyId);
    const { jobs, behind } = await seal(sealing, meters, isUnattestable, {
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
      if (due) [data.lookedAt, data.found] = [now(), jobs.length > 0];
    });
  }
  /* TRANSACTIONS */

  /** Signs, writes down, sends. Returns false where it cannot be done now. */
  async function send(job: Job, purpose: Sent["purpose"], call: Call): Promise<boolean> {
    const unmined = [...open.values()].flatMap(({ transactions }) => transactions).filter(({ block }) => !block);
    const nonce = Math.max(await chain.transactionCount(), ...unmined.map((sent) => sent.nonce + 1));
    const signing = await chain.sign(call, nonce);
    if (!signing.ok) {
      if (signing.failure === "price") logger.warn({ batch: job.digest }, signing.reason);
      else await fail(job, signing.reason);
      return false;
    }
    job.transactions.push({ ...signing.transaction, purpose });
    await save(job);
    await chain.broadcast(signing.transaction.raw);
    logger.info({ batch: job.digest, purpose, transaction: signing.transaction.hash }, "transaction sent");
    return true;
  }

  /** Looks after what was sent. Returns whether all of it is in blocks. */
  async function areMined(job: Job): Promise<boolean> {
    for (const sent of [...job.transactions]) {
      const receipt = await chain.receiptOf(sent.hash);
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
        await chain.broadcast(sent.raw);
        return (await chain.receiptOf(sent.hash)) !== undefined && areMined(job);
      }
    }
    return true;
  }

  /** Asks for the receipt once more, after the count: it could be mined in between. */
  async function isReplaced(sent: Sent): Promise<boolean> {
    return (await chain.transactionCount()) > sent.nonce && !(await chain.receiptOf(sent.hash));
  }

  function drop(job: Job, sent: Sent): void {
    job.transactions = job.transactions.filter(({ hash }) => hash !== sent.hash);
  }

  /** Another attempt later, or none. */
  async function fail(job: Job, reason: string): Promise<void> {
    job.attempts += 1;
    job.reason = reason;
    job.retryAt = now() + options.retryAfter * 2 ** (job.attempts - 1);
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
    await finished.put(job.digest, job);
    await records.remove(job.digest);
    open.delete(job.digest);
  }

  /* STAGES */

  /** Takes a job one stage on. Returns whether there may be more to do at once. */
  async function advance(job: Job): Promise<boolean> {
    if (now() < job.retryAt) return false;
    if (!(await areMined(job))) return false;
    const items = await standingItems(job);
    if (items.length === 0) {
      await confirm(job);
      return false;
    }
    const attestation = job.attested ? await attest(job) : "attested";
    if (attestation !== "attested") return attestation === "asked";
    return settle(job, items);
  }

  async function confirm(job: Job): Promise<void> {
    await enter(job, "settling");
    const { block } = await chain.newest();
    const isFinal = job.transactions.every((sent) => block - (sent.block as number) + 1 >= confirmations);
    if (isFinal) await finish(job, "settled");
  }

  async function attest(job: Job): Promise<"attested" | "asked" | "waiting"> {
    const request = job.transactions.find(({ purpose }) => purpose === "request");
    const attestation = await chain.attestation(job.root, request?.block ?? job.sealedBlock);
    if (attestation.state === "attested") {
      if (job.stage === "sealed" || job.stage === "requested") await enter(job, "attested");
      return "attested";
    }
    const isAskedByOther = !request && attestation.state === "pending" && job.attempts === 0;
    if (!request && !isAskedByOther) return (await ask(job)) ? "asked" : "waiting";
    if (isAskedByOther) job.askedAt ??= now();
    await enter(job, "requested");
    const isLate = now() > (request?.minedAt ?? job.askedAt ?? now()) + ANSWER_PATIENCE;
    if (attestation.state !== "refused" && !isLate) return "waiting";
    if (request) drop(job, request);
    await enter(job, "sealed");
    await fail(job, attestation.state === "refused" ? attestation.reason : "the DON did not answer");
    return "waiting";
  }

  async function ask(job: Job): Promise<boolean> {
    if (!options.attestation) {
      await fail(job, "there is no attestor to ask");
      return false;
    }
    const { subscriptionId, publicUrls } = options.attestation;
    const urls = publicUrls.map(
      (base) => new URL(`batches/${job.digest}`, base.endsWith("/") ? base : `${base}/`).href,
    );
    const { digest, root } = job;
    const isSent = await send(job, "request", { to: "attestor", digest, root, urls, subscriptionId });
    if (isSent) await enter(job, "requested");
    return isSent;
  }

  /** The items that still have their place: what was settled, here or by anyone else, is left out. */
  async function standingItems(job: Job): Promise<JobItem[]> {
    const sizes = new Map<string, number>();
    const standing: JobItem[] = [];
    for (const item of job.items) {
      const name = `${item.keyId}/${item.epoch}`;
      const size = sizes.get(name) ?? (await chain.logOf(item.keyId, item.epoch)).size;
      const stands = size === item.settledSize;
      if (stands) standing.push(item);
      sizes.set(name, stands ? item.size : size);
    }
    return standing;
  }

  async function settle(job: Job, standing: readonly JobItem[]): Promise<boolean> {
    await enter(job, "settling");
    const chosen = standing.slice(0, ITEMS_PER_CALL);
    const attestation = job.attested ? job.root : NO_ATTESTATION;
    const items = await Promise.all(chosen.map((item) => itemOf(job, item)));
    const simulated = await chain.simulate({ to: "wattWitness", attestation, items });
    if (simulated.ok) return send(job, "settle", { to: "wattWitness", attestation, items });

    logger.error({ batch: job.digest, reason: simulated.reason }, "the contract would refuse the settlement");
    const refused = new Set<JobItem>();
    for (const [i, item] of chosen.entries()) {
      const alone = await chain.simulate({ to: "wattWitness", attestation, items: [items[i] as SettlementItem] });
      if (alone.ok) continue;
      logger.error({ batch: job.digest, item, reason: alone.reason }, "an item is left out");
      refused.add(item);
    }
    // a refused item takes the later ones of its log with it: they are skipped where their place is not reached
    job.items = job.items.filter((item) => !refused.has(item));
    await save(job);
    if (refused.size > 0) return true;
    await fail(job, simulated.reason);
    return false;
  }

  async function itemOf(job: Job, item: JobItem): Promise<SettlementItem> {
    const log = logs.get(item.keyId, item.epoch);
    const head = (await log?.headsAfter(item.size - 1))?.[0];
    if (!log || head?.size !== item.size)
      throw new Error(`head ${item.size} of ${item.keyId}/${item.epoch} is missing`);
    const [firstReading] = await log.readings(0, 1);
    const root = await log.hashOf(0, item.size);
    return withHashes(log.hashOf, (range) =>
      settlementItem({
        publicKey: fromHex(item.publicKey),
        head: { epoch: item.epoch, size: item.size, reading: head.reading, root },
        signature: head.signature,
        settledSize: item.settledSize,
        range,
        firstReading,
        attested: job.attested ? { from: item.from, leaves: job.leaves.map(fromHex), index: item.segment } : undefined,
      }),
    );
  }

  async function advanceAll(): Promise<void> {
    for (const job of [...open.values()]) {
      try {
        while (open.has(job.digest) && (await advance(job)));
      } catch (error) {
        logger.error({ batch: job.digest, err: error }, "the chain could not be asked; trying again later");
      }
    }
  }

  return {
    jobs: () => [...open.values()],
    async step() {
      await advanceAll();
      await sealDue();
      await advanceAll();
    },
  };
}
