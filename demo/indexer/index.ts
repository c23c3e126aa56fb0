/** The subgraph's indexer: graph-node and PostgreSQL, from npm, until they are stopped. */
import { join } from "node:path";
import { type Stops, temporaryFolder } from "../processes/stop.ts";
import { type GraphNode, startGraphNode } from "./graph-node.ts";
import { startPlayground } from "./playground.ts";
import { startPostgres } from "./postgres.ts";

export * from "./graph-node.ts";
export { whyNoIndexer } from "./platform.ts";

export type IndexerOptions = {
  /** what buildSubgraph made */
  manifest: string;
  /** that it was made for, and where its chain is */
  network: string;
  rpcUrl: string;
  /** where it answers; any unless told */
  port?: number;
  /** ms between two looks at the chain */
  pollEvery?: number;
};

/** Where to ask, and something worth asking. */
export function howToAsk({ url }: GraphNode): string {
  const query = "{ meters { id produced } }";
  return [
    "The subgraph, in a browser a page to try queries:",
    `  ${url}`,
    "",
    `curl -s ${url} \\`,
    "  -H 'content-type: application/json' \\",
    `  -d '${JSON.stringify({ query })}'`,
    "",
    "Ten more questions, with answers: subgraph/README.md",
  ].join("\n");
}

/** Begins with nothing, and leaves nothing behind once `stops` are stopped. Only where `whyNoIndexer` says nothing. */
export async function startIndexer(options: IndexerOptions, stops: Stops): Promise<GraphNode> {
  const folder = await temporaryFolder(stops, "indexer");
  const postgresUrl = await startPostgres(folder, stops);
  const log = join(folder, "graph-node.log");
  const { port = 0, ...graph } = { pollEvery: 500, ...options };
  const node = await startGraphNode({ ...graph, postgresUrl, log }, stops);
  return { ...node, url: await startPlayground(node.url, port, stops) };
}
