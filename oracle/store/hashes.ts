/** Trees whose hashes are read from somewhere, for functions that want them at once. */
import { HASH_LENGTH, type Hash, nodeHash, type RangeHash } from "../../protocol/index.ts";

/** As RangeHash, from storage. */
export type StoredRangeHash = (start: number, end: number) => Promise<Hash>;

/** Runs `make` twice: once to learn which hashes it asks for, then with them. It must ask for the same both times. */
export async function withHashes<T>(stored: StoredRangeHash, make: (range: RangeHash) => T): Promise<T> {
  const asked = new Map<string, [start: number, end: number]>();
  make((start, end) => {
    asked.set(`${start}:${end}`, [start, end]);
    return new Uint8Array(HASH_LENGTH);
  });
  const hashes = new Map<string, Hash>();
  for (const [name, [start, end]] of asked) hashes.set(name, await stored(start, end));
  return make((start, end) => hashes.get(`${start}:${end}`) as Hash);
}

/** The frontier of `size` + 1 leaves, from that of the first `size` and the hash of the next. */
export function extendFrontier(frontier: readonly Hash[], size: number, leaf: Hash): Hash[] {
  const extended = [...frontier];
  let hash = leaf;
  for (let complete = size; complete % 2 === 1; complete = Math.floor(complete / 2)) {
    hash = nodeHash(extended.pop() as Hash, hash);
  }
  extended.push(hash);
  return extended;
}

/** The root of the log that a frontier covers. */
export const rootOfFrontier = (frontier: readonly Hash[]): Hash =>
  frontier.reduceRight((right, left) => nodeHash(left, right));
