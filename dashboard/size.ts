/**
 * Prints what a browser loads of the dashboard, packed, and fails where it is too much: `npm run dashboard:size`. That is
 * everything but the wallet: what is first loaded, and every view that a visitor may open, in the largest of its languages.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildDashboard, readBuilt } from "./build.ts";

/** bytes, gzip, of everything before a wallet is asked for */
export const LIMIT = 75_000;

/** What is loaded only where a visitor asks for a wallet. */
const WALLET = "dashboard/src/wallet/";
const LANGUAGE = "dashboard/src/strings/";

type Sizes = {
  /** bytes, gzip, by file */
  all: Map<string, number>;
  /** of those that are loaded before a wallet is asked for */
  total: number;
};

export async function sizes(): Promise<Sizes> {
  const folder = await buildDashboard();
  const { outputs } = await readBuilt();
  const names = ["index.html", ...Object.keys(outputs)];
  const packed = await Promise.all(
    names.map(async (name) => [name, gzipSync(await readFile(join(folder, name)), { level: 9 }).length] as const),
  );
  const all = new Map(packed.sort(([, a], [, b]) => b - a));
  const sizeOf = (name: string) => all.get(name) as number;

  const loaded = new Set(["index.html"]);
  const languages: number[] = [];
  const load = (name: string) => {
    const { entryPoint = "", loads = [] } = outputs[name] ?? {};
    if (loaded.has(name) || entryPoint.startsWith(WALLET)) return;
    if (entryPoint.startsWith(LANGUAGE)) return void languages.push(sizeOf(name));
    loaded.add(name);
    loads.forEach(load);
  };
  for (const name of names.filter((each) => /main-.*\.js$|icon-.*\.svg$/.test(each))) load(name);
  const total = [...loaded].reduce((sum, name) => sum + sizeOf(name), Math.max(0, ...languages));
  return { all, total };
}

if (import.meta.main) {
  const { all, total } = await sizes();
  for (const [name, size] of all) console.log(`${String(size).padStart(7)}  ${name}`);
  console.log(`${String(total).padStart(7)}  of ${LIMIT} bytes, gzip, before a wallet is asked for`);
  if (total > LIMIT) process.exit(1);
}
