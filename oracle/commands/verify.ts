/**
 * Verifies all that an oracle keeps, against itself and the chain: `npm run oracle:verify`, with the oracle's settings.
 * Ends with 0 where all is right, and with 1 and the first thing that is wrong where not. A folder must not be in use.
 */
import { domain } from "../../protocol/index.ts";
import { createViemChain } from "../chain/viem/chain.ts";
import { readConfig } from "../config.ts";
import { firstLine } from "../said.ts";
import { openPostgresStore } from "../store/postgres/store.ts";
import type { Store } from "../store/store.ts";
import { createLogger, doing, end, openFolder, run, saysWhenStopped, type Told } from "./program.ts";
import { createProgress, readingsIn } from "./progress.ts";
import { verifyStore } from "./verifying.ts";

const HELP = `Verifies all that an oracle keeps, with the oracle's settings: every root is made anew of the readings, every head
that is kept must be the meter's, and what the chain has settled must be what is stored.

  npm run oracle:verify

Ends with 0 where all is right, else with 1 and the first thing that is wrong. Nothing is changed.`;

export async function verify(_options: object, environment: Record<string, string | undefined>): Promise<Told> {
  const result = readConfig(environment);
  if (!result.ok) end("The oracle is not configured:", ...result.problems);
  const { config } = result;
  const logger = createLogger();
  saysWhenStopped("Nothing was changed.");
  const chain = await createViemChain(config).catch((error) =>
    end(`The chain at WATTWITNESS_RPC_URL does not answer: ${firstLine(error)}`),
  );

  async function openDatabase(url: string): Promise<Store> {
    const opening = await openPostgresStore(url, logger);
    return opening.ok ? opening.store : end(opening.problem);
  }

  const { databaseUrl, dataDirectory } = config;
  const store = databaseUrl ? await openDatabase(databaseUrl) : await openFolder(dataDirectory, logger);
  const progress = createProgress(await doing(readingsIn(store), store.close));
  const headDomain = domain("head", { chainId: chain.chainId, registry: chain.registry });
  const verifying = verifyStore({ store, chain, headDomain, progress: progress.show }).finally(progress.end);
  const verification = await doing(verifying, store.close);
  await store.close();
  const { logs, readings, heads, settled } = verification.verified;
  return {
    text: `Verified ${readings} readings of ${logs} logs under ${heads} heads; ${settled} logs are on chain.`,
    data: verification.verified,
    ...(!verification.ok && { problem: verification.problem }),
  };
}

if (import.meta.main) await run(HELP, [], verify);
