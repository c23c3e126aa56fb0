/**
 * Publishes what was sealed: the batch, and the logs that it is of, as checkpoint and tiles. It is put into every outlet
 * and then fetched back from every public URL: only what anybody can fetch is worth asking the DON about.
 */
import { equal, fromHex, type Place } from "../../protocol/index.ts";
import type { Store, StoredLog } from "../store/store.ts";
import { originOf, saidIn } from "../tlog/checkpoint.ts";
import { bytesOfTile, checkpointOfLog, type Signers, vkeysOfLog } from "../tlog/logs.ts";
import type { NoteKey } from "../tlog/note.ts";
import { type TileSpan, tilePath, tilesBetween } from "../tlog/tiles.ts";
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
  /**
   * Publishes a batch and its logs, unless it is too early for another attempt. Call it again until they are published.
   * Throws where what is to be published cannot be read.
   */
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

type Attempts = {
  failures: number;
  retryAt: number;
  isPublished: boolean;
  reason?: string;
  running?: Promise<void>;
  thrown?: unknown;
};

export function createPublisher(options: PublisherOptions): Publisher {
  const { outlets, publicUrls, store, place, oracleKey, retryAfter, now, patience = PATIENCE } = options;
  const attempts = new Map<string, Attempts>();

  /** Why it is not published; nothing where it is. */
  async function attempt(digest: string, logs: readonly LogOfKey[]): Promise<string | undefined> {
    const bytes = await store.batches.get(digest);
    if (!bytes) return "the batch is missing";
    for (const outlet of outlets) {
      const reason = await putInto(outlet, bytes, digest, logs);
      if (reason !== undefined) return `${outlet.name} cannot be published to: ${reason}`;
    }
    const answers = await Promise.all(publicUrls.map((base) => whyNotServed(batchUrl(base, digest), bytes)));
    return answers.find((reason) => reason !== undefined);
  }

  async function putInto(outlet: Outlet, bytes: Uint8Array, digest: string, logs: readonly LogOfKey[]) {
    for (const log of logs) {
      const reason = await putLog(outlet, log);
      if (reason !== undefined) return reason;
    }
    return outlet.put({ path: batchPath(digest), bytes, changes: false });
  }

  async function putLog(outlet: Outlet, { keyId, epoch, publicKey }: LogOfKey): Promise<string | undefined> {
    const log = await store.logs.get(keyId, epoch);
    const head = log?.newestHead;
    if (!log || !head) return undefined;
    const folder = `tlog/${keyId}/${epoch}`;
    const there = await outlet.get(`${folder}/checkpoint`);
    if (!there.ok) return there.reason;
    const from = there.bytes ? await sizeIn(there.bytes, log) : 0;
    if (from === head.size) return undefined;

    const putTile = async (span: TileSpan) => {
      const bytes = await bytesOfTile(log, span);
      return bytes && outlet.put({ path: `${folder}/${tilePath(span)}`, bytes, changes: false });
    };
    const spans = tilesBetween(from, head.size);
    for (let i = 0; i < spans.length; i += AT_ONCE) {
      const reasons = await Promise.all(spans.slice(i, i + AT_ONCE).map(putTile));
      const reason = reasons.find((each) => each !== undefined);
      if (reason !== undefined) return reason;
    }
    const putText = (name: string, text: string) =>
      outlet.put({ path: `${folder}/${name}`, bytes: Buffer.from(text), changes: true });
    const signers: Signers = { place, devicePublicKey: fromHex(publicKey), oracleKey };
    // the checkpoint comes last: who has it finds all that it is about
    return (
      (await putText("vkeys", vkeysOfLog(log, signers))) ??
      putText("checkpoint", await checkpointOfLog(log, head, signers))
    );
  }

  /** How much of a log stands where this checkpoint does; 0 unless it is of this very log. */
  async function sizeIn(checkpoint: Uint8Array, log: StoredLog): Promise<number> {
    const said = saidIn(Buffer.from(checkpoint).toString(), originOf(place, log.keyId, log.epoch));
    if (!said || said.size > log.size) return 0;
    return equal(await log.hashOf(0, said.size), said.root) ? said.size : 0;
  }

  async function start(digest: string, logs: readonly LogOfKey[], of: Attempts): Promise<void> {
    try {
      const reason = await attempt(digest, logs);
      of.isPublished = reason === undefined;
      if (reason !== undefined) of.reason = reason;
    } catch (error) {
      of.thrown = error;
    }
    delete of.running;
    if (of.isPublished) return;
    of.failures += 1;
    of.retryAt = now() + Math.min(MAX_WAIT, retryAfter * 2 ** (of.failures - 1));
  }

  return {
    async publish(digest, logs) {
      const of = attempts.get(digest) ?? { failures: 0, retryAt: 0, isPublished: false };
      attempts.set(digest, of);
      if (!of.running && !of.isPublished && now() >= of.retryAt) {
        of.running = start(digest, logs, of);
        await Promise.race([of.running, timeout(patience)]);
      }
      if ("thrown" in of) {
        const { thrown } = of;
        delete of.thrown;
        throw thrown;
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
