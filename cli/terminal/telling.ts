/**
 * What a command says. Its answer goes to standard output, as text or as one JSON object (`--json`); what it does meanwhile
 * goes to standard error, and only to people.
 */
import Table from "cli-table3";

/** `data`: the same for programs. Whole numbers beyond 2^53 are decimal texts, amounts in the unit that their names say. */
export type Answer = { text: string; data: object };

export const written = (data: unknown): string =>
  JSON.stringify(data, (_, value) => (typeof value === "bigint" ? String(value) : value), 2);

export function tell({ text, data }: Answer, asJson: boolean): void {
  console.log(asJson ? written(data) : text);
}

/** Names and what they are, one a line, in a column. */
export function list(entries: Record<string, unknown>): string {
  const known = Object.entries(entries).filter(([, value]) => value !== undefined);
  const width = Math.max(...known.map(([name]) => name.length)) + 2;
  return known.map(([name, value]) => `${name.padEnd(width)}${value}`).join("\n");
}

export function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const drawn = new Table({
    head: [...head],
    style: { head: [], border: [] },
    chars: {
      ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
      ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
      ...{ left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "", middle: "  " },
    },
  });
  for (const row of rows) drawn.push(row.map(String));
  return drawn.toString().replaceAll(/^ |[ \t]+$/gm, "");
}

export const time = (seconds: number | bigint): string =>
  new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace("T", " ");

/** A text of anybody's: it stays on its line, and gives no orders to a terminal. */
export const quoted = (text: string): string =>
  JSON.stringify(text).replaceAll(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, "�");
