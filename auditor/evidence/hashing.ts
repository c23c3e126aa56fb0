/**
 * Hashes of packed leaves and nodes: by whatever SHA-256 there is, so that what verifies runs in a browser as well. Node's is
 * in native.ts.
 */
import type { Hash } from "../../protocol/index.ts";

const HASH = 32;

/** Packed hashes, 32 bytes each. */
export type Hasher = {
  sha256(bytes: Uint8Array): Hash;
  /** SHA-256(0x00 ‖ reading) of each; the next call may overwrite them */
  leaves(readings: Uint8Array): Uint8Array;
  /**
   * SHA-256(0x01 ‖ left ‖ right) of each two, from `first` on where it is given, in the place of `row`; a last one without
   * another stays as it is
   */
  nodes(row: Uint8Array, first?: Hash): Uint8Array;
};

/** As rootFromFrontier of protocol/log.ts: of the leaves from `from` on, packed, which are gone afterwards, and those before. */
export function rootOf({ nodes }: Hasher, from: number, frontier: Uint8Array, leaves: Uint8Array): Hash {
  let [row, left, start] = [leaves, frontier, from];
  while (row.length > HASH || start > 0) {
    const isOdd = start % 2 === 1;
    row = nodes(row, isOdd ? left.subarray(-HASH) : undefined);
    if (isOdd) left = left.subarray(0, -HASH);
    start = Math.floor(start / 2);
  }
  return Uint8Array.from(row);
}
