/**
 * Tells what of a data folder is damaged, and fetches it again from a mirror: `npm run oracle:repair -- --from URL`, with
 * the oracle's settings. Ends with 0 where nothing is damaged any more, else with 1. The folder must not be in use.
 */
import { parseArgs } from "node:util";
import pino from "pino";
import { domain } from "../../protocol/index.ts";
import { createViemChain } from "../chain/viem/chain.ts";
import { readConfig } from "../config.ts";
import { firstLine } from "../said.ts";
import { openEmbeddedStore } from "../store/embedded/store.ts";
import { httpMirror } from "./mirror.ts";
import { createProgress, readingsIn } from "./progress.ts";
import { puttingInto, repairStore } from "./repairing.ts";

const HELP = `Fetches again what of the folder at WATTWITNESS_DATA_DIR is damaged.

  npm run oracle:repair -- [--from URL]

  --from URL   a mirror: an oracle that has the same logs, or where this one publishes; without it nothing is changed,
               and what is damaged is told

Ends with 0 where nothing is damaged any more, else with 1.`;

function end(...lines: string[]): never {
  console.error(lines.join("\n  "));
  process.exit(1);
}

function optionsOf(args: string[]) {
  const options = { from: { type: "string" }, help: { type: "boolean" } } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    return end(`${(error as Error).message}\n\n${HELP}`);
  }
}

const { from, help } = optionsOf(process.argv.slice(2));
if (help) {
  console.log(HELP);
  process.exit(0);
}
if (from !== undefined && !/^https?:\/\/./.test(from))
  end(`--from must be a URL (http://… or https://…), not "${from}"`);
const result = readConfig(process.env);
if (!result.ok) end("The oracle is not configured:", ...result.problems);
const { config } = result;
if (config.databaseUrl !== undefined) {
  end(
    "WATTWITNESS_DATABASE_URL is set: what of a database is damaged comes back from a backup of it, not from a mirror.",
  );
}
const chain = await createViemChain(config).catch((error) =>
  end(`The chain at WATTWITNESS_RPC_URL does not answer: ${firstLine(error)}`),
);
const directory = config.dataDirectory;
const opening = await openEmbeddedStore(directory, pino({ level: "warn" }, pino.destination(2)));
if (!opening.ok) end(opening.problem);
const { store } = opening;

const progress = createProgress(await readingsIn(store));
const { readings, repaired, left } = await repairStore({
  store,
  headDomain: domain("head", { chainId: chain.chainId, registry: chain.registry }),
  putTile: puttingInto(directory),
  mirror: from === undefined ? undefined : httpMirror(from),
  progress: progress.show,
}).finally(async () => {
  progress.end();
  await store.close();
});
for (const path of repaired) console.log(`Repaired ${path}`);
console.log(`Looked at ${readings} readings: ${repaired.length} files were repaired, ${left.length} are damaged.`);
if (left.length > 0) end(...left);
