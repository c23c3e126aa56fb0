/** A recorded day: a CSV of `timestamp,power in W`, with or without a header row. */
import { readFile } from "node:fs/promises";
import { CsvError, parse } from "csv-parse/sync";
import type { PowerAt } from "./meter.ts";

/** s; a row holds no longer than this: beyond it the recording has a gap. */
const HOLD = 300;

export type Replay = {
  /** Unix time of the first row, s */
  start: number;
  /** Unix time of the last row, s */
  end: number;
  rows: number;
  /** mW of the last row at or before a moment; undefined before the first, and in a gap */
  powerAt: PowerAt;
};

/** A problem is one sentence that names the file and, where it is a row, its line. */
export type ReplayResult = { ok: true; replay: Replay } | { ok: false; problem: string };

/** A record of the file and the line it ends on, as csv-parse tells them. */
type Located = { info: { lines: number }; record: string[] };

type Row = { timestamp: number; power: bigint };

/** Timestamps are Unix seconds or like `2022-03-18 04:33:00-07:00`; rows go forward in time. */
export async function readReplay(path: string): Promise<ReplayResult> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem = code === "ENOENT" ? "there is no such file" : `cannot be read (${code})`;
    return { ok: false, problem: `${path}: ${problem}` };
  }
  return parseReplay(text, path);
}

/** As readReplay, of the text of a file called `name`. */
export function parseReplay(text: string, name: string): ReplayResult {
  const problem = (line: number, what: string): ReplayResult => ({ ok: false, problem: `${name}:${line}: ${what}` });
  let records: Located[];
  try {
    records = parse(text, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as Located[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return problem(Number(error["lines"]), error.message);
  }

  const rows: Row[] = [];
  for (const [i, { info, record }] of records.entries()) {
    const [timestampText = "", powerText = ""] = record;
    const timestamp = parseTimestamp(timestampText);
    const power = parsePower(powerText);
    if (i === 0 && timestamp === undefined && power === undefined) continue; // the header
    if (record.length !== 2) return problem(info.lines, `expected timestamp,power but found ${record.length} columns`);
    if (timestamp === undefined) {
      return problem(
        info.lines,
        `"${timestampText}" is no timestamp (Unix seconds, or like 2022-03-18 04:33:00-07:00)`,
      );
    }
    if (power === undefined) return problem(info.lines, `"${powerText}" is no power in W`);
    const previous = rows.at(-1);
    if (previous && timestamp <= previous.timestamp) {
      return problem(info.lines, `${timestampText} is not later than the row before`);
    }
    rows.push({ timestamp, power });
  }
  if (rows.length === 0) return { ok: false, problem: `${name}: has no rows` };
  return { ok: true, replay: replayOf(rows) };
}

function replayOf(rows: Row[]): Replay {
  const [first, last] = [rows[0] as Row, rows.at(-1) as Row];
  return {
    start: first.timestamp,
    end: last.timestamp,
    rows: rows.length,
    powerAt(timestamp) {
      let [low, high] = [0, rows.length]; // rows before `low` are at or before the moment, rows from `high` after it
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((rows[middle] as Row).timestamp <= timestamp) low = middle + 1;
        else high = middle;
      }
      const row = rows[low - 1];
      return row && timestamp - row.timestamp <= HOLD ? row.power : undefined;
    },
  };
}

function parseTimestamp(text: string): number | undefined {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  if (!/^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const milliseconds = Date.parse(text.replace(" ", "T"));
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}

/** W as text, to the nearest mW. */
function parsePower(text: string): bigint | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?$/i.test(text)) return undefined;
  const milliwatts = Math.round(Number(text) * 1000);
  return Number.isSafeInteger(milliwatts) ? BigInt(milliwatts) : undefined;
}
