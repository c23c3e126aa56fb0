/**
 * Gives explorers the contracts' sources, which they compile and compare: `npm run explorers -- --network NAME`. What was
 * deployed, and with which arguments, is in the deployment's journal. Neither Sourcify nor Blockscout asks for a key.
 */
import { join } from "node:path";
import { verifyContract } from "@nomicfoundation/hardhat-verify/verify";
import { Command, Option } from "commander";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import { type Abi, decodeDeployData, getAddress, type Hex, keccak256, parseTransaction, slice } from "viem";
import { compiled } from "../cli/chain/artifacts.ts";
import { reach } from "../cli/chain/deployment.ts";
import { transactionsIn } from "../cli/commands/deploy/journal.ts";
import { firstLine, Problem } from "../cli/problem.ts";
import { wattWitnessAbi } from "../contracts/abi.ts";
import { addressOf, FACTORY } from "../contracts/deploy.ts";
import config from "../hardhat.config.ts";

const CONTRACTS = ["Authority", "MeterDescriptor", "MeterRegistry", "WattWitness", "Lens", "FunctionsAttestor"];
const EXPLORERS = ["sourcify", "blockscout"] as const;

type Options = {
  network: string;
  rpcUrl?: string;
  journal?: string;
  on: (typeof EXPLORERS)[number][];
  sourcifyUrl?: string;
  blockscoutUrl?: string;
};

/** A contract of a deployment. `args`: its constructor's */
type Deployed = { name: string; address: Hex; args: readonly unknown[]; hash: Hex };

const program = new Command("npm run explorers --")
  .description("give explorers the contracts' sources: they compile them and say whether they are what was deployed")
  .requiredOption("--network <name>", "as the deployment called it")
  .addOption(new Option("--rpc-url <url>", "JSON-RPC of a node of the chain").env("WATTWITNESS_RPC_URL"))
  .option("--journal <file>", "what the deployment sent (.wattwitness/deploy-NETWORK)")
  .addOption(new Option("--on <explorers...>", "which").choices(EXPLORERS).default([...EXPLORERS]))
  .option("--sourcify-url <url>", "another Sourcify than https://sourcify.dev")
  .option("--blockscout-url <url>", "the chain's Blockscout, where it is not known");

try {
  await give(program.parse().opts<Options>());
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function give(options: Options): Promise<void> {
  const { client, chainId } = await reach(options.rpcUrl);
  const deployed = await deployedBy(options.journal ?? join(".wattwitness", `deploy-${options.network}`), client);
  const hre = await environment(options, chainId);
  for (const provider of options.on) {
    for (const { name, address, args, hash } of deployed) {
      const contract = `contracts/${name}.sol:${name}`;
      try {
        const given = { address, constructorArgs: [...args], contract, creationTxHash: hash, provider };
        await verifyContract(given, hre);
      } catch (error) {
        process.exitCode = 1;
        console.error(`${name} at ${address} is not verified on ${provider}: ${firstLine(error)}`);
      }
    }
  }
}

async function deployedBy(journal: string, client: Awaited<ReturnType<typeof reach>>["client"]): Promise<Deployed[]> {
  const artifacts = await Promise.all(CONTRACTS.map(async (name) => ({ name, ...(await compiled(name)) })));
  const deployed: Deployed[] = [];
  for (const transaction of transactionsIn(journal)) {
    const { to, data = "0x" } = parseTransaction(transaction);
    const isMade = to?.toLowerCase() === FACTORY.toLowerCase();
    if (to && !isMade) continue;
    const code = isMade ? slice(data, 32) : data;
    const artifact = artifacts.find(({ bytecode }) => code.startsWith(bytecode));
    if (!artifact) throw new Problem(`${journal} deployed contracts of another version: give that version's sources.`);
    const { name, abi, bytecode } = artifact;
    const hash = keccak256(transaction);
    const { contractAddress } = await client.getTransactionReceipt({ hash });
    const address = isMade ? addressOf(slice(data, 0, 32), code) : getAddress(contractAddress as Hex);
    deployed.push({ name, address, args: argsOf(abi, bytecode, code), hash });
    if (name === "WattWitness") {
      const token = await client.readContract({ address, abi: wattWitnessAbi, functionName: "token" });
      deployed.push({ name: "ProductionToken", address: token, args: [], hash });
    }
  }
  if (deployed.length === 0)
    throw new Problem(`${journal} is not there, or deployed nothing: --journal FILE names it.`);
  return deployed;
}

function argsOf(abi: Abi, bytecode: Hex, data: Hex): readonly unknown[] {
  return data === bytecode ? [] : (decodeDeployData({ abi, bytecode, data }).args ?? []);
}

function environment(
  { network, rpcUrl, sourcifyUrl, blockscoutUrl }: Options,
  chainId: number,
): Promise<HardhatRuntimeEnvironment> {
  const blockscout = blockscoutUrl && { name: "Blockscout", url: blockscoutUrl, apiUrl: `${blockscoutUrl}/api` };
  return createHardhatRuntimeEnvironment(
    {
      ...config,
      networks: { ...config.networks, [network]: { type: "http", url: rpcUrl as string } },
      ...(blockscout && { chainDescriptors: { [chainId]: { name: network, blockExplorers: { blockscout } } } }),
      ...(sourcifyUrl && { verify: { sourcify: { apiUrl: sourcifyUrl } } }),
    },
    { network, buildProfile: "default" },
  );
}
