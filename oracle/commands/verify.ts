/**
 * Verifies all that an oracle keeps, against itself and the chain: `npm run oracle:verify`, with the oracle's settings.
 * Ends with 0 where all is right, and with 1 and the first thing that is wrong where not. A folder must not be in use.
 */
import pino from "pino";
import { domain } from "../../protocol/index.ts";
import { createViemChain } from "../chain/viem/chain.ts";
import { readConfig } from "../config.ts";
import { firstLine } from "../said.ts";
import { openEmbeddedStore } from "../store/embedded/store.ts";
import { openPostgresStore } from "../store/postgres/store.ts";
import { createProgress, readingsIn } from "./progress.ts";
import { verifyStore } from "./verifying.ts";

function end(lines: readonly string[]): never {
  console.error(lines.join("\n  "));
  process.exit(1);
}

const result = readConfig(process.env);
if (!result.ok) end(["The oracle is not configured:", ...result.problems]);
const { config } = result;
const chain = await createViemChain(config).catch((error) =>
  end([`The chain at WATTWITNESS_RPC_URL does not answer: ${firstLine(error)}`]),
);
const logger = pino({ level: "warn" }, pino.destination(2));
const opening = config.databaseUrl
  ? await openPostgresStore(config.databaseUrl, logger)
  : await openEmbeddedStore(config.dataDirectory, logger);
if (!opening.ok) end([opening.problem]);
const { store } = opening;

const progress = createProgress(await readingsIn(store));
const headDomain = domain("head", { chainId: chain.chainId, registry: chain.registry });
const verification = await verifyStore({ store, chain, headDomain, progress: progress.show }).finally(async () => {
  progress.end();
  await store.close();
});
const { logs, readings, heads, settled } = verification.verified;
console.log(`Verified ${readings} readings of ${logs} logs under ${heads} heads; ${settled} logs are on chain.`);
if (!verification.ok) end([verification.problem]);
