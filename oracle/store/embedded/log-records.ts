/**
 * What the journal says of logs, big-endian.
 *
 *   append    1 ‖ key id 32 ‖ epoch u32 ‖ size before u64 ‖ bucket u64 ‖ signature 64 ‖ readings 32 each
 *   snapshot  2 ‖ key id 32 ‖ epoch u32 ‖ size u64 ‖ bucket u64 ‖ signature 64 ‖ last reading 32
 *               ‖ tail, heads, frontier of the full tiles, number of rows u8, rows: each as length u32 ‖ bytes
 */
import { HASH_LENGTH, type Hash, READING_LENGTH, toHex } from "../../../protocol/index.ts";
import type { LogState } from "../log-state.ts";
import { contentOf, emptyPacked, type Packed, partOf, push } from "../packed.ts";

const APPEND = 1;
const SNAPSHOT = 2;
const PREFIX_LENGTH = 1 + 32 + 4 + 8 + 8 + 64;

export type Append = {
  kind: "append";
  keyId: string;
  epoch: number;
  sizeBefore: number;
  bucket: bigint;
  signature: Uint8Array;
  readings: Uint8Array[];
};
export type LogRecord = Append | { kind: "snapshot"; state: LogState };

type Prefix = { keyId: string; epoch: number; size: number; bucket: bigint; signature: Uint8Array };

function encodePrefix(record: Buffer, kind: number, { keyId, epoch, size, bucket, signature }: Prefix): void {
  record.writeUInt8(kind);
  record.write(keyId.slice(2), 1, "hex");
  record.writeUInt32BE(epoch, 33);
  record.writeBigUInt64BE(BigInt(size), 37);
  record.writeBigUInt64BE(bucket, 45);
  record.set(signature, 53);
}

export function encodeAppend(
  { keyId, epoch, size }: LogState,
  readings: readonly Uint8Array[],
  signature: Uint8Array,
  bucket: bigint,
): Buffer {
  const record = Buffer.allocUnsafeSlow(PREFIX_LENGTH + readings.length * READING_LENGTH);
  encodePrefix(record, APPEND, { keyId, epoch, size, bucket, signature });
  let at = PREFIX_LENGTH;
  for (const reading of readings) {
    record.set(reading, at);
    at += READING_LENGTH;
  }
  return record;
}

/** Of a log with at least one reading. */
export function encodeSnapshot(state: LogState): Buffer {
  const signature = state.signature as Uint8Array;
  const prefix = Buffer.alloc(PREFIX_LENGTH);
  encodePrefix(prefix, SNAPSHOT, { ...state, signature });
  return Buffer.concat([
    prefix,
    state.last as Uint8Array,
    ...framed(contentOf(state.tail)),
    ...framed(contentOf(state.heads)),
    ...framed(Buffer.concat(state.upper)),
    Uint8Array.of(state.rows.length),
    ...state.rows.flatMap((row) => framed(contentOf(row))),
  ]);
}

function framed(bytes: Uint8Array): [Uint8Array, Uint8Array] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
}

/** A record whose group's CRC is right; nothing where it is of no kind known here. */
export function decodeRecord(record: Buffer): LogRecord | undefined {
  const keyId = toHex(record.subarray(1, 33));
  const epoch = record.readUInt32BE(33);
  const size = Number(record.readBigUInt64BE(37));
  const bucket = record.readBigUInt64BE(45);
  const signature = new Uint8Array(record.subarray(53, PREFIX_LENGTH));
  const rest = record.subarray(PREFIX_LENGTH);
  if (record[0] === APPEND) {
    const readings = partsOf(rest, READING_LENGTH);
    return { kind: "append", keyId, epoch, sizeBefore: size, bucket, signature, readings };
  }
  if (record[0] === SNAPSHOT)
    return { kind: "snapshot", state: decodeState({ keyId, epoch, size, bucket, signature }, rest) };
  return undefined;
}

function decodeState(prefix: Prefix, rest: Buffer): LogState {
  let at = READING_LENGTH;
  const next = (): Buffer => {
    const start = at + 4;
    at = start + rest.readUInt32BE(at);
    return rest.subarray(start, at);
  };
  const last = partOf(rest, 0);
  const [tail, heads] = [packedOf(next()), packedOf(next())];
  const upper: Hash[] = partsOf(next(), HASH_LENGTH);
  const rows: Packed[] = [];
  const count = rest.readUInt8(at);
  at += 1;
  while (rows.length < count) rows.push(packedOf(next()));
  return {
    ...{ ...prefix, last, tail, heads, rows, upper },
    ...{ lower: [], hashed: 0, growth: undefined, isAppending: false },
  };
}

function packedOf(bytes: Uint8Array): Packed {
  const packed = emptyPacked();
  push(packed, bytes);
  return packed;
}

const partsOf = (bytes: Buffer, length: number): Uint8Array[] =>
  Array.from({ length: bytes.length / length }, (_, i) => partOf(bytes, i, length));
