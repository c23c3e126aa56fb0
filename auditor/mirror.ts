/**
 * Keeps what an audit needs: the batches that the chain names, and every log up to where it is settled. What arrives is
 * written only once it leads to what the chain says; hashes of tiles are not fetched, but made.
 */
import { randomBytes } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Hex } from "viem";
import { BATCH_LIMIT, toHex } from "../protocol/index.ts";
import { type Answer, answered, askNumber } from "../verification/chain/asking.ts";
import type { ChainReader } from "../verification/chain/reader.ts";
import { termsOf } from "./chain/compare.ts";
import { historyOf } from "./chain/history.ts";
import { rootOf } from "./evidence/hashing.ts";
import { native } from "./evidence/native.ts";
import { batchPath, folderPlace, type Place } from "./evidence/places.ts";
import { entriesFrom, type Log, logIn, logPath, readingsIn, tilePath, WIDTH } from "./evidence/tiles.ts";
import { type Finding, missing } from "./finding.ts";
import { type Replay, replay } from "./replay/replay.ts";

export type Mirrored = { findings: Finding[]; batches: number; logs: number; readings: number; fetched: number };

export type Mirroring = {
  chain: ChainReader;
  registry: Hex;
  fromBlock?: number | undefined;
  from: readonly Place[];
  /** a folder */
  to: string;
  onProgress?: ((told: { doing: string; done: number; of?: number }) => void) | undefined;
};

export async function mirror({ chain, registry, fromBlock = 0, from, to, onProgress }: Mirroring): Promise<Mirrored> {
  const mirrored: Mirrored = { findings: [], batches: 0, logs: 0, readings: 0, fetched: 0 };
  const lacks = (rule: string, object: string, says: string) => mirrored.findings.push(missing(rule, object, says));
  const replayed = await replayOf(chain, registry, fromBlock);
  if (!replayed.ok) {
    lacks(replayed.why.rule, "the chain", replayed.why.says);
    return mirrored;
  }
  const { keys, requests, settlements } = replayed.value;
  const own = folderPlace(to);

  const settled = new Set(settlements.map(({ attestation }) => attestation));
  const named = [...requests.values()].filter(({ answer, root }) => answer === "confirmed" && settled.has(root));
  const digests = [...new Set(named.map(({ digest }) => digest))];
  for (const [done, digest] of digests.entries()) {
    onProgress?.({ doing: "batches", done, of: digests.length });
    if (await keepBatch(digest)) mirrored.batches += 1;
    else lacks("no batch", digest, "no place has it");
  }

  async function keepBatch(digest: Hex): Promise<boolean> {
    for (const place of [own, ...from]) {
      const bytes = await place.get(batchPath(digest), BATCH_LIMIT);
      if (!bytes || toHex(native.sha256(bytes)) !== digest) continue;
      if (place !== own) {
        await put(to, batchPath(digest), bytes);
        mirrored.fetched += 1;
      }
      return true;
    }
    return false;
  }

  const logs = [...keys.values()].flatMap(({ keyId, logs }) =>
    [...logs].map(([epoch, { size, root }]) => ({ keyId, epoch, size, root })),
  );
  for (const [done, { keyId, epoch, size, root }] of logs.entries()) {
    onProgress?.({ doing: "logs", done, of: logs.length });
    const object = `${logPath(keyId, epoch)}, size ${size}`;
    if (await keepLog(keyId, epoch, size, root)) {
      mirrored.logs += 1;
      mirrored.readings += size;
    } else lacks("no readings", object, "no place has tiles that lead to its settled root");
  }

  /** Of every place by itself, and with what is kept here already before: either may be wrong. */
  async function keepLog(keyId: Hex, epoch: number, size: number, root: Hex): Promise<boolean> {
    const kept = await logIn(own, keyId, epoch);
    const others = await Promise.all(from.map((place) => logIn(place, keyId, epoch)));
    const ways = [[kept], ...others.map((log) => [kept, log]), ...others.map((log) => [log])];
    const incoming = `.incoming-${randomBytes(4).toString("hex")}`;
    try {
      for (const way of ways) {
        const paths: string[] = [];
        const keep = async (path: string, bytes: Uint8Array) => {
          const there = await own.get(`${kept.path}/${path}`, bytes.length);
          if (there && Buffer.compare(there, bytes) === 0) return;
          await put(to, `${incoming}/${path}`, bytes);
          paths.push(path);
        };
        if (!(await keepTiles(way, size, root, keep))) continue;
        for (const path of paths) {
          await mkdir(dirname(join(to, kept.path, path)), { recursive: true });
          await rename(join(to, incoming, path), join(to, kept.path, path));
        }
        mirrored.fetched += paths.length;
        return true;
      }
      return false;
    } finally {
      await rm(join(to, incoming), { recursive: true, force: true });
    }
  }
  return mirrored;
}

async function replayOf(chain: ChainReader, registry: Hex, fromBlock: number): Promise<Answer<Replay>> {
  const chainId = await askNumber(chain, "eth_chainId");
  if (!chainId.ok) return chainId;
  const history = await historyOf(chain, { place: { chainId: chainId.value, registry }, fromBlock });
  if (!history.ok) return history;
  const terms = await termsOf(history.value);
  return terms.ok ? answered(replay(history.value, terms.value)) : terms;
}

/** Hands on all tiles of a log; whether they lead to the root. No more than one bundle of readings is held. */
async function keepTiles(
  ways: readonly Log[],
  size: number,
  root: Hex,
  keep: (path: string, bytes: Uint8Array) => Promise<void>,
): Promise<boolean> {
  let row: Uint8Array[] = [];
  for (let index = 0; index * WIDTH < size; index++) {
    const count = Math.min(WIDTH, size - index * WIDTH);
    const bundle = await firstOf(ways, index, count);
    if (!bundle) return false;
    const leaves = native.leaves(readingsIn(bundle));
    await keep(tilePath("entries", index, count), bundle);
    await keep(tilePath(0, index, count), leaves);
    row.push(treeOf(leaves));
  }
  if (toHex(treeOf(Buffer.concat(row))) !== root) return false;
  row = row.slice(0, Math.floor(size / WIDTH));
  for (let level = 1; row.length > 0; level++) {
    const above: Uint8Array[] = [];
    for (let i = 0; i < row.length; i += WIDTH) {
      const some = row.slice(i, i + WIDTH);
      await keep(tilePath(level, i / WIDTH, some.length), Buffer.concat(some));
      if (some.length === WIDTH) above.push(treeOf(Buffer.concat(some)));
    }
    row = above;
  }
  return true;
}

/** The root over packed hashes. */
const treeOf = (hashes: Uint8Array): Uint8Array => rootOf(native, 0, new Uint8Array(), hashes);

async function firstOf(logs: readonly Log[], index: number, count: number): Promise<Uint8Array | undefined> {
  for (const log of logs) {
    const bytes = await entriesFrom(log, index, count);
    if (bytes) return bytes;
  }
  return undefined;
}

/** Whole or not at all. */
async function put(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  const beside = `${file}.${randomBytes(4).toString("hex")}`;
  await writeFile(beside, bytes);
  await rename(beside, file);
}
