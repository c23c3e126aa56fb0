/**
 * What is kept of a log in memory: all that its files do not say yet. Of its readings the tail, which is those after the
 * last full tile; of each level of hash tiles the row that is not full.
 */
import { type Hash, READING_LENGTH } from "../../protocol/index.ts";
import { extend, hashLeaf, hashLeaves, rootOf, rootOfHashes } from "./hashing.ts";
import { appendHead, headsWith } from "./heads.ts";
import { contentOf, emptyPacked, type Packed, partOf, push } from "./packed.ts";

/** Hashes of a tile, readings of a bundle. */
export const TILE_WIDTH = 256;
export const TILE_LENGTH = TILE_WIDTH * READING_LENGTH;

export type LogState = {
  readonly keyId: string;
  readonly epoch: number;
  size: number;
  /** mW·s */
  bucket: bigint;
  last: Uint8Array | undefined;
  /** under the newest head */
  signature: Uint8Array | undefined;
  /** readings after the last full tile */
  tail: Packed;
  /** heads that end in the tail; see heads.ts */
  heads: Packed;
  /** by level from 1 on, the hashes after the last full tile */
  rows: Packed[];
  /** of all full tiles */
  upper: Hash[];
  /** of the first `hashed` readings of the tail: the others are hashed when it is asked for */
  lower: Hash[];
  hashed: number;
  /** what was made last to tell a root, in case that it is appended */
  growth: Growth | undefined;
  isAppending: boolean;
};

export const emptyLog = (keyId: string, epoch: number): LogState => ({
  ...{ keyId, epoch, size: 0, bucket: 0n, last: undefined, signature: undefined },
  ...{ tail: emptyPacked(), heads: emptyPacked(), rows: [], upper: [], lower: [], hashed: 0 },
  ...{ growth: undefined, isAppending: false },
});

type FullTile = { readings: Buffer; hashes: Buffer; root: Hash };

/** What a log becomes with readings appended: tiles that they fill, and those left for the tail. */
export type Growth = {
  size: number;
  readings: readonly Uint8Array[];
  tiles: FullTile[];
  upper: Hash[];
  /** beyond the tail as it is or, with full tiles, beyond them */
  rest: Buffer;
  lower: Hash[] | undefined;
};

/** Full pieces of a log, for files: heads are those that end in the tile. */
export type Full =
  | { kind: "tile"; level: number; index: number; hashes: Uint8Array }
  | { kind: "bundle"; index: number; readings: Uint8Array; heads: Uint8Array };

export const fullTilesOf = (size: number, level: number): number => Math.floor(size / TILE_WIDTH ** (level + 1));

export function growthOf(state: LogState, readings: readonly Uint8Array[]): Growth {
  const known = state.growth;
  if (known?.readings === readings && known.size === state.size + readings.length) return known;
  const tail = contentOf(state.tail);
  const size = state.size + readings.length;
  const length = tail.length + readings.length * READING_LENGTH;
  const isFilling = length >= TILE_LENGTH;
  const all = Buffer.concat(isFilling ? [tail, ...readings] : readings);
  const tiles: FullTile[] = [];
  const upper = [...state.upper];
  let at = 0;
  for (; isFilling && at + TILE_LENGTH <= all.length; at += TILE_LENGTH) {
    const full = all.subarray(at, at + TILE_LENGTH);
    const hashes = hashLeaves(full);
    const root = rootOf(hashes);
    extend(upper, fullTilesOf(state.size, 0) + tiles.length, root);
    tiles.push({ readings: full, hashes, root });
  }
  return { size, readings, tiles, upper, rest: all.subarray(at), lower: undefined };
}

/** The root of a grown log. Keeps the growth, as the next thing is to append it. */
export function rootOfGrowth(state: LogState, growth: Growth): Hash {
  if (!growth.lower) {
    const isFilling = growth.tiles.length > 0;
    const lower = isFilling ? [] : [...lowerOf(state)];
    extendAll(lower, isFilling ? 0 : state.hashed, growth.rest);
    growth.lower = lower;
    state.growth = growth;
  }
  return rootOfHashes([...growth.upper, ...growth.lower]);
}

function lowerOf(state: LogState): Hash[] {
  const tail = contentOf(state.tail);
  extendAll(state.lower, state.hashed, tail.subarray(state.hashed * READING_LENGTH));
  state.hashed = tail.length / READING_LENGTH;
  return state.lower;
}

function extendAll(frontier: Hash[], from: number, readings: Buffer): void {
  for (let at = 0; at < readings.length; at += READING_LENGTH) {
    extend(frontier, from + at / READING_LENGTH, hashLeaf(readings.subarray(at, at + READING_LENGTH)));
  }
}

/** Makes a log what it has become, and returns what is full now. */
export function grow(state: LogState, growth: Growth, signature: Uint8Array, bucket: bigint): Full[] {
  const full = growth.tiles.flatMap((tile) => fill(state, tile));
  push(state.tail, growth.rest);
  const { size, readings } = growth;
  const last = readings.at(-1) as Uint8Array;
  const position = (size - 1) % TILE_WIDTH;
  const newest = full.findLast((piece) => piece.kind === "bundle");
  if (position === TILE_WIDTH - 1 && newest) newest.heads = Buffer.concat([newest.heads, headAt(position, signature)]);
  else appendHead(state.heads, position, signature);
  [state.lower, state.hashed] = growth.lower
    ? [growth.lower, size % TILE_WIDTH]
    : growth.tiles.length > 0
      ? [[], 0]
      : [state.lower, state.hashed];
  state.size = size;
  state.upper = growth.upper;
  state.last = new Uint8Array(last);
  state.signature = new Uint8Array(signature);
  state.bucket = bucket;
  state.growth = undefined;
  return full;
}

function headAt(position: number, signature: Uint8Array): Uint8Array {
  const heads = emptyPacked();
  appendHead(heads, position, signature);
  return contentOf(heads);
}

/** Moves a full tile out of a log's tail, and what it fills above. */
function fill(state: LogState, { readings, hashes, root }: FullTile): Full[] {
  const index = fullTilesOf(state.size, 0);
  const full: Full[] = [
    { kind: "bundle", index, readings, heads: Buffer.from(contentOf(state.heads)) },
    { kind: "tile", level: 0, index, hashes },
  ];
  state.size = (index + 1) * TILE_WIDTH;
  state.tail = emptyPacked();
  state.heads = emptyPacked();
  let above = root;
  for (let level = 1; ; level++) {
    state.rows[level - 1] ??= emptyPacked();
    const row = state.rows[level - 1] as Packed;
    push(row, above);
    if (row.length < TILE_LENGTH) return full;
    const tile = new Uint8Array(contentOf(row));
    full.push({ kind: "tile", level, index: fullTilesOf(state.size, level) - 1, hashes: tile });
    above = rootOf(tile);
    state.rows[level - 1] = emptyPacked();
  }
}

/** Reading `index` of the tail. */
export const tailReading = (state: LogState, index: number): Uint8Array => partOf(state.tail.bytes, index);

/** Forgets heads that end in the tail. */
export function pruneTail(state: LogState, isWanted: (size: number) => boolean): void {
  const start = fullTilesOf(state.size, 0) * TILE_WIDTH;
  const left = headsWith(contentOf(state.heads), (position) => isWanted(start + position + 1));
  state.heads = emptyPacked();
  push(state.heads, left);
}
