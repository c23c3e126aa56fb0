/** The oracle as a process of its own, configured by its environment as anywhere else. */
import { fileURLToPath } from "node:url";
import { startProgram, until } from "./process.ts";
import type { Stops } from "./stop.ts";

const SERVER = fileURLToPath(new URL("../../oracle/server.ts", import.meta.url));
/** ms until the oracle must answer */
const PATIENCE = 20_000;

export type OracleProcess = { url: string };

/** Resolves once the oracle answers. `log` takes what it prints. */
export async function startOracle(
  environment: Record<string, string>,
  log: string,
  stops: Stops,
): Promise<OracleProcess> {
  const url = `http://127.0.0.1:${environment["PORT"]}`;
  const env = { PATH: process.env["PATH"], ...environment };
  const oracle = startProgram(process.execPath, [SERVER], log, { env });
  stops.add(() => oracle.stop("SIGTERM"));
  await until("the oracle", oracle, PATIENCE, async () => {
    const { ok } = await fetch(new URL("/health", url));
    return ok || undefined;
  });
  return { url };
}
