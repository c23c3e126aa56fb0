/** Lays a period over the one before it, as the calendar on the wall has both: Tuesday 14:00 over Tuesday 14:00. */
import type { TimeFrame } from "./answers.ts";

const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known) return known;
  const clock = new Intl.DateTimeFormat("en-US", {
    ...{ timeZone: zone, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23" },
    ...{ month: "2-digit", day: "2-digit", weekday: "short", hour: "2-digit", minute: "2-digit" },
  });
  clocks.set(zone, clock);
  return clock;
}

const PARTS: Record<Exclude<TimeFrame, "hour">, readonly Intl.DateTimeFormatPartTypes[]> = {
  day: ["hour", "minute"],
  week: ["weekday", "hour", "minute"],
  month: ["day", "hour", "minute"],
  year: ["month", "day"],
};

/** The same for two moments that stand at the same place of their periods. */
function placeOf(frame: TimeFrame, zone: string, time: number): string {
  if (frame === "hour") return String(time % 3600);
  const parts = clockOf(zone).formatToParts(time * 1000);
  return PARTS[frame].map((type) => parts.find((part) => part.type === type)?.value).join(" ");
}

/** For each of `times` the index of the moment in `before` at the same place; undefined where there is none. */
export function aligned(
  frame: TimeFrame,
  zone: string,
  times: readonly number[],
  before: readonly number[],
): (number | undefined)[] {
  const places = new Map<string, number>();
  before.forEach((time, i) => {
    const place = placeOf(frame, zone, time);
    if (!places.has(place)) places.set(place, i);
  });
  return times.map((time) => places.get(placeOf(frame, zone, time)));
}
