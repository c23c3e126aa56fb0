/** Periods of a chart and the buckets in them, as a calendar on the wall of a time zone has them. */

export const TIME_FRAMES = ["hour", "day", "week", "month", "year"] as const;
export type TimeFrame = (typeof TIME_FRAMES)[number];

/** Unix times, s; `end` is exclusive. */
export type Bucket = { start: number; end: number; label: string };

type Local = { year: number; month: number; day: number; hour: number; minute: number; second: number };

const HOUR = 3600;
const DAY = 86_400;
const FIVE_MINUTES = 300;
/** s; zones change their offset at multiples of it, and hours begin at one in every zone. */
const STEP = 900;
/** s that local time is off UTC at most, with a day in hand */
const FURTHEST = 40 * HOUR;

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Zones are few; what is no zone is not kept. */
function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known) return known;
  const clock = new Intl.DateTimeFormat("en-US", {
    ...{ timeZone: zone, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23" },
    ...{ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" },
  });
  if (clocks.size >= 1000) clocks.clear();
  clocks.set(zone, clock);
  return clock;
}

export function isZone(zone: string): boolean {
  try {
    clockOf(zone);
    return true;
  } catch {
    return false;
  }
}

function localOf(zone: string, time: number): Local {
  const parts = clockOf(zone).formatToParts(time * 1000);
  const part = (type: string) => Number(parts.find((each) => each.type === type)?.value);
  return {
    ...{ year: part("year"), month: part("month"), day: part("day") },
    ...{ hour: part("hour"), minute: part("minute"), second: part("second") },
  };
}

/** What the wall shows, counted as if it were UTC. */
const wallOf = ({ year, month, day, hour, minute, second }: Local): number =>
  Date.UTC(year, month - 1, day, hour, minute, second) / 1000;

/** The first moment at which the wall shows this day or, where it was skipped, a later one. */
function startOfDay(zone: string, year: number, month: number, day: number): number {
  const wall = Date.UTC(year, month - 1, day) / 1000;
  let [low, high] = [(wall - FURTHEST) / STEP, (wall + FURTHEST) / STEP];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (wallOf(localOf(zone, middle * STEP)) < wall) low = middle + 1;
    else high = middle;
  }
  return low * STEP;
}

const two = (number: number): string => String(number).padStart(2, "0");
const clockLabel = ({ hour, minute }: Local): string => `${two(hour)}:${two(minute)}`;

/** Buckets of the period that `time` is in: of an hour 5 minutes, of a day hours, of a week or month days, of a year months. */
export function bucketsOf(frame: TimeFrame, zone: string, time: number): Bucket[] {
  const local = localOf(zone, time);
  const { year, month, day } = local;
  if (frame === "hour") return fiveMinutes(zone, time, local);
  if (frame === "day") return hours(zone, startOfDay(zone, year, month, day), startOfDay(zone, year, month, day + 1));
  if (frame === "year") {
    return between(
      Array.from({ length: 13 }, (_, i) => startOfDay(zone, year, 1 + i, 1)),
      (i) => `${year}-${two(i + 1)}`,
    );
  }
  const monday = day - ((new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7);
  const length = frame === "week" ? 7 : new Date(Date.UTC(year, month, 0)).getUTCDate();
  const first = frame === "week" ? monday : 1;
  return between(
    Array.from({ length: length + 1 }, (_, i) => startOfDay(zone, year, month, first + i)),
    (i) => new Date(Date.UTC(year, month - 1, first + i)).toISOString().slice(0, 10),
  );
}

/** Those that a zone has skipped have no length. */
const between = (starts: readonly number[], labelOf: (i: number) => string): Bucket[] =>
  starts
    .slice(0, -1)
    .map((start, i) => ({ start, end: starts[i + 1] as number, label: labelOf(i) }))
    .filter(({ start, end }) => end > start);

function fiveMinutes(zone: string, time: number, { minute, second }: Local): Bucket[] {
  const start = time - minute * 60 - second;
  return between(
    Array.from({ length: 13 }, (_, i) => start + i * FIVE_MINUTES),
    (i) => clockLabel(localOf(zone, start + i * FIVE_MINUTES)),
  );
}

/** A bucket begins where the wall's hour does, or its offset changes: one of a change's hours may be a part. */
function hours(zone: string, from: number, to: number): Bucket[] {
  const starts: number[] = [];
  let before: { hour: number; offset: number } | undefined;
  for (let time = from; time < to && time - from < 2 * DAY; time += STEP) {
    const local = localOf(zone, time);
    const now = { hour: local.hour, offset: wallOf(local) - time };
    if (!before || before.hour !== now.hour || before.offset !== now.offset) starts.push(time);
    before = now;
  }
  return between([...starts, to], (i) => clockLabel(localOf(zone, starts[i] as number)));
}
