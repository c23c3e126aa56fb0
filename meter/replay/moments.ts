/**
 * From a cell to a moment, in ms of Unix time. Read are
 *
 *   1718000000, 1718000000.25            Unix time in s; in ms, µs or ns by its size
 *   2024-06-10T05:30:00.000Z             ISO 8601, with a space for the T, with any offset
 *   20240610:0530, 20240610 05:30        PVGIS, pvoutput's API
 *   10.06.2024 05:30, 10/06/24 5:30AM    day and month in the order that the whole file shows
 *
 * Without a zone it is UTC: a time of some unknown zone is none that a reading could have, and a recording's energy is
 * the same in each. Whoever reads it says so.
 */
import { quote, type Trouble, trouble } from "./trouble.ts";

/** s; an index, an Excel date and 20240610 are all smaller: the year 2000 */
const FIRST_UNIX = 946_684_800;
/** A reading's time is a u32 of s. */
const END = 2 ** 32;
const LIKE = "write it like 2024-06-10T05:30:00Z";

export type DateOrder = "day first" | "month first" | "unknown";

const DATE = /^(?:(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})|(\d{1,2})([-/.])(\d{1,2})\5(\d{4}|\d{2})|(\d{4})(\d\d)(\d\d))/;
const TIME = /^(?:(\d{1,2})[:.](\d\d)(?:[:.](\d\d)(?:[.,](\d{1,9}))?)?|(\d\d)(\d\d)(\d\d)?)(?: ?([AaPp])\.?[Mm]\.?)?/;
const ZONE = /^ ?(?:(?:UTC|GMT|Z)?|(?:UTC|GMT)?([+-])(\d\d?)(?::?(\d\d))?)$/;

/** Is a date with or without a time, or was meant to be one. */
export const looksWritten = (text: string): boolean =>
  looksLikeDate(text) || looksLikeTime(text) || /\d\d?:\d\d/.test(text);

/** Is as long as a Unix time; a serial number is, too. */
export const looksLikeUnix = (text: string): boolean => /^\d{9,19}(\.\d+)?$/.test(text);

export const looksLikeMoment = (text: string): boolean => looksWritten(text) || looksLikeUnix(text);

const looksLikeDate = (text: string): boolean =>
  /^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}/.test(text) ||
  /^\d{1,2}([-/.])\d{1,2}\1(\d{4}|\d{2})\b/.test(text) ||
  /^\d{8}[:T _]\d/.test(text);

export const isDateAlone = (text: string): boolean => {
  const match = DATE.exec(text);
  return match !== null && match[0] === text;
};

export const looksLikeTime = (text: string): boolean => /^\d{1,2}:\d\d(:\d\d)?( ?[AaPp]\.?[Mm]\.?)?$/.test(text);

/** Whether a moment says its zone; a Unix time is UTC, and so is PVGIS's form. */
export const namesZone = (text: string): boolean =>
  /^[\d.]+$/.test(text) || /^\d{8}:\d{4}$/.test(text) || /(Z|UTC|GMT|[+-]\d\d:?\d\d|:\d\d[+-]\d\d)$/.test(text);

/** The order of day and month in dates like 10/06/2024: what none contradicts; with dots the day is first. */
export function dateOrderOf(texts: readonly string[]): DateOrder | Trouble {
  let order: DateOrder = "unknown";
  for (const text of texts) {
    const [, , , , first, separator, second] = DATE.exec(text) ?? [];
    if (first === undefined) continue;
    const isDayFirst = separator === "." || Number(first) > 12;
    if (!isDayFirst && Number(second) <= 12) continue;
    const shown: DateOrder = isDayFirst ? "day first" : "month first";
    if (order !== "unknown" && shown !== order) return trouble("has dates with the day first and with the month first");
    order = shown;
  }
  return order;
}

/** ms of Unix time */
export function parseMoment(text: string, order: DateOrder): number | Trouble {
  if (/^[+-]?\d+([.,]\d+)?(e[+-]?\d+)?$/i.test(text)) return parseNumber(text);
  const date = DATE.exec(text);
  if (!date) {
    return trouble(
      looksLikeTime(text)
        ? `${quote(text)} is a time of day without a date: ${LIKE}`
        : `${quote(text)} is no timestamp (Unix seconds, or like 2024-06-10T05:30:00Z)`,
    );
  }
  const rest = text.slice(date[0].length).replace(/^(?:[T:_,]| +)\s*/, "");
  if (rest === "") return trouble(`${quote(text)} has no time of day: ${LIKE}`);
  const time = TIME.exec(rest);
  const zone = time && ZONE.exec(rest.slice(time[0].length));
  if (!time || !zone) return trouble(`${quote(text)} is no timestamp: ${LIKE}, the zone as Z or +02:00`);
  const day = dayOf(date, order);
  if (day === undefined) {
    return trouble(`${quote(text)} may have the day or the month first: write it like 2024-06-10 05:30`);
  }
  const ofDay = timeOf(time);
  const offset = offsetOf(zone);
  if (Number.isNaN(day) || Number.isNaN(ofDay) || Number.isNaN(offset)) {
    return trouble(`${quote(text)} is no timestamp: there is no such ${Number.isNaN(day) ? "day" : "time"}`);
  }
  return within(day + ofDay - offset, text);
}

function within(ms: number, text: string): number | Trouble {
  if (ms < 0) return trouble(`${quote(text)} is before 1970, where the time of readings begins`);
  if (ms >= END * 1000) return trouble(`${quote(text)} is after February 2106, where the time of readings ends`);
  return ms;
}

/** Unix time in s, ms, µs or ns: no moment from 2000 to 2106 could be meant in two of them. */
function parseNumber(text: string): number | Trouble {
  const value = Number(text.replace(",", "."));
  if (/^\d{8}$/.test(text) && isDay(text)) {
    return trouble(`${text} may be a date or Unix seconds: ${LIKE}`);
  }
  if (/^(19|20)\d{8}$/.test(text) && isDay(text) && Number(text.slice(8)) < 24) {
    return trouble(`${text} may be a date with its hour or Unix seconds: ${LIKE}`);
  }
  if (/^\d{12}(\d\d)?$/.test(text) && isDay(text)) {
    const pairs = text.match(/\d\d/g) as string[];
    return parseMoment(`${text.slice(0, 8)} ${pairs.slice(4).join(":")}`, "unknown");
  }
  for (const perSecond of [1, 1e3, 1e6, 1e9]) {
    const seconds = value / perSecond;
    if (seconds >= FIRST_UNIX && seconds < END) return Math.trunc(seconds * 1000 + 1e-4);
  }
  const what =
    value < 0
      ? "is before 1970, where the time of readings begins"
      : value >= 20_000 && value < 80_000
        ? `is no Unix time (a date of Excel's, perhaps): ${LIKE}`
        : `is no Unix time of the years 2000 to 2106 (an index, perhaps): ${LIKE}`;
  return trouble(`${quote(text)} ${what}`);
}

const isDay = (digits: string): boolean =>
  !Number.isNaN(utc(Number(digits.slice(0, 4)), Number(digits.slice(4, 6)), Number(digits.slice(6, 8))));

/** ms of a day's beginning; NaN where there is no such day, undefined where it could be another. */
function dayOf(date: RegExpExecArray, order: DateOrder): number | undefined {
  const [, isoYear, isoMonth, isoDay, first, , second, shortYear, year, month, day] = date;
  if (isoYear !== undefined) return utc(Number(isoYear), Number(isoMonth), Number(isoDay));
  if (year !== undefined) return utc(Number(year), Number(month), Number(day));
  if (order === "unknown" && first !== second) return undefined;
  const full = Number(shortYear) + ((shortYear as string).length === 2 ? 2000 : 0);
  return order === "month first" ? utc(full, Number(first), Number(second)) : utc(full, Number(second), Number(first));
}

function utc(year: number, month: number, day: number): number {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
    ? date.getTime()
    : Number.NaN;
}

/** ms since the day's beginning */
function timeOf([, hours, minutes, seconds, fraction, h, m, s, half]: RegExpExecArray): number {
  let hour = Number(hours ?? h);
  const minute = Number(minutes ?? m);
  const second = Number(seconds ?? s ?? 0);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return Number.NaN;
    hour = (hour % 12) + (half.toLowerCase() === "p" ? 12 : 0);
  }
  const isEndOfDay = hour === 24 && minute === 0 && second === 0;
  if ((hour > 23 && !isEndOfDay) || minute > 59 || second > 59) return Number.NaN;
  return ((hour * 60 + minute) * 60 + second) * 1000 + Math.trunc(Number(`0.${fraction ?? 0}`) * 1000 + 1e-6);
}

/** ms east of Greenwich */
function offsetOf([, sign, hours, minutes]: RegExpExecArray): number {
  if (sign === undefined) return 0;
  const [hour, minute] = [Number(hours), Number(minutes ?? 0)];
  if (hour > 14 || minute > 59) return Number.NaN;
  return (sign === "-" ? -1 : 1) * (hour * 60 + minute) * 60_000;
}
