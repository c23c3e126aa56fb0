/**
 * Publishes what was sealed: the batch, and the logs that it is of, as checkpoint and tiles. It is put into every outlet
 * and then fetched back from every public URL: only what anybody can fetch is worth asking the DON about.
 */
import { equal, fromHex, type Place } from "../../protocol/index.ts";
import type { Store, StoredLog } from "../store/store.ts";
import { originOf, saidIn } from "../tlog/checkpoint.ts";
import { bytesOfTile, checkpointOfLog, type Signers, vkeysOfLog } from "../tlog/logs.ts";
import type { NoteKey } from "../tlog/note.ts";
import { tilePath, tilesBetween } from "../tlog/tiles.ts";
import type { Outlet } from "./outlet.ts";
import { batchPath, batchUrl, whyNotServed } from "./urls.ts";

/** ms that a caller waits for a publication that takes longer; it goes on meanwhile. */
const PATIENCE = 10_000;
/** s; attempts are never further apart */
const MAX_WAIT = 3600;
/** Files put at once. */
const AT_ONCE = 8;

/** A log with the public key of its device, `0x…`. */
export type LogOfKey = { keyId: string; epoch: number; publicKey: string };

/** Where it is not published, the reason; none while the first attempt goes on. */
export type Publication = { isPublished: true } | { isPublished: false; reason?: string };

export type Publisher = {
  /** Publishes a batch and its logs, unless it is too early for another attempt. Call it again until they are published. */
  publish(digest: string, logs: readonly LogOfKey[]): Promise<Publication>;
};

export type PublisherOptions = {
  outlets: readonly Outlet[];
  publicUrls: readonly string[];
  store: Pick<Store, "logs" | "batches">;
  place: Place;
  oracleKey: NoteKey;
  /** s before the second attempt; doubles with each */
  retryAfter: number;
  /** Unix time, s */
  now: () => number;
  /** ms; for tests */
  patience?: number;
};

type Attempts = { failures: number; retryAt: number; isPublished: boolean; reason?: string; running?: Promise<void> };

export function createPublisher(options: PublisherOptions): Publisher {
  const { outlets, publicUrls, store, place, oracleKey, retryAfter, now, patience = PATIENCE } = options;
  const attempts = new Map<string, Attempts>();

  /** Why it is not published; nothing where it is. */
  async function attempt(digest: string, logs: readonly LogOfKey[]): Promise<string | undefined> {
    const bytes = await store.batches.get(digest);
    if (!bytes) return "the batch is missing";
    for (const outlet of outlets) {
      try {
        for (const log of logs) await putLog(outlet, log);
        await outlet.put({ path: batchPath(digest), bytes, changes: false });
      } catch (error) {
        return `${outlet.name} cannot be published to: ${(error as Error).message}`;
      }
    }
    const answers = await Promise.all(publicUrls.map((base) => whyNotServed(batchUrl(base, digest), bytes)));
    return answers.find((reason) => reason !== undefined);
  }

  async function putLog(outlet: Outlet, { keyId, epoch, publicKey }: LogOfKey): Promise<void> {
    const log = await store.logs.get(keyId, epoch);
    const head = log?.newestHead;
    if (!log || !head) return;
    const signers: Signers = { place, devicePublicKey: fromHex(publicKey), oracleKey };
    const folder = `tlog/${keyId}/${epoch}`;
    const from = await sizeAt(outlet, log, `${folder}/checkpoint`);
    if (from === head.size) return;
    const spans = tilesBetween(from, head.size);
    for (let i = 0; i < spans.length; i += AT_ONCE) {
      const puts = spans.slice(i, i + AT_ONCE).map(async (span) => {
        const bytes = await bytesOfTile(log, span);
        if (bytes) await outlet.put({ path: `${folder}/${tilePath(span)}`, bytes, changes: false });
      });
      await Promise.all(puts);
    }
    const putText = (name: string, text: string) =>
      outlet.put({ path: `${folder}/${name}`, bytes: Buffer.from(text), changes: true });
    await putText("vkeys", vkeysOfLog(log, signers));
    // last: who has it finds all that it is about
    await putText("checkpoint", await checkpointOfLog(log, head, signers));
  }

  /** How much of a log stands in an outlet: what the checkpoint there says, if it is of this very log. */
  async function sizeAt(outlet: Outlet, log: StoredLog, path: string): Promise<number> {
    const there = await outlet.get(path);
    const said = there && saidIn(Buffer.from(there).toString(), originOf(place, log.keyId, log.epoch));
    if (!said || said.size > log.size) return 0;
    return equal(await log.hashOf(0, said.size), said.root) ? said.size : 0;
  }

  function start(digest: string, logs: readonly LogOfKey[], of: Attempts): Promise<void> {
    return attempt(digest, logs)
      .catch((error: Error) => error.message)
      .then((reason) => {
        delete of.running;
        of.isPublished = reason === undefined;
        if (reason === undefined) return;
        of.reason = reason;
        of.failures += 1;
        of.retryAt = now() + Math.min(MAX_WAIT, retryAfter * 2 ** (of.failures - 1));
      });
  }

  return {
    async publish(digest, logs) {
      const of = attempts.get(digest) ?? { failures: 0, retryAt: 0, isPublished: false };
      attempts.set(digest, of);
      if (!of.running && !of.isPublished && now() >= of.retryAt) {
        of.running = start(digest, logs, of);
        await Promise.race([of.running, timeout(patience)]);
      }
      if (of.isPublished) {
        // who asks again has it published again
        attempts.delete(digest);
        return { isPublished: true };
      }
      return { isPublished: false, ...(of.reason !== undefined && { reason: of.reason }) };
    },
  };
}

const timeout = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());
