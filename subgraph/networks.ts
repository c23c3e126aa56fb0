/**
 * networks.json: where the contracts of each network are and from which block on they are indexed, as The Graph's CLI
 * reads it (`graph build --network NAME --network-file networks.json`). Deployments write it.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { getAddress, type Hex, isAddress } from "viem";
import type { Deployment } from "../contracts/deploy.ts";

/** The table of this project. */
export const NETWORKS_FILE = fileURLToPath(new URL("networks.json", import.meta.url));

/** The chain of `npm start`, in the table. */
export const LOCAL_NETWORK = "localhost";

/** The subgraph's data sources, in the table's order. */
export const CONTRACTS = ["MeterRegistry", "WattWitness", "ProductionToken", "FunctionsAttestor"] as const;

/** A deployment without Chainlink has none. */
const OPTIONAL = "FunctionsAttestor";

export type Source = { address: Hex; startBlock: number };
export type Network = Record<Exclude<(typeof CONTRACTS)[number], typeof OPTIONAL>, Source> & {
  [OPTIONAL]?: Source;
};

/** By name, in the file's order. */
export type Networks = Map<string, Network>;

/** What is wrong with a table: one sentence that names the file and, where it is in there, network and field. */
export class NetworksError extends Error {}

/** All begin with the registry: nothing happens on any of them before it. */
export function networkOf(deployment: Deployment, attestor: Hex | undefined): Network {
  const { registry, wattWitness, token, fromBlock: startBlock } = deployment;
  return {
    MeterRegistry: { address: getAddress(registry), startBlock },
    WattWitness: { address: getAddress(wattWitness), startBlock },
    ProductionToken: { address: getAddress(token), startBlock },
    ...(attestor && { FunctionsAttestor: { address: getAddress(attestor), startBlock } }),
  };
}

/** As The Graph names them: base-sepolia. A number alone would not keep its place among the names of a JSON object. */
export const isNetworkName = (name: string): boolean => /^[a-z0-9.-]*[a-z][a-z0-9.-]*$/.test(name);

/** No file is no network. Throws a NetworksError. */
export function readNetworks(file: string): Networks {
  const text = readText(file);
  return text === undefined ? new Map() : parseNetworks(file, text);
}

/**
 * Puts a network into the table, in its old place or at the end. Returns whether that changed anything; where not, the
 * file is not touched. Throws a NetworksError on a table or network that is none, and the system's error where it cannot
 * write. It is synchronous so that neither another write nor a signal's handler comes in between.
 */
export function writeNetwork(file: string, name: string, network: Network): boolean {
  const before = readText(file);
  const networks = before === undefined ? new Map() : parseNetworks(file, before);
  networks.set(name, network);
  const written = JSON.stringify(Object.fromEntries(networks));
  const after = `${JSON.stringify(Object.fromEntries(parseNetworks(file, written)), null, 2)}\n`;
  if (after === before) return false;
  replace(file, after);
  return true;
}

/** The file holds what was there or `content`, never a part. */
function replace(file: string, content: string): void {
  const unfinished = `${file}.${process.pid}.unfinished`;
  try {
    writeFileSync(unfinished, content, { flush: true });
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new NetworksError(`${file} cannot be read (${code})`);
  }
}

function parseNetworks(file: string, text: string): Networks {
  let table: unknown;
  try {
    table = JSON.parse(text);
  } catch (error) {
    throw new NetworksError(`${file} is no JSON: ${(error as Error).message.split("\n")[0]}`);
  }
  if (!isObject(table)) throw new NetworksError(`${file} must hold an object of networks`);
  return new Map(Object.entries(table).map(([name, network]) => [name, parseNetwork(file, name, network)]));
}

/** In the table's order and in checksummed addresses, whatever it was given in. */
function parseNetwork(file: string, name: string, network: unknown): Network {
  if (!isNetworkName(name)) {
    throw new NetworksError(`${file}: ${JSON.stringify(name)} is no name of a network: small letters, digits, - and .`);
  }
  const sources = fieldsOf(`${file}: ${name}`, network, CONTRACTS, OPTIONAL);
  return Object.fromEntries(
    CONTRACTS.filter((contract) => Object.hasOwn(sources, contract)).map((contract) => [
      contract,
      parseSource(`${file}: ${name}.${contract}`, sources[contract]),
    ]),
  ) as Network;
}

function parseSource(where: string, source: unknown): Source {
  const { address, startBlock } = fieldsOf(where, source, ["address", "startBlock"]);
  if (typeof address !== "string" || !isAddress(address)) {
    throw new NetworksError(`${where}.address is no address, or has a typing error: ${JSON.stringify(address)}`);
  }
  if (!Number.isSafeInteger(startBlock) || (startBlock as number) < 0) {
    throw new NetworksError(`${where}.startBlock must be the number of a block, not ${JSON.stringify(startBlock)}`);
  }
  return { address: getAddress(address), startBlock: startBlock as number };
}

/** An object of these fields and no other: another one would be lost when the table is written. */
function fieldsOf(where: string, value: unknown, names: readonly string[], optional?: string): Record<string, unknown> {
  if (!isObject(value)) throw new NetworksError(`${where} must be an object of ${names.join(", ")}`);
  const missing = names.find((name) => name !== optional && !Object.hasOwn(value, name));
  if (missing !== undefined) throw new NetworksError(`${where}.${missing} is missing`);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new NetworksError(`${where}.${unknown} is not known: only ${names.join(", ")}`);
  return value;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
