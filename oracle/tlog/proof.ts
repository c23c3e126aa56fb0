/**
 * One reading's proof as a file (c2sp.org/tlog-proof, first version), to be checked without asking anybody:
 *
 *   c2sp.org/tlog-proof@v1
 *   extra base64(reading)
 *   index <index>
 *   base64(hash)             of each of the proof, leaf to root
 *
 *   <checkpoint>
 */
import type { Hash } from "../../protocol/index.ts";

export const PROOF_EXTENSION = ".tlog-proof";

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** tlog-proof, "Format"; the reading is what hashes to the leaf, so that the file says all. */
export const tlogProof = (reading: Uint8Array, index: number, proof: readonly Hash[], checkpoint: string): string =>
  ["c2sp.org/tlog-proof@v1", `extra ${base64(reading)}`, `index ${index}`, ...proof.map(base64), "", checkpoint].join(
    "\n",
  );
