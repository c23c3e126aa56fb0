/**
 * Hashes of packed leaves and nodes: by whatever SHA-256 there is, so that what verifies runs in a browser as well. Node's is
 * in native.ts.
 */
import type { Hash } from "../../protocol/index.ts";

const HASH = 32;

/** Packed hashes, 32 bytes each. */
export type Hasher = {
  sha256(bytes: Uint8Array): Hash;
  /** SHA-256(0x00 ‖ reading) of each */
  leaves(readings: Uint8Array): Uint8Array;
  /** SHA-256(0x01 ‖ left ‖ right) of each two; a last one without another stays as it is */
  nodes(row: Uint8Array): Uint8Array;
};

/** As rootFromFrontier of protocol/log.ts: of the leaves from `from` on, packed, and the frontier of those before. */
export function rootOf({ nodes }: Hasher, from: number, frontier: Uint8Array, leaves: Uint8Array): Hash {
  let [row, left, start] = [leaves, frontier, from];
  while (row.length > HASH || start > 0) {
    if (start % 2 === 1) {
      const longer = new Uint8Array(HASH + row.length);
      longer.set(left.subarray(-HASH));
      longer.set(row, HASH);
      [row, left] = [longer, left.subarray(0, -HASH)];
    }
    row = nodes(row);
    start = Math.floor(start / 2);
  }
  return row;
}
