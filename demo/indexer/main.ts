/** `npm run indexer`: the indexer of a chain until Ctrl-C. Options: `npm run indexer -- --help`. */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createPublicClient, http } from "viem";
import { buildSubgraph } from "../../subgraph/build.ts";
import { LOCAL_NETWORK, NETWORKS_FILE, type Network, readNetworks } from "../../subgraph/networks.ts";
import { isPortInUse } from "../processes/process.ts";
import { createEnding, createStops, endWithNpm } from "../processes/stop.ts";
import { howToAsk, startIndexer, whyNoIndexer } from "./index.ts";

const HELP = `Indexes WattWitness on a chain and answers questions about its history, until Ctrl-C. It keeps nothing.

  npm run indexer                 the chain of npm start, which must be running

  --network NAME        of the table (${LOCAL_NETWORK})
  --rpc-url URL         its chain's JSON-RPC (http://127.0.0.1:8545)
  --port N              where it answers (8010)
  --networks-file FILE  the table (subgraph/networks.json)
  --help                this text`;

/** ms between two looks at how far it is */
const LOOK_EVERY = 1000;

const stops = createStops();
const ending = createEnding(stops, () => console.error("\nstopping the indexer"));
endWithNpm(ending);

try {
  await main();
} catch (error) {
  if (!ending.hasBegun()) console.error((error as Error).message);
  await ending.end(1);
}

function valuesOf(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        network: { type: "string", default: LOCAL_NETWORK },
        "rpc-url": { type: "string", default: "http://127.0.0.1:8545" },
        port: { type: "string", default: "8010" },
        "networks-file": { type: "string", default: NETWORKS_FILE },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message.split(". ")[0]}. --help lists the options.`);
  }
}

async function main(): Promise<void> {
  const values = valuesOf(process.argv.slice(2));
  if (values.help) return console.log(HELP);
  const problem = whyNoIndexer();
  if (problem) throw new Error(problem);
  const { network: name, "rpc-url": rpcUrl } = values;
  const port = Number(values.port);
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) throw new Error(`--port ${values.port} is no port.`);
  if (port !== 0 && (await isPortInUse(port))) throw new Error(`Port ${port} is in use: choose another with --port.`);
  const networks = readNetworks(values["networks-file"]);
  const network = networks.get(name);
  if (!network) throw new Error(`The table has no network ${name}, but ${[...networks.keys()].join(", ") || "none"}.`);
  const client = createPublicClient({ transport: http(rpcUrl, { retryCount: 0 }) });
  await checkDeployed(client, network, rpcUrl);

  console.log(`building the subgraph for ${name}`);
  const manifest = await buildSubgraph(name, network);
  console.log("starting PostgreSQL and graph-node");
  const indexer = await startIndexer({ manifest, network: name, rpcUrl, port }, stops);
  console.log(howToAsk(indexer));

  for (let told = -1n; !ending.hasBegun(); await delay(LOOK_EVERY)) {
    const newest = await client.getBlockNumber({ cacheTime: 0 });
    if (newest === told) continue;
    await indexer.indexed(newest);
    if (told === -1n) console.log(`indexed up to block ${newest}, and going on until Ctrl-C`);
    told = newest;
  }
}

type Client = ReturnType<typeof createPublicClient>;

async function checkDeployed(client: Client, network: Network, rpcUrl: string): Promise<void> {
  for (const [contract, { address }] of Object.entries(network)) {
    const code = await client.getCode({ address }).catch(() => {
      throw new Error(`No chain answers at ${rpcUrl}: start one with npm start, or name another with --rpc-url.`);
    });
    if (!code) {
      throw new Error(`The chain at ${rpcUrl} has no ${contract} at ${address}: is it the network that was meant?`);
    }
  }
}
