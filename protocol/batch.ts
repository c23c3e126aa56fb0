/**
 * A batch: segments of many meters in one immutable file, named by its SHA-256 digest.
 *
 *   "WWB1" 4 ‖ domain(head) 32 ‖ segment count u16, then per segment
 *   x 32 ‖ y 32 ‖ epoch u32 ‖ from u64 ‖ capacity u32 (W) ‖ count u32
 *   ‖ frontier 32·popcount(from) ‖ readings 32·count ‖ signature 64
 *
 * and nothing after the last. from + count is the size of the head that the segment ends with; its root is recomputed,
 * never carried. A segment begins with the last settled reading, so that the step over the boundary is checked too.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { attestationLeaf, attestationRoot } from "./attestation.ts";
import { concat, requireInteger, requireLength, u16, u32, u64, utf8, view } from "./bytes.ts";
import { completeSubtrees, HASH_LENGTH, type Hash, isSize, leafHash, rootFromFrontier } from "./log.ts";
import { checkReadings, READING_LENGTH } from "./reading.ts";
import { accepted, type Result, refused } from "./result.ts";
import { keyIdOf, PUBLIC_KEY_LENGTH, SIGNATURE_LENGTH, verify } from "./signature.ts";
import { encodeHead, type Head, headHash } from "./statement.ts";

const MAGIC = utf8("WWB1");
const HEADER_LENGTH = 38;
const SEGMENT_HEADER_LENGTH = 84;

/** bytes; the DON's HTTP limit is 2 MB. Configuration may set it lower: smaller DONs exist. */
export const BATCH_LIMIT = 2_000_000;

/** Consecutive readings of one log up to a signed head, with the frontier before them. */
export type Segment = {
  /** x ‖ y */
  publicKey: Uint8Array;
  epoch: number;
  /** index of the first reading here: the last settled one, or 0 */
  from: number;
  /** W, as registered */
  capacity: number;
  frontier: Hash[];
  readings: Uint8Array[];
  signature: Uint8Array;
};

export type Batch = { domain: Uint8Array; segments: Segment[] };

/** A segment whose every rule was checked, with what follows from it. */
export type VerifiedSegment = Segment & { keyId: Uint8Array; head: Head; headHash: Uint8Array };

export type VerifiedBatch = { digest: Uint8Array; root: Hash; segments: VerifiedSegment[] };

export const batchDigest = (bytes: Uint8Array): Uint8Array => sha256(bytes);

/** bytes that a segment takes in a batch */
export const segmentLength = (from: number, count: number): number =>
  SEGMENT_HEADER_LENGTH + HASH_LENGTH * completeSubtrees(from).length + READING_LENGTH * count + SIGNATURE_LENGTH;

/** bytes of a batch of segments of these lengths */
export const batchLength = (segmentLengths: readonly number[]): number =>
  segmentLengths.reduce((sum, length) => sum + length, HEADER_LENGTH);

/** Throws RangeError on a batch that the format cannot say. */
export function encodeBatch({ domain, segments }: Batch): Uint8Array {
  requireLength("domain", domain, HASH_LENGTH);
  requireInteger("segment count", segments.length, 1n, 0xffffn);
  return concat(MAGIC, domain, u16(segments.length), ...segments.map(encodeSegment));
}

function encodeSegment(segment: Segment): Uint8Array {
  const { publicKey, epoch, from, capacity, frontier, readings, signature } = segment;
  requireLength("public key", publicKey, PUBLIC_KEY_LENGTH);
  requireInteger("count", readings.length, 1n, 0xffff_ffffn);
  if (!isSize(from + readings.length)) throw new RangeError("a segment must end below 2^40");
  requireLength("signature", signature, SIGNATURE_LENGTH);
  const bytes = concat(
    publicKey,
    u32(epoch),
    u64(from),
    u32(capacity),
    u32(readings.length),
    ...frontier,
    ...readings,
    signature,
  );
  requireLength("segment", bytes, segmentLength(from, readings.length));
  return bytes;
}

/**
 * Takes a batch apart without judging what it says.
 * Refuses: `too large`, `wrong magic`, `no segments`, `truncated`, `size out of range`, `count zero`, `trailing bytes`.
 */
export function decodeBatch(bytes: Uint8Array, limit = BATCH_LIMIT): Result<Batch> {
  if (bytes.length > limit) return refused("too large");
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) return refused("wrong magic");
  if (bytes.length < HEADER_LENGTH) return refused("truncated");
  const input = view(bytes);
  const count = input.getUint16(36);
  if (count === 0) return refused("no segments");

  const segments: Segment[] = [];
  let at = HEADER_LENGTH;
  for (let i = 0; i < count; i++) {
    if (at + SEGMENT_HEADER_LENGTH > bytes.length) return refused("truncated");
    const from = Number(input.getBigUint64(at + 68));
    const readingCount = input.getUint32(at + 80);
    if (readingCount === 0) return refused("count zero");
    if (!isSize(from + readingCount)) return refused("size out of range");
    const end = at + segmentLength(from, readingCount);
    if (end > bytes.length) return refused("truncated");
    const readingsAt = end - SIGNATURE_LENGTH - READING_LENGTH * readingCount;
    segments.push({
      publicKey: bytes.subarray(at, at + 64),
      epoch: input.getUint32(at + 64),
      from,
      capacity: input.getUint32(at + 76),
      frontier: slices(bytes.subarray(at + SEGMENT_HEADER_LENGTH, readingsAt)),
      readings: slices(bytes.subarray(readingsAt, end - SIGNATURE_LENGTH)),
      signature: bytes.subarray(end - SIGNATURE_LENGTH, end),
    });
    at = end;
  }
  if (at !== bytes.length) return refused("trailing bytes");
  return accepted({ domain: bytes.subarray(4, 36), segments });
}

function slices(bytes: Uint8Array): Uint8Array[] {
  const slices: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 32) slices.push(bytes.subarray(at, at + 32));
  return slices;
}

/**
 * The rules of one segment: between its readings, then the signature over the head that they make.
 * Refuses: `time not forward`, `energy backward`, `beyond capacity`, `high s`, `bad key`, `bad signature`.
 */
export async function verifySegment(domain: Uint8Array, segment: Segment): Promise<Result<VerifiedSegment>> {
  const rules = checkReadings(segment.readings, segment.capacity);
  if (!rules.ok) return rules;
  const head: Head = {
    epoch: segment.epoch,
    size: segment.from + segment.readings.length,
    reading: segment.readings.at(-1) as Uint8Array,
    root: rootFromFrontier(segment.from, segment.frontier, segment.readings.map(leafHash)),
  };
  const statement = encodeHead(domain, head);
  const signed = await verify(statement, segment.signature, segment.publicKey);
  if (!signed.ok) return signed;
  return accepted({ ...segment, keyId: keyIdOf(segment.publicKey), head, headHash: headHash(statement) });
}

/** What every node of the DON does with a batch. Refuses as decodeBatch and verifySegment do, first segment first. */
export async function verifyBatch(bytes: Uint8Array, limit = BATCH_LIMIT): Promise<Result<VerifiedBatch>> {
  const batch = decodeBatch(bytes, limit);
  if (!batch.ok) return batch;
  const segments: VerifiedSegment[] = [];
  for (const segment of batch.value.segments) {
    const verified = await verifySegment(batch.value.domain, segment);
    if (!verified.ok) return verified;
    segments.push(verified.value);
  }
  return accepted({
    digest: batchDigest(bytes),
    root: attestationRoot(segments.map(attestationLeaf)),
    segments,
  });
}
