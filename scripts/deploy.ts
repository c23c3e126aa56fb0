/** `npm run deploy`: the contracts on any chain. Options: `npm run deploy -- --help`. */
import { accessSync, constants } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import {
  type Abi,
  createPublicClient,
  createWalletClient,
  defineChain,
  formatEther,
  getAddress,
  type Hex,
  hexToString,
  http,
  type PublicClient,
  parseAbi,
  zeroHash,
} from "viem";
import { nonceManager, privateKeyToAccount } from "viem/accounts";
import { meterRegistryAbi } from "../contracts/abi.ts";
import {
  type Artifact,
  closeSetup,
  type Deployer,
  type Deployment,
  deployFunctionsAttestor,
  deployWattWitness,
  grant,
  NEVER,
  NOTICE,
  ROLES,
  type Step,
} from "../contracts/deploy.ts";
import { whyNotTogether } from "../contracts/together.ts";
import { NETWORKS_FILE, NetworksError, networkOf, readNetworks, writeNetwork } from "../subgraph/networks.ts";
import { ask } from "./ask.ts";
import { type CheckOptions, HELP, parseDeployOptions } from "./deploy-options.ts";
import { gasOfSettling, type Precompile, precompileOf } from "./precompile.ts";
import { type Operation, scheduledIn } from "./schedule.ts";

const SOURCE_FILE = new URL("../functions-source/verify-batch.js", import.meta.url);
/** ms between looks for a transaction's receipt */
const POLLING_INTERVAL = 1000;

const routerAbi = parseAbi(["function getContractById(bytes32 id) view returns (address)"]);

/** days */
const NOTICE_DAYS = NOTICE / 86_400;

/** Something that the user can mend: one sentence. */
class Problem extends Error {}

/** What is on the chain by now, and what may still come to be. */
const done: { contracts: { name: string; address: Hex }[]; sent: Step | undefined } = {
  contracts: [],
  sent: undefined,
};

const parsed = parseDeployOptions(process.argv.slice(2), process.env);
if (!parsed.ok) {
  console.error(parsed.problem);
  process.exit(1);
}
if (parsed.options === "help") {
  console.log(HELP);
  process.exit(0);
}
if ("check" in parsed.options) process.exit(await check(parsed.options));
const { options } = parsed;
const table = relative(process.cwd(), options.networksFile);

for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.on(signal, () => {
    console.error(["\nStopped.", ...remains()].join("\n"));
    process.exit(code);
  });
}

try {
  await run();
} catch (error) {
  const known = error instanceof Problem || error instanceof NetworksError;
  console.error([known ? error.message : `The deployment failed: ${firstLine(error)}`, ...remains()].join("\n"));
  process.exit(1);
}

async function run(): Promise<void> {
  checkTable();
  const { publicClient, chainId } = await reach(options.rpcUrl);
  const account = privateKeyToAccount(options.key, { nonceManager });
  const balance = await publicClient.getBalance({ address: account.address });
  if (balance === 0n) throw new Problem(`The deployer ${account.address} has nothing to pay with on chain ${chainId}.`);
  await checkRouter(publicClient);
  await checkPredecessor(publicClient);
  const precompile = await precompileOf(publicClient);
  if (precompile === "broken") {
    throw new Problem(
      "0x100 of this chain accepts a bad P-256 signature, or reverts: nothing can be verified with it.",
    );
  }

  console.log(planOf(chainId, account.address, balance, await costOf(precompile)));
  if (!options.yes) {
    if (!process.stdin.isTTY) throw new Problem("There is no terminal to ask on: with --yes nobody is asked.");
    if (!(await ask("Deploy? [y/N] "))) throw new Problem("Nothing was sent.");
  }

  const chain = defineChain({
    id: chainId,
    name: options.network,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [options.rpcUrl] } },
  });
  const wallet = createWalletClient({ account, chain, transport: http(options.rpcUrl) });
  const deployer: Deployer = { publicClient, wallet, artifact, progress: note };
  const { functions, unattestedAfter, capacityCeiling, predecessor } = options;
  const deployment = await deployWattWitness(deployer, {
    ...{ unattestedAfter, capacityCeiling },
    ...(predecessor && { predecessor }),
  });
  const source = await readFile(SOURCE_FILE, "utf8");
  const attestor = functions && (await deployFunctionsAttestor(deployer, deployment, { ...functions, source }));
  for (const granted of options.roles) {
    await grant(deployer, deployment.authority, ROLES[granted.role], granted.account);
  }
  if (!options.keepOpen) await closeSetup(deployer, deployment.authority);
  const why = await whyNotTogether(publicClient, { ...deployment, attestor });
  if (why) throw new Problem(why);
  // all is deployed: what the node does not tell any more must not keep it out of the table
  const scheduled = await scheduledIn(publicClient, deployment.authority, deployment.fromBlock).catch(firstLine);
  tell(deployment, attestor, scheduled);
}

/** Tells whether contracts belong together. Returns the exit code. */
async function check({ rpcUrl, check: contracts }: CheckOptions): Promise<number> {
  const problem = await reach(rpcUrl)
    .then(({ publicClient }) => whyNotTogether(publicClient, contracts))
    .catch((error) => (error instanceof Problem ? error.message : `The node does not tell: ${firstLine(error)}`));
  if (problem) console.error(problem);
  else console.log(`They belong together: ${Object.values(contracts).filter(Boolean).join(", ")}`);
  return problem ? 1 : 0;
}

/** What settling costs on a chain, as it was measured. */
async function costOf(precompile: Precompile): Promise<string> {
  const gas = await gasOfSettling();
  const [cheap, dear] = [gas.with, gas.without].map((amount) => amount.toLocaleString("en"));
  return precompile === "working"
    ? `verified by the chain at 0x100: settling a day of a meter takes some ${cheap} gas`
    : `not verified by this chain at 0x100, so in Solidity: settling a day of a meter takes some ${dear} gas, not ${cheap}`;
}

/** The table is written last: what would stop that is found first. */
function checkTable(): void {
  if (readNetworks(table).has(options.network)) {
    throw new Problem(`${options.network} is in ${table} already: choose another --network, or remove that entry.`);
  }
  try {
    accessSync(dirname(table), constants.W_OK);
  } catch (error) {
    throw new Problem(`${table} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}

async function reach(rpcUrl: string): Promise<{ publicClient: PublicClient; chainId: number }> {
  const transport = http(rpcUrl);
  const publicClient: PublicClient = createPublicClient({ transport, pollingInterval: POLLING_INTERVAL });
  const chainId = await publicClient.getChainId().catch((error: unknown) => {
    throw new Problem(`The node at --rpc-url does not answer: ${firstLine(error)}`);
  });
  return { publicClient, chainId };
}

/** The attestor keeps router and DON id for good. */
async function checkRouter(publicClient: PublicClient): Promise<void> {
  if (!options.functions) return;
  const { router, donId } = options.functions;
  if (!(await publicClient.getCode({ address: router }))) {
    throw new Problem(`--router ${router} has no code on this chain.`);
  }
  const request = { address: router, abi: routerAbi, functionName: "getContractById", args: [donId] } as const;
  await publicClient.readContract(request).catch(() => {
    throw new Problem(`--router ${router} knows no DON ${nameOf(donId)}, or is no router of Chainlink Functions.`);
  });
}

/** The registry keeps it for good, and asks it this at every registration: with another contract there would be none. */
async function checkPredecessor(publicClient: PublicClient): Promise<void> {
  const { predecessor } = options;
  if (!predecessor) return;
  if (!(await publicClient.getCode({ address: predecessor }))) {
    throw new Problem(`--predecessor ${predecessor} has no code on this chain.`);
  }
  const request = {
    address: predecessor,
    abi: meterRegistryAbi,
    functionName: "meterOfKey",
    args: [zeroHash],
  } as const;
  await publicClient.readContract(request).catch(() => {
    throw new Problem(`--predecessor ${predecessor} is no MeterRegistry.`);
  });
}

async function artifact(name: string): Promise<Artifact> {
  const { default: hre } = await import("hardhat");
  const { abi, bytecode } = await hre.artifacts.readArtifact(name);
  return { abi: abi as Abi, bytecode: bytecode as Hex };
}

/** Keeps and prints what a transaction has come to. */
function note({ receipt, ...step }: Step): void {
  done.sent = receipt ? undefined : step;
  if (receipt?.status !== "success") return;
  const address = receipt.contractAddress && getAddress(receipt.contractAddress);
  if (address) done.contracts.push({ name: step.what, address });
  console.log(`  block ${receipt.blockNumber}  ${step.what}${address ? ` is at ${address}` : ""}`);
}

/** What somebody whose deployment broke off should know. */
function remains(): string[] {
  const { contracts, sent } = done;
  if (contracts.length === 0 && !sent) return [];
  return [
    ...(contracts.length > 0 ? ["By then these were deployed:"] : []),
    ...contracts.map(({ name, address }) => `  ${name.padEnd(18)} ${address}`),
    ...(sent ? [`This was sent, and may still come: ${sent.what}, transaction ${sent.hash}`] : []),
    `${table} is as it was. A new attempt deploys all of them anew.`,
  ];
}

function planOf(chainId: number, deployer: Hex, balance: bigint, cost: string): string {
  const { network, functions, roles, unattestedAfter, capacityCeiling, predecessor, keepOpen } = options;
  const accountOf = (role: string) => roles.find((granted) => granted.role === role)?.account;
  const [administrator, registrar] = [accountOf("administrator"), accountOf("registrar")];
  const never = unattestedAfter === NEVER;
  const old = unattestedAfter === 0 ? "always" : `once its last settled reading is ${unattestedAfter} s old`;
  const lines = {
    deployer: `${deployer}, has ${formatEther(balance)} of the chain's coin`,
    contracts: `Authority, MeterDescriptor, MeterRegistry, WattWitness with its ProductionToken, Lens${functions ? ", FunctionsAttestor" : ""}`,
    DON: functions
      ? `${nameOf(functions.donId)}, by the router ${functions.router}`
      : `none, and no attestor yet${never ? ": nothing settles before there is one" : ""}`,
    signatures: cost,
    unattested: `a meter settles on its signature alone: ${never ? "never" : old}; that is for good`,
    ceiling: `a meter is registered with ${capacityCeiling} W at most; that is for good`,
    predecessor: predecessor ?? "none",
    administrator: administrator ? `${administrator}, and the deployer` : "the deployer",
    registrar: registrar ?? "nobody yet",
    operator: accountOf("operator") ?? "nobody yet",
    guardian: accountOf("guardian") ?? "nobody yet",
    "setting up": keepOpen ? "stays open" : `ends: whatever role is granted later begins after ${NOTICE_DAYS} days`,
    table: `${table} gets an entry ${network}`,
  };
  return [
    `WattWitness on ${network}, chain ${chainId}:`,
    ...Object.entries(lines).map(([name, text]) => `  ${name.padEnd(15)}${text}`),
    ...(keepOpen || administrator || registrar
      ? []
      : [
          `No administrator but the deployer is named, and no registrar: he grants either later, ${NOTICE_DAYS} days ahead.`,
        ]),
  ].join("\n");
}

/** Writes the table; a deployment that cannot be written down is printed all the same. */
function tell(deployment: Deployment, attestor: Hex | undefined, scheduled: readonly Operation[] | string): void {
  const { network, keepOpen, predecessor } = options;
  const entry = networkOf(deployment, attestor);
  const elsewhere = options.networksFile === NETWORKS_FILE ? "" : ` --networks-file ${options.networksFile}`;
  let written: string;
  try {
    writeNetwork(table, network, entry);
    written = `${table} has it as ${network}.`;
  } catch (error) {
    process.exitCode = 1;
    const text = JSON.stringify({ [network]: entry }, null, 2);
    written = `${table} was not written (${firstLine(error)}). Its entry:\n${text}`;
  }
  const addresses = {
    ...{ Authority: deployment.authority, MeterDescriptor: deployment.descriptor },
    ...Object.fromEntries(Object.entries(entry).map(([name, { address }]) => [name, address])),
    Lens: deployment.lens,
  };
  const { MeterRegistry, WattWitness, FunctionsAttestor } = entry;
  const lines = [
    "",
    `Deployed, from block ${deployment.fromBlock} on:`,
    ...Object.entries(addresses).map(([name, address]) => `  ${name.padEnd(18)} ${getAddress(address)}`),
    written,
    keepOpen
      ? "The setting up is open: until close is called on the Authority no delay holds, and a role begins at once."
      : `The setting up is over: whatever role is granted from now on begins after ${NOTICE_DAYS} days.`,
    ...scheduleOf(scheduled),
    "",
    "Next:",
    keepOpen ? "  Grant what is missing, and call close." : `  Grant what is missing, ${NOTICE_DAYS} days ahead.`,
    "  Hand role 0 to a timelock or multisig; then the deployer renounces it.",
    ...(predecessor
      ? [
          `  The predecessor's administrator grants the registrar's role there to ${MeterRegistry.address}:`,
          "  then registering a meter here takes it down there.",
        ]
      : []),
    ...(FunctionsAttestor
      ? [
          "  The operator opens a Chainlink Functions subscription, pays LINK into it and adds the FunctionsAttestor as consumer.",
        ]
      : []),
    "  The oracle (oracle/README.md) runs with these, and without WATTWITNESS_DEPLOYER_KEY:",
    "    WATTWITNESS_RPC_URL=…",
    `    WATTWITNESS_REGISTRY=${MeterRegistry.address}`,
    `    WATTWITNESS_WATTWITNESS=${WattWitness.address}`,
    `    WATTWITNESS_FROM_BLOCK=${deployment.fromBlock}`,
    "    WATTWITNESS_OPERATOR_KEY=…",
    ...(FunctionsAttestor
      ? [
          `    WATTWITNESS_ATTESTOR=${FunctionsAttestor.address}`,
          "    WATTWITNESS_SUBSCRIPTION_ID=…",
          `    WATTWITNESS_FUNCTIONS_ROUTER=${options.functions?.router}`,
          "    WATTWITNESS_PUBLIC_URLS=…",
        ]
      : []),
    `  The subgraph: npm run subgraph:build -- --network ${network}${elsewhere}`,
  ];
  console.log(lines.join("\n"));
}

/** A text is why it is not known. */
function scheduleOf(scheduled: readonly Operation[] | string): string[] {
  if (typeof scheduled === "string")
    return [`What is scheduled in the Authority, the node does not tell (${scheduled}).`];
  if (scheduled.length === 0) return ["In the Authority nothing is scheduled."];
  return [
    "In the Authority this is scheduled:",
    ...scheduled.map(({ when, target, data }) => `  ${new Date(when * 1000).toISOString()}  ${target} ${data}`),
  ];
}

/** The text that a DON id is, or its bytes where they are none. */
function nameOf(donId: Hex): string {
  const text = hexToString(donId, { size: 32 });
  return /^[\x21-\x7e]+$/.test(text) ? text : donId;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
