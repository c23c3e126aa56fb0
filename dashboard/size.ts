/** Prints what a browser loads of the dashboard, packed, and fails where it is too much: `npm run dashboard:size`. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildDashboard } from "./build.ts";

/** bytes, gzip, of everything before a wallet is asked for */
export const LIMIT = 75_000;

/** Bytes, gzip, by file. */
export async function sizes(): Promise<Map<string, number>> {
  const folder = await buildDashboard();
  const names = ["index.html", ...(await readdir(join(folder, "assets"))).map((name) => `assets/${name}`)];
  const packed = await Promise.all(
    names.map(async (name) => [name, gzipSync(await readFile(join(folder, name)), { level: 9 }).length] as const),
  );
  return new Map(packed.sort(([, a], [, b]) => b - a));
}

if (import.meta.main) {
  const all = await sizes();
  const total = [...all.values()].reduce((sum, size) => sum + size, 0);
  for (const [name, size] of all) console.log(`${String(size).padStart(7)}  ${name}`);
  console.log(`${String(total).padStart(7)}  of ${LIMIT} bytes, gzip`);
  if (total > LIMIT) process.exit(1);
}
