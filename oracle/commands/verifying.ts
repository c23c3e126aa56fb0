/**
 * Verifies a store as somebody would who trusts nobody: every root is made of the readings alone, every head's signature
 * is the meter's over that, and what the chain has settled is what is stored. Reads, and changes nothing.
 */
import { encodeHead, equal, fromHex, keyIdOf, toHex, verify } from "../../protocol/index.ts";
import type { Chain } from "../chain/chain.ts";
import type { Meter } from "../chain/view.ts";
import { extend, hashLeaf, rootOfHashes } from "../store/hashing.ts";
import type { Store, StoredHead, StoredLog } from "../store/store.ts";

/** Readings taken from the store at once, and keys. */
const [READINGS, KEYS] = [256, 1000];

export type Verified = { logs: number; readings: number; heads: number; settled: number };
/** A problem is a sentence about the first thing that is wrong. */
export type Verification = { ok: true; verified: Verified } | { ok: false; problem: string; verified: Verified };

/** Ids of all keys that have a log. */
export async function* keysOf({ logs }: Pick<Store, "logs">): AsyncGenerator<string> {
  let last: string | undefined;
  for (;;) {
    const keys = await logs.keys(last, KEYS);
    yield* keys;
    if (keys.length < KEYS) return;
    last = keys.at(-1);
  }
}

/** `progress` is told how many readings are verified. */
export async function verifyStore({
  store,
  chain,
  headDomain,
  progress = () => {},
}: {
  store: Store;
  chain: Pick<Chain, "logOf">;
  headDomain: Uint8Array;
  progress?: (readings: number) => void;
}): Promise<Verification> {
  const verified: Verified = { logs: 0, readings: 0, heads: 0, settled: 0 };
  const meters = await store.records<Meter>("meters");
  try {
    for await (const keyId of keysOf(store)) {
      const publicKey = fromHex((await meters.get(keyId))?.publicKey ?? "0x");
      for (const log of await store.logs.of(keyId)) await verifyLog(log, publicKey);
    }
  } catch (error) {
    if ((error as Error).name !== "StoreDamaged" && !(error instanceof Wrong)) throw error;
    return { ok: false, problem: (error as Error).message, verified };
  }
  return { ok: true, verified };

  async function verifyLog(log: StoredLog, publicKey: Uint8Array): Promise<void> {
    const { keyId, epoch, size } = log;
    const wrong = (what: string) => new Wrong(`In the log of key ${keyId} in epoch ${epoch} ${what}.`);
    if (publicKey.length === 0) throw wrong("nothing can be verified: the store knows no meter of that key");
    if (toHex(keyIdOf(publicKey)) !== keyId) throw wrong("the meter's public key is that of another key id");
    const heads = new Map((await log.headsAfter(0)).map((head) => [head.size, head]));
    if (!heads.has(size)) throw wrong(`the newest head, of ${size} readings, is missing`);
    const settled = await chain.logOf(keyId, epoch);
    const frontier: Uint8Array[] = [];
    for (let at = 0; at < size; ) {
      const readings = await log.readings(at, Math.min(size, at + READINGS));
      if (readings.length === 0) throw wrong(`reading ${at} is missing`);
      for (const reading of readings) {
        extend(frontier, at, hashLeaf(reading));
        at += 1;
        const head = heads.get(at);
        if (head) await verifyHead(head, reading);
        if (settled.size === at) verifySettled();
      }
      verified.readings += readings.length;
      progress(verified.readings);
    }
    if (!equal(rootOfHashes(frontier), log.rootWith([])))
      throw wrong("the root that is kept is not that of the readings");
    verified.logs += 1;

    async function verifyHead(head: StoredHead, reading: Uint8Array): Promise<void> {
      if (!equal(head.reading, reading)) throw wrong(`the head of ${head.size} readings is over another reading`);
      const statement = encodeHead(headDomain, { epoch, size: head.size, reading, root: rootOfHashes(frontier) });
      const signed = await verify(statement, head.signature, publicKey);
      if (!signed.ok) throw wrong(`the meter did not sign the head of ${head.size} readings: ${signed.failure}`);
      verified.heads += 1;
    }

    function verifySettled(): void {
      if (toHex(rootOfHashes(frontier)) !== settled.root.toLowerCase()) {
        throw wrong(`the chain has settled another root of the first ${settled.size} readings`);
      }
      verified.settled += 1;
    }
  }
}

class Wrong extends Error {}
