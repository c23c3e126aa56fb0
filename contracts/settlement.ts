/** One item of WattWitness.settle, made from a log: see IWattWitness.Settlement for what each field means. */
import type { Hex } from "viem";
import {
  attestationProof,
  consistencyProof,
  type Hash,
  type Head,
  inclusionProof,
  type RangeHash,
  toHex,
} from "../protocol/index.ts";

const ZERO = toHex(new Uint8Array(32));

export type SettlementItem = {
  key: { x: Hex; y: Hex };
  head: { epoch: number; size: bigint; reading: Hex; root: Hex };
  signature: { r: Hex; s: Hex };
  settledSize: bigint;
  settledTimestamp: number;
  capacity: number;
  firstReading: Hex;
  growth: readonly Hex[];
  from: bigint;
  segment: bigint;
  segments: bigint;
  witness: readonly Hex[];
};

export type SettlementInput = {
  /** x ‖ y */
  publicKey: Uint8Array;
  head: Head;
  signature: Uint8Array;
  /** what of this log is settled now; 0 = nothing */
  settledSize: number;
  /** of the latest settled reading of the key, in whichever log: Unix time, s */
  settledTimestamp: number;
  /** W, of the meter now */
  capacity: number;
  /** hashes of this log */
  range: RangeHash;
  /** reading 0; needed where settledSize is 0 */
  firstReading: Uint8Array | undefined;
  /** absent: settled on the device's signature alone */
  attested?: { from: number; leaves: readonly Uint8Array[]; index: number } | undefined;
};

export function settlementItem(input: SettlementInput): SettlementItem {
  const { publicKey, head, signature, settledSize, settledTimestamp, capacity, range, firstReading, attested } = input;
  const growth =
    settledSize === 0 ? inclusionProof(range, 0, head.size) : consistencyProof(range, settledSize, head.size);
  const witness = attested
    ? attestationProof(attested.leaves, attested.index)
    : inclusionProof(range, head.size - 1, head.size);
  return {
    key: publicKeyParts(publicKey),
    head: headParts(head),
    signature: signatureParts(signature),
    settledSize: BigInt(settledSize),
    settledTimestamp,
    capacity,
    firstReading: settledSize === 0 && firstReading ? toHex(firstReading) : ZERO,
    growth: hexes(growth),
    from: BigInt(attested?.from ?? 0),
    segment: BigInt(attested?.index ?? 0),
    segments: BigInt(attested?.leaves.length ?? 0),
    witness: hexes(witness),
  };
}

export const publicKeyParts = (publicKey: Uint8Array): { x: Hex; y: Hex } => ({
  x: toHex(publicKey.subarray(0, 32)),
  y: toHex(publicKey.subarray(32)),
});

export const signatureParts = (signature: Uint8Array): { r: Hex; s: Hex } => ({
  r: toHex(signature.subarray(0, 32)),
  s: toHex(signature.subarray(32)),
});

export const headParts = ({ epoch, size, reading, root }: Head) => ({
  epoch,
  size: BigInt(size),
  reading: toHex(reading),
  root: toHex(root),
});

export const hexes = (hashes: readonly Hash[]): Hex[] => hashes.map(toHex);
