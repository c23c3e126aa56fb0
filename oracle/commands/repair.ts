/**
 * Tells what of a data folder is damaged, and fetches it again from a mirror: `npm run oracle:repair -- --from URL`, with
 * the oracle's settings. Ends with 0 where nothing is damaged any more, else with 1. The folder must not be in use.
 */
import { domain } from "../../protocol/index.ts";
import { createViemChain } from "../chain/viem/chain.ts";
import { readConfig } from "../config.ts";
import { firstLine } from "../said.ts";
import { httpMirror } from "./mirror.ts";
import { createLogger, doing, end, openFolder, run, saysWhenStopped, type Told } from "./program.ts";
import { createProgress, readingsIn } from "./progress.ts";
import { puttingInto, repairStore } from "./repairing.ts";

const HELP = `Fetches again what of the folder at WATTWITNESS_DATA_DIR is damaged, with the oracle's settings.

  npm run oracle:repair -- [--from URL]

  --from URL   a mirror: an oracle that has the same logs, or where this one publishes; without it nothing is changed,
               and what is damaged is told

Ends with 0 where nothing is damaged any more, else with 1.`;

export async function repair(
  { from }: { from?: string },
  environment: Record<string, string | undefined>,
): Promise<Told> {
  if (from !== undefined && !/^https?:\/\/[^/]/.test(from)) {
    end(`--from must be a URL (http://… or https://…), not "${from}"`);
  }
  const result = readConfig(environment);
  if (!result.ok) end("The oracle is not configured:", ...result.problems);
  const { config } = result;
  if (config.databaseUrl !== undefined) {
    end(
      "WATTWITNESS_DATABASE_URL is set: what of a database is damaged comes back from a backup of it, not from a mirror.",
    );
  }
  saysWhenStopped("What was fetched is in its place; run the same again for the rest.");
  const chain = await createViemChain(config).catch((error) =>
    end(`The chain at WATTWITNESS_RPC_URL does not answer: ${firstLine(error)}`),
  );
  const directory = config.dataDirectory;
  const store = await openFolder(directory, createLogger());
  const progress = createProgress(await doing(readingsIn(store), store.close));
  const repairing = repairStore({
    ...{ store, putTile: puttingInto(directory), progress: progress.show },
    headDomain: domain("head", { chainId: chain.chainId, registry: chain.registry }),
    mirror: from === undefined ? undefined : httpMirror(from),
  }).finally(progress.end);
  const { readings, repaired, left } = await doing(repairing, store.close);
  await store.close();
  const looked = `Looked at ${readings} readings: ${repaired.length} files were repaired, ${left.length} are damaged.`;
  return {
    text: [...repaired.map((path) => `Repaired ${path}`), looked].join("\n"),
    data: { readings, repaired, damaged: left },
    ...(left.length > 0 && { problem: left.join("\n  ") }),
  };
}

if (import.meta.main) await run(HELP, ["from"], repair);
