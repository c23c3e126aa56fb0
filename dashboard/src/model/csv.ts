/** Comma-separated values (RFC 4180), as spreadsheets take them. What is not known is empty. */
type Cell = string | number | null | undefined;

const cellOf = (cell: Cell): string => {
  const text = String(cell ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

export const csvOf = (header: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  [header, ...rows].map((row) => `${row.map(cellOf).join(",")}\r\n`).join("");
