/** Sealed batches: immutable files named by their SHA-256 digest. */
import { join } from "node:path";
import { batchDigest, toHex } from "../../../protocol/index.ts";
import { type Batches, StoreDamaged } from "../store.ts";
import { makeDirectory, readIfThere, writeDurably } from "./durable.ts";

export async function openBatches(directory: string): Promise<Batches> {
  await makeDirectory(directory);
  return {
    async put(bytes) {
      const digest = toHex(batchDigest(bytes));
      await writeDurably(join(directory, digest), bytes);
      return digest;
    },
    async get(digest) {
      const path = join(directory, digest);
      const bytes = await readIfThere(path);
      if (bytes && toHex(batchDigest(bytes)) !== digest) {
        throw new StoreDamaged(`${path} is damaged: it is not the batch of that digest.`);
      }
      return bytes;
    },
  };
}
