/**
 * The rules between readings (protocol/reading.ts) over packed ones, and what there is to count in them. In numbers where
 * they are exact, which is always but for values that no meter has: then by the protocol's own function.
 */
import { CAPACITY_BURST, checkStep, type Failure } from "../../protocol/index.ts";

const READING = 32;
/** Sums of two numbers below this are exact. */
const EXACT = 2 ** 52;

export type Counts = {
  /** steps longer than the shortest one */
  gaps: number;
  /** readings with each condition, by its bit: drifting, invalid, discontinuous, tamper, and reserved ones */
  conditions: [drifting: number, invalid: number, discontinuous: number, tamper: number, reserved: number];
};

export type Ruled = { failure?: Failure /** of which reading */; at?: number; counts: Counts };

/** As checkReadings says. `skip`: readings that were counted before. */
export function ruleOf(readings: Uint8Array, capacity: number, skip: number): Ruled {
  const input = new DataView(readings.buffer, readings.byteOffset, readings.length);
  const rate = capacity * 1000; // mW
  const full = rate * CAPACITY_BURST;
  const conditions: Counts["conditions"] = [0, 0, 0, 0, 0];
  let [bucket, shortest, longer, steps] = [0, Number.POSITIVE_INFINITY, 0, 0];
  let [time, high, low] = [0, 0, 0];
  for (let at = 0, i = 0; at < readings.length; at += READING, i++) {
    const [nextTime, nextHigh, nextLow] = [input.getUint32(at), input.getUint32(at + 4), input.getUint32(at + 8)];
    const flags = input.getUint8(at + 31);
    if (flags !== 0 && i >= skip) count(conditions, flags);
    if (i > 0) {
      const elapsed = nextTime - time;
      const produced = (nextHigh - high) * 2 ** 32 + (nextLow - low);
      const counts = { gaps: longer, conditions };
      if (elapsed <= 0) return { failure: "time not forward", at: i, counts };
      if (produced < 0) return { failure: "energy backward", at: i, counts };
      const [filled, leaked] = [produced * 3600, rate * elapsed];
      if (filled < EXACT && leaked < EXACT) {
        bucket = Math.max(0, bucket + filled - leaked);
        if (bucket > full) return { failure: "beyond capacity", at: i, counts };
      } else {
        const [before, after] = [momentAt(input, at - READING), momentAt(input, at)];
        const step = checkStep(BigInt(bucket), before, after, capacity);
        if (!step.ok) return { failure: step.failure, at: i, counts };
        bucket = Number(step.value);
      }
      if (elapsed < shortest) [shortest, longer] = [elapsed, steps];
      else if (elapsed > shortest) longer += 1;
      steps += 1;
    }
    [time, high, low] = [nextTime, nextHigh, nextLow];
  }
  return { counts: { gaps: longer, conditions } };
}

const momentAt = (input: DataView, at: number) => ({
  timestamp: input.getUint32(at),
  energy: input.getBigUint64(at + 4),
});

function count(conditions: Counts["conditions"], flags: number): void {
  for (let bit = 0; bit < 4; bit++) if (flags & (1 << bit)) (conditions[bit] as number) += 1;
  if (flags > 0x0f) conditions[4] += 1;
}
