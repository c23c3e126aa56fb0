/** What proves a meter's hours, for HourlyCertificates.issue: the readings at full hours, and beside those that are missing. */
import type { Hex } from "viem";
import { conditionsOf, timestampOf, toHex } from "../protocol/index.ts";

/** s */
export const HOUR = 3600;

/** As HourlyCertificates has it: a reading with its clock or its enclosure in doubt is no boundary. */
const HARMLESS_CONDITIONS = 0x06;

/** A reading with its inclusion proof under the settled log, leaf to root. */
export type PlacedReading = { index: bigint; reading: Hex; proof: readonly Hex[] };

export type Run = { keyId: Hex; epoch: number; readings: PlacedReading[] };

/** What is settled of one log, as whoever keeps it serves it. */
export type SettledLog = {
  keyId: Hex;
  epoch: number;
  /** readings that are settled */
  size: number;
  /** Unix time, s, from which the key counts: what it measured before proves nothing */
  since: number;
  reading: (index: number) => Promise<Uint8Array>;
  /** of a reading under these `size` */
  proof: (index: number) => Promise<readonly Hex[]>;
};

/** A reading that may be needed, before it is proven. */
type Found = { log: SettledLog; index: number; reading: Uint8Array };

/**
 * The runs that prove what lies within `from` and `to` (Unix time, s): of every full hour its reading, or where there is
 * none the two beside it, and where a log ends its last and the next one's first. From the first full hour there is to the
 * last: no run at all, where there are no two. `logs`: the meter's, each that is settled, in order of time.
 */
export async function runsOf(logs: readonly SettledLog[], from: number, to: number): Promise<Run[]> {
  const found: Found[] = [];
  for (const log of logs) found.push(...(await neededOf(log, from, to)));
  const first = found.findIndex(isBoundary);
  const last = found.findLastIndex(isBoundary);
  return first < last ? prove(found.slice(first, last + 1)) : [];
}

/** Of one log, in order. */
async function neededOf(log: SettledLog, from: number, to: number): Promise<Found[]> {
  const first = await firstAt(log, Math.max(from, log.since), 0);
  const end = await firstAt(log, to + 1, first);
  if (first === end) return [];
  const indices = new Set([first, end - 1]);
  for (let [hour, index] = [Math.ceil(from / HOUR) * HOUR, first]; hour <= to; hour += HOUR) {
    index = await firstAt(log, hour, index);
    if (index === end) break;
    indices.add(index);
    // the one before it shows that nothing lies between
    if (index > first && timestampOf(await log.reading(index)) !== hour) indices.add(index - 1);
  }
  const ordered = [...indices].sort((a, b) => a - b);
  return Promise.all(ordered.map(async (index) => ({ log, index, reading: await log.reading(index) })));
}

/** The first reading at a time or after it, none of which is before `start`; the log's size where there is none. */
async function firstAt(log: SettledLog, time: number, start: number): Promise<number> {
  let [low, high] = [start, log.size];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (timestampOf(await log.reading(middle)) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

const isBoundary = ({ reading }: Found): boolean =>
  timestampOf(reading) % HOUR === 0 && (conditionsOf(reading) & ~HARMLESS_CONDITIONS) === 0;

async function prove(found: readonly Found[]): Promise<Run[]> {
  const runs: Run[] = [];
  for (const { log, index, reading } of found) {
    const { keyId, epoch } = log;
    const last = runs.at(-1);
    const run = last?.keyId === keyId && last.epoch === epoch ? last : { keyId, epoch, readings: [] };
    if (run !== last) runs.push(run);
    run.readings.push({ index: BigInt(index), reading: toHex(reading), proof: await log.proof(index) });
  }
  return runs;
}
