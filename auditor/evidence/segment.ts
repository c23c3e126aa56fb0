/**
 * What a segment comes to: every reading hashed again and held against the rules, the root over all of its log, the device's
 * signature over that, and the root that the log had before. It says what is, and judges nothing but rules and signature.
 */
import { attestationLeaf, encodeHead, type Failure, type Hash, headHash, verify } from "../../protocol/index.ts";
import { type Hasher, rootOf } from "./hashing.ts";
import { type Counts, ruleOf } from "./rules.ts";

const READING = 32;
const HOUR = 3600;

/** A reading at a full UTC hour, with its place in the log. */
export type HourReading = { index: number; reading: Uint8Array };

export type SegmentBytes = {
  publicKey: Uint8Array;
  epoch: number;
  from: number;
  capacity: number;
  /** packed */
  frontier: Uint8Array;
  readings: Uint8Array;
  /** absent: nobody said it */
  signature?: Uint8Array | undefined;
};

export type SegmentResult = {
  keyId: Hash;
  epoch: number;
  from: number;
  size: number;
  capacity: number;
  root: Hash;
  /** of the log's first `before` readings, as asked; and the last one among those */
  earlier?: { size: number; root: Hash; reading: Uint8Array } | undefined;
  first: Uint8Array;
  last: Uint8Array;
  signature: "valid" | "none" | Failure;
  rules: { failure?: Failure; at?: number };
  counts: Counts;
  attestationLeaf: Uint8Array;
  hours: HourReading[];
};

/** `before`: how much of this log was settled when this segment was; 0 = nothing. */
export async function segmentResult(
  hasher: Hasher,
  domain: Uint8Array,
  { publicKey, epoch, from, capacity, frontier, readings, signature }: SegmentBytes,
  before: number,
): Promise<SegmentResult> {
  const size = from + readings.length / READING;
  const leaves = hasher.leaves(readings);
  const covered = before - from;
  const settled = Uint8Array.from(leaves.subarray(0, READING * Math.max(0, covered)));
  const root = rootOf(hasher, from, frontier, leaves);
  const { failure, at, counts } = ruleOf(readings, capacity, Math.max(0, covered));
  const last = readings.subarray(-READING);
  const head = encodeHead(domain, { epoch, size, reading: last, root });
  const keyId = hasher.sha256(publicKey);
  const earlier =
    covered > 0 && before <= size
      ? {
          ...{ size: before, root: rootOf(hasher, from, frontier, settled) },
          reading: readings.slice(READING * (covered - 1), READING * covered),
        }
      : undefined;
  const signed = signature ? await verify(head, signature, publicKey) : undefined;
  return {
    ...{ keyId, epoch, from, size, capacity, root, earlier, counts },
    ...{ first: readings.slice(0, READING), last: last.slice(), hours: hoursIn(readings, from) },
    signature: !signed ? "none" : signed.ok ? "valid" : signed.failure,
    rules: { ...(failure && { failure }), ...(at !== undefined && { at }) },
    attestationLeaf: attestationLeaf({ keyId, epoch, from, capacity, headHash: headHash(head) }),
  };
}

function hoursIn(readings: Uint8Array, from: number): HourReading[] {
  const input = new DataView(readings.buffer, readings.byteOffset, readings.length);
  const hours: HourReading[] = [];
  for (let at = 0; at < readings.length; at += READING) {
    if (input.getUint32(at) % HOUR !== 0) continue;
    hours.push({ index: from + at / READING, reading: readings.slice(at, at + READING) });
  }
  return hours;
}
