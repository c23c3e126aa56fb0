/** What a chain's own node says of what WattWitness needs there. */
import type { PublicClient } from "viem";
import { FACTORY } from "../../contracts/deploy.ts";
import { Problem } from "../problem.ts";
import { reach } from "./deployment.ts";
import { gasOfPrecompile, type Precompile, precompileOf } from "./precompile.ts";

export type Asked = {
  chainId: number;
  precompile: Precompile;
  /** of one verification at 0x100; undefined = there is none, or the node does not tell */
  gas: number | undefined;
  /** wei */
  gasPrice: bigint;
  /** that which `deploy --create2` needs */
  hasFactory: boolean;
};

/** Throws a Problem where the node does not answer, or is another chain's than `chainId`. */
export async function asked(rpcUrl: string, chainId?: number): Promise<Asked> {
  const { client, chainId: its } = await reach(rpcUrl);
  if (chainId !== undefined && its !== chainId) throw new Problem(`The node is of chain ${its}, not of ${chainId}.`);
  const precompile = await precompileOf(client);
  const gas = precompile === "working" ? await gasOfPrecompile(client) : undefined;
  return { chainId: its, precompile, gas, gasPrice: await client.getGasPrice(), hasFactory: await hasFactory(client) };
}

export const hasFactory = async (client: PublicClient): Promise<boolean> =>
  ((await client.getCode({ address: FACTORY })) ?? "0x") !== "0x";
