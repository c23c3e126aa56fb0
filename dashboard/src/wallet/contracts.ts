/** The contracts, asked through the wallet that is connected: never through the oracle, which only names the registry. */
import { type Address, type Client, createClient, custom } from "viem";
import { readContract } from "viem/actions";
import { meterRegistryAbi, productionTokenAbi, wattWitnessAbi } from "../../../contracts/abi.ts";
import { facts } from "../model/live.ts";
import type { Connection } from "./provider.ts";

/** ms between two looks at whether a transaction is in a block */
const POLLING = 1000;

export const clientOf = ({ wallet }: Connection): Client =>
  createClient({
    ...{ transport: custom(wallet.provider, { retryCount: 0 }), pollingInterval: POLLING },
    // a contract must not name whom else the page asks (ERC-3668)
    ccipRead: false,
  });

export type Contracts = {
  client: Client;
  registry: { address: Address; abi: typeof meterRegistryAbi };
  wattWitness: { address: Address; abi: typeof wattWitnessAbi };
  token: { address: Address; abi: typeof productionTokenAbi };
};

/** The registry names WattWitness, and that its token. */
export async function contractsOf(connection: Connection): Promise<Contracts> {
  const client = clientOf(connection);
  const registry = { address: facts.peek()?.registry as Address, abi: meterRegistryAbi };
  const wattWitness = {
    address: await readContract(client, { ...registry, functionName: "wattWitness" }),
    abi: wattWitnessAbi,
  };
  const token = {
    address: await readContract(client, { ...wattWitness, functionName: "token" }),
    abi: productionTokenAbi,
  };
  return { client, registry, wattWitness, token };
}
