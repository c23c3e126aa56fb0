/**
 * A reading: what the meter measured at one moment, and a leaf of its log. 32 bytes, big-endian:
 *
 *  0   4  timestamp    u32  Unix time, s
 *  4   8  energy       u64  mWh, cumulative production, never decreases
 * 12   8  power        i64  mW, production positive
 * 20   4  voltage      u32  mV, 0xFFFFFFFF = not measured
 * 24   4  current      u32  mA, 0xFFFFFFFF = not measured
 * 28   2  temperature  i16  0.01 °C, -32768 = not measured
 * 30   1  source       u8   bits 0-3 channel (15 = all phases), bit 4 export register
 * 31   1  conditions   u8   bit 0 drifting, 1 invalid, 2 discontinuous, 3 tamper
 */
import { requireInteger, view } from "./bytes.ts";
import { accepted, type Result, refused } from "./result.ts";

export const READING_LENGTH = 32;

const OFFSET = {
  timestamp: 0,
  energy: 4,
  power: 12,
  voltage: 20,
  current: 24,
  temperature: 28,
  source: 30,
  conditions: 31,
} as const;

const NOT_MEASURED_U32 = 0xffff_ffff;
const NOT_MEASURED_I16 = -0x8000;
const U32_MAX = 0xffff_ffffn;
const U64_MAX = 0xffff_ffff_ffff_ffffn;
const I64_MAX = 0x7fff_ffff_ffff_ffffn;

/** Bits of `source`. */
export const SOURCE_CHANNEL = 0x0f;
export const SOURCE_EXPORT = 0x10;
export const ALL_PHASES = 15;

/** Bits of `conditions`. */
export const CONDITIONS = {
  /** the clock has had no synchronisation for a day */
  drifting: 0x01,
  /** the meter reported its measurement invalid: the energy is repeated */
  invalid: 0x02,
  /** the meter's register went backward or jumped implausibly: the step is not counted */
  discontinuous: 0x04,
  /** the enclosure was opened; stays set for the rest of the epoch */
  tamper: 0x08,
} as const;

/** A head whose reading has one of these bits is not settled. */
export const BLOCKING_CONDITIONS = CONDITIONS.drifting | CONDITIONS.tamper;

export type Reading = {
  /** Unix time, s */
  timestamp: number;
  /** mWh, the device's own cumulative register of production */
  energy: bigint;
  /** mW, production positive; of three phases the sum */
  power: bigint;
  /** mV, of three phases the mean; undefined = not measured */
  voltage?: number | undefined;
  /** mA, of three phases the sum; undefined = not measured */
  current?: number | undefined;
  /** 0.01 °C; undefined = not measured */
  temperature?: number | undefined;
  /** channel and register, see SOURCE_CHANNEL and SOURCE_EXPORT */
  source: number;
  /** see CONDITIONS */
  conditions: number;
};

/** Throws RangeError on a value that its field cannot hold. */
export function encodeReading(reading: Reading): Uint8Array {
  const { timestamp, energy, power, voltage, current, temperature, source, conditions } = reading;
  requireInteger("timestamp", timestamp, 0n, U32_MAX);
  requireInteger("energy", energy, 0n, U64_MAX);
  requireInteger("power", power, -I64_MAX - 1n, I64_MAX);
  if (voltage !== undefined) requireInteger("voltage", voltage, 0n, U32_MAX - 1n);
  if (current !== undefined) requireInteger("current", current, 0n, U32_MAX - 1n);
  if (temperature !== undefined) requireInteger("temperature", temperature, -0x7fffn, 0x7fffn);
  requireInteger("source", source, 0n, 0x1fn);
  requireInteger("conditions", conditions, 0n, 0x0fn);

  const bytes = new Uint8Array(READING_LENGTH);
  const out = view(bytes);
  out.setUint32(OFFSET.timestamp, timestamp);
  out.setBigUint64(OFFSET.energy, energy);
  out.setBigInt64(OFFSET.power, power);
  out.setUint32(OFFSET.voltage, voltage ?? NOT_MEASURED_U32);
  out.setUint32(OFFSET.current, current ?? NOT_MEASURED_U32);
  out.setInt16(OFFSET.temperature, temperature ?? NOT_MEASURED_I16);
  out.setUint8(OFFSET.source, source);
  out.setUint8(OFFSET.conditions, conditions);
  return bytes;
}

/** Refuses: `wrong length`, `reserved bits`. */
export function decodeReading(bytes: Uint8Array): Result<Reading> {
  if (bytes.length !== READING_LENGTH) return refused("wrong length");
  const source = sourceOf(bytes);
  const conditions = conditionsOf(bytes);
  if (source > 0x1f || conditions > 0x0f) return refused("reserved bits");

  const input = view(bytes);
  const voltage = input.getUint32(OFFSET.voltage);
  const current = input.getUint32(OFFSET.current);
  const temperature = input.getInt16(OFFSET.temperature);
  return accepted({
    timestamp: timestampOf(bytes),
    energy: energyOf(bytes),
    power: input.getBigInt64(OFFSET.power),
    voltage: voltage === NOT_MEASURED_U32 ? undefined : voltage,
    current: current === NOT_MEASURED_U32 ? undefined : current,
    temperature: temperature === NOT_MEASURED_I16 ? undefined : temperature,
    source,
    conditions,
  });
}

/** The four fields that rules look at, straight from the 32 bytes: of every reading, so without a view of each. */
export const timestampOf = (reading: Uint8Array): number => u32At(reading, OFFSET.timestamp);
export const energyOf = (reading: Uint8Array): bigint =>
  (BigInt(u32At(reading, OFFSET.energy)) << 32n) | BigInt(u32At(reading, OFFSET.energy + 4));
export const sourceOf = (reading: Uint8Array): number => byteAt(reading, OFFSET.source);
export const conditionsOf = (reading: Uint8Array): number => byteAt(reading, OFFSET.conditions);

/** Throws where there is none. */
function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new RangeError(`there is no byte ${at} in ${bytes.length}`);
  return byte;
}

const u32At = (bytes: Uint8Array, at: number): number =>
  byteAt(bytes, at) * 0x1000000 +
  ((byteAt(bytes, at + 1) << 16) | (byteAt(bytes, at + 2) << 8) | byteAt(bytes, at + 3));

/** s: a register that moves in steps may run ahead of capacity x time by this much of capacity. */
export const CAPACITY_BURST = 900;

/** What the rules between readings look at. */
export type Moment = { timestamp: number; energy: bigint };

export const momentOf = (reading: Uint8Array): Moment => ({
  timestamp: timestampOf(reading),
  energy: energyOf(reading),
});

/**
 * The rules from one reading to the next: time strictly forward, energy never backward, and a leaky bucket of
 * CAPACITY_BURST seconds of `capacity` (W). Exact: the bucket counts mW·s. Returns the bucket after the step.
 * Refuses: `time not forward`, `energy backward`, `beyond capacity`.
 */
export function checkStep(bucket: bigint, previous: Moment, next: Moment, capacity: number): Result<bigint> {
  const elapsed = next.timestamp - previous.timestamp;
  if (elapsed <= 0) return refused("time not forward");
  const produced = next.energy - previous.energy;
  if (produced < 0n) return refused("energy backward");
  const rate = BigInt(capacity) * 1000n; // mW
  const filled = bucket + produced * 3600n - rate * BigInt(elapsed);
  if (filled > rate * BigInt(CAPACITY_BURST)) return refused("beyond capacity");
  return accepted(filled > 0n ? filled : 0n);
}

/**
 * The rules over consecutive readings of one log, with an empty bucket at the first, which is the step's start and not
 * judged. Refuses with the first rule that a reading breaks.
 */
export function checkReadings(readings: readonly Uint8Array[], capacity: number): Result<void> {
  const moments = readings.map(momentOf);
  let bucket = 0n;
  for (let i = 1; i < moments.length; i++) {
    const step = checkStep(bucket, moments[i - 1] as Moment, moments[i] as Moment, capacity);
    if (!step.ok) return step;
    bucket = step.value;
  }
  return accepted(undefined);
}
