/** From text to a table: its separator, what its columns are called, and its rows. */
import { CsvError, parse } from "csv-parse/sync";
import { looksLikeMoment, looksLikeUnix, looksWritten } from "./moments.ts";
import { isMissing, looksLikeNumber } from "./numbers.ts";
import { isTrouble, quote, type Trouble, trouble } from "./trouble.ts";

export type Row = { cells: string[]; line: number };

export type Table = {
  separator: string;
  /** undefined where there is none */
  header: string[] | undefined;
  rows: Row[];
};

const SEPARATORS = ["\t", ";", ",", "|"];
/** rows that are looked at to find the separator and where the table begins */
const HEAD = 300;

/** Rows are all of one width; what stands before the table and after it, as PVGIS has it, is left out. */
export function readTable(whole: string): Table | Trouble {
  const { text, separator: told } = preambleOf(ofPvoutput(whole));
  const begun = (told ? [told] : SEPARATORS).map((separator) => begin(text, separator));
  const found = begun.flatMap((table) => (table === undefined || isTrouble(table) ? [] : [table]));
  const best = found.sort((a, b) => a.kind - b.kind || b.matches - a.matches || b.width - a.width)[0];
  if (!best) return begun.find(isTrouble) ?? noTable(text);
  const { separator, header, first } = best;
  const all = recordsOf(text, separator);
  if (isTrouble(all)) return all;
  const rows = all.filter(({ cells, line }) => line >= first && !isComment(cells));
  const width = header?.length ?? (rows[0] as Row).cells.length;
  const end = endOf(rows, width);
  rows.length = end;
  for (const { cells, line } of rows) {
    while (cells.length > width && cells.at(-1) === "") cells.pop();
    if (cells.length !== width) return wrongWidth(cells, line, { separator, header, width });
  }
  return { separator, header, rows };
}

/** Excel's `sep=;` says the separator. */
function preambleOf(text: string): { text: string; separator: string | undefined } {
  const [line, separator] = /^\ufeff?"?sep=(.)"?\r?\n/i.exec(text) ?? [];
  return line === undefined ? { text, separator } : { text: `\n${text.slice(line.length)}`, separator };
}

/** pvoutput's API has its rows one after the other: `20210830,14:10,…;20210830,14:05,…`. */
const ofPvoutput = (text: string): string =>
  /^\d{8},\d\d:\d\d,[^;\r\n]*;\s*\d{8},\d\d:\d\d,/.test(text) ? text.replaceAll(";", "\n") : text;

/** Where the table begins, if this separator makes one: at the first row with a moment and a number beside it. */
function begin(text: string, separator: string) {
  const head = recordsOf(headOf(text), separator);
  if (isTrouble(head)) return head;
  const plain = head.filter(({ cells }) => !isComment(cells));
  const found = KINDS.map((isMoment) => plain.filter(({ cells }) => isRow(cells, isMoment)));
  const kind = found.findIndex(({ length }) => length > 0);
  const [model] = found[kind] ?? [];
  const isMoment = KINDS[kind];
  if (!model || !isMoment) return undefined;
  const width = model.cells.length;
  const time = model.cells.findIndex(isMoment);
  // a row whose number is bad is a row all the same
  const isAlike = ({ cells, line }: Row) =>
    line === model.line || (line < model.line && cells.length === width && isMoment(cells[time] as string));
  const { line } = plain.find(isAlike) as Row;
  const comment = head.filter((row) => row.line < line && isComment(row.cells)).at(-1);
  const above = plain.filter((row) => row.line < line);
  const named = headerIn(above, width, time) ?? headerIn(comment ? [uncomment(comment)] : [], width, time);
  const matches = (found[kind] as Row[]).length;
  return { separator, width, kind, matches, header: named?.header, first: named ? named.line + 1 : line };
}

/** How a row's moment may look, the surest first; an index is a number, too. */
const KINDS = [looksWritten, looksLikeUnix, looksLikeNumber];

const OF_TIME = /time|date|stamp|zeit|datum|uhr|hora|fecha|heure|data|tid|^ts$|last_|measured/i;

/**
 * The header right above a table, and its line. Lines above it without a word for the time (SMA's) say more of the
 * columns; lines below it have to be rows.
 */
function headerIn(above: Row[], width: number, time: number): { header: string[]; line: number } | undefined {
  const last = above.at(-1);
  if (!last) return undefined;
  while (last.cells.length > width && last.cells.at(-1) === "") last.cells.pop();
  if (last.cells.length !== width) {
    return last.cells.length > 1 ? { header: last.cells, line: last.line } : undefined;
  }
  const from = above.findLastIndex(({ cells }) => cells.length !== width) + 1;
  const block = above.slice(from);
  const named = block.filter(({ cells }) => cells[time] !== "");
  const row = named.findLast(({ cells }) => OF_TIME.test(cells[time] as string)) ?? named[0] ?? last;
  const more = block.filter(({ cells, line }) => line < row.line && cells[time] === "");
  const header = row.cells.map((name, i) => [...more.map(({ cells }) => cells[i]), name].filter(Boolean).join(" "));
  return { header, line: row.line };
}

const isRow = (cells: string[], isMoment: (text: string) => boolean): boolean => {
  const moment = cells.findIndex(isMoment);
  return moment >= 0 && cells.some((cell, i) => i !== moment && (looksLikeNumber(cell) || isMissing(cell)));
};

const isComment = ([first = ""]: string[]): boolean => first.startsWith("#") && !isMissing(first);
const uncomment = ({ cells: [first = "", ...rest], line }: Row): Row => ({
  cells: [first.replace(/^#+\s*/, ""), ...rest],
  line,
});

const SUM = /^(total|sum|summe|gesamt|average|mean|mittel|count|min|max)/i;

/** How many of the rows are of the table: what follows it says something in words. */
function endOf(rows: Row[], width: number): number {
  let end = rows.length;
  while (end > 0) {
    const { cells } = rows[end - 1] as Row;
    const [said = ""] = cells;
    const isNote = cells.length === width ? SUM.test(said) : /\p{L}/u.test(said) && !cells.some(looksLikeMoment);
    if (!isNote) return end;
    end -= 1;
  }
  return end;
}

function wrongWidth(
  cells: string[],
  line: number,
  { separator, header, width }: Omit<Table, "rows"> & { width: number },
) {
  const expected = width === 2 ? "timestamp,power" : `${width} columns${header ? " as in the header" : ""}`;
  const hint =
    separator === "," &&
    cells.length > width &&
    looksLikeMoment(cells[0] ?? "") &&
    cells.slice(1).every(looksLikeNumber)
      ? ": where numbers have a comma, separate the columns by semicolons"
      : "";
  return trouble(`expected ${expected} but found ${cells.length} columns${hint}`, line);
}

function noTable(text: string): Trouble {
  const lines = text.split(/\r\n|\r|\n/);
  const filled = lines.flatMap((line, i) => (line.trim() === "" || line.startsWith("#") ? [] : [i + 1]));
  const [first, second] = filled;
  if (first === undefined || second === undefined) {
    if (first === undefined || !/\d/.test(lines[first - 1] as string)) return trouble("has no rows");
  }
  const line = second ?? first;
  const begins = quote((lines[(line as number) - 1] as string).trim());
  return trouble(
    `${begins} is no row of a timestamp and a number, separated by a comma, a semicolon or a tab, and none follows`,
    line,
  );
}

/** Up to some lines, without splitting all of a long text. */
function headOf(text: string): string {
  let end = 0;
  for (let lines = 0; lines < HEAD; lines += 1) {
    const next = text.indexOf("\n", end);
    if (next < 0) return text;
    end = next + 1;
  }
  return text.slice(0, end);
}

/** Rows without the empty ones. A text without a quote needs no parser, and a year of rows is read at once. */
function recordsOf(text: string, delimiter: string): Row[] | Trouble {
  if (!text.includes('"')) {
    const rows: Row[] = [];
    for (const [i, line] of text.split(/\r\n|\r|\n/).entries()) {
      if (line.trim() !== "") rows.push({ cells: line.split(delimiter).map(trim), line: i + 1 });
    }
    return rows;
  }
  const rows: Row[] = [];
  try {
    parse(text, {
      ...{ delimiter, relax_column_count: true, skip_empty_lines: true, relax_quotes: false, trim: true },
      on_record: (cells: string[], { lines }) => {
        if (cells.some((cell) => cell !== "")) rows.push({ cells: cells.map(trim), line: lines });
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const isOpen = error.code === "CSV_QUOTE_NOT_CLOSED";
    return trouble(isOpen ? "a quote is not closed" : "a quote stands within a cell", Number(error["lines"]));
  }
  return rows;
}

/** `="2024"` is Excel's way to keep a text as it is. */
const trim = (cell: string): string => cell.trim().replace(/^="?(.*?)"?$/, "$1");
