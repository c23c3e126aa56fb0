/** What the operator and his subscription have, asked with viem. */
import { type Address, BaseError, type Hex, isAddressEqual, type PublicClient, parseAbi } from "viem";
import { functionsAttestorAbi } from "../../../contracts/abi.ts";
import type { Funds } from "../chain.ts";
import { isRevert } from "./errors.ts";

/** FunctionsAttestor.CALLBACK_GAS */
const CALLBACK_GAS = 150_000;

export const routerAbi = parseAbi([
  "function getSubscription(uint64 id) view returns ((uint96 balance, address owner, uint96 blockedBalance, address proposedOwner, address[] consumers, bytes32 flags))",
  "function getContractById(bytes32 id) view returns (address)",
  "error InvalidSubscription()",
]);
const coordinatorAbi = parseAbi([
  "function estimateCost(uint64 id, bytes data, uint32 callbackGas, uint256 gasPrice) view returns (uint96)",
]);

/** A Chainlink Functions subscription: which router keeps it, and for which attestor it pays. */
export type Subscription = { router: Address; attestor: Address; id: bigint };

/** What is not reserved for requests under way, and what the DON may take for one where gas costs `gasPrice` (wei). */
export async function subscriptionFunds(
  client: PublicClient,
  { router, attestor, id }: Subscription,
  gasPrice: bigint,
): Promise<NonNullable<Funds["subscription"]>> {
  const [{ balance, blockedBalance }, donId] = await Promise.all([
    client.readContract({ address: router, abi: routerAbi, functionName: "getSubscription", args: [id] }),
    client.readContract({ address: attestor, abi: functionsAttestorAbi, functionName: "donId" }),
  ]);
  const coordinator = await client.readContract({
    ...{ address: router, abi: routerAbi, functionName: "getContractById", args: [donId] },
  });
  const needed = await client.readContract({
    ...{ address: coordinator, abi: coordinatorAbi, functionName: "estimateCost" },
    args: [id, "0x", CALLBACK_GAS, gasPrice],
  });
  return { id, balance: balance - blockedBalance, needed };
}

/** Why the operator cannot spend a subscription, in a sentence; undefined = he can, as far as LINK is in it. */
export async function whyNotSubscribed(
  client: PublicClient,
  { router, attestor, id }: Subscription,
  operator: Address,
): Promise<string | undefined> {
  const subscription = await client
    .readContract({ address: router, abi: routerAbi, functionName: "getSubscription", args: [id] })
    .catch((error: unknown) => {
      if (isRevert(error) || isNoAnswer(error)) return undefined;
      throw error;
    });
  if (!subscription) return `The router ${router} keeps no subscription ${id}.`;
  const { owner, consumers } = subscription;
  if (!isAddressEqual(owner, operator)) {
    return `The subscription ${id} is of ${owner}, and the operator is ${operator}: the attestor would refuse.`;
  }
  const isConsumer = consumers.some((consumer: Hex) => isAddressEqual(consumer, attestor));
  return isConsumer ? undefined : `The subscription ${id} does not have the attestor ${attestor} as consumer.`;
}

/** Where there is no such contract. */
const isNoAnswer = (error: unknown): boolean =>
  error instanceof BaseError &&
  error.walk((cause) => (cause as Error).name === "ContractFunctionZeroDataError") !== null;
