/** Checks, plans, sends and writes down a deployment. */
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { defineChain, encodeDeployData, getAddress, type Hex, type PublicClient } from "viem";
import {
  addressOf,
  closeSetup,
  type Deployer,
  deployFunctionsAttestor,
  deployWattWitness,
  grant,
  ROLES,
  type Step,
} from "../../../contracts/deploy.ts";
import { whyNotTogether } from "../../../contracts/together.ts";
import { compiled } from "../../chain/artifacts.ts";
import { reach, tableOfDeployments } from "../../chain/deployment.ts";
import { accountOf } from "../../chain/keys.ts";
import { firstLine, Problem } from "../../problem.ts";
import { confirm } from "../../terminal/asking.ts";
import type { Answer } from "../../terminal/telling.ts";
import { checkFactory, checkName, checkPrecompile, checkPredecessor, checkRouter, checkTable } from "./checks.ts";
import { type Journal, openJournal } from "./journal.ts";
import { type DeployOptions, type Functions, GRANTED, saltOf } from "./options.ts";
import { planOf } from "./plan.ts";
import { resumingWallet } from "./resuming.ts";
import { scheduledIn } from "./schedule.ts";
import { type Deployed, told } from "./told.ts";

const SOURCE_FILE = new URL("../../../functions-source/verify-batch.js", import.meta.url);

export async function deploying(options: DeployOptions, functions: Functions): Promise<Answer> {
  const { network, journal: file = join(".wattwitness", `deploy-${network}`) } = options;
  const table = relative(process.cwd(), tableOfDeployments(options));
  const account = await accountOf(options);
  const { client, chainId } = await reach(options.rpcUrl);
  const journal = openJournal(file, { network, chainId, deployer: account.address });
  const sent = journal.transactions.length;
  checkTable(table, network, sent > 0);
  await checkName(network, chainId);
  const balance = await client.getBalance({ address: account.address });
  if (balance === 0n) throw new Problem(`The deployer ${account.address} has nothing to pay with on chain ${chainId}.`);
  const salt = saltOf(account.address, options);
  const authority = salt && (await authorityOf(salt, account.address));
  if (authority) await checkFactory(client, authority, sent > 0);
  await checkRouter(client, functions);
  await checkPredecessor(client, options.predecessor);
  const precompile = await checkPrecompile(client, options.withoutPrecompile === true);
  const gasPrice = await client.getGasPrice();
  const found = { chainId, deployer: account.address, balance, gasPrice, precompile, authority };
  console.error(await planOf({ options, functions, ...found, table, journal: file, sent }));
  if (options.dryRun) return { text: "Nothing was sent.", data: { sent: false } };

  const chain = defineChain({
    id: chainId,
    name: network,
    nativeCurrency: { name: "coin", symbol: "coin", decimals: 18 },
    rpcUrls: { default: { http: [options.rpcUrl as string] } },
  });
  let isNew = false;
  const agreed = async () => {
    await confirm("Deploy?", options.yes === true);
    isNew = true;
  };
  const wallet = resumingWallet({ client, account, chain, rpcUrl: options.rpcUrl as string, journal, agreed });
  const deployer: Deployer = {
    publicClient: client,
    wallet,
    artifact: compiled,
    progress: show,
    ...(salt && { salt }),
  };
  const deployed = await sendAll(deployer, options, functions).catch((error: unknown) => {
    throw goesOn(error, journal);
  });
  return told({ options, table, deployed, isNew, scheduled: await scheduled(client, deployed) });
}

async function authorityOf(salt: Hex, deployer: Hex): Promise<Hex> {
  const { abi, bytecode } = await compiled("Authority");
  return addressOf(salt, encodeDeployData({ abi, bytecode, args: [deployer] }));
}

async function sendAll(deployer: Deployer, options: DeployOptions, functions: Functions): Promise<Deployed> {
  const { unattestedAfter, capacityCeiling, predecessor } = options;
  const deployment = await deployWattWitness(deployer, {
    ...{ unattestedAfter, capacityCeiling },
    ...(predecessor && { predecessor }),
  });
  const source = await readFile(SOURCE_FILE, "utf8");
  const attestor = functions && (await deployFunctionsAttestor(deployer, deployment, { ...functions, source }));
  for (const role of GRANTED) {
    const granted = options[role];
    if (granted) await grant(deployer, deployment.authority, ROLES[role], granted);
  }
  if (!options.keepOpen) await closeSetup(deployer, deployment.authority);
  const why = await whyNotTogether(deployer.publicClient, { ...deployment, attestor });
  if (why) throw new Problem(why);
  return { ...deployment, attestor, router: functions?.router };
}

/** What it failed with, and that it is not lost. */
function goesOn(error: unknown, { file, transactions }: Journal): unknown {
  if (transactions.length === 0) return error;
  const why = error instanceof Problem ? error.message : `The deployment broke off: ${firstLine(error)}`;
  return new Problem(`${why}\nWhat was sent is in ${file}: run again with the same options, it goes on.`);
}

/** All is deployed: what the node does not tell any more must not keep it out of the table. */
const scheduled = (client: PublicClient, { authority, fromBlock }: Deployed) =>
  scheduledIn(client, authority, fromBlock).catch(firstLine);

/** Tells what a transaction has come to. */
function show({ what, receipt }: Step): void {
  if (receipt?.status !== "success") return;
  const address = receipt.contractAddress && getAddress(receipt.contractAddress);
  console.error(`  block ${receipt.blockNumber}  ${what}${address ? ` is at ${address}` : ""}`);
}
