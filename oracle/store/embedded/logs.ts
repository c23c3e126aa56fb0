/**
 * The logs, on disk: `<directory>/<key id>/<epoch>/<chunk>.json`, 256 readings a chunk. A chunk holds the frontier before
 * it, its readings and the signed heads that end in it, so that storing a reading rewrites one chunk at most and a start
 * reads one chunk a log. Hashes of wider subtrees are the frontiers' own; none is kept twice.
 *
 * A post is written chunk by chunk, its head with the last one: whatever a crash leaves behind, a log ends at its last
 * signed head.
 */
import { join } from "node:path";
import { Low } from "lowdb";
import {
  fromHex,
  type Hash,
  leafHash,
  nodeHash,
  rootFromFrontier,
  timestampOf,
  toHex,
} from "../../../protocol/index.ts";
import { extendFrontier, rootOfFrontier, type StoredRangeHash } from "../hashes.ts";
import type { Logs, StoredHead, StoredLog } from "../store.ts";
import { jsonFile, jsonPath, makeDirectory, namesIn } from "./durable.ts";

export const CHUNK_LENGTH = 256;

type Chunk = {
  /** before the chunk's first reading */
  frontier: string[];
  readings: string[];
  heads: { size: number; signature: string }[];
  /** mW·s in the capacity bucket after the last head here */
  bucket: string;
};

/** Opens every log under `directory`. */
export async function openLogs(directory: string): Promise<Logs> {
  const logs = new Map<string, StoredLog>();
  const keep = (log: StoredLog) => logs.set(nameOf(log.keyId, log.epoch), log);
  const open = async (keyId: string, epoch: number) =>
    logs.get(nameOf(keyId, epoch)) ?? (await openLog(directory, keyId, epoch, keep));
  await makeDirectory(directory);
  for (const keyId of await namesIn(directory)) {
    for (const epoch of await namesIn(join(directory, keyId))) {
      const log = await open(keyId, Number(epoch));
      if (log.size > 0) keep(log);
    }
  }
  return {
    open,
    get: async (keyId, epoch) => logs.get(nameOf(keyId, epoch)),
    of: async (keyId) => [...logs.values()].filter((log) => log.keyId === keyId).sort((a, b) => a.epoch - b.epoch),
  };
}

const nameOf = (keyId: string, epoch: number): string => `${keyId}/${epoch}`;

async function openLog(
  directory: string,
  keyId: string,
  epoch: number,
  keep: (log: StoredLog) => void,
): Promise<StoredLog> {
  const path = join(directory, keyId, String(epoch));
  const file = (index: number) => jsonFile<Chunk>(jsonPath(path, String(index)));

  let tailIndex = 0;
  let chunk = emptyChunk([]);
  let size = 0;
  let frontier: Hash[] = [];

  /** Takes the log as it stands on disk. */
  async function load(): Promise<void> {
    const { index, chunk: newest } = await recover(path, file);
    const start = index * CHUNK_LENGTH;
    [tailIndex, chunk, size] = [index, newest, start + newest.readings.length];
    frontier = newest.readings.reduce(
      (before, reading, i) => extendFrontier(before, start + i, leafHash(fromHex(reading))),
      newest.frontier.map(fromHex),
    );
  }
  await load();

  const read = async (index: number): Promise<Chunk> => {
    if (index === tailIndex) return chunk;
    const stored = await file(index).read();
    if (!stored) throw new Error(`${jsonPath(path, String(index))} is missing`);
    return stored;
  };

  async function append(readings: readonly Uint8Array[], signature: Uint8Array, bucket: bigint): Promise<boolean> {
    try {
      await store(readings, signature, bucket);
    } catch (error) {
      // what reached the disk decides, not what was meant to
      await load();
      throw error;
    }
    keep(log);
    return true;
  }

  async function store(readings: readonly Uint8Array[], signature: Uint8Array, bucket: bigint): Promise<void> {
    if (size === 0) await makeDirectory(path);
    const chunks: [index: number, chunk: Chunk][] = [];
    let [index, current, after, end] = [tailIndex, copyOf(chunk), frontier, size];
    for (const reading of readings) {
      if (current.readings.length === CHUNK_LENGTH) {
        chunks.push([index, current]);
        [index, current] = [index + 1, emptyChunk(after)];
      }
      current.readings.push(toHex(reading));
      after = extendFrontier(after, end, leafHash(reading));
      end += 1;
    }
    for (const [earlier, full] of chunks) await new Low(file(earlier), full).write();
    current.heads.push({ size: end, signature: toHex(signature) });
    current.bucket = String(bucket);
    await new Low(file(index), current).write();
    [tailIndex, chunk, frontier, size] = [index, current, after, end];
  }

  async function readings(from: number, to: number): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    const end = Math.min(to, size);
    for (let index = Math.floor(from / CHUNK_LENGTH); index * CHUNK_LENGTH < end; index++) {
      const start = index * CHUNK_LENGTH;
      const wanted = (await read(index)).readings.slice(Math.max(0, from - start), end - start);
      for (const reading of wanted) found.push(fromHex(reading));
    }
    return found;
  }

  async function countBefore(timestamp: number): Promise<number> {
    let [low, high] = [0, size];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const [reading] = await readings(middle, middle + 1);
      if (timestampOf(reading as Uint8Array) < timestamp) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  async function headsAfter(after: number): Promise<StoredHead[]> {
    const heads: StoredHead[] = [];
    for (let index = Math.floor(after / CHUNK_LENGTH); index <= tailIndex; index++) {
      const at = await read(index);
      for (const head of at.heads) if (head.size > after) heads.push(headIn(at, index, head));
    }
    return heads;
  }

  /**
   * Within a chunk from its readings. A complete subtree that is a left child ends the frontier of the chunk after it;
   * anything else is put together from its halves.
   */
  const hashOf: StoredRangeHash = async (start, end) => {
    const [first, next] = [Math.floor(start / CHUNK_LENGTH), Math.ceil(end / CHUNK_LENGTH)];
    if (next - first === 1) return rootFromFrontier(0, [], (await readings(start, end)).map(leafHash));
    const width = end - start;
    const isLeftChild = Number.isInteger(Math.log2(width)) && (start / width) % 2 === 0;
    if (isLeftChild && end < size) return fromHex((await read(next)).frontier.at(-1) as string);
    const middle = start + 2 ** Math.floor(Math.log2(width - 1));
    return nodeHash(await hashOf(start, middle), await hashOf(middle, end));
  };

  const log: StoredLog = {
    keyId,
    epoch,
    get size() {
      return size;
    },
    get last() {
      return size === 0 ? undefined : fromHex(chunk.readings.at(-1) as string);
    },
    get newestHead() {
      const newest = chunk.heads.at(-1);
      return newest && headIn(chunk, tailIndex, newest);
    },
    get bucket() {
      return BigInt(chunk.bucket);
    },
    rootWith: (readings) =>
      readings.length === 0 ? rootOfFrontier(frontier) : rootFromFrontier(size, frontier, readings.map(leafHash)),
    append,
    readings,
    countBefore,
    headsAfter,
    hashOf,
  };
  return log;
}

/** The newest chunk that a head ends in, cut after that head. What a torn post left behind has none; it is written over. */
async function recover(
  path: string,
  file: (index: number) => ReturnType<typeof jsonFile<Chunk>>,
): Promise<{ index: number; chunk: Chunk }> {
  const indices = (await namesIn(path)).map((name) => Number.parseInt(name, 10)).sort((a, b) => b - a);
  for (const index of indices) {
    const chunk = (await file(index).read()) as Chunk;
    const newest = chunk.heads.at(-1);
    if (newest) {
      chunk.readings.length = newest.size - index * CHUNK_LENGTH;
      return { index, chunk };
    }
  }
  return { index: 0, chunk: emptyChunk([]) };
}

const emptyChunk = (frontier: readonly Hash[]): Chunk => ({
  frontier: frontier.map(toHex),
  readings: [],
  heads: [],
  bucket: "0",
});

const copyOf = (chunk: Chunk): Chunk => ({ ...chunk, readings: [...chunk.readings], heads: [...chunk.heads] });

const headIn = (chunk: Chunk, index: number, { size, signature }: Chunk["heads"][number]): StoredHead => ({
  size,
  reading: fromHex(chunk.readings[size - 1 - index * CHUNK_LENGTH] as string),
  signature: fromHex(signature),
});
