/** What a deployment has come to: written into the table, and told with what comes next. */
import { getAddress, type Hex } from "viem";
import type { Deployment } from "../../../contracts/deploy.ts";
import { type Network, networkOf, readNetworks, writeNetwork } from "../../../subgraph/networks.ts";
import { firstLine } from "../../problem.ts";
import type { Answer } from "../../terminal/telling.ts";
import type { DeployOptions } from "./options.ts";
import { NOTICE_DAYS } from "./plan.ts";
import type { Operation } from "./schedule.ts";

export type Deployed = Deployment & { attestor: Hex | undefined; router: Hex | undefined };

export type Outcome = {
  options: DeployOptions;
  table: string;
  deployed: Deployed;
  /** something was sent by this run */
  isNew: boolean;
  /** a text is why it is not known */
  scheduled: readonly Operation[] | string;
};

export function told(outcome: Outcome): Answer {
  const { options, table, deployed, isNew, scheduled } = outcome;
  const { network, keepOpen } = options;
  const entry = networkOf(deployed, deployed.attestor);
  const written = write(table, network, entry);
  const addresses = {
    ...{ Authority: getAddress(deployed.authority), MeterDescriptor: getAddress(deployed.descriptor) },
    ...Object.fromEntries(Object.entries(entry).map(([name, { address }]) => [name, address])),
    Lens: getAddress(deployed.lens),
  };
  const lines = [
    isNew
      ? `Deployed, from block ${deployed.fromBlock} on:`
      : `Nothing was sent: it was deployed before, from block ${deployed.fromBlock} on:`,
    ...Object.entries(addresses).map(([name, address]) => `  ${name.padEnd(18)} ${address}`),
    written,
    deployed.attestor
      ? "A DON attests batches, by the FunctionsAttestor."
      : "No DON attests batches: meters settle on their devices' signatures alone.",
    keepOpen
      ? "The setting up is open: until close is called on the Authority no delay holds, and a role begins at once."
      : `The setting up is over: whatever role is granted from now on begins after ${NOTICE_DAYS} days.`,
    ...scheduleOf(scheduled),
    "",
    "Next:",
    ...nextOf(outcome, entry),
  ];
  const { fromBlock } = deployed;
  return { text: lines.join("\n"), data: { network, sent: isNew, from_block: fromBlock, contracts: addresses } };
}

function nextOf({ options, deployed }: Outcome, { MeterRegistry, WattWitness, FunctionsAttestor }: Network): string[] {
  const { network, keepOpen, predecessor, networksFile } = options;
  const elsewhere = networksFile === undefined ? "" : ` --networks-file ${networksFile}`;
  const settings = {
    ...{ RPC_URL: "…", REGISTRY: MeterRegistry.address, WATTWITNESS: WattWitness.address },
    ...{ FROM_BLOCK: deployed.fromBlock, OPERATOR_KEY: "…" },
    ...(FunctionsAttestor && {
      ...{ ATTESTOR: FunctionsAttestor.address, SUBSCRIPTION_ID: "…" },
      ...{ FUNCTIONS_ROUTER: deployed.router, PUBLIC_URLS: "…" },
    }),
  };
  const link = "pays LINK into it and adds the FunctionsAttestor as consumer: wattwitness subscription create.";
  return [
    keepOpen ? "  Grant what is missing, and call close." : `  Grant what is missing, ${NOTICE_DAYS} days ahead.`,
    "  Hand role 0 to a timelock or multisig; then the deployer renounces it.",
    ...(predecessor
      ? [
          `  The predecessor's administrator grants the registrar's role there to ${MeterRegistry.address}:`,
          "  then registering a meter here takes it down there.",
        ]
      : []),
    ...(FunctionsAttestor ? [`  The operator opens a Chainlink Functions subscription, ${link}`] : []),
    `  wattwitness node start --network ${network}${elsewhere} --key-file FILE runs the oracle, with a key of its own. Its settings:`,
    ...Object.entries(settings).map(([name, value]) => `    WATTWITNESS_${name}=${value}`),
    "  wattwitness doctor tells whether all is well then.",
    `  The subgraph: npm run subgraph:build -- --network ${network}${elsewhere}`,
  ];
}

/** A deployment that cannot be written down is told all the same. */
function write(table: string, network: string, entry: Network): string {
  const text = () => JSON.stringify({ [network]: entry }, null, 2);
  try {
    const before = readNetworks(table).get(network);
    if (before && JSON.stringify(before) !== JSON.stringify(entry)) {
      process.exitCode = 1;
      return `${table} has other contracts as ${network}, and was left as it is. The entry would be:\n${text()}`;
    }
    const isChanged = writeNetwork(table, network, entry);
    return isChanged ? `${table} has it as ${network}.` : `${table} has had it as ${network}.`;
  } catch (error) {
    process.exitCode = 1;
    return `${table} was not written (${firstLine(error)}). Its entry:\n${text()}`;
  }
}

function scheduleOf(scheduled: readonly Operation[] | string): string[] {
  if (typeof scheduled === "string")
    return [`What is scheduled in the Authority, the node does not tell (${scheduled}).`];
  if (scheduled.length === 0) return ["In the Authority nothing is scheduled."];
  return [
    "In the Authority this is scheduled:",
    ...scheduled.map(({ when, target, data }) => `  ${new Date(when * 1000).toISOString()}  ${target} ${data}`),
  ];
}
