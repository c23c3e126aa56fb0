/** What the tests of these files share: where they are, what programs a machine has, what an environment file says. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SETTINGS } from "../../oracle/config.ts";

/** A file beside this folder, or the clone's with `../`. */
export const pathOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
export const textOf = (name: string): string => readFileSync(pathOf(name), "utf8");

/** Runs a program to its end; `missing` where this machine does not have it. */
export function run(command: string, ...args: string[]): { code: number | null; said: string; missing: boolean } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  return { code: status, said: `${stdout}${stderr}`, missing: error !== undefined };
}

/** Skips a suite where a program is missing, or has no option that is `wanted`, and says where it is found. */
export function needs(command: string, debianPackage: string, wanted = ""): void {
  before(function () {
    const { missing, said } = run(command, "--help");
    if (!missing && said.includes(wanted)) return;
    const what = missing ? command : `${command} with ${wanted}`;
    console.log(`    skipped: there is no ${what} here (Debian: apt-get install ${debianPackage})`);
    this.skip();
  });
}

/** `NAME=value` of an environment file, what is commented out included. */
export const variablesIn = (text: string): [name: string, value: string][] =>
  [...text.matchAll(/^#?([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]);

/** What an oracle would not know, of these names. */
export const unknownAmong = (names: readonly string[]): string[] => names.filter((name) => !SETTINGS.includes(name));
