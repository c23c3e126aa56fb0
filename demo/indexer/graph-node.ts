/** graph-node, The Graph's own indexer, in the form that its makers publish for development: gnd. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { endOf, freePort, hasEnded, startProgram, until } from "../processes/process.ts";
import type { Stops } from "../processes/stop.ts";
import { GND } from "./platform.ts";

const HOST = "127.0.0.1";
/** What gnd calls the first subgraph that it is given. */
const NAME = "subgraph-0";
/** ms until the first answer, and until a block is indexed unless told */
const PATIENCE = 60_000;

/** What GraphQL answers. */
export type Answer = { data?: unknown; errors?: { message: string }[] };

export type GraphNode = {
  /** where queries go */
  url: string;
  ask: (query: string, variables?: Record<string, unknown>) => Promise<Answer>;
  /** Resolves once this block is indexed. Throws what went wrong where the indexer fails, and after `patience` ms. */
  indexed: (block: bigint | number, patience?: number) => Promise<void>;
};

export type GraphNodeOptions = {
  /** what buildSubgraph made */
  manifest: string;
  /** that it was made for, and where its chain is */
  network: string;
  rpcUrl: string;
  postgresUrl: string;
  /** ms between two looks at the chain */
  pollEvery: number;
  log: string;
};

/** Resolves once it answers. It listens on all of the machine's addresses, and cannot be told not to. */
export async function startGraphNode(options: GraphNodeOptions, stops: Stops): Promise<GraphNode> {
  const { manifest, network, rpcUrl, postgresUrl, pollEvery, log } = options;
  const ipfsUrl = await startNoIpfs(stops);
  const [port, admin, index, metrics] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const settings = {
    manifests: manifest,
    ipfs: ipfsUrl,
    "ethereum-rpc": `${network}:${rpcUrl}`,
    "postgres-url": postgresUrl,
    "http-port": port,
    "admin-port": admin,
    "index-node-port": index,
    "metrics-port": metrics,
  };
  const program = startProgram(
    GND,
    ["dev", ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])],
    log,
    {
      cwd: dirname(manifest),
      env: {
        ...{ PATH: process.env["PATH"], GRAPH_LOG: "info", ETHEREUM_POLLING_INTERVAL: String(pollEvery) },
        // what it remembers of the newest block outlasts the notice of the next one, which then is lost for 30 s
        GRAPH_STORE_DISABLE_CHAIN_HEAD_PTR_CACHE: "true",
      },
    },
  );
  stops.add(() => program.stop("SIGINT"));

  const url = `http://${HOST}:${port}/subgraphs/name/${NAME}`;
  const newest = async (): Promise<number | undefined> => {
    const { data } = await post(url, "{ _meta { block { number } } }");
    return (data as { _meta: { block: { number: number } } } | undefined)?._meta.block.number;
  };
  const failure = async (): Promise<string | undefined> => {
    const { data } = await post(`http://${HOST}:${index}/graphql`, "{ indexingStatuses { fatalError { message } } }");
    return (data as { indexingStatuses: { fatalError?: { message: string } }[] }).indexingStatuses[0]?.fatalError
      ?.message;
  };
  await until("graph-node", program, PATIENCE, newest);
  return {
    url,
    ask: (query, variables) => post(url, query, variables),
    async indexed(block, patience = PATIENCE) {
      for (const end = Date.now() + patience; Date.now() < end; await delay(10)) {
        const number = await newest().catch(() => undefined);
        if (number !== undefined && number >= block) return;
        const message = await failure().catch(() => undefined);
        if (message) throw new Error(`the indexer failed: ${message}`);
        if (hasEnded(program.child)) throw new Error(`graph-node ended; see ${log}${await endOf(log)}`);
      }
      throw new Error(`block ${block} was not indexed in ${patience / 1000} s; see ${log}${await endOf(log)}`);
    },
  };
}

/** graph-node asks for an IPFS node when it starts. It gets something that answers: its subgraph comes from a folder. */
async function startNoIpfs(stops: Stops): Promise<string> {
  const server = createServer((_, response) => response.end('{"Version":"none"}'));
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  stops.add(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://${HOST}:${(server.address() as AddressInfo).port}`;
}

async function post(url: string, query: string, variables: Record<string, unknown> = {}): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as Answer;
}
