/**
 * A page as it is written down: its parts in their order, so that Markdown and HTML are two ways to write the same. What is in a
 * part is anybody's text, and is escaped by whoever writes it.
 */
export type Part =
  | { is: "title" | "heading" | "subheading" | "text"; text: string }
  | { is: "verdict"; verdict: string; text: string }
  | { is: "facts"; facts: readonly (readonly [string, string])[] }
  | { is: "list"; items: readonly string[] }
  | { is: "table"; head: readonly string[]; rows: readonly (readonly string[])[] };

export type Page = readonly Part[];

export const title = (text: string): Part => ({ is: "title", text });
export const heading = (text: string): Part => ({ is: "heading", text });
export const subheading = (text: string): Part => ({ is: "subheading", text });
export const text = (said: string): Part => ({ is: "text", text: said });
export const facts = (known: Record<string, unknown>): Part => ({
  is: "facts",
  facts: Object.entries(known).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  ),
});
export const list = (items: readonly string[]): Part => ({ is: "list", items });
export const table = (head: readonly string[], rows: readonly (readonly unknown[])[]): Part => ({
  ...{ is: "table", head, rows: rows.map((row) => row.map(String)) },
});
