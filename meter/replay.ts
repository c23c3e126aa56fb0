/**
 * A recorded day: a table of moments and of power or energy, as people have them (replay/). The rooms, in order:
 *
 *   text.ts     a file's bytes to text
 *   table.ts    text to rows of cells
 *   columns.ts  which cells say when, how much, and of what
 *   moments.ts  a cell to a moment
 *   numbers.ts  a cell to a quantity
 *   energy.ts   rows to the energy of each stretch of time
 *
 * What is unambiguous is read; what is not is refused, in a sentence that says how to save it instead.
 */
import type { PowerAt } from "./meter.ts";
import { type Columns, columnsOf, perUnit } from "./replay/columns.ts";
import * as energy from "./replay/energy.ts";
import { dateOrderOf, namesZone, parseMoment } from "./replay/moments.ts";
import { isMissing, numberStyleOf, parseQuantity, splitUnit } from "./replay/numbers.ts";
import { readTable, type Table } from "./replay/table.ts";
import { decodeText, readText } from "./replay/text.ts";
import { isTrouble, quote, type Trouble, trouble } from "./replay/trouble.ts";

export type Replay = {
  /** Unix time of the first row, s */
  start: number;
  /** Unix time at which the last row ends, s */
  end: number;
  rows: number;
  /** mWh of production, in all */
  energy: bigint;
  /** mW, the greatest of all rows */
  peak: bigint;
  /** what was read and how, and what was left out: a line each */
  remarks: string[];
  /** mW of the row that a moment is in; 0 at the end; undefined before, after, and in a gap */
  powerAt: PowerAt;
  /**
   * The same for a meter that looks every `interval` s (a divisor of 900) and counts the power it saw until it looks
   * again: the mean of that time, so that what it counts is what the recording says, to the mWh.
   */
  meanPower: (interval: number) => PowerAt;
  /** Unix time of the first production at or after a moment, s; undefined where none follows */
  nextProduction: (timestamp: number) => number | undefined;
};

/** A problem is one sentence that names the file and, where it is a row, its line. */
export type ReplayResult = { ok: true; replay: Replay } | { ok: false; problem: string };

export async function readReplay(path: string): Promise<ReplayResult> {
  return resultOf(await readText(path), path);
}

/** As readReplay, of the bytes or the text of a file called `name`. */
export const parseReplay = (content: Uint8Array | string, name: string): ReplayResult =>
  resultOf(decodeText(typeof content === "string" ? Buffer.from(content) : content), name);

function resultOf(text: string | Trouble, name: string): ReplayResult {
  const replay = isTrouble(text) ? text : replayOf(text);
  if (!isTrouble(replay)) return { ok: true, replay };
  const place = replay.line === undefined ? name : `${name}:${replay.line}`;
  return { ok: false, problem: `${place}: ${replay.trouble}` };
}

function replayOf(text: string): Replay | Trouble {
  const whole = readTable(text);
  if (isTrouble(whole)) return whole;
  const found = columnsOf(whole);
  if (isTrouble(found)) return found;
  const { table, columns } = found;
  const moments = momentsOf(table, columns);
  if (isTrouble(moments)) return moments;
  const replay = meter(table, columns, moments);
  if (!isTrouble(replay) || !replay.isUnclear || !columns.instead) return replay;
  return meter(table, { ...columns, ...columns.instead }, moments);
}

type Moments = { times: number[]; isUtc: boolean };
/** Unclear: another column may say it. */
type Unclear = Trouble & { isUnclear?: boolean };

function meter(table: Table, columns: Columns, { times, isUtc }: Moments): Replay | Unclear {
  const values = valuesOf(table, columns);
  if (isTrouble(values)) return values;
  const rows = inOrder(table, columns, times, values);
  if (isTrouble(rows)) return rows;
  if (rows.times.length < 2)
    return trouble("is the only row: how long its power held is not known", table.rows[0]?.line);
  const metered = energyOf(rows, columns);
  if (isTrouble(metered)) return metered;
  const { stretches } = metered;
  if (stretches.length === 0) return trouble(`has no two values in ${quote(columns.name)}`);
  const zone = isUtc ? [] : ["its times name no zone: taken as UTC"];
  return createReplay(stretches, rows.times, [sourceOf(columns), ...zone, ...metered.remarks]);
}

const sourceOf = ({ name, quantity }: Columns): string => `read: ${quantity.of} in ${quantity.unit}, ${quote(name)}`;

function momentsOf({ rows }: Table, { time, isUtc, dayFirst }: Columns): Moments | Trouble {
  const texts = rows.map(({ cells }) => time.map((i) => cells[i] as string).join(" "));
  const shown = dateOrderOf(texts);
  if (isTrouble(shown)) return shown;
  const order = shown === "unknown" && dayFirst ? "day first" : shown;
  const times: number[] = [];
  for (const [i, text] of texts.entries()) {
    const at = parseMoment(text, order);
    if (isTrouble(at)) return { ...at, line: rows[i]?.line };
    times.push(at);
  }
  return { times, isUtc: isUtc || texts.every(namesZone) };
}

/** W that a meter can be registered with: a u32 */
const MOST = 2n ** 32n * 1000n;

/** mW, or mW·ms of energy */
function valuesOf({ rows, separator }: Table, { values, time, quantity }: Columns): (bigint | undefined)[] | Trouble {
  const cells = rows.flatMap((row) => values.map((i) => row.cells[i] as string));
  const others = rows
    .slice(0, 300)
    .flatMap((row) => row.cells.filter((_, i) => !values.includes(i) && !time.includes(i)));
  const style = numberStyleOf(cells, others, separator === ",");
  const factor = (perUnit(quantity.unit) as bigint) * (quantity.of === "energy" ? energy.PER_MWH : 1n);
  const read: (bigint | undefined)[] = [];
  for (const row of rows) {
    let sum: bigint | undefined = 0n;
    for (const i of values) {
      const cell = row.cells[i] as string;
      const isOfUnit = splitUnit(cell)[1] === quantity.ofCells || isMissing(cell);
      if (!isOfUnit) return trouble(`${quote(cell)} is no ${quantity.of} in ${quantity.unit}`, row.line);
      const value = isMissing(cell) ? undefined : parseQuantity(cell, style, factor);
      if (isTrouble(value))
        return trouble(value.trouble.replace("no number", `no ${quantity.of} in ${quantity.unit}`), row.line);
      if (quantity.of === "power" && value !== undefined && (value >= MOST || value <= -MOST)) {
        return trouble(`${quote(cell)} is more power than a meter can be registered with`, row.line);
      }
      sum = sum === undefined || value === undefined ? undefined : sum + value;
    }
    read.push(sum);
  }
  return read;
}

/** Newest first is turned round; of changes in the same moment the last one stands. */
function inOrder(
  { rows }: Table,
  { ofChanges, time }: Columns,
  times: number[],
  values: (bigint | undefined)[],
): energy.Values | Trouble {
  const isBackward = times.length > 1 && times.every((at, i) => i === 0 || at < (times[i - 1] as number));
  if (isBackward) return { times: times.toReversed(), values: values.toReversed() };
  const sorted: energy.Values = { times: [], values: [] };
  for (const [i, at] of times.entries()) {
    const before = sorted.times.at(-1) ?? -1;
    if (at < before || (at === before && !ofChanges)) {
      const { cells, line } = rows[i] as Table["rows"][number];
      const text = time.map((column) => cells[column]).join(" ");
      const turned = before - at <= 3_600_000 && before > at && !namesZone(text);
      const hint = turned ? " (clocks put back? save it in UTC or with the zone)" : "";
      return trouble(`${text} is not later than the row before${hint}`, line);
    }
    if (at === before) sorted.values.pop();
    else sorted.times.push(at);
    sorted.values.push(values[i]);
  }
  return sorted;
}

function energyOf(rows: energy.Values, { quantity, ofChanges, name }: Columns): energy.Metered | Unclear {
  if (quantity.of === "power") return energy.ofPower(rows, ofChanges);
  const kind = energy.kindOf(rows, quantity.kind);
  if (kind === "by step") return energy.bySteps(rows);
  if (kind !== "untold") return energy.ofRegister(rows, kind === "of the day");
  const what = `${quote(name)} may be of each row or a register: call it "energy per row" or "energy total"`;
  return { ...trouble(what), isUnclear: true };
}

function createReplay(stretches: energy.Stretch[], times: number[], remarks: string[]): Replay | Trouble {
  const before: energy.Energy[] = []; // what was produced before each stretch
  let total = 0n;
  let peak = 0n;
  for (const { from, to, energy: of } of stretches) {
    before.push(total);
    if (of > 0n) total += of;
    const power = of / BigInt(to - from);
    if (power > peak) peak = power;
  }
  if (peak >= MOST) return trouble(`has ${peak / 1_000_000n} kW, more than a meter can be registered with`);
  const [start, end] = [times[0] as number, Math.max(times.at(-1) as number, (stretches.at(-1) as energy.Stretch).to)];

  /** Number of the last stretch that begins at or before a moment (ms); -1 = none. */
  const indexAt = (at: number): number => {
    let [low, high] = [0, stretches.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((stretches[middle] as energy.Stretch).from <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };
  const stretchAt = (at: number) => {
    const stretch = stretches[indexAt(at)];
    return stretch && at < stretch.to ? stretch : undefined;
  };
  /** produced until a moment, ms */
  const producedAt = (at: number): energy.Energy => {
    const index = indexAt(at);
    const stretch = stretches[index];
    if (!stretch) return 0n;
    const { from, to, energy: of } = stretch;
    const gained = of > 0n ? (of * BigInt(Math.min(at, to) - from)) / BigInt(to - from) : 0n;
    return (before[index] as bigint) + gained;
  };
  const powerAt: PowerAt = (timestamp) => {
    const stretch = stretchAt(timestamp * 1000);
    if (!stretch) return timestamp * 1000 === end ? 0n : undefined;
    return divide(stretch.energy, BigInt(stretch.to - stretch.from));
  };
  /** whether anything is known between two moments */
  const isKnown = (from: number, to: number): boolean => {
    const stretch = stretches[indexAt(to - 1)];
    return stretch !== undefined && stretch.to > from;
  };

  return {
    ...{ start: Math.floor(start / 1000), end: Math.ceil(end / 1000), rows: times.length },
    ...{ energy: total / energy.PER_MWH, peak, remarks, powerAt },
    meanPower: (interval) => {
      const length = interval * 1000;
      return (timestamp) => {
        const [from, to] = [timestamp * 1000, timestamp * 1000 + length];
        // a reading that ends a stretch has to be taken, too
        if (!isKnown(from - length, to)) return undefined;
        const mean = producedAt(to) / BigInt(length) - producedAt(from) / BigInt(length);
        if (mean > 0n) return mean;
        const drawn = powerAt(timestamp) ?? 0n;
        return drawn < 0n ? drawn : 0n;
      };
    },
    nextProduction: (timestamp) => {
      for (let i = Math.max(0, indexAt(timestamp * 1000)); i < stretches.length; i += 1) {
        const { from, to, energy: of } = stretches[i] as energy.Stretch;
        if (of > 0n && to > timestamp * 1000) return Math.max(timestamp, Math.floor(from / 1000));
      }
      return undefined;
    },
  };
}

/** To the nearest, as a reading has whole mW. */
const divide = (dividend: bigint, divisor: bigint): bigint =>
  (2n * dividend + (dividend < 0n ? -divisor : divisor)) / (2n * divisor);
