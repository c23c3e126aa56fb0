/** Entry bundles of C2SP tlog-tiles: readings, each as length u16 (32) ‖ reading. */
import { READING_LENGTH } from "../../protocol/index.ts";

export const ENTRY_LENGTH = 2 + READING_LENGTH;

/** Packed readings as an entry bundle. */
export function encodeBundle(readings: Uint8Array): Buffer {
  const count = readings.length / READING_LENGTH;
  const bundle = Buffer.alloc(count * ENTRY_LENGTH);
  for (let i = 0; i < count; i++) {
    bundle.writeUInt16BE(READING_LENGTH, i * ENTRY_LENGTH);
    bundle.set(readings.subarray(i * READING_LENGTH, (i + 1) * READING_LENGTH), i * ENTRY_LENGTH + 2);
  }
  return bundle;
}

/** Packed readings of a bundle; nothing where one has another length. */
export function decodeBundle(bundle: Uint8Array): Buffer | undefined {
  const count = bundle.length / ENTRY_LENGTH;
  const readings = Buffer.alloc(count * READING_LENGTH);
  for (let i = 0; i < count; i++) {
    const at = i * ENTRY_LENGTH;
    if (bundle[at] !== 0 || bundle[at + 1] !== READING_LENGTH) return undefined;
    readings.set(bundle.subarray(at + 2, at + ENTRY_LENGTH), i * READING_LENGTH);
  }
  return readings;
}
