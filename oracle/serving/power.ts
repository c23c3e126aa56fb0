/**
 * The power of a meter through a period. Of an hour as its readings say it; of longer periods the mean of each step, from
 * differences of the register. A step in which nothing was read has none: no meter's interval is longer than the shortest.
 */
import { decodeReading, timestampOf } from "../../protocol/index.ts";
import type { StoredLog } from "../store/store.ts";
import { type Bucket, bucketsOf, type TimeFrame } from "./calendar.ts";
import { type Counter, counted, counterAt, earliestOf } from "./produced.ts";

/** `power` in mW; undefined = nothing was read. */
export type PowerPoint = { timestamp: number; power: bigint | undefined };
export type PowerCurve = { start: number; end: number; points: PowerPoint[] };

type Step = Pick<Bucket, "start" | "end">;

const QUARTER_HOUR = 900;
const HOUR = 3600;
/** intervals without a reading from which on it is a gap */
const MISSED = 3;

export async function powerOf(
  stored: readonly StoredLog[],
  frame: TimeFrame,
  zone: string,
  time: number,
): Promise<PowerCurve> {
  const buckets = bucketsOf(frame, zone, time);
  const [start, end] = [(buckets[0] as Bucket).start, (buckets.at(-1) as Bucket).end];
  const points =
    frame === "hour" ? await asRead(stored, start, end) : await means(stored, stepsOf(frame, zone, buckets));
  return { start, end, points };
}

function stepsOf(frame: TimeFrame, zone: string, buckets: readonly Bucket[]): Step[] {
  if (frame === "year") return buckets.flatMap(({ start }) => bucketsOf("month", zone, start));
  const length = frame === "day" ? QUARTER_HOUR : HOUR;
  return buckets.flatMap(({ start, end }) =>
    Array.from({ length: Math.ceil((end - start) / length) }, (_, i) => ({
      start: start + i * length,
      end: Math.min(end, start + (i + 1) * length),
    })),
  );
}

async function means(stored: readonly StoredLog[], steps: readonly Step[]): Promise<PowerPoint[]> {
  const logs = await counted(stored);
  let before = (await counterAt(logs, steps[0]?.start ?? 0)) ?? (await earliestOf(logs));
  const last = logs.at(-1)?.log.last;
  const until = last ? timestampOf(last) : 0;
  const points: PowerPoint[] = [];
  for (const { start, end } of steps) {
    const after = start <= until ? await counterAt(logs, end) : undefined;
    points.push({ timestamp: start, power: before && after && meanBetween(before, after) });
    before = after ?? before;
  }
  return points;
}

/** mW; undefined where the second is no later reading. */
function meanBetween(before: Counter, after: Counter): bigint | undefined {
  if (after.place <= before.place) return undefined;
  return ((after.energy - before.energy) * BigInt(HOUR)) / BigInt(after.timestamp - before.timestamp);
}

async function asRead(stored: readonly StoredLog[], start: number, end: number): Promise<PowerPoint[]> {
  const read: PowerPoint[] = [];
  for (const log of stored) {
    for (const bytes of await log.readings(await log.countBefore(start), await log.countBefore(end))) {
      const reading = decodeReading(bytes);
      if (reading.ok) read.push({ timestamp: reading.value.timestamp, power: reading.value.power });
    }
  }
  return withGaps(read);
}

/** What is missing between two readings is told once, where it would have been. */
function withGaps(read: readonly PowerPoint[]): PowerPoint[] {
  const passed = (i: number) => (read[i] as PowerPoint).timestamp - (read[i - 1] as PowerPoint).timestamp;
  const interval = read.slice(1).reduce((least, _, i) => Math.min(least, passed(i + 1)), QUARTER_HOUR);
  return read.flatMap((point, i) => {
    if (i === 0 || passed(i) < MISSED * interval) return [point];
    return [{ timestamp: point.timestamp - passed(i) + interval, power: undefined }, point];
  });
}
