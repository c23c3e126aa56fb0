/** One item of WattWitness.settle, made from a log: see IWattWitness.Settlement for what each field means. */
import { encodePacked, type Hex, slice } from "viem";
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
  basis: Hex;
  firstReading: Hex;
  growth: readonly Hex[];
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
    basis: encodeBasis({
      settledSize,
      settledTimestamp,
      capacity,
      from: attested?.from ?? 0,
      segment: attested?.index ?? 0,
      segments: attested?.leaves.length ?? 0,
    }),
    firstReading: settledSize === 0 && firstReading ? toHex(firstReading) : ZERO,
    growth: hexes(growth),
    witness: hexes(witness),
  };
}

/** What an item was made for, as Basis.sol has it. */
export type Basis = {
  settledSize: number;
  settledTimestamp: number;
  capacity: number;
  from: number;
  segment: number;
  segments: number;
};

export function encodeBasis(basis: Basis): Hex {
  return encodePacked(
    ["uint64", "uint32", "uint32", "uint64", "uint32", "uint32"],
    [
      BigInt(basis.settledSize),
      basis.settledTimestamp,
      basis.capacity,
      BigInt(basis.from),
      basis.segment,
      basis.segments,
    ],
  );
}

export function decodeBasis(basis: Hex): Basis {
  const field = (start: number, end: number): number => Number(slice(basis, start, end));
  return {
    settledSize: field(0, 8),
    settledTimestamp: field(8, 12),
    capacity: field(12, 16),
    from: field(16, 24),
    segment: field(24, 28),
    segments: field(28, 32),
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
