/** Which chain and which contracts a command is about: `--rpc-url`, and `--network` of a table or `--registry`. */
import { existsSync } from "node:fs";
import { extname } from "node:path";
import { createPublicClient, getAddress, type Hex, http, isAddress, type PublicClient } from "viem";
import { meterRegistryAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import { whyNotTogether } from "../../contracts/together.ts";
import { NETWORKS_FILE, NetworksError, readNetworks } from "../../subgraph/networks.ts";
import { firstLine, Problem } from "../problem.ts";

/** What every command about a chain can be told; each may stand in the environment instead. */
export type ChainOptions = { rpcUrl?: string; network?: string; registry?: string; networksFile?: string };

export type Deployment = {
  client: PublicClient;
  chainId: number;
  registry: Hex;
  wattWitness: Hex;
  token: Hex;
  /** undefined = none is known */
  attestor: Hex | undefined;
  /** no event is in an earlier block */
  fromBlock: bigint;
};

/** Compiled, and not the clone's own file. */
const IS_INSTALLED = extname(import.meta.filename) === ".js";

/** ms between looks for a transaction's receipt */
const POLLING_INTERVAL = 1000;

/** A node that answers. */
export async function reach(rpcUrl: string | undefined): Promise<{ client: PublicClient; chainId: number }> {
  if (rpcUrl === undefined) {
    throw new Problem("No node of the chain is named: --rpc-url URL, or WATTWITNESS_RPC_URL in the environment.");
  }
  // it is not repeated: many a node's URL holds a key
  if (!URL.canParse(rpcUrl) || !/^https?:/.test(rpcUrl))
    throw new Problem("--rpc-url is no URL: http://… or https://…");
  const client: PublicClient = createPublicClient({ transport: http(rpcUrl), pollingInterval: POLLING_INTERVAL });
  const chainId = await client.getChainId().catch((error: unknown) => {
    throw new Problem(`The node at --rpc-url does not answer: ${withoutUrl(firstLine(error), rpcUrl)}`);
  });
  return { client, chainId };
}

const withoutUrl = (text: string, url: string): string => text.replaceAll(url, "…");

/** The contracts, which the chain itself has said belong together. */
export async function deploymentOf(options: ChainOptions): Promise<Deployment> {
  const named = namedContracts(options);
  const { client, chainId } = await reach(options.rpcUrl);
  const { registry, attestor, fromBlock } = named;
  const wattWitness = await client
    .readContract({ address: registry, abi: meterRegistryAbi, functionName: "wattWitness" })
    .catch(() => {
      throw new Problem(
        `There is no MeterRegistry at ${registry} on chain ${chainId}: is --rpc-url a node of the chain that was meant?`,
      );
    });
  const problem = await whyNotTogether(client, { registry, wattWitness, attestor });
  if (problem) throw new Problem(problem);
  const token = await client.readContract({ address: wattWitness, abi: wattWitnessAbi, functionName: "token" });
  return { client, chainId, registry, wattWitness, token, attestor, fromBlock };
}

export function namedContracts(options: ChainOptions): { registry: Hex; attestor: Hex | undefined; fromBlock: bigint } {
  const { registry, network } = options;
  if (registry !== undefined) {
    if (!isAddress(registry)) throw new Problem(`--registry ${registry} is no address, or has a typing error.`);
    return { registry: getAddress(registry), attestor: undefined, fromBlock: 0n };
  }
  if (network === undefined) {
    throw new Problem("Which contracts? --network NAME of those in the table, or --registry 0x… of a MeterRegistry.");
  }
  const file = networksFileOf(options);
  const networks = tableIn(file);
  const entry = networks.get(network);
  if (!entry) {
    const known = [...networks.keys()].join(", ") || "none";
    throw new Problem(`${file} has no network ${network}. It has: ${known}.`);
  }
  const { MeterRegistry, FunctionsAttestor } = entry;
  const fromBlock = BigInt(MeterRegistry.startBlock);
  return { registry: MeterRegistry.address, attestor: FunctionsAttestor?.address, fromBlock };
}

/** The table in the working directory, where there is one, else the project's. */
export const networksFileOf = ({ networksFile }: ChainOptions): string =>
  networksFile ?? (existsSync("networks.json") ? "networks.json" : NETWORKS_FILE);

/** The table that a deployment is written into: an installation's own is not to be changed. */
export const tableOfDeployments = ({ networksFile }: ChainOptions): string =>
  networksFile ?? (existsSync("networks.json") || IS_INSTALLED ? "networks.json" : NETWORKS_FILE);

export function tableIn(file: string): ReturnType<typeof readNetworks> {
  try {
    return readNetworks(file);
  } catch (error) {
    throw error instanceof NetworksError ? new Problem(`${error.message}.`) : error;
  }
}
