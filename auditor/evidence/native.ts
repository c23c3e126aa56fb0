/** hashing.ts by Node's own SHA-256. */
import { hash } from "node:crypto";
import type { Hasher } from "./hashing.ts";

const HASH = 32;
const leaf = Buffer.alloc(1 + HASH);
const node = Buffer.alloc(1 + 2 * HASH, 1);

/** By way of a string: a buffer for each hash takes three times as long as the hash. */
const hashInto = (target: Buffer, at: number, bytes: Uint8Array): number =>
  target.write(hash("sha256", bytes, "binary"), at, HASH, "binary");

export const native: Hasher = {
  sha256: (bytes) => hash("sha256", bytes, "buffer"),
  leaves(readings) {
    const hashes = Buffer.allocUnsafeSlow(readings.length);
    for (let at = 0; at < readings.length; at += HASH) {
      leaf.set(readings.subarray(at, at + HASH), 1);
      hashInto(hashes, at, leaf);
    }
    return hashes;
  },
  nodes(row) {
    const count = Math.ceil(row.length / (2 * HASH));
    const above = Buffer.allocUnsafeSlow(HASH * count);
    for (let i = 0; i < count; i++) {
      const pair = row.subarray(2 * HASH * i, 2 * HASH * (i + 1));
      if (pair.length === HASH) above.set(pair, HASH * i);
      else {
        node.set(pair, 1);
        hashInto(above, HASH * i, node);
      }
    }
    return above;
  },
};
