/** `wattwitness network`: the public chains, and what a chain has that WattWitness needs. */
import { Command, Option } from "commander";
import { formatGwei } from "viem";
import { type Asked, asked } from "../chain/canary.ts";
import { isSunset, type PublicChain, publicChains } from "../chain/chains.ts";
import { networksFileOf, tableIn } from "../chain/deployment.ts";
import type { Precompile } from "../chain/precompile.ts";
import { type GlobalOptions, telling } from "../command.ts";
import { EXIT, firstLine, Problem } from "../problem.ts";
import { type Answer, list, table } from "../terminal/telling.ts";

const AFTER = `
Examples:
  $ wattwitness network list                        chains, their names, and where contracts are deployed
  $ wattwitness network ask base-sepolia            by its own public node
  $ wattwitness network ask --rpc-url https://…     any chain

A chain that verifies P-256 at 0x100 (EIP-7951, RIP-7212) verifies a device's signature for some thousand gas. Elsewhere it is
done in Solidity, for some 230,000.`;

const SAYS: Record<Precompile, string> = {
  working: "verifies P-256",
  absent: "nothing: every signature is dear",
  broken: "something else: nothing can be deployed",
};

export function networkCommand(): Command {
  const network = new Command("network").description("the public chains, and what a chain has that is needed");
  network
    .command("list")
    .description("public chains, what was found at 0x100, and where contracts are deployed")
    .option("--networks-file <file>", "the table of deployments (networks.json, or the project's)")
    .action(telling(listNetworks));
  network
    .command("ask")
    .description("ask a chain's node what it has at 0x100, and what gas costs")
    .argument("[name]", "a public chain's name: asked at its own public node, or at --rpc-url")
    .addOption(new Option("--rpc-url <url>", "JSON-RPC of a node of the chain").env("WATTWITNESS_RPC_URL"))
    .action(telling(askNetwork));
  return network.addHelpText("after", AFTER);
}

async function listNetworks(options: GlobalOptions): Promise<Answer> {
  const [chains, deployed] = [await publicChains(), tableIn(networksFileOf(options))];
  const names = [...new Set([...Object.keys(chains), ...deployed.keys()])];
  const rows = names.map((name) => {
    const chain = chains[name];
    const registry = deployed.get(name)?.MeterRegistry.address ?? "";
    return [name, chain?.chain_id ?? "", chain ? signatures(chain) : "", chain ? functions(chain) : "", registry];
  });
  const data = names.map((name) => ({ name, ...chains[name], deployment: deployed.get(name) ?? null }));
  const head = ["network", "chain", "P-256 at 0x100", "Chainlink Functions", "deployed, its MeterRegistry"];
  return { text: table(head, rows), data: { networks: data } };
}

function signatures({ p256 }: PublicChain): string {
  if (p256.answer !== null) return `${p256.answer}, ${p256.gas ?? "?"} gas (asked ${p256.asked})`;
  return p256.announced ? `announced (${p256.announced})` : "not known";
}

function functions(chain: PublicChain): string {
  if (!chain.functions) return "never";
  return `${isSunset(chain, new Date()) ? "ended" : "until"} ${chain.functions.until}`;
}

async function askNetwork(name: string | undefined, options: GlobalOptions): Promise<Answer> {
  const chain = name === undefined ? undefined : (await publicChains())[name];
  if (name !== undefined && !chain) {
    throw new Problem(`No public chain is known as ${name}: wattwitness network list, or --rpc-url alone.`);
  }
  const url = options.rpcUrl ?? chain?.rpc_url;
  if (url === undefined) throw new Problem("Which chain? A name, or --rpc-url URL.", EXIT.usage);
  const told = await asked(url, chain?.chain_id).catch((error: unknown) => {
    if (options.rpcUrl !== undefined) throw error;
    throw new Problem(`${url}, ${name}'s own, cannot tell: ${firstLine(error)} Another one: --rpc-url URL.`);
  });
  return { text: list(said(told)), data: dataOf(told) };
}

const said = ({ chainId, precompile, gas, gasPrice, hasFactory }: Asked) => ({
  chain: chainId,
  "0x100": `${SAYS[precompile]}${gas === undefined ? "" : `, for ${gas} gas`}`,
  "gas price": `${formatGwei(gasPrice)} gwei`,
  "same addresses": hasFactory ? "deploy --create2 can give them" : "no: the factory for deploy --create2 is not there",
});

const dataOf = ({ chainId, precompile, gas, gasPrice, hasFactory }: Asked) => ({
  chain_id: chainId,
  p256: precompile,
  p256_gas: gas ?? null,
  gas_price_wei: gasPrice,
  has_create2_factory: hasFactory,
});
