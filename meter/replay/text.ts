/** From a file to its text: UTF-8, UTF-16 or Windows-1252; what is no text is told by its first bytes. */
import { createReadStream } from "node:fs";
import { type Trouble, trouble } from "./trouble.ts";

/** bytes; a year of rows ten seconds apart is some 100 MiB */
const LIMIT = 128 * 1024 * 1024;
const AS_CSV = "save it as CSV (UTF-8)";

const FORMATS: [begins: string, what: string][] = [
  ["PK\x03\x04", `is a ZIP archive or a workbook (.xlsx, .ods): unpack it, or open it in its program and ${AS_CSV}`],
  ["\xd0\xcf\x11\xe0", `is an Excel workbook (.xls): open it in Excel and ${AS_CSV}`],
  ["\x1f\x8b", "is compressed (gzip): unpack it first"],
  ["%PDF", "is a PDF: get the figures as CSV where it comes from"],
  ["SQLite format 3", "is an SQLite database: export the table as CSV"],
  ["PAR1", `is a Parquet file: ${AS_CSV}`],
];

/** Also of a pipe. */
export async function readText(path: string): Promise<string | Trouble> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > LIMIT) return trouble(`is larger than ${LIMIT >> 20} MiB: cut it, or take rows further apart`);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return trouble("there is no such file");
    if (code === "EISDIR") return trouble("is a folder, not a file");
    return trouble(`cannot be read (${code})`);
  }
  return decodeText(Buffer.concat(chunks));
}

export function decodeText(bytes: Uint8Array): string | Trouble {
  const begins = Buffer.from(bytes.subarray(0, 16)).toString("latin1");
  for (const [magic, what] of FORMATS) if (begins.startsWith(magic)) return trouble(what);
  const text = decode(bytes);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells a binary file
  if (text === undefined || /[\x00-\x08\x0e-\x1a]/.test(text.slice(0, 100_000))) {
    return trouble(`is no text: ${AS_CSV}`);
  }
  const first = text.trimStart()[0];
  if (first === "{" || first === "[") return trouble(`is JSON, not a table: ${AS_CSV}`);
  if (first === "<") return trouble(`is a web page or XML, not a table: ${AS_CSV}`);
  return text;
}

/** The decoder drops a byte order mark by itself. */
function decode(bytes: Uint8Array): string | undefined {
  const encoding = utf16Of(bytes);
  if (encoding) return new TextDecoder(encoding).decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** By its mark; without one by its zeros: of the letters of a table every second byte is one. */
function utf16Of(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  const head = bytes.subarray(0, 1024);
  if (head.length < 4 || !head.includes(0)) return undefined;
  const zeros: [number, number] = [0, 0];
  for (const [i, byte] of head.entries()) if (byte === 0) zeros[i % 2 === 0 ? 0 : 1] += 1;
  if (zeros[0] === 0 && zeros[1] > head.length * 0.4) return "utf-16le";
  if (zeros[1] === 0 && zeros[0] > head.length * 0.4) return "utf-16be";
  return undefined;
}
