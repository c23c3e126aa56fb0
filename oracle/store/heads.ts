/**
 * Heads that end in one tile: `heads/<tile>`, named as tiles are, until they are pruned. A tile without any has no file.
 *
 *   position of the head's reading in the tile u8 ‖ signature 64, per head in order; then CRC-32 of all that u32
 */
import { crc32 } from "node:zlib";
import { type Packed, push } from "./packed.ts";

const HEAD_LENGTH = 65;

/** `position` is that of the head's last reading in its tile. */
export type TileHead = { position: number; signature: Uint8Array };

export function appendHead(heads: Packed, position: number, signature: Uint8Array): void {
  push(heads, Uint8Array.of(position));
  push(heads, signature);
}

export function headsIn(packed: Uint8Array): TileHead[] {
  const heads: TileHead[] = [];
  for (let at = 0; at < packed.length; at += HEAD_LENGTH) {
    heads.push({
      position: packed[at] as number,
      signature: new Uint8Array(packed.subarray(at + 1, at + HEAD_LENGTH)),
    });
  }
  return heads;
}

/** Packed heads without those whose position is not wanted. */
export const headsWith = (packed: Uint8Array, isWanted: (position: number) => boolean): Buffer =>
  Buffer.concat(
    headsIn(packed)
      .filter(({ position }) => isWanted(position))
      .flatMap(({ position, signature }) => [Uint8Array.of(position), signature]),
  );

export function encodeHeads(packed: Uint8Array): Buffer {
  const file = Buffer.alloc(packed.length + 4);
  file.set(packed);
  file.writeUInt32BE(crc32(packed), packed.length);
  return file;
}

/** The packed heads of a file; nothing where it is damaged. */
export function decodeHeads(file: Uint8Array): Uint8Array | undefined {
  const length = file.length - 4;
  if (length < HEAD_LENGTH || length % HEAD_LENGTH !== 0) return undefined;
  const packed = file.subarray(0, length);
  return Buffer.from(file).readUInt32BE(length) === crc32(packed) ? packed : undefined;
}
