/** What settling costs, and whether operator and subscription can pay it. */
import { formatEther, formatGwei, type Hex, type PublicClient, parseAbi } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { meterRegistryAbi } from "../../../contracts/abi.ts";
import { ROLES } from "../../../contracts/deploy.ts";
import { subscriptionFunds, whyNotSubscribed } from "../../../oracle/chain/viem/funds.ts";
import type { Config } from "../../../oracle/config.ts";
import { measuredGas, precompileOf } from "../../chain/precompile.ts";
import { type Finding, judged, skipped, well, wrong } from "./finding.ts";

const authorityAbi = parseAbi([
  "function hasRole(uint64 role, address account) view returns (bool isMember, uint32 delay)",
]);

export async function money(client: PublicClient, config: Config): Promise<Finding[]> {
  const { operatorKey, attestor, maxGasPrice } = config;
  if (!operatorKey) return [skipped("operator", "none: this node keeps readings, and settles nothing")];
  const operator = privateKeyToAddress(operatorKey);
  const price = await client.getGasPrice();
  const dear = `gas costs ${formatGwei(price)} gwei, more than WATTWITNESS_MAX_GAS_PRICE allows`;
  return [
    await balance(client, operator, price),
    ...(attestor ? [await role(client, config.registry, operator)] : []),
    judged(
      "price of gas",
      price > maxGasPrice ? dear : undefined,
      `${formatGwei(price)} gwei, at most ${formatGwei(maxGasPrice)}`,
      "wait, or raise WATTWITNESS_MAX_GAS_PRICE",
    ),
    await subscription(client, config, operator, price),
  ];
}

async function balance(client: PublicClient, operator: Hex, price: bigint): Promise<Finding> {
  const [has, { settling: gas }] = [await client.getBalance({ address: operator }), await measuredGas()];
  const needed = BigInt((await precompileOf(client)) === "working" ? gas.with : gas.without) * price;
  const coins = `${operator} has ${formatEther(has)} of the chain's coin`;
  const reason = has < needed ? `${coins}: settling a day of a meter takes ${formatEther(needed)}` : undefined;
  return judged("operator", reason, coins, "send it some");
}

async function role(client: PublicClient, registry: Hex, operator: Hex): Promise<Finding> {
  const asked = { address: registry, abi: meterRegistryAbi, functionName: "authority" } as const;
  const address = await client.readContract(asked);
  const args = [ROLES.operator, operator] as const;
  const [isMember] = await client.readContract({ address, abi: authorityAbi, functionName: "hasRole", args });
  const reason = isMember ? undefined : `${operator} does not have it, and may ask for no attestation`;
  return judged(
    "operator's role",
    reason,
    "it may ask for attestations",
    `an administrator grants role 2 in ${address}`,
  );
}

async function subscription(client: PublicClient, config: Config, operator: Hex, price: bigint): Promise<Finding> {
  const { attestation, attestor, router } = config;
  if (!attestation || !attestor) return skipped("subscription", "none is needed: there is no DON");
  if (!router) return skipped("subscription", "is looked at where WATTWITNESS_FUNCTIONS_ROUTER is set");
  const kept = { router, attestor, id: attestation.subscriptionId };
  const why = await whyNotSubscribed(client, kept, operator);
  if (why !== undefined) {
    const remedy = "as the operator: wattwitness subscription create, fund, consumer add; or on functions.chain.link";
    return wrong("subscription", why, remedy);
  }
  const funds = await subscriptionFunds(client, kept, price);
  const has = `${kept.id} has ${formatEther(funds.balance)} LINK`;
  const needed = `a request takes up to ${formatEther(funds.needed)}`;
  return funds.balance < funds.needed
    ? wrong("subscription", `${has}, and ${needed}`, "pay LINK into it")
    : well("subscription", `${has}; ${needed}`);
}
