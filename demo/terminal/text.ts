/** What a terminal can show: how wide and high it is, and text made to fit, so that no line wraps where nobody meant it to. */
import { stripVTControlCharacters, styleText } from "node:util";
import Table from "cli-table3";

/** Where nothing tells: also of what is written to a file. */
const USUAL = { columns: 80, rows: 24 };
/** Fewer than this no text is made to fit. */
const FEWEST_COLUMNS = 20;

export type Size = { columns: number; rows: number };

/** Of the terminal that standard output is. */
export const sizeOf = ({ columns, rows }: Partial<Size> = process.stdout): Size => ({
  columns: Math.max(columns || USUAL.columns, FEWEST_COLUMNS),
  rows: rows || USUAL.rows,
});

type Style = Parameters<typeof styleText>[0];

/** Styled where standard output is a terminal that has colours, and NO_COLOR is not set. */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout });

/**
 * Breaks lines that are too long at spaces. What goes on below begins where the line's text begins: after its indentation,
 * and after its first column where two spaces end one. A word that is too long, like a key, stands alone and whole: the
 * terminal breaks it, and it can still be copied. What goes elsewhere than to a terminal is left as it is.
 */
export function wrap(text: string, columns = process.stdout.columns || Number.POSITIVE_INFINITY): string {
  return text
    .split("\n")
    .flatMap((line) => (widthOf(line) <= columns ? [line] : wrapLine(line, columns)))
    .join("\n");
}

function wrapLine(line: string, columns: number): string[] {
  const [first = ""] = /^ *(?:\S+(?: \S+)* {2,})?/.exec(line) ?? [];
  const indent = " ".repeat(first.length <= columns / 2 ? first.length : 2);
  const [begin = "", ...words] = line.split(/(?<=\S)(?= )/);
  const lines: string[] = [];
  let current = begin.length <= columns ? begin : begin.trimStart();
  for (const word of words) {
    if (current.length + word.length <= columns) current += word;
    else {
      lines.push(current);
      const alone = word.trimStart();
      current = indent.length + alone.length <= columns ? indent + alone : alone;
    }
  }
  return [...lines, current];
}

/** Columns that a text of one line takes, styled or not. */
export const widthOf = (text: string): number => stripVTControlCharacters(text).length;

/** Cuts what does not fit. */
export const cut = (line: string, columns: number): string =>
  line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;

export type Column = {
  head: string;
  cells: readonly string[];
  /** 1 = goes first where there is no room; absent = stays */
  goes?: number;
};

/** Columns side by side, numbers to the right; as many of them as there is room for. */
export function tableOf(all: readonly Column[], columns: number): string {
  let shown = [...all];
  const width = () => shown.reduce((sum, { head, cells }) => sum + Math.max(...[head, ...cells].map(widthOf)) + 2, -2);
  while (width() > columns) {
    const next = shown.filter(({ goes }) => goes).sort((a, b) => (a.goes ?? 0) - (b.goes ?? 0))[0];
    if (!next) break;
    shown = shown.filter((column) => column !== next);
  }
  const none = { top: "", "top-mid": "", "top-left": "", "top-right": "", bottom: "", "bottom-mid": "" };
  const noneEither = { "bottom-left": "", "bottom-right": "", mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };
  const table = new Table({
    head: shown.map(({ head }) => head),
    colAligns: shown.map((_, i) => (i === 0 ? "left" : "right")),
    chars: { ...none, ...noneEither, left: "", right: "", middle: "  " },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  const rows = Math.max(...shown.map(({ cells }) => cells.length));
  for (let row = 0; row < rows; row++) table.push(shown.map(({ cells }) => cells[row] ?? ""));
  return table
    .toString()
    .split("\n")
    .map((line) => cut(line.trimEnd(), columns))
    .join("\n");
}
