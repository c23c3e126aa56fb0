/**
 * Leaf and node hashes of protocol/log.ts by the platform's SHA-256, over packed readings and hashes: the hot path, where
 * every reading is hashed once.
 */
import { hash } from "node:crypto";
import { HASH_LENGTH, type Hash, READING_LENGTH } from "../../protocol/index.ts";

const leaf = Buffer.alloc(1 + READING_LENGTH);
const node = Buffer.alloc(1 + 2 * HASH_LENGTH, 1);
const scratch = Buffer.alloc(HASH_LENGTH);

/** By way of a string: a buffer for each hash takes three times as long as the hash. */
function hashInto(target: Buffer, at: number, bytes: Uint8Array): void {
  target.write(hash("sha256", bytes, "binary"), at, HASH_LENGTH, "binary");
}

function sha256(bytes: Uint8Array): Hash {
  const digest = new Uint8Array(HASH_LENGTH);
  hashInto(scratch, 0, bytes);
  digest.set(scratch);
  return digest;
}

export function hashLeaf(reading: Uint8Array): Hash {
  leaf.set(reading, 1);
  return sha256(leaf);
}

export function hashNode(left: Hash, right: Hash): Hash {
  node.set(left, 1);
  node.set(right, 1 + HASH_LENGTH);
  return sha256(node);
}

/** The leaf hashes of packed readings, packed. */
export function hashLeaves(readings: Buffer): Buffer {
  const hashes = Buffer.allocUnsafeSlow(readings.length);
  for (let at = 0; at < readings.length; at += READING_LENGTH) {
    readings.copy(leaf, 1, at, at + READING_LENGTH);
    hashInto(hashes, at, leaf);
  }
  return hashes;
}

/** The root over packed hashes, whose number is a power of two. */
export function rootOf(hashes: Uint8Array): Hash {
  const row = Buffer.from(hashes);
  for (let length = row.length; length > HASH_LENGTH; length /= 2) {
    for (let at = 0; at < length; at += 2 * HASH_LENGTH) {
      row.copy(node, 1, at, at + 2 * HASH_LENGTH);
      hashInto(row, at / 2, node);
    }
  }
  return new Uint8Array(row.subarray(0, HASH_LENGTH));
}

/** Takes the hash of leaf number `size` into the frontier of the leaves before it. */
export function extend(frontier: Hash[], size: number, leafHash: Hash): void {
  let hash = leafHash;
  for (let complete = size; complete % 2 === 1; complete = Math.floor(complete / 2)) {
    hash = hashNode(frontier.pop() as Hash, hash);
  }
  frontier.push(hash);
}

export const rootOfHashes = (frontier: readonly Hash[]): Hash =>
  frontier.reduceRight((right, left) => hashNode(left, right));
