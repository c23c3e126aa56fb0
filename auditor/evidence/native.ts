/** hashing.ts by Node's own SHA-256, in memory that is used again: a batch leaves nothing behind to be collected. */
import { hash } from "node:crypto";
import type { Hasher } from "./hashing.ts";

const HASH = 32;
const leaf = Buffer.alloc(1 + HASH);
const node = Buffer.alloc(1 + 2 * HASH, 1);
let hashes = Buffer.alloc(0);

/** By way of a string: a buffer for each hash takes three times as long as the hash. */
const hashInto = (target: Buffer, at: number, bytes: Uint8Array): number =>
  target.write(hash("sha256", bytes, "binary"), at, HASH, "binary");

export const native: Hasher = {
  sha256: (bytes) => hash("sha256", bytes, "buffer"),
  leaves(readings) {
    if (hashes.length < readings.length) hashes = Buffer.allocUnsafeSlow(readings.length);
    for (let at = 0; at < readings.length; at += HASH) {
      leaf.set(readings.subarray(at, at + HASH), 1);
      hashInto(hashes, at, leaf);
    }
    return hashes.subarray(0, readings.length);
  },
  nodes(row, first) {
    const target = Buffer.from(row.buffer, row.byteOffset, row.length);
    const shift = first ? HASH : 0;
    const count = Math.ceil((row.length + shift) / (2 * HASH));
    for (let i = 0; i < count; i++) {
      const left = 2 * HASH * i - shift;
      if (left + HASH >= row.length) target.copyWithin(HASH * i, left);
      else {
        node.set(left < 0 ? (first as Uint8Array) : row.subarray(left, left + HASH), 1);
        node.set(row.subarray(left + HASH, left + 2 * HASH), 1 + HASH);
        hashInto(target, HASH * i, node);
      }
    }
    return row.subarray(0, HASH * count);
  },
};
