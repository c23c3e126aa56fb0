/**
 * The log of a key in one epoch: the Merkle tree of RFC 9162 §2.1 over its readings.
 *
 *   leaf  SHA-256(0x00 ‖ reading)
 *   node  SHA-256(0x01 ‖ left ‖ right)
 *
 * 1 <= size < 2^40, so every size and index is an exact JavaScript number.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { equal } from "./bytes.ts";
import { accepted, type Result, refused } from "./result.ts";

export const HASH_LENGTH = 32;
export const SIZE_LIMIT = 2 ** 40;

export type Hash = Uint8Array;

/** The hash of the tree over leaves `start` to `end` (exclusive): MTH(D[start:end]) of RFC 9162. */
export type RangeHash = (start: number, end: number) => Hash;

export function leafHash(leaf: Uint8Array): Hash {
  const bytes = new Uint8Array(1 + leaf.length);
  bytes.set(leaf, 1);
  return sha256(bytes);
}

export function nodeHash(left: Hash, right: Hash): Hash {
  const bytes = new Uint8Array(1 + 2 * HASH_LENGTH);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 1 + HASH_LENGTH);
  return sha256(bytes);
}

/** A log in memory: every complete subtree is kept, so that any root or proof of any past size takes O(log n). */
export type Log = {
  readonly size: number;
  append(leaf: Uint8Array): void;
  range: RangeHash;
  /** RFC 9162 §2.1.1; of an empty log SHA-256 of nothing */
  root(size?: number): Hash;
};

export function createLog(leaves: Iterable<Uint8Array> = []): Log {
  const levels: Hash[][] = [[]];

  const range: RangeHash = (start, end) => {
    const complete = Math.log2(end - start);
    if (Number.isInteger(complete) && start % (end - start) === 0) {
      return levels[complete]?.[start / (end - start)] as Hash;
    }
    const middle = start + split(end - start);
    return nodeHash(range(start, middle), range(middle, end));
  };

  const log: Log = {
    get size() {
      return (levels[0] as Hash[]).length;
    },
    append(leaf) {
      let hash = leafHash(leaf);
      for (let level = 0; ; level++) {
        levels[level] ??= [];
        const row = levels[level] as Hash[];
        row.push(hash);
        if (row.length % 2 === 1) return;
        hash = nodeHash(row.at(-2) as Hash, hash);
      }
    },
    range,
    root: (size = log.size) => (size === 0 ? sha256(new Uint8Array()) : range(0, size)),
  };
  for (const leaf of leaves) log.append(leaf);
  return log;
}

/** The largest power of two smaller than `size`: where RFC 9162 splits a tree of `size` > 1 leaves. */
function split(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

/** The maximal complete subtrees that cover the first `size` leaves, as `[start, end)`, left to right. */
export function completeSubtrees(size: number): [number, number][] {
  const subtrees: [number, number][] = [];
  let start = 0;
  for (let width = SIZE_LIMIT; width >= 1; width /= 2) {
    if (size - start >= width) {
      subtrees.push([start, start + width]);
      start += width;
    }
  }
  return subtrees;
}

/** The compact range of the first `size` leaves: popcount(size) hashes, left to right. */
export const frontier = (range: RangeHash, size: number): Hash[] =>
  completeSubtrees(size).map(([start, end]) => range(start, end));

/**
 * The root of the log whose first `from` leaves are known by their frontier and whose next leaves hash to `hashes`
 * (at least one). Level by level: an odd start takes the frontier's last subtree to its left, a lone right node rises.
 */
export function rootFromFrontier(from: number, frontierHashes: readonly Hash[], hashes: readonly Hash[]): Hash {
  const left = [...frontierHashes];
  let start = from;
  let row = [...hashes];
  while (row.length > 1 || start > 0) {
    if (start % 2 === 1) row.unshift(left.pop() as Hash);
    const above: Hash[] = [];
    for (let i = 0; i < row.length; i += 2) {
      const right = row[i + 1];
      above.push(right ? nodeHash(row[i] as Hash, right) : (row[i] as Hash));
    }
    row = above;
    start = Math.floor(start / 2);
  }
  return row[0] as Hash;
}

/** PATH(index, D_size) of RFC 9162 §2.1.3.1, leaf to root. */
export function inclusionProof(range: RangeHash, index: number, size: number): Hash[] {
  requireOrder(index < size && index >= 0, "index must be below the size");
  const path = (start: number, end: number): Hash[] => {
    if (end - start === 1) return [];
    const middle = start + split(end - start);
    return index < middle ? [...path(start, middle), range(middle, end)] : [...path(middle, end), range(start, middle)];
  };
  return path(0, size);
}

/** PROOF(from, D_to) of RFC 9162 §2.1.4.1, for 1 <= from < to. */
export function consistencyProof(range: RangeHash, from: number, to: number): Hash[] {
  requireOrder(from >= 1 && from < to, "a consistency proof goes from a size of at least 1 to a larger one");
  const subproof = (start: number, end: number, whole: boolean): Hash[] => {
    if (end === from) return whole ? [] : [range(start, end)];
    const middle = start + split(end - start);
    return from <= middle
      ? [...subproof(start, middle, whole), range(middle, end)]
      : [...subproof(middle, end, false), range(start, middle)];
  };
  return subproof(0, to, true);
}

function requireOrder(condition: boolean, message: string): void {
  if (!condition) throw new RangeError(message);
}

/**
 * The root that an inclusion proof leads to (RFC 9162 §2.1.3.2, up to the comparison). Refuses: `size out of range`, and a
 * proof of another length than the place has with `wrong proof`.
 */
export function rootFromInclusion(leaf: Uint8Array, index: number, size: number, proof: readonly Hash[]): Result<Hash> {
  if (!isSize(size) || !Number.isSafeInteger(index) || index < 0 || index >= size) return refused("size out of range");
  let node = index;
  let last = size - 1;
  let hash = leafHash(leaf);
  for (const sibling of proof) {
    if (last === 0) return refused("wrong proof");
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 ? accepted(hash) : refused("wrong proof");
}

/** RFC 9162 §2.1.3.2. Refuses: `size out of range`, `wrong proof`. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Hash[],
  root: Hash,
): Result<void> {
  const computed = rootFromInclusion(leaf, index, size, proof);
  if (!computed.ok) return computed;
  return equal(computed.value, root) ? accepted(undefined) : refused("wrong proof");
}

/** RFC 9162 §2.1.4.2. Refuses: `size out of range`, `size not forward`, `wrong proof`. */
export function verifyConsistency(
  from: number,
  to: number,
  fromRoot: Hash,
  toRoot: Hash,
  proof: readonly Hash[],
): Result<void> {
  if (!isSize(from) || !isSize(to)) return refused("size out of range");
  if (from >= to) return refused("size not forward");
  const path = Math.log2(from) % 1 === 0 ? [fromRoot, ...proof] : [...proof];
  let node = from - 1;
  let last = to - 1;
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  const first = path.shift();
  if (!first) return refused("wrong proof");
  let old = first;
  let now = first;
  for (const sibling of path) {
    if (last === 0) return refused("wrong proof");
    if (node % 2 === 1 || node === last) {
      old = nodeHash(sibling, old);
      now = nodeHash(sibling, now);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      now = nodeHash(now, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equal(old, fromRoot) && equal(now, toRoot) ? accepted(undefined) : refused("wrong proof");
}

export const isSize = (size: number): boolean => Number.isSafeInteger(size) && size >= 1 && size < SIZE_LIMIT;

const half = (n: number): number => Math.floor(n / 2);
