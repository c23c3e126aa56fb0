/** Sealed batches: immutable files named by their SHA-256 digest. */
import { join } from "node:path";
import { batchDigest, toHex } from "../../../protocol/index.ts";
import type { Batches } from "../store.ts";
import { makeDirectory, readIfThere, writeDurably } from "./durable.ts";

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
