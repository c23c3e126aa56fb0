/**
 * What the DON vouches for: the RFC 9162 tree over the segments of a batch, in the order of the file.
 *
 *   leaf  SHA-256(0x00 ‖ key id 32 ‖ epoch u32 ‖ from u64 ‖ capacity u32 ‖ head hash 32)
 */
import { concat, u32, u64 } from "./bytes.ts";
import { createLog, type Hash, inclusionProof } from "./log.ts";

export type AttestationLeaf = {
  keyId: Uint8Array;
  epoch: number;
  from: number;
  capacity: number;
  headHash: Uint8Array;
};

/** The 80 bytes whose leaf hash stands in the attestation tree. */
export const attestationLeaf = ({ keyId, epoch, from, capacity, headHash }: AttestationLeaf): Uint8Array =>
  concat(keyId, u32(epoch), u64(from), u32(capacity), headHash);

export const attestationRoot = (leaves: readonly Uint8Array[]): Hash => createLog(leaves).root();

/** The inclusion proof of the segment at `index`. */
export const attestationProof = (leaves: readonly Uint8Array[], index: number): Hash[] =>
  inclusionProof(createLog(leaves).range, index, leaves.length);
