/**
 * What a meter produced, bucket by bucket: differences of its register, which it counts itself. Power is never integrated.
 * A bucket in which nothing was read has no value; what was counted meanwhile is in the next one that has. It looks at one
 * reading a boundary, however many there are.
 */
import type { StoredLog } from "../store/store.ts";
import { bucketsOf, type TimeFrame } from "./calendar.ts";
import { counted, counterAt, earliestOf, type Place } from "./produced.ts";

/** `value` in mWh: what the register rose by between two readings, over all logs between them. */
export type DataPoint = { label: string; timestamp: number; value: bigint | undefined; from?: Place; to?: Place };
export type Chart = { points: DataPoint[]; total: bigint };

export async function chartOf(
  stored: readonly StoredLog[],
  frame: TimeFrame,
  zone: string,
  time: number,
): Promise<Chart> {
  const logs = await counted(stored);
  const buckets = bucketsOf(frame, zone, time);
  const earliest = await earliestOf(logs);
  let [before, total] = [await counterAt(logs, buckets[0]?.start ?? 0), 0n];
  const points: DataPoint[] = [];
  for (const { start, end, label } of buckets) {
    const after = await counterAt(logs, end);
    const from = before ?? earliest;
    // a single first reading counts nothing yet
    const rise = after && from && after.place > from.place;
    const value = rise ? after.energy - from.energy : undefined;
    points.push({ label, timestamp: start, value, ...(rise && { from: from.at, to: after.at }) });
    total += value ?? 0n;
    before = after ?? before;
  }
  return { points, total };
}
