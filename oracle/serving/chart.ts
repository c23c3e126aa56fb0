/**
 * What a meter produced, bucket by bucket: differences of its register, which it counts itself. Power is never integrated.
 * A bucket in which nothing was read has no value; what was counted meanwhile is in the next one that has. It looks at one
 * reading a boundary, however many there are.
 */
import { energyOf, timestampOf } from "../../protocol/index.ts";
import type { StoredLog } from "../store/store.ts";
import { bucketsOf, type TimeFrame } from "./calendar.ts";

/** `value` in mWh. */
export type DataPoint = { label: string; timestamp: number; value: bigint | undefined };
export type Chart = { points: DataPoint[]; total: bigint };

/** A log, and what is to be added to its register so that it goes on from the log before it. */
type Counted = { log: StoredLog; first: number; offset: bigint };
/** `place` counts up over all logs with every reading. */
type Counter = { place: number; energy: bigint };

const at = async (log: StoredLog, index: number): Promise<Uint8Array> =>
  (await log.readings(index, index + 1))[0] as Uint8Array;

/** Where the register went on over an epoch its rise counts; where it was lost, counting goes on from the new one's first. */
async function counted(logs: readonly StoredLog[]): Promise<Counted[]> {
  const all: Counted[] = [];
  let [offset, previous] = [0n, undefined as bigint | undefined];
  for (const log of logs) {
    const [first, last] = [await at(log, 0), log.last as Uint8Array];
    if (previous !== undefined && energyOf(first) < previous) offset += previous - energyOf(first);
    all.push({ log, first: timestampOf(first), offset });
    previous = energyOf(last);
  }
  return all;
}

/** The last reading not later than `time`. */
async function counterAt(logs: readonly Counted[], time: number): Promise<Counter | undefined> {
  const epoch = logs.findLastIndex(({ first }) => first <= time);
  const current = logs[epoch];
  if (!current) return undefined;
  const index = (await current.log.countBefore(time + 1)) - 1;
  const before = logs.slice(0, epoch).reduce((sum, { log }) => sum + log.size, 0);
  return { place: before + index, energy: energyOf(await at(current.log, index)) + current.offset };
}

export async function chartOf(
  stored: readonly StoredLog[],
  frame: TimeFrame,
  zone: string,
  time: number,
): Promise<Chart> {
  const logs = await counted(stored);
  const buckets = bucketsOf(frame, zone, time);
  const earliest = logs[0] && { place: 0, energy: energyOf(await at(logs[0].log, 0)) + logs[0].offset };
  let [before, total] = [await counterAt(logs, buckets[0]?.start ?? 0), 0n];
  const points: DataPoint[] = [];
  for (const { start, end, label } of buckets) {
    const after = await counterAt(logs, end);
    const from = before ?? earliest;
    // a single first reading counts nothing yet
    const value = after && from && after.place > from.place ? after.energy - from.energy : undefined;
    points.push({ label, timestamp: start, value });
    total += value ?? 0n;
    before = after ?? before;
  }
  return { points, total };
}
