/** The ids of entities, but for what is its own: addresses, key ids, roots. Numbers are big-endian, as in what is signed. */
import { BigInt, Bytes, ethereum } from "@graphprotocol/graph-ts";

export const PROTOCOL = "wattwitness";

/** Key id ‖ epoch u32. */
export function logId(keyId: Bytes, epoch: BigInt): Bytes {
  return keyId.concat(bigEndian(epoch.toU64(), 4));
}

/** Key id ‖ epoch u32 ‖ size u64. */
export function headId(logId: Bytes, size: BigInt): Bytes {
  return logId.concat(bigEndian(size.toU64(), 8));
}

/** Transaction hash ‖ index of the event u32. */
export function eventId(event: ethereum.Event): Bytes {
  return event.transaction.hash.concat(bigEndian(event.logIndex.toU64(), 4));
}

/** Start of an hour or a day, u32. */
export function periodId(start: u64): Bytes {
  return bigEndian(start, 4);
}

/** Meter's id ‖ start of an hour or a day, u32. */
export function meterPeriodId(meter: Bytes, start: u64): Bytes {
  return meter.concat(bigEndian(start, 4));
}

/** The serial, in decimal. */
export function retirementId(serial: BigInt): string {
  return serial.toString();
}

function bigEndian(value: u64, size: i32): Bytes {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[size - 1 - i] = (value >> (8 * i)) as u8;
  return Bytes.fromUint8Array(bytes);
}
