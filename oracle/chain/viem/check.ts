/** Whether what an operator configured can be: said in a sentence at the start, not found out by what never happens. */
import { createPublicClient, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { type Contracts, whyNotTogether } from "../../../contracts/together.ts";
import type { Hex } from "../chain.ts";
import { whyNotSubscribed } from "./funds.ts";

export type Checked = Contracts & {
  rpcUrl: string;
  /** of Chainlink Functions, where its subscription is to be watched */
  router: Hex | undefined;
  operatorKey: Hex | undefined;
  attestation: { subscriptionId: bigint } | undefined;
  /** the first block whose events are looked at */
  fromBlock: number;
};

/** Why these contracts, or this first block, cannot be meant; undefined = they can. Throws where the chain does not answer. */
export async function whyNotConfigured(checked: Checked): Promise<string | undefined> {
  const { rpcUrl, fromBlock, router, operatorKey, attestation, ...contracts } = checked;
  const publicClient = createPublicClient({ transport: http(rpcUrl), cacheTime: 0 });
  const apart = await whyNotTogether(publicClient, contracts);
  if (apart !== undefined) return apart;
  const { attestor } = contracts;
  if (router && attestor && operatorKey && attestation) {
    const subscription = { router, attestor, id: attestation.subscriptionId };
    const why = await whyNotSubscribed(publicClient, subscription, privateKeyToAccount(operatorKey).address);
    if (why !== undefined) return why;
  }
  const newest = Number(await publicClient.getBlockNumber());
  if (fromBlock > newest) {
    return `WATTWITNESS_FROM_BLOCK is ${fromBlock}, and this chain has blocks up to ${newest}: it must be the block in which the contracts were deployed, or any before.`;
  }
  if (fromBlock === 0) return undefined;
  // a node without old states cannot tell
  const before = { address: contracts.registry, blockNumber: BigInt(fromBlock - 1) };
  const code = await publicClient.getCode(before).catch(() => undefined);
  if (!code) return undefined;
  return `The registry was there before block ${fromBlock}: what happened until then would never be seen. WATTWITNESS_FROM_BLOCK must be the block in which the contracts were deployed, or any before.`;
}
