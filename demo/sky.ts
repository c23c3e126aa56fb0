/** What shines on the roofs: the modelled sun, or what was recorded. */
import { basename } from "node:path";
import type { PowerAt } from "../meter/meter.ts";
import { readReplay } from "../meter/replay.ts";

/** The morning of an equinox: the sun is up over all three roofs. */
const START = Date.UTC(2026, 2, 20, 8) / 1000;
const HOUR = 3600;
const DAY = 86_400;
/** Unix times, s, between which a chain can live with its delays of days and weeks */
const [EARLIEST, LATEST] = [100 * DAY, 2 ** 32 - 100 * DAY];

export type Recording = {
  rows: number;
  /** mWh */
  energy: bigint;
  /** Unix time of its end, s */
  end: number;
  powerAt: PowerAt;
  /** W, for a meter that can measure all of it */
  capacity: number;
  /** Unix time that a clock may leap to from a moment, since nothing is produced until later than a day; else undefined */
  leap: (now: number) => number | undefined;
  /** what to say of it, a line each */
  remarks: string[];
};

export type Sky = {
  /** Unix time that the chain begins at, s */
  chainStart: number;
  /** Unix time of the meters' first reading, s; undefined = as soon as they are there */
  start: number | undefined;
  /** undefined = the modelled sun */
  recording: Recording | undefined;
};

export type SkyResult = { ok: true; sky: Sky } | { ok: false; problem: string };

/**
 * `interval`: s between readings. A recording begins with its first row, or an hour before its first production: the
 * chain has an hour before for the deployment, so that nothing of it is missed.
 */
export async function skyOf(file: string | undefined, interval: number): Promise<SkyResult> {
  if (file === undefined) return { ok: true, sky: { chainStart: START, start: undefined, recording: undefined } };
  const result = await readReplay(file);
  if (!result.ok) return { ok: false, problem: `${result.problem}.` };
  const { rows, energy, peak, start, end, remarks, meanPower, nextProduction } = result.replay;
  if (start < EARLIEST || end > LATEST) {
    return { ok: false, problem: `${file}: a chain for it would have to begin before April 1970 or end after 2105.` };
  }
  const capacity = Math.max(1, Math.ceil(Number(peak) / 1e6)) * 1000;
  const first = Math.max(start, (nextProduction(start) ?? start) - HOUR);
  const begins = first - (first % interval);
  const power = meanPower(interval);
  const recording: Recording = {
    ...{ rows, energy, end, capacity },
    powerAt: (timestamp) => (timestamp < start ? (power(timestamp) ?? 0n) : power(timestamp)),
    leap: (now) => {
      const next = nextProduction(now) ?? end;
      return next - now > DAY ? next - HOUR : undefined;
    },
    remarks: [
      `${basename(file)}: ${rows} rows, ${(Number(energy) / 1e6).toFixed(3)} kWh, at most ${(Number(peak) / 1e6).toFixed(3)} kW`,
      `from ${momentOf(start)} to ${momentOf(end)} UTC`,
      ...remarks,
      ...(begins > start ? [`begins at ${momentOf(begins)}: there is no production before`] : []),
    ],
  };
  return { ok: true, sky: { chainStart: begins - HOUR, start: begins, recording } };
}

const momentOf = (timestamp: number): string => new Date(timestamp * 1000).toISOString().slice(0, 16).replace("T", " ");
