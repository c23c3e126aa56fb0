/**
 * Prints what a browser loads of the dashboard, packed, and fails where it is too much: `npm run dashboard:size`. That is for
 * any address everything before a wallet is asked for: what is first loaded, in the largest of the languages, and what the
 * view there needs beside.
 */
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildDashboard, readBuilt } from "./build.ts";

/** bytes, gzip */
export const LIMIT = 75_000;

/** What is loaded only where a visitor asks for a wallet, of the languages one, and of the views those that are shown. */
const WALLET = "dashboard/src/wallet/";
const LANGUAGES = "dashboard/src/strings/";
const VIEWS = "dashboard/src/views/";

/** Bytes, gzip. */
export type Sizes = {
  files: Map<string, number>;
  first: number;
  /** with what is first loaded, by the name of what is loaded for views */
  views: Map<string, number>;
  /** the most that any address needs */
  most: number;
  /** all addresses together */
  all: number;
};

export async function sizes(): Promise<Sizes> {
  const folder = await buildDashboard();
  const { outputs } = await readBuilt();
  const names = ["index.html", ...Object.keys(outputs)];
  const packed = await Promise.all(
    names.map(async (name) => [name, gzipSync(await readFile(join(folder, name)), { level: 9 }).length] as const),
  );
  const files = new Map(packed.sort(([, a], [, b]) => b - a));
  const entryOf = (name: string): string => outputs[name]?.entryPoint ?? "";

  /** A file and what it cannot do without. */
  function needs(name: string, known = new Set<string>()): Set<string> {
    if (known.has(name)) return known;
    known.add(name);
    const isLater = (other: string) => [WALLET, LANGUAGES, VIEWS].some((folder) => entryOf(other).startsWith(folder));
    for (const other of outputs[name]?.loads ?? []) if (!isLater(other)) needs(other, known);
    return known;
  }
  const sumOf = (loaded: Iterable<string>) => [...loaded].reduce((sum, name) => sum + (files.get(name) as number), 0);
  const entriesIn = (folder: string) => names.filter((name) => entryOf(name).startsWith(folder));

  const language = Math.max(...entriesIn(LANGUAGES).map((name) => files.get(name) as number));
  const main = names.filter((name) => /^(assets\/(main|icon)-.*\.(js|svg)|index\.html)$/.test(name));
  const first = main.reduce((loaded, name) => needs(name, loaded), new Set<string>());
  const loaded = entriesIn(VIEWS).map(
    (name) => [basename(entryOf(name)).replace(/\.tsx?$/, ""), needs(name, new Set(first))] as const,
  );
  const views = new Map(loaded.map(([name, files]) => [name, sumOf(files) + language]));
  return {
    ...{ files, first: sumOf(first) + language, views },
    most: Math.max(...views.values()),
    all: sumOf(new Set(loaded.flatMap(([, files]) => [...files]))) + language,
  };
}

if (import.meta.main) {
  const { files, first, views, most, all } = await sizes();
  for (const [name, size] of files) console.log(`${String(size).padStart(7)}  ${name}`);
  console.log(`${String(first).padStart(7)}  is first loaded`);
  for (const [name, size] of views) console.log(`${String(size).padStart(7)}  with the views of ${name}`);
  console.log(`${String(all).padStart(7)}  with all views`);
  console.log(`${String(most).padStart(7)}  of ${LIMIT} bytes, gzip, at any address before a wallet is asked for`);
  if (most > LIMIT) process.exit(1);
}
