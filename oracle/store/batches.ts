/** Sealed batches: immutable files named by their SHA-256 digest. */
import { join } from "node:path";
import { batchDigest, toHex } from "../../protocol/index.ts";
import { makeDirectory, readIfThere, writeDurably } from "./durable.ts";

export type Batches = {
  /** Resolves with the digest, `0x…`, once durable. */
  put(bytes: Uint8Array): Promise<`0x${string}`>;
  get(digest: string): Promise<Uint8Array | undefined>;
};

export async function openBatches(directory: string): Promise<Batches> {
  await makeDirectory(directory);
  return {
    async put(bytes) {
      const digest = toHex(batchDigest(bytes));
      await writeDurably(join(directory, digest), bytes);
      return digest;
    },
    get: (digest) => readIfThere(join(directory, digest)),
  };
}
