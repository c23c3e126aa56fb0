/** Runs the oracle: `npm run oracle`, configured by the environment (config.ts). */
import pino from "pino";
import { createViemChain } from "./chain/viem/chain.ts";
import { whyNotConfigured } from "./chain/viem/check.ts";
import { readConfig } from "./config.ts";
import { buildApp } from "./http/app.ts";
import { readSite } from "./http/site.ts";
import { createOracle } from "./oracle.ts";
import { openOutlets } from "./publishing/outlets.ts";
import { createSaid, firstLine } from "./said.ts";
import { openEmbeddedStore } from "./store/embedded/store.ts";
import { StoreDamaged, StoreUnavailable } from "./store/store.ts";

/** ms that requests under way have to come to an end when the oracle ends */
const DRAIN = 5000;

const result = readConfig(process.env);
if (!result.ok) {
  console.error(["The oracle is not configured:", ...result.problems].join("\n  "));
  process.exit(1);
}
const { config } = result;
const logger = pino({ level: config.logLevel });

function endUnanswered(error: Error): never {
  console.error(`The chain at WATTWITNESS_RPC_URL does not answer: ${error.message.split("\n")[0]}`);
  process.exit(1);
}
const wrong = await whyNotConfigured(config).catch(endUnanswered);
if (wrong !== undefined) {
  console.error(wrong);
  process.exit(1);
}
const chain = await createViemChain(config).catch(endUnanswered);
const publishing = config.publishing && (await openOutlets(config.publishing));
if (publishing?.ok === false) {
  console.error(publishing.problem);
  process.exit(1);
}
const opening = config.databaseUrl
  ? // several hundred modules, which an oracle with a folder need not load
    await (await import("./store/postgres/store.ts")).openPostgresStore(config.databaseUrl, logger)
  : await openEmbeddedStore(config.dataDirectory, logger);
if (!opening.ok) {
  console.error(opening.problem);
  process.exit(1);
}
const { store } = opening;
const oracle = await createOracle({
  config: { ...config, settles: config.operatorKey !== undefined },
  store,
  chain,
  logger,
  ...(config.publishing &&
    publishing?.ok && { publishing: { outlets: publishing.outlets, publicUrls: config.publishing.publicUrls } }),
}).catch(async (error: Error) => {
  if (!(error instanceof StoreDamaged || error instanceof StoreUnavailable)) throw error;
  await store.close();
  console.error(error.message);
  process.exit(1);
});
const said = createSaid();
await look();

const { origins, trustProxy, wattWitness, hourlyCertificates, parkFactory, pollEvery: looksEvery } = config;
const site = await readSite(config.dashboardDirectory);
if (!site)
  logger.warn({ directory: config.dashboardDirectory }, "there are no pages: browsers get a list of the routes");
const deployment = { wattWitness, hourlyCertificates, parkFactory };
const app = buildApp({ oracle, chain, logger, ...deployment, origins, trustProxy, looksEvery, site });
const { chainId, registry } = chain;
// only who has a broker waits for its client to be loaded
const mqtt = config.mqttUrl === undefined ? undefined : await import("./publishing/mqtt.ts");
const endMqtt =
  config.mqttUrl && mqtt?.tellByMqtt({ url: config.mqttUrl, oracle, place: { chainId, registry }, logger });
let timer: NodeJS.Timeout | undefined;
let stopping = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    stopping = true;
    clearTimeout(timer);
    logger.info({ signal }, "closing");
    // what is under way is answered; who does not come to an end is not waited for
    setTimeout(() => app.server.closeAllConnections(), DRAIN).unref();
    await app.close();
    if (endMqtt) await endMqtt();
    await store.close();
    process.exit(0);
  });
}

await app.listen({ host: config.host, port: config.port }).catch(async (error: NodeJS.ErrnoException) => {
  await store.close();
  console.error(
    error.code === "EADDRINUSE"
      ? `Port ${config.port} of ${config.host} is in use.`
      : `The oracle cannot listen on ${config.host}:${config.port}: ${error.message}`,
  );
  process.exit(1);
});

async function look(): Promise<void> {
  try {
    await oracle.tick();
    if (said.over("store")) logger.info("the store can be used again");
    if (said.over("chain")) logger.info("the chain can be asked again");
  } catch (error) {
    const reason = firstLine(error);
    if (error instanceof StoreUnavailable) {
      if (said.isNew("store", reason)) logger.error({ reason }, "the store cannot be used; trying again later");
      return;
    }
    if (said.isNew("chain", reason)) logger.error({ reason }, "the chain could not be asked; trying again later");
  }
}

async function lookAgain(): Promise<void> {
  await look();
  if (!stopping) timer = setTimeout(lookAgain, config.pollEvery * 1000);
}
timer = setTimeout(lookAgain, config.pollEvery * 1000);
