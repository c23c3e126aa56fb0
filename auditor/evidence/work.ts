/** What a worker does: a whole batch, or one segment of a log, from bytes to results. */
import { attestationRoot, type Failure, type Hash } from "../../protocol/index.ts";
import type { Hasher } from "./hashing.ts";
import { layoutOf } from "./layout.ts";
import { type SegmentBytes, type SegmentResult, segmentResult } from "./segment.ts";

export type BatchWork = {
  kind: "batch";
  bytes: Uint8Array;
  limit: number /** settled before, by place in the batch */;
  before: number[];
};
export type SegmentWork = { kind: "segment"; domain: Uint8Array; segment: SegmentBytes; before: number };
export type Work = BatchWork | SegmentWork;

export type BatchResult = {
  digest: Hash;
  failure?: Failure;
  domain: Uint8Array;
  /** of the attestation tree over all segments */
  root: Hash;
  segments: SegmentResult[];
};

export type Done<W extends Work> = W extends BatchWork ? BatchResult : SegmentResult;

export const work = (hasher: Hasher, asked: Work): Promise<BatchResult | SegmentResult> =>
  asked.kind === "batch"
    ? batchResult(hasher, asked)
    : segmentResult(hasher, asked.domain, asked.segment, asked.before);

export async function batchResult(hasher: Hasher, { bytes, limit, before }: BatchWork): Promise<BatchResult> {
  const digest = hasher.sha256(bytes);
  const layout = layoutOf(bytes, limit);
  const domain = bytes.slice(4, 36);
  if (!layout.ok) return { digest, failure: layout.failure, domain, root: new Uint8Array(32), segments: [] };
  const segments: SegmentResult[] = [];
  for (const [i, place] of layout.places.entries()) {
    const { epoch, from, capacity } = place;
    const segment = {
      ...{ epoch, from, capacity, publicKey: bytes.subarray(place.publicKey, place.publicKey + 64) },
      frontier: bytes.subarray(place.frontier, place.readings),
      readings: bytes.subarray(place.readings, place.signature),
      signature: bytes.subarray(place.signature, place.signature + 64),
    };
    segments.push(await segmentResult(hasher, domain, segment, before[i] ?? 0));
  }
  return { digest, domain, root: attestationRoot(segments.map((each) => each.attestationLeaf)), segments };
}
