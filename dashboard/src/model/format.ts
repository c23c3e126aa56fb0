/** Numbers with the units people use, and moments, as the visitor's locale writes them. */
import { computed } from "@preact/signals";
import { ZONE } from "../settings.ts";
import { locale } from "../strings/index.ts";
import type { TimeFrame } from "./answers.ts";

/** Between a number and its unit. */
const SPACE = "\u202f";
export const NONE = "–";

type Quantity = { value: string; unit: string };

const numbers = computed(() => {
  const fixed = (digits: number) =>
    new Intl.NumberFormat(locale.value, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return [0, 1, 2, 3].map(fixed) as [Intl.NumberFormat, Intl.NumberFormat, Intl.NumberFormat, Intl.NumberFormat];
});
/** Three digits or so of what is large, two after the point of what is small. */
const digits = (value: number): string =>
  numbers.value[Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 100 ? 1 : 2].format(value);

export const count = (value: number): string => numbers.value[0].format(value);

/** From W. */
export function powerParts(watts: number | null): Quantity {
  if (watts === null) return { value: NONE, unit: "" };
  if (Math.abs(watts) < 1000) return { value: numbers.value[0].format(watts), unit: "W" };
  if (Math.abs(watts) < 1e6) return { value: digits(watts / 1000), unit: "kW" };
  return { value: digits(watts / 1e6), unit: "MW" };
}

/** From Wh. */
export function energyParts(wattHours: number | null): Quantity {
  if (wattHours === null) return { value: NONE, unit: "" };
  if (Math.abs(wattHours) < 1e6) return { value: digits(wattHours / 1000), unit: "kWh" };
  return { value: digits(wattHours / 1e6), unit: "MWh" };
}

export const quantity = ({ value, unit }: Quantity): string => (unit === "" ? value : `${value}${SPACE}${unit}`);
export const power = (watts: number | null): string => quantity(powerParts(watts));
export const energy = (wattHours: number | null): string => quantity(energyParts(wattHours));
const axisNumber = computed(() => new Intl.NumberFormat(locale.value, { maximumFractionDigits: 3 }));
/** Of an axis, whose numbers are round: from W, or from Wh. */
export const onAxis = (value: number, isEnergy: boolean): string =>
  !isEnergy && Math.abs(value) < 1000
    ? quantity({ value: axisNumber.value.format(value), unit: "W" })
    : quantity({ value: axisNumber.value.format(value / 1000), unit: isEnergy ? "kWh" : "kW" });
/** From Wh: a token is a kWh. */
export const tokens = (wattHours: number | null): string => (wattHours === null ? NONE : digits(wattHours / 1000));
/** From units of 10^-18: all of them. */
export function exactTokens(units: bigint): string {
  const digits = String(units).padStart(19, "0");
  const decimal = `${digits.slice(0, -18)}.${digits.slice(-18)}` as Intl.StringNumericLiteral;
  return new Intl.NumberFormat(locale.value, { maximumFractionDigits: 18 }).format(decimal);
}
export const share = (part: number): string =>
  new Intl.NumberFormat(locale.value, { style: "percent", maximumFractionDigits: 2 }).format(part);
export const kilo = (value: number): string => numbers.value[3].format(value / 1000);
export const percent = (share: number): string =>
  new Intl.NumberFormat(locale.value, { style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero" }).format(
    share,
  );
export const celsius = (hundredths: number): string => `${numbers.value[1].format(hundredths / 100)}${SPACE}°C`;

const moments = computed(() => {
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale.value, { timeZone: ZONE, ...options });
  return {
    full: format({ dateStyle: "medium", timeStyle: "medium" }),
    time: format({ timeStyle: "short" }),
    day: format({ dateStyle: "full" }),
    date: format({ day: "numeric", month: "short" }),
    weekday: format({ weekday: "short", day: "numeric" }),
    dayOfMonth: format({ day: "numeric" }),
    monthOfYear: format({ month: "short" }),
    month: format({ month: "long", year: "numeric" }),
    year: format({ year: "numeric" }),
    hour: format({ dateStyle: "medium", timeStyle: "short" }),
    range: format({ day: "numeric", month: "long", year: "numeric" }),
    relative: new Intl.RelativeTimeFormat(locale.value, { numeric: "auto" }),
  };
});

const inMs = (time: number): Date => new Date(time * 1000);
export const moment = (time: number): string => moments.value.full.format(inMs(time));

/** "2 hours ago", of two Unix times (s). */
export function ago(time: number, now: number): string {
  const passed = time - now;
  for (const [unit, seconds] of [
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
  ] as const) {
    if (Math.abs(passed) >= seconds) return moments.value.relative.format(Math.trunc(passed / seconds), unit);
  }
  return moments.value.relative.format(Math.trunc(passed), "second");
}

/** A period by its name: "Sunday, 29 March 2026", "March 2026". `end` is exclusive. */
export function periodName(frame: TimeFrame, { start, end }: { start: number; end: number }): string {
  const { hour, day, month, year, range } = moments.value;
  if (frame === "hour") return hour.formatRange(inMs(start), inMs(end));
  if (frame === "day") return day.format(inMs(start));
  if (frame === "week") return range.formatRange(inMs(start), inMs(end - 1));
  return (frame === "month" ? month : year).format(inMs(start));
}

/** A bucket of energy, or a moment of power, on its axis. */
export function tickName(frame: TimeFrame, time: number, isEnergy: boolean): string {
  const { time: clock, weekday, dayOfMonth, monthOfYear } = moments.value;
  if (frame === "hour" || frame === "day") return clock.format(inMs(time));
  if (frame === "week") return weekday.format(inMs(time));
  if (frame === "month") return dayOfMonth.format(inMs(time));
  return isEnergy ? monthOfYear.format(inMs(time)) : moments.value.monthOfYear.format(inMs(time));
}

/** The same in full, where it is pointed at. */
export function pointName(frame: TimeFrame, time: number, isEnergy: boolean): string {
  const { time: clock, hour, day, month } = moments.value;
  if (frame === "hour" || frame === "day") return clock.format(inMs(time));
  if (frame === "year") return (isEnergy ? month : day).format(inMs(time));
  return (isEnergy ? day : hour).format(inMs(time));
}
