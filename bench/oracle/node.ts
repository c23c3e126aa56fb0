/**
 * The oracle that is measured, in a process of its own: all of it but the chain, which is one in memory that knows the
 * meters of meters.ts. It tells its port, its memory and its processor time to its parent.
 */
import type { AddressInfo } from "node:net";
import pino from "pino";
import { buildApp } from "../../oracle/http/app.ts";
import { createOracle } from "../../oracle/oracle.ts";
import { openEmbeddedStore } from "../../oracle/store/embedded/store.ts";
import { openPostgresStore } from "../../oracle/store/postgres/store.ts";
import { createFakeChain } from "../../oracle/test/chain/fake-chain.ts";
import { toHex } from "../../protocol/index.ts";
import { deviceOf, END, PLACE, START } from "./meters.ts";

/** What the parent tells it to be: on a folder, or on a database. */
export type NodeOptions = { meters: number } & ({ directory: string } | { databaseUrl: string });
/** What it tells the parent. */
export type NodeReport = { port: number; openedIn: number; rss: number };

const options = JSON.parse(process.argv[2] as string) as NodeOptions;
const logger = pino({ level: "silent" });

const opening = performance.now();
const opened =
  "directory" in options
    ? await openEmbeddedStore(options.directory, logger)
    : await openPostgresStore(options.databaseUrl, logger);
if (!opened.ok) throw new Error(opened.problem);
const openedIn = (performance.now() - opening) / 1000;
const rss = process.memoryUsage.rss();

const { store } = opened;
let clock = START;
const chain = createFakeChain(PLACE, () => clock);
for (let meter = 0; meter < options.meters; meter++) {
  const device = deviceOf(meter);
  chain.register(device.registration({ owner: `0x${"ab".repeat(20)}`, capacity: 5000, details: new Uint8Array(32) }));
}
clock = END;
const config = {
  ...{ fromBlock: 0, settleEvery: 86_400, retryAfter: 60, alignment: 0, batchLimit: 2_000_000, confirmations: 1 },
  ...{ attestation: undefined, settles: false },
};
const oracle = await createOracle({ config, store, chain, now: () => clock, logger });
await oracle.tick();

const app = buildApp({ oracle, chain, logger, trustProxy: true });
await app.listen({ host: "127.0.0.1", port: 0 });
process.send?.({ port: (app.server.address() as AddressInfo).port, openedIn, rss } satisfies NodeReport);

process.on("message", async (message: "settle" | "close") => {
  if (message === "settle") {
    for (let meter = 0; meter < options.meters; meter++) {
      const { keyId, publicKey, epoch } = deviceOf(meter);
      const log = await store.logs.get(toHex(keyId), epoch);
      if (!log) continue;
      chain.settleAsOther({
        keyId: toHex(keyId),
        device: { epoch, publicKey, readings: await log.readings(0, log.size) },
      });
    }
    await oracle.tick();
    process.send?.("settled");
  } else {
    await app.close();
    await store.close();
    process.exit(0);
  }
});
