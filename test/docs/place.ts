/**
 * Where a document's commands run: a shell in the clone's root, with `wattwitness` on its PATH and the fixtures that the document
 * names. Nothing of this machine is changed: /etc, /opt and /var are folders of the place, `sudo` runs what follows it as whoever
 * runs the tests, and `systemctl` does nothing.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { MAIN } from "../../cli/test/support.ts";
import { startContracts, startOracle } from "../../ops/test/oracle.ts";
import type { Block } from "./markdown.ts";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const PROGRAMS = {
  wattwitness: `exec "${process.execPath}" "${MAIN}" "$@"`,
  sudo: 'if [ "$1" = -E ]; then shift; fi; if [ "$1" = -u ]; then shift 2; fi; exec "$@"',
  systemctl: "exit 0",
};
/** Folders that every machine of an operator has. */
const FOLDERS = ["etc/systemd/system", "opt", "var/backups", "var/lib", "var/tmp"];
/** Where a document says that a node listens. */
const DOCUMENTED = "127.0.0.1:8000";

/** What is set up for a document, in the order of their names; each may go on from the ones before. */
type Making = {
  folder: string;
  environment: Record<string, string>;
  /** to be undone, the last first */
  undo: (() => Promise<unknown>)[];
  replaced: Map<string, string>;
};
const FIXTURES: Record<string, (making: Making) => Promise<void>> = {
  /** A chain with the contracts on it, which the environment names. */
  async chain({ environment, undo }) {
    const { chain, settings } = await startContracts(Math.floor(Date.now() / 1000));
    undo.push(chain.stop);
    Object.assign(environment, settings);
  },
  /** /var/lib/wattwitness, as a node that was stopped has left it. */
  async store({ folder, environment }) {
    await (await startOracle({ ...environment, WATTWITNESS_DATA_DIR: join(folder, "var/lib/wattwitness") })).stop();
  },
  /** A node that runs where the document says that one does. */
  async oracle({ environment, undo, replaced }) {
    const { port, stop } = await startOracle(environment);
    undo.push(stop);
    replaced.set(DOCUMENTED, `127.0.0.1:${port}`);
  },
};

export type Ended = { code: number | null; said: string /** of the block that was run last */; line: number };

/** Runs blocks one after the other in one shell, which ends with the first command that fails. */
export async function runBlocks(blocks: readonly Block[], fixtures: readonly string[]): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), "wattwitness-docs-"));
  const making: Making = { folder, environment: {}, undo: [], replaced: new Map() };
  try {
    for (const path of FOLDERS) await mkdir(join(folder, path), { recursive: true });
    for (const [name, script] of Object.entries(PROGRAMS)) await writeProgram(join(folder, "bin", name), script);
    for (const name of fixtures) {
      const make = FIXTURES[name];
      if (!make) throw new Error(`There is no fixture ${name}: ${Object.keys(FIXTURES).join(", ")}`);
      await make(making);
    }
    const script = blocks.map(({ line, text }) => `echo "@@ ${line}"\n${placed(text, making)}`).join("\n");
    return await runScript(script, { ...making.environment, PATH: `${folder}/bin:${process.env["PATH"]}` });
  } finally {
    for (const undo of making.undo.reverse()) await undo();
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeProgram(file: string, script: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

function placed(text: string, { folder, replaced }: Making): string {
  let result = text.replaceAll(/(^|[\s="':<>])\/(etc|opt|var)(?=[/\s"']|$)/gm, `$1${folder}/$2`);
  for (const [what, by] of replaced) result = result.replaceAll(what, by);
  return result;
}

async function runScript(script: string, env: Record<string, string>): Promise<Ended> {
  const child = spawn("bash", ["-euo", "pipefail", "-c", script], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const parts: Buffer[] = [];
  for (const output of [child.stdout, child.stderr]) output.on("data", (part: Buffer) => parts.push(part));
  const [code] = (await once(child, "close")) as [number | null];
  const said = Buffer.concat(parts).toString();
  return { code, said, line: Number([...said.matchAll(/^@@ (\d+)$/gm)].at(-1)?.[1]) };
}
