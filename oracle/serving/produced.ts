/**
 * What meters produced, from their registers: between two moments, and in all. It looks at one reading a moment, however
 * many there are. Power is never integrated.
 */
import { energyOf, timestampOf } from "../../protocol/index.ts";
import type { StoredLog } from "../store/store.ts";

/** A log, and what is to be added to its register so that it goes on from the log before it. */
export type Counted = { log: StoredLog; first: number; offset: bigint };
/** A reading's place: in which log, and where in it. */
export type Place = { epoch: number; index: number };
/** `place` counts up over all logs with every reading; `energy` in mWh, `timestamp` in Unix time (s). */
export type Counter = { place: number; energy: bigint; timestamp: number; at: Place };

const at = async (log: StoredLog, index: number): Promise<Uint8Array> =>
  (await log.readings(index, index + 1))[0] as Uint8Array;

/** Where the register went on over an epoch its rise counts; where it was lost, counting goes on from the new one's first. */
export async function counted(logs: readonly StoredLog[]): Promise<Counted[]> {
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

/** The first reading of all; undefined where there is none. */
export async function earliestOf(logs: readonly Counted[]): Promise<Counter | undefined> {
  const [first] = logs;
  if (!first) return undefined;
  const energy = energyOf(await at(first.log, 0)) + first.offset;
  return { place: 0, energy, timestamp: first.first, at: { epoch: first.log.epoch, index: 0 } };
}

/** The last reading not later than `time` (Unix time, s). */
export async function counterAt(logs: readonly Counted[], time: number): Promise<Counter | undefined> {
  const epoch = logs.findLastIndex(({ first }) => first <= time);
  const current = logs[epoch];
  if (!current) return undefined;
  const index = (await current.log.countBefore(time + 1)) - 1;
  const before = logs.slice(0, epoch).reduce((sum, { log }) => sum + log.size, 0);
  const reading = await at(current.log, index);
  return {
    ...{ place: before + index, energy: energyOf(reading) + current.offset, timestamp: timestampOf(reading) },
    at: { epoch: current.log.epoch, index },
  };
}
