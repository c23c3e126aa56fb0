/**
 * From rows to energy: to each stretch of time what was produced in it, exactly.
 *
 * A recording's step is the usual one of the rows around. A row of power or of a step's energy lasts until the next, if
 * that is no further than FEW steps away; before a longer gap, and at the end, it lasts one step. A register counts
 * whatever gap there is, and what it counted is spread evenly from row to row.
 */

/** mW for so many ms */
export type Energy = bigint;
export const PER_MWH = 3_600_000n;

/** `energy` in [from, to), ms of Unix time; negative where the installation drew */
export type Stretch = { from: number; to: number; energy: Energy };

export type Metered = {
  /** in order, none over another; between them nothing is known */
  stretches: Stretch[];
  remarks: string[];
};

/** In order of time; a value is undefined where the file says that there is none. */
export type Values = { times: number[]; values: (bigint | undefined)[] };

/** times the usual step: beyond it rows are missing */
const FEW = 5;
/** steps before and after one that make out what is usual there */
const AROUND = 8;
/** ms; where rows are written when something changes, a quiet hour is no gap */
const QUIET = 3_600_000;
const DAY = 86_400_000;
/** ms that a lower register must have stood until it is the new one, as a device has it */
const BELIEVED_AFTER = 900_000;

/** Rows of mW. */
export function ofPower({ times, values }: Values, ofChanges: boolean): Metered {
  const ends = endsOf(times, ofChanges ? QUIET : 0);
  const stretches: Stretch[] = [];
  let held = 0n; // what a gap would have given had its power been what it was before
  let last = 0n;
  for (const [i, power] of values.entries()) {
    const from = times[i] as number;
    const next = times[i + 1] ?? (ends[i] as number);
    const to = ofChanges && power === 0n ? next : (ends[i] as number); // nothing, until it changes
    if (power === undefined) {
      held += last * BigInt(next - from);
      continue;
    }
    if (to > from) stretches.push({ from, to, energy: power * BigInt(to - from) });
    last = power > 0n ? power : 0n;
    held += last * BigInt(Math.max(0, next - to));
  }
  return { stretches, remarks: gapsIn(stretches, times, held) };
}

/** Rows of mW·ms, each of the step that begins with it. */
export function bySteps({ times, values }: Values): Metered {
  const ends = endsOf(times, 0);
  const stretches = values.flatMap((energy, i) =>
    energy === undefined ? [] : { from: times[i] as number, to: ends[i] as number, energy },
  );
  return { stretches, remarks: gapsIn(stretches, times, 0n) };
}

/**
 * Rows of what a register had counted, in mW·ms. A lower one is believed once it has stood for a quarter of an hour;
 * what it shows then was counted before, but for a day's register, which begins at zero.
 */
export function ofRegister({ times, values }: Values, isOfTheDay: boolean): Metered {
  const rows = values.flatMap((value, i) => (value === undefined ? [] : { at: times[i] as number, value }));
  const step = usual(stepsOf(times));
  const stretches: Stretch[] = [];
  let [dips, resets] = [0, 0];
  let base = rows[0];
  for (let i = 1; base && i < rows.length; i += 1) {
    const row = rows[i] as { at: number; value: bigint };
    if (row.value >= base.value) {
      stretches.push({ from: base.at, to: row.at, energy: row.value - base.value });
      base = row;
      continue;
    }
    const returned = returnOf(rows, i, base.value, Math.max(BELIEVED_AFTER, 2 * step));
    if (returned !== undefined) {
      dips += 1;
      i = returned - 1;
      continue;
    }
    resets += 1;
    if (isOfTheDay) stretches.push({ from: Math.max(base.at, row.at - step), to: row.at, energy: row.value });
    base = row;
  }
  const remarks = isOfTheDay || resets === 0 ? [] : [`its register began anew ${often(resets)}: counted on from there`];
  if (dips > 0) remarks.push(`its register was lower for a while ${often(dips)}: nothing counted of that`);
  return { stretches, remarks };
}

/** Where a register that fell at `fell` is at `value` again before a lower one is believed; at the end it never is. */
function returnOf(rows: { at: number; value: bigint }[], fell: number, value: bigint, patience: number) {
  const { at } = rows[fell] as { at: number };
  for (let i = fell + 1; i < rows.length; i += 1) {
    const row = rows[i] as { at: number; value: bigint };
    if (row.at - at > patience) return undefined;
    if (row.value >= value) return i;
  }
  return (rows.at(-1) as { at: number }).at - at < BELIEVED_AFTER ? rows.length : undefined;
}

const often = (count: number): string => (count === 1 ? "once" : `${count} times`);

export type Kind = "by step" | "register" | "of the day" | "untold";

/** ms; over more than a day's light what is of each step goes down again */
const DAYLIGHT = 18 * 3_600_000;
/** mW; nobody's roof */
const IMPOSSIBLE = 1_000_000_000n;

/**
 * What energies are: as their name tells, unless they go down far too often for a register; else by what they do. A
 * register hardly ever falls, and where it does, to next to nothing.
 */
export function kindOf({ times, values }: Values, told: Kind): Kind {
  const known = values.filter((value) => value !== undefined);
  const fallsTo = (share: bigint) =>
    known.filter((value, i) => i > 0 && value * share < (known[i - 1] as bigint)).length;
  const [falls, toNothing] = [fallsTo(1n), fallsTo(10n)];
  if (told !== "untold") return told !== "by step" && falls > 3 && falls * 10 > known.length ? "by step" : told;
  const span = (times.at(-1) as number) - (times[0] as number);
  const greatest = known.reduce((most, value) => (value > most ? value : most), 0n);
  if (greatest > IMPOSSIBLE * BigInt(usual(stepsOf(times)))) return "register";
  if (falls > toNothing || falls > Math.ceil(span / DAY)) return "by step";
  if (known.every((value) => value === known[0])) return "by step";
  return span >= DAYLIGHT ? "register" : "untold";
}

/** When each row ends. */
function endsOf(times: number[], quiet: number): number[] {
  const steps = stepsOf(times);
  const overall = usual(steps);
  const ends = steps.map((step, i) => {
    const at = times[i] as number;
    if (step <= Math.max(FEW * overall, quiet)) return at + step;
    const around = usual(steps.slice(Math.max(0, i - AROUND), i + AROUND + 1));
    return at + (step <= Math.max(FEW * around, quiet) ? step : around);
  });
  const last = usual(steps.slice(-AROUND));
  return [...ends, (times.at(-1) as number) + last];
}

const stepsOf = (times: number[]): number[] => times.slice(1).map((time, i) => time - (times[i] as number));

/** The median, the lower one of two. */
function usual(steps: number[]): number {
  const sorted = Float64Array.from(steps).sort();
  return sorted[(sorted.length - 1) >> 1] ?? 0;
}

/** What is not known between first and last row, in a line. */
function gapsIn(stretches: Stretch[], times: number[], held: Energy): string[] {
  let [count, missing] = [0, 0];
  let known = times[0] as number;
  for (const { from, to } of [...stretches, { from: times.at(-1) as number, to: times.at(-1) as number }]) {
    if (from > known) {
      count += 1;
      missing += from - known;
    }
    known = Math.max(known, to);
  }
  if (count === 0) return [];
  const gaps = count === 1 ? "1 gap" : `${count} gaps`;
  const would = held > 0n ? `, ${kWhOf(held)} had the power before held` : "";
  return [`left out: ${gaps}, ${durationOf(missing)} in all${would}`];
}

export const kWhOf = (energy: Energy): string => `${(Number(energy / PER_MWH) / 1e6).toFixed(3)} kWh`;

export function durationOf(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  const parts = [
    [days, "d"],
    [hours, "h"],
    [minutes, "min"],
    [seconds % 60, "s"],
  ] as const;
  return (
    parts
      .filter(([of]) => of > 0)
      .slice(0, 2)
      .map(([of, unit]) => `${of} ${unit}`)
      .join(" ") || "0 s"
  );
}
