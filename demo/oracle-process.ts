/** The oracle as a process of its own, configured by its environment as anywhere else. */
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const SERVER = fileURLToPath(new URL("../oracle/server.ts", import.meta.url));
/** ms until the oracle must answer */
const PATIENCE = 20_000;

export type OracleProcess = { url: string; stop: () => Promise<void> };

/** Resolves once the oracle answers. `log` takes what it prints. */
export async function startOracle(environment: Record<string, string>, log: string): Promise<OracleProcess> {
  const url = `http://127.0.0.1:${environment["PORT"]}`;
  const child = spawn(process.execPath, [SERVER], {
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = createWriteStream(log);
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);

  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(timer);
    process.off("exit", killWithUs);
    output.end();
  };
  const deadline = Date.now() + PATIENCE;
  while (child.exitCode === null && Date.now() < deadline) {
    const healthy = await fetch(new URL("/health", url)).then(
      (response) => response.ok,
      () => false,
    );
    if (healthy) return { url, stop };
    await delay(50);
  }
  await stop();
  throw new Error(`the oracle did not start; see ${join(log)}`);
}
