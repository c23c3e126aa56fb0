/** Where the segments of a batch are in its bytes: what a batch is of, without taking its readings apart. */
import { batchLength, type Failure, isSize, segmentLength } from "../../protocol/index.ts";

const HEADER = batchLength([]);
const SEGMENT_HEADER = 84;
const SIGNATURE = 64;
const MAGIC = 0x57574231;

/** Offsets in the batch, bytes. */
export type Place = {
  publicKey: number;
  epoch: number;
  from: number;
  /** W */
  capacity: number;
  count: number;
  frontier: number;
  readings: number;
  signature: number;
};

/** Refuses as decodeBatch does. */
export function layoutOf(
  bytes: Uint8Array,
  limit: number,
): { ok: true; places: Place[] } | { ok: false; failure: Failure } {
  const refused = (failure: Failure) => ({ ok: false as const, failure });
  if (bytes.length > limit) return refused("too large");
  const input = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 4 || input.getUint32(0) !== MAGIC) return refused("wrong magic");
  if (bytes.length < HEADER) return refused("truncated");
  const segments = input.getUint16(36);
  if (segments === 0) return refused("no segments");
  const places: Place[] = [];
  let at = HEADER;
  for (let i = 0; i < segments; i++) {
    if (at + SEGMENT_HEADER > bytes.length) return refused("truncated");
    const [from, count] = [Number(input.getBigUint64(at + 68)), input.getUint32(at + 80)];
    if (count === 0) return refused("count zero");
    if (!isSize(from + count)) return refused("size out of range");
    const end = at + segmentLength(from, count);
    if (end > bytes.length) return refused("truncated");
    places.push({
      ...{ publicKey: at, epoch: input.getUint32(at + 64), from, capacity: input.getUint32(at + 76), count },
      ...{ frontier: at + SEGMENT_HEADER, readings: end - SIGNATURE - 32 * count, signature: end - SIGNATURE },
    });
    at = end;
  }
  return at === bytes.length ? { ok: true, places } : refused("trailing bytes");
}
