/** An oracle as the command line starts it, beside a chain with the contracts on it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { MAIN } from "../../cli/test/support.ts";
import { CAPACITY_CEILING, deployWattWitness, THIRTY_DAYS } from "../../contracts/deploy.ts";
import { startChain } from "../../demo/chain.ts";
import { ACCOUNTS, deployerOf } from "../../demo/deployment.ts";
import { freePort } from "../../demo/processes/process.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
/** ms */
const PATIENCE = 30_000;

/** A chain with the contracts, and the settings that name them. `start`: Unix time of its first block, s. */
export async function startContracts(start = START) {
  const chain = await startChain(0, start);
  const deployer = deployerOf(chain, ACCOUNTS.admin);
  const terms = { unattestedAfter: THIRTY_DAYS, capacityCeiling: CAPACITY_CEILING };
  const { registry, wattWitness } = await deployWattWitness(deployer, terms);
  const settings = {
    ...{ WATTWITNESS_RPC_URL: chain.url, WATTWITNESS_REGISTRY: registry, WATTWITNESS_WATTWITNESS: wattWitness },
    ...{ WATTWITNESS_POLL_EVERY: "1", WATTWITNESS_CONFIRMATIONS: "1" },
  };
  return { chain, settings };
}

/** Resolves once it answers. `said()`: all that it printed. */
export async function startOracle(settings: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), "wattwitness-ops-"));
  const port = await freePort();
  const env = { PATH: process.env["PATH"], WATTWITNESS_DATA_DIR: folder, ...settings, PORT: String(port) };
  const child = spawn(process.execPath, [MAIN, "node", "start"], { env, stdio: ["ignore", "pipe", "pipe"] });
  const parts: Buffer[] = [];
  for (const output of [child.stdout, child.stderr]) output.on("data", (part: Buffer) => parts.push(part));
  const said = () => Buffer.concat(parts).toString();
  async function stop(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  }
  const url = `http://127.0.0.1:${port}/`;
  for (const end = Date.now() + PATIENCE; Date.now() < end && child.exitCode === null; await delay(100)) {
    const answer = await fetch(new URL("health", url)).catch(() => undefined);
    if (answer?.ok) return { url, port, said, stop };
  }
  await stop();
  throw new Error(`It does not answer: ${said()}`);
}
