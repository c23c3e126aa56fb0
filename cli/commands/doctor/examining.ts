/** Everything in the order in which a node needs it: settings, chain, contracts, money, clock, store, the outside. */
import { createPublicClient, http, type PublicClient } from "viem";
import { type Config, readConfig } from "../../../oracle/config.ts";
import { firstLine } from "../../problem.ts";
import { clock } from "./clock.ts";
import { code } from "./code.ts";
import { together } from "./contracts.ts";
import { type Finding, judged, skipped, well, wrong } from "./finding.ts";
import { money } from "./money.ts";
import { publicUrls, subgraph } from "./outside.ts";
import { signatures } from "./signatures.ts";
import { publisher, store } from "./store.ts";

/** `now`: ms, by this machine's clock. */
export type Examined = { chainId?: number; subgraph?: string; now?: () => number };

type Environment = Record<string, string | undefined>;

export async function examine(environment: Environment, examined: Examined = {}): Promise<Finding[]> {
  const settings = readConfig(environment);
  if (!settings.ok) {
    return [
      ...settings.problems.map((problem) => wrong("settings", problem, remedyOf(problem))),
      skipped("everything else", "is looked at once the settings are right"),
    ];
  }
  const { config } = settings;
  return [
    well("settings", "complete"),
    ...(await chain(config, examined)),
    ...(await store(config)),
    ...(await publisher(config)),
    ...(await publicUrls(config)),
    await subgraph(examined.subgraph),
  ];
}

function remedyOf(problem: string): string {
  if (problem.includes("is no setting")) return "remove it, or mend its name";
  if (problem.includes("is missing")) return "set it: oracle/README.md lists the settings";
  return "mend it: oracle/README.md lists the settings";
}

async function chain(config: Config, { chainId: meant, now = Date.now }: Examined): Promise<Finding[]> {
  const client: PublicClient = createPublicClient({ transport: http(config.rpcUrl, { retryCount: 1 }), cacheTime: 0 });
  try {
    const [chainId, block] = [await client.getChainId(), await client.getBlock()];
    const isOther =
      meant !== undefined && meant !== chainId ? `is a node of chain ${chainId}, not of ${meant}` : undefined;
    const node = judged(
      "node of the chain",
      isOther,
      `chain ${chainId}, block ${block.number}`,
      "set WATTWITNESS_RPC_URL to a node of the chain that is meant",
    );
    const contracts = await together(client, config);
    return [
      node,
      ...contracts,
      // of contracts that are others nothing can be told
      ...(contracts.some(({ is }) => is === "wrong")
        ? [skipped("code, signatures, money", "are looked at once the contracts are right")]
        : [...(await code(client, config)), ...(await signatures(client, config)), ...(await money(client, config))]),
      ...(await clock(config.rpcUrl, Number(block.timestamp), now)),
    ];
  } catch (error) {
    const why = firstLine(error).replaceAll(config.rpcUrl, "…");
    const remedy = "does it run, and is WATTWITNESS_RPC_URL its address?";
    return [
      wrong("node of the chain", `does not answer: ${why}`, remedy),
      skipped("contracts, money, clock", "are looked at once the node answers"),
    ];
  }
}
