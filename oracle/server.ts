/** Runs the oracle: `npm run oracle`, configured by the environment (config.ts). */
import { rmSync } from "node:fs";
import pino from "pino";
import { createViemChain } from "./chain/viem-chain.ts";
import { readConfig } from "./config.ts";
import { buildApp } from "./http/app.ts";
import { createOracle } from "./oracle.ts";
import { lockDirectory } from "./store/lock.ts";

const result = readConfig(process.env);
if (!result.ok) {
  console.error(["The oracle is not configured:", ...result.problems].join("\n  "));
  process.exit(1);
}
const { config } = result;
const logger = pino({ level: config.logLevel });

const chain = await createViemChain(config).catch((error: Error) => {
  console.error(`The chain at WATTWITNESS_RPC_URL does not answer: ${error.message.split("\n")[0]}`);
  process.exit(1);
});
const lock = await lockDirectory(config.dataDirectory);
if (!lock.ok) {
  console.error(
    `Another oracle (process ${lock.pid}) keeps its data in ${config.dataDirectory}: end it, or choose another WATTWITNESS_DATA_DIR. If that process is no oracle, delete ${lock.file}.`,
  );
  process.exit(1);
}
process.once("exit", () => rmSync(lock.file, { force: true }));
const oracle = await createOracle({
  config: { ...config, settles: config.operatorKey !== undefined },
  chain,
  logger,
});
await oracle.tick().catch((err: Error) => logger.error({ err }, "the chain could not be asked; trying again later"));

const app = buildApp({ oracle, chain, logger });
let timer: NodeJS.Timeout | undefined;
let stopping = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    stopping = true;
    clearTimeout(timer);
    logger.info({ signal }, "closing");
    await app.close();
    process.exit(0);
  });
}

await app.listen({ host: config.host, port: config.port }).catch((error: NodeJS.ErrnoException) => {
  console.error(
    error.code === "EADDRINUSE"
      ? `Port ${config.port} of ${config.host} is in use.`
      : `The oracle cannot listen on ${config.host}:${config.port}: ${error.message}`,
  );
  process.exit(1);
});

async function look(): Promise<void> {
  await oracle.tick().catch((err: Error) => logger.error({ err }, "the chain could not be asked; trying again later"));
  if (!stopping) timer = setTimeout(look, config.pollEvery * 1000);
}
timer = setTimeout(look, config.pollEvery * 1000);
