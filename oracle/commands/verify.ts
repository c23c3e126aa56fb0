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
import { keysOf, verifyStore } from "./verifying.ts";

/** Readings after which progress is shown, where nobody watches. */
const STEP = 1_000_000;

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

let total = 0;
for await (const keyId of keysOf(store)) for (const { size } of await store.logs.of(keyId)) total += size;
let shown = 0;
const headDomain = domain("head", { chainId: chain.chainId, registry: chain.registry });
const verification = await verifyStore({ store, chain, headDomain, progress }).finally(() => store.close());
if (process.stderr.isTTY) process.stderr.write("\n");
const { logs, readings, heads, settled } = verification.verified;
console.log(`Verified ${readings} readings of ${logs} logs under ${heads} heads; ${settled} logs are on chain.`);
if (!verification.ok) end([verification.problem]);

function progress(done: number): void {
  const step = process.stderr.isTTY ? 10_000 : STEP;
  if (done < total && done - shown < step) return;
  shown = done;
  const share = `${Math.floor((100 * done) / total)} % of ${total} readings`;
  process.stderr.write(process.stderr.isTTY ? `\r${share}` : `${share}\n`);
}
