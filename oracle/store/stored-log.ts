/** A log as the port wants it: what is in memory, and the rest from where a store keeps it. */
import { HASH_LENGTH, type Hash, READING_LENGTH, timestampOf } from "../../protocol/index.ts";
import { encodeBundle } from "./bundles.ts";
import type { StoredRangeHash } from "./hashes.ts";
import { hashLeaves, hashNode, rootOf } from "./hashing.ts";
import { fullTilesOf, growthOf, type LogState, rootOfGrowth, TILE_WIDTH } from "./log-state.ts";
import { contentOf, partOf } from "./packed.ts";
import type { StoredHead, StoredLog } from "./store.ts";

/** Full tiles and bundles, checked; views that are not to be changed. */
export type Tiles = {
  hashes(log: LogState, level: number, index: number): Promise<Buffer>;
  /** 256 readings, packed */
  readings(log: LogState, index: number): Promise<Buffer>;
};

export type StoredHeads = {
  after(log: LogState, size: number): Promise<StoredHead[]>;
  prune(log: LogState, settledSize: number, kept: readonly number[]): Promise<void>;
};

export type LogParts = {
  tiles: Tiles;
  heads: StoredHeads;
  append(log: LogState, ...post: Parameters<StoredLog["append"]>): Promise<boolean>;
};

/** How many of packed readings are before a moment. */
function earlierIn(packed: Buffer, timestamp: number): number {
  let [low, high] = [0, packed.length / READING_LENGTH];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (timestampOf(packed.subarray(middle * READING_LENGTH)) < timestamp) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function storedLog(log: LogState, { tiles, heads, append }: LogParts): StoredLog {
  /** Packed readings of a tile, full or not. */
  const tileReadings = async (tile: number): Promise<Buffer> =>
    tile < fullTilesOf(log.size, 0) ? tiles.readings(log, tile) : contentOf(log.tail);

  async function readings(from: number, to: number): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    const end = Math.min(to, log.size);
    for (let index = from; index < end; ) {
      const tile = Math.floor(index / TILE_WIDTH);
      const packed = await tileReadings(tile);
      const next = Math.min(end, (tile + 1) * TILE_WIDTH);
      for (; index < next; index++) found.push(partOf(packed, index % TILE_WIDTH));
    }
    return found;
  }

  /**
   * Finds the tile first. Devices read at steady intervals, so its place is where the time lies between two that are known;
   * every other look is in the middle, so that no gap makes it long.
   */
  async function countBefore(timestamp: number): Promise<number> {
    if (!log.last || timestampOf(log.last) < timestamp) return log.size;
    let [low, high] = [0, Math.floor((log.size - 1) / TILE_WIDTH)];
    let [since, until] = [timestampOf(await tileReadings(0)), timestampOf(log.last)];
    for (let look = 0; low <= high; look++) {
      const share = look % 2 === 0 && until > since ? Math.max(0, timestamp - since) / (until - since) : 0.5;
      const tile = Math.min(high, low + Math.floor((high - low + 1) * share));
      const packed = await tileReadings(tile);
      const count = earlierIn(packed, timestamp);
      if (count > 0 && count * READING_LENGTH < packed.length) return tile * TILE_WIDTH + count;
      if (count > 0) [low, since] = [tile + 1, timestampOf(packed.subarray(-READING_LENGTH))];
      else [high, until] = [tile - 1, timestampOf(packed)];
    }
    return low * TILE_WIDTH;
  }

  /** Packed hashes `first` to `first + count` of a level, all of one tile. */
  async function hashesOf(level: number, first: number, count: number): Promise<Buffer> {
    const tile = Math.floor(first / TILE_WIDTH);
    const start = (first % TILE_WIDTH) * HASH_LENGTH;
    const end = start + count * HASH_LENGTH;
    if (tile < fullTilesOf(log.size, level)) return (await tiles.hashes(log, level, tile)).subarray(start, end);
    if (level > 0) return contentOf(log.rows[level - 1] as NonNullable<(typeof log.rows)[0]>).subarray(start, end);
    return hashLeaves(contentOf(log.tail).subarray(start, end));
  }

  /** A complete subtree is of hashes in one tile; anything else is put together from its halves. */
  const hashOf: StoredRangeHash = async (start, end): Promise<Hash> => {
    const height = Math.log2(end - start);
    if (Number.isInteger(height) && start % (end - start) === 0) {
      const level = Math.floor(height / 8);
      return rootOf(await hashesOf(level, start / TILE_WIDTH ** level, 2 ** (height % 8)));
    }
    const middle = start + 2 ** Math.floor(Math.log2(end - start - 1));
    return hashNode(await hashOf(start, middle), await hashOf(middle, end));
  };

  return {
    keyId: log.keyId,
    epoch: log.epoch,
    get size() {
      return log.size;
    },
    get last() {
      return log.last;
    },
    get newestHead() {
      const { size, last: reading, signature } = log;
      return reading && signature && { size, reading, signature };
    },
    get bucket() {
      return log.bucket;
    },
    rootWith: (more) => rootOfGrowth(log, growthOf(log, more)),
    append: (...post) => append(log, ...post),
    readings,
    countBefore,
    headsAfter: (size) => heads.after(log, size),
    hashOf,
    async tile(level, index, width) {
      if (index * TILE_WIDTH + width > Math.floor(log.size / TILE_WIDTH ** level)) return undefined;
      return new Uint8Array(await hashesOf(level, index * TILE_WIDTH, width));
    },
    async entries(index, width) {
      if (index * TILE_WIDTH + width > log.size) return undefined;
      return new Uint8Array(encodeBundle((await tileReadings(index)).subarray(0, width * READING_LENGTH)));
    },
    prune: (settledSize, kept) => heads.prune(log, settledSize, kept),
  };
}
