/** Whether the contracts are those of one deployment, seen from its beginning on. */
import type { PublicClient } from "viem";
import { whyNotTogether } from "../../../contracts/together.ts";
import { whyNotConfigured } from "../../../oracle/chain/viem/check.ts";
import type { Config } from "../../../oracle/config.ts";
import { type Finding, judged, wrong } from "./finding.ts";

export async function together(client: PublicClient, config: Config): Promise<Finding[]> {
  const apart = await whyNotTogether(client, config);
  if (apart !== undefined) {
    const remedy = "set WATTWITNESS_REGISTRY, _WATTWITNESS and _ATTESTOR to what wattwitness deploy told";
    return [wrong("contracts", apart, remedy)];
  }
  const { attestor, fromBlock } = config;
  const contracts = attestor ? "registry, WattWitness and attestor" : "registry and WattWitness";
  // money is looked at by itself
  const unseen = await whyNotConfigured({ ...config, router: undefined });
  return [
    judged("contracts", undefined, `${contracts} belong together`, ""),
    judged("first block", unseen, String(fromBlock), "set WATTWITNESS_FROM_BLOCK to what wattwitness deploy told"),
  ];
}
