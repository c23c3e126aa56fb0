/**
 * The bytes of a journal: groups of records, each written and synced at once.
 *
 *   "WWJ1" 4 ‖ length of the payload u32 ‖ sequence u64 ‖ CRC-32 of length, sequence and payload u32 ‖ payload
 *
 * The payload is records, each with its length before it (u32). Sequences count from 0 in each file.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";

const MAGIC = Buffer.from("WWJ1");
const HEADER_LENGTH = 20;
const WINDOW = 1 << 20;

/** A group in pieces, to be written one after the other. */
export function encodeGroup(sequence: number, records: readonly Uint8Array[]): Uint8Array[] {
  const header = Buffer.alloc(HEADER_LENGTH);
  const pieces: Uint8Array[] = [header];
  let length = 0;
  for (const record of records) {
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32BE(record.length);
    pieces.push(prefix, record);
    length += 4 + record.length;
  }
  MAGIC.copy(header);
  header.writeUInt32BE(length, 4);
  header.writeBigUInt64BE(BigInt(sequence), 8);
  let sum = crc32(header.subarray(4, 16));
  for (const piece of pieces.slice(1)) sum = crc32(piece, sum);
  header.writeUInt32BE(sum, 16);
  return pieces;
}

/**
 * What a journal holds: `end` is where its whole groups end, `groups` how many there are. Where that is not the end of the
 * file, `hasMore` says whether whole groups follow what is damaged there.
 */
export type Contents = { end: number; groups: number; fileSize: number; hasMore: boolean };

/** Takes a record, and where its group ends. */
type Take = (record: Buffer, groupEnd: number) => void;

/** Hands every record of the whole groups at a journal's beginning to `take`. */
export function readGroups(path: string, take: Take): Contents {
  const file = openSync(path, "r");
  try {
    const fileSize = fstatSync(file).size;
    const bytesAt = windowOn(file, fileSize);
    let [end, groups] = [0, 0];
    for (let group = groupAt(bytesAt, end); group?.sequence === groups; group = groupAt(bytesAt, end)) {
      takeRecords(group, take);
      end = group.end;
      groups += 1;
    }
    return { end, groups, fileSize, hasMore: end < fileSize && hasGroupAfter(bytesAt, end, fileSize, groups) };
  } finally {
    closeSync(file);
  }
}

function takeRecords({ payload, end }: Group, take: Take): void {
  for (let at = 0; at < payload.length; ) {
    const start = at + 4;
    at = start + payload.readUInt32BE(at);
    take(payload.subarray(start, at), end);
  }
}

type BytesAt = (offset: number, length: number) => Buffer | undefined;

/** Reads a file through a window that moves on with what is asked; nothing where that is beyond its end. */
function windowOn(file: number, fileSize: number): BytesAt {
  let start = 0;
  let window = Buffer.alloc(0);
  return (offset, length) => {
    if (offset + length > fileSize) return undefined;
    if (offset < start || offset + length > start + window.length) {
      window = Buffer.alloc(Math.min(fileSize - offset, Math.max(length, WINDOW)));
      start = offset;
      for (let read = 0; read < window.length; ) {
        const more = readSync(file, window, read, window.length - read, offset + read);
        if (more === 0) return undefined;
        read += more;
      }
    }
    return window.subarray(offset - start, offset - start + length);
  };
}

type Group = { sequence: number; payload: Buffer; end: number };

function groupAt(bytesAt: BytesAt, offset: number): Group | undefined {
  const header = bytesAt(offset, HEADER_LENGTH);
  if (!header?.subarray(0, 4).equals(MAGIC)) return undefined;
  const length = HEADER_LENGTH + header.readUInt32BE(4);
  const group = bytesAt(offset, length);
  if (!group) return undefined;
  const payload = group.subarray(HEADER_LENGTH);
  if (crc32(payload, crc32(group.subarray(4, 16))) !== group.readUInt32BE(16)) return undefined;
  return { sequence: Number(group.readBigUInt64BE(8)), payload, end: offset + length };
}

function hasGroupAfter(bytesAt: BytesAt, offset: number, fileSize: number, sequence: number): boolean {
  for (let at = offset + 1; at + HEADER_LENGTH <= fileSize; ) {
    const piece = bytesAt(at, Math.min(WINDOW, fileSize - at)) as Buffer;
    const found = piece.indexOf(MAGIC);
    if (found === -1) {
      at += Math.max(1, piece.length - MAGIC.length + 1);
      continue;
    }
    const group = groupAt(bytesAt, at + found);
    if (group && group.sequence >= sequence) return true;
    at += found + 1;
  }
  return false;
}
