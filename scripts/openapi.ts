/** Writes oracle/openapi.json, OpenAPI 3.1, from the schemas of the oracle's routes: `npm run openapi`. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import type { Chain } from "../oracle/chain/chain.ts";
import { buildApp } from "../oracle/http/app.ts";
import { createOracle } from "../oracle/oracle.ts";
import { openEmbeddedStore } from "../oracle/store/embedded/store.ts";

/** Named, and never asked anything. */
const CHAIN = { chainId: 0, registry: `0x${"00".repeat(20)}` } as unknown as Chain;

const CONFIG = {
  ...{ fromBlock: 0, settleEvery: 0, retryAfter: 60, alignment: 0, batchLimit: 2_000_000, confirmations: 1 },
  ...{ attestation: undefined, settles: false },
};

export async function openApi(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "wattwitness-"));
  const logger = pino({ level: "silent" });
  const opening = await openEmbeddedStore(directory, logger);
  if (!opening.ok) throw new Error(opening.problem);
  const oracle = await createOracle({ config: CONFIG, store: opening.store, chain: CHAIN, logger });
  const app = buildApp({ oracle, chain: CHAIN, logger });
  await app.ready();
  const content = `${JSON.stringify(app.swagger(), null, 2)}\n`;
  await app.close();
  await opening.store.close();
  await rm(directory, { recursive: true });
  return content;
}

if (import.meta.main) {
  const { writeGenerated } = await import("./generated.ts");
  await writeGenerated(new URL("../oracle/openapi.json", import.meta.url), await openApi(), "npm run openapi");
}
