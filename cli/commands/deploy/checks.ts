/** What would make a deployment useless: found before anything is sent. Each throws a Problem. */
import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";
import { type Hex, type PublicClient, parseAbi, zeroHash } from "viem";
import { meterRegistryAbi } from "../../../contracts/abi.ts";
import { FACTORY } from "../../../contracts/deploy.ts";
import { NetworksError, readNetworks } from "../../../subgraph/networks.ts";
import { hasFactory } from "../../chain/canary.ts";
import { publicChains } from "../../chain/chains.ts";
import { type Precompile, precompileOf } from "../../chain/precompile.ts";
import { Problem } from "../../problem.ts";
import type { Functions } from "./options.ts";
import { nameOf } from "./plan.ts";

const routerAbi = parseAbi(["function getContractById(bytes32 id) view returns (address)"]);

/** The table is written last. A deployment that was begun may be there. */
export function checkTable(table: string, network: string, isBegun: boolean): void {
  let isThere: boolean;
  try {
    isThere = readNetworks(table).has(network);
  } catch (error) {
    throw error instanceof NetworksError ? new Problem(`${error.message}.`) : error;
  }
  if (isThere && !isBegun) {
    throw new Problem(`${network} is in ${table} already: choose another --network, or remove that entry.`);
  }
  try {
    accessSync(dirname(table), constants.W_OK);
  } catch (error) {
    throw new Problem(`${table} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** A name that everybody knows is for that chain, and no other. */
export async function checkName(network: string, chainId: number): Promise<void> {
  const known = (await publicChains())[network];
  if (!known || known.chain_id === chainId) return;
  throw new Problem(`${network} is chain ${known.chain_id}, and the node at --rpc-url is of chain ${chainId}.`);
}

/** Where the Authority will be. Once something is there, so is everything that was made with this text and these options. */
export async function checkFactory(client: PublicClient, authority: Hex, isBegun: boolean): Promise<void> {
  if (!(await hasFactory(client))) {
    throw new Problem(`This chain has no CREATE2 factory at ${FACTORY}: leave --create2 out, or have it put there.`);
  }
  if (!isBegun && (await client.getCode({ address: authority }))) {
    throw new Problem(
      `With this --create2 the deployer has deployed here before: ${authority} is there. Choose another.`,
    );
  }
}

/** The attestor keeps router and DON id for good. */
export async function checkRouter(client: PublicClient, functions: Functions): Promise<void> {
  if (!functions) return;
  const { router, donId } = functions;
  if (!(await client.getCode({ address: router }))) throw new Problem(`--router ${router} has no code on this chain.`);
  const request = { address: router, abi: routerAbi, functionName: "getContractById", args: [donId] } as const;
  await client.readContract(request).catch(() => {
    throw new Problem(`--router ${router} knows no DON ${nameOf(donId)}, or is no router of Chainlink Functions.`);
  });
}

/** The registry keeps it for good, and asks it this at every registration: with another contract there would be none. */
export async function checkPredecessor(client: PublicClient, predecessor: Hex | undefined): Promise<void> {
  if (!predecessor) return;
  if (!(await client.getCode({ address: predecessor }))) {
    throw new Problem(`--predecessor ${predecessor} has no code on this chain.`);
  }
  const asked = { abi: meterRegistryAbi, functionName: "meterOfKey", args: [zeroHash] } as const;
  await client.readContract({ address: predecessor, ...asked }).catch(() => {
    throw new Problem(`--predecessor ${predecessor} is no MeterRegistry.`);
  });
}

export async function checkPrecompile(client: PublicClient, isDispensable: boolean): Promise<Precompile> {
  const precompile = await precompileOf(client);
  if (precompile === "broken") {
    throw new Problem(
      "0x100 of this chain accepts a bad P-256 signature, or reverts: nothing can be verified with it.",
    );
  }
  if (precompile === "absent" && !isDispensable) {
    throw new Problem(
      "This chain verifies no P-256 signature at 0x100, and in Solidity each is dear: --without-precompile accepts that.",
    );
  }
  return precompile;
}
