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
import { startChain } from "../../demo/chain.ts";
import { freePort } from "../../demo/processes/process.ts";
import { startShelly } from "../../meter/shelly.ts";
import { startContracts, startOracle } from "../../ops/test/oracle.ts";
import { createSystem, createTestMeter } from "../support.ts";
import type { Block, Listing } from "./markdown.ts";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const PROGRAMS = {
  wattwitness: `exec "${process.execPath}" "${MAIN}" "$@"`,
  sudo: 'if [ "$1" = -E ]; then shift; fi; if [ "$1" = -u ]; then shift 2; fi; exec "$@"',
  systemctl: "exit 0",
};
/** Folders that every machine of an operator has. */
const FOLDERS = ["etc/systemd/system", "opt", "var/backups", "var/lib", "var/tmp"];
/** Where a document says that a node listens, and a Shelly. */
const DOCUMENTED = "127.0.0.1:8000";
const DOCUMENTED_SHELLY = "http://192.168.1.40";
/** ms that a document's commands may take in all */
const PATIENCE = 120_000;
/** What the subpaths of the package are in the clone. */
const SUBPATHS = { contracts: "contracts/index.ts", protocol: "protocol/index.ts", verify: "verification/index.ts" };
/** 2026-03-20T09:00:00Z, and s after it until which a meter has settled */
const START = 1_773_997_200;
const SETTLED = 600;

/** What is set up for a document, in the order of their names; each may go on from the ones before. */
type Making = {
  folder: string;
  /** where the shell begins: the clone, or a folder of whoever has only the package */
  home: string;
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
  /** Ports that are free, in place of those that the demo has unless it is told. */
  async demo({ replaced }) {
    replaced.set("npm start --", `npm start -- --port ${await freePort()} --chain-port ${await freePort()}`);
  },
  /** A chain with nothing of ours on it, whoever `fund`s having coins there, and an empty folder to work in. */
  async public(making) {
    const { folder, environment, undo, replaced } = making;
    const chain = await startChain(0, Math.floor(Date.now() / 1000));
    undo.push(chain.stop);
    const port = await freePort();
    replaced.set(DOCUMENTED, `127.0.0.1:${port}`);
    Object.assign(environment, {
      ...{ WATTWITNESS_RPC_URL: chain.url, PORT: String(port) },
      ...{ WATTWITNESS_POLL_EVERY: "1", WATTWITNESS_CONFIRMATIONS: "1" },
    });
    making.home = join(folder, "home");
    // an installed package makes the table where it is run, the clone has its own
    await mkdir(making.home);
    await writeFile(join(making.home, "networks.json"), "{}");
    await writeProgram(
      join(folder, "bin/fund"),
      `for file in "$@"; do
  body='{"jsonrpc":"2.0","id":1,"method":"hardhat_setBalance","params":["'$(wattwitness account address "$file")'","0xde0b6b3a7640000"]}'
  curl -sSf -o /dev/null -H "content-type: application/json" -d "$body" ${chain.url}
done`,
    );
  },
  /** A Shelly that counts 1 kW, and a device beside it that need not be waited for a minute. */
  async shelly({ undo, replaced }) {
    const shelly = await startShelly({ powerAt: () => 1_000_000n, start: Math.floor(Date.now() / 1000) });
    undo.push(() => shelly.stop());
    replaced.set(DOCUMENTED_SHELLY, shelly.url);
    replaced.set("--capacity 5000", "--capacity 5000 --interval 1");
  },
  /** A chain with a meter that has settled, an oracle beside it, and a folder of whoever has only the package. */
  async settled(making) {
    const { environment, undo, replaced, folder } = making;
    const system = await createSystem(START);
    undo.push(() => system.close());
    const meter = createTestMeter(system, { powerAt: () => 3_000_000n, start: START, seed: 1 });
    await system.at(START + SETTLED);
    meter.advance(START + SETTLED);
    await system.register(meter.device);
    await system.at(START + 2 * SETTLED);
    meter.advance(START + 2 * SETTLED);
    await system.upload(meter.device);
    await system.settled(meter.device);
    replaced.set(`http://${DOCUMENTED}`, await system.app.listen({ host: "127.0.0.1", port: 0 }));
    const { registry } = system.deployment;
    Object.assign(environment, {
      WATTWITNESS_RPC_URL: system.chain.url,
      WATTWITNESS_REGISTRY: registry,
      CHAIN_ID: "31337",
    });
    making.home = join(folder, "home");
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
export async function runBlocks(
  blocks: readonly Block[],
  fixtures: readonly string[],
  listings: readonly Listing[] = [],
): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), "wattwitness-docs-"));
  const making: Making = { folder, home: ROOT, environment: {}, undo: [], replaced: new Map() };
  try {
    for (const path of FOLDERS) await mkdir(join(folder, path), { recursive: true });
    for (const [name, script] of Object.entries(PROGRAMS)) await writeProgram(join(folder, "bin", name), script);
    for (const name of fixtures) {
      const make = FIXTURES[name];
      if (!make) throw new Error(`There is no fixture ${name}: ${Object.keys(FIXTURES).join(", ")}`);
      await make(making);
    }
    if (making.home !== ROOT) await mkdir(making.home, { recursive: true });
    for (const { name, text } of listings) {
      if (name.endsWith(".ts")) await writeFile(join(making.home, name), withImports(text));
    }
    const script = blocks.map(({ line, text }) => `echo "@@ ${line}"\n${placed(text, making)}`).join("\n");
    const PATH = `${folder}/bin:${process.env["PATH"]}`;
    return await runScript(script, making.home, { ...making.environment, PATH });
  } finally {
    for (const undo of making.undo.reverse()) await undo();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What others import of the package is the clone's. */
const withImports = (text: string): string =>
  text.replaceAll(/(?<= from ")(?:wattwitness\/(\w+)|(\w+))(?=";)/g, (_, subpath: string | undefined, other: string) =>
    subpath === undefined
      ? import.meta.resolve(other)
      : String(new URL(`../../${SUBPATHS[subpath as keyof typeof SUBPATHS]}`, import.meta.url)),
  );

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

/** What it left running is ended with it. */
async function runScript(script: string, cwd: string, env: Record<string, string>): Promise<Ended> {
  const child = spawn("bash", ["-euo", "pipefail", "-c", script], {
    ...{ cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true },
  });
  const parts: Buffer[] = [];
  for (const output of [child.stdout, child.stderr]) output.on("data", (part: Buffer) => parts.push(part));
  const closed = once(child, "close");
  const late = setTimeout(endGroup, PATIENCE, child.pid as number);
  const [code] = (await once(child, "exit")) as [number | null];
  clearTimeout(late);
  endGroup(child.pid as number);
  await closed;
  const said = Buffer.concat(parts).toString();
  return { code, said, line: Number([...said.matchAll(/^@@ (\d+)$/gm)].at(-1)?.[1]) };
}

/** Nothing of the group is left, or it is ended. */
function endGroup(id: number): void {
  try {
    process.kill(-id, "SIGTERM");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
