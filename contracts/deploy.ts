/** Deploys WattWitness: used by tests, benchmarks, the demo and `npm run deploy`. */
import {
  type Abi,
  type Account,
  type Chain,
  type Hex,
  type PublicClient,
  type TransactionReceipt,
  type Transport,
  toFunctionSelector,
  type WalletClient,
} from "viem";
import { functionsAttestorAbi, meterRegistryAbi, wattWitnessAbi } from "./abi.ts";

/** Roles of the AccessManager; role 0 is the administrator's. */
export const ROLES = { administrator: 0n, registrar: 1n, operator: 2n, attestor: 3n, guardian: 4n } as const;

/**
 * s after which a role that is granted begins, and an administrator's change of what a role may do. A role is revoked at
 * once. The AccessManager itself lets five days pass before a delay holds: until then a deployment is being set up.
 */
export const ROLE_DELAY = 5 * 24 * 3600;

/** unattestedAfter: a meter never settles without attestation. */
export const NEVER = 0xffff_ffff;
/** unattestedAfter: after 30 days. */
export const THIRTY_DAYS = 30 * 24 * 3600;

export type Wallet = WalletClient<Transport, Chain | undefined, Account>;

/** A compiled contract, as Hardhat keeps it. */
export type Artifact = { abi: Abi; bytecode: Hex };

export type Deployer = {
  publicClient: PublicClient;
  wallet: Wallet;
  artifact: (name: string) => Promise<Artifact>;
  /** told of every transaction twice: once it is sent, and once it is in a block, then with its receipt */
  progress?: (step: Step) => void;
};

/** `what`: the contract that is deployed, or contract.function */
export type Step = { what: string; hash: Hex; receipt?: TransactionReceipt };

export type Deployment = {
  manager: Hex;
  registry: Hex;
  wattWitness: Hex;
  token: Hex;
  /** block of the registry's deployment: none of the others' events is in an earlier one */
  fromBlock: number;
};

/** IWattWitness.precompile: something at 0x100 accepts a bad signature. */
const PRECOMPILE_BROKEN = 2;

/**
 * The contracts without an attestor; `wallet` becomes the administrator. Throws on a chain whose 0x100 accepts a bad
 * signature, before the registry can take a meter.
 */
export async function deployWattWitness(deployer: Deployer, unattestedAfter: number): Promise<Deployment> {
  const { publicClient, wallet } = deployer;
  const manager = await deploy(deployer, "AccessManager", [wallet.account.address]);
  const { address: registry, block: fromBlock } = await deployed(deployer, "MeterRegistry", [manager]);
  const wattWitness = await deploy(deployer, "WattWitness", [manager, registry, unattestedAfter]);
  const onWattWitness = { address: wattWitness, abi: wattWitnessAbi } as const;
  if ((await publicClient.readContract({ ...onWattWitness, functionName: "precompile" })) === PRECOMPILE_BROKEN) {
    throw new Error("0x100 of this chain accepts a bad P-256 signature: nothing that it verifies can be trusted");
  }
  await confirmed(
    deployer,
    "MeterRegistry.nameWattWitness",
    wallet.writeContract({
      chain: wallet.chain,
      address: registry,
      abi: meterRegistryAbi,
      functionName: "nameWattWitness",
      args: [wattWitness],
    }),
  );
  const token = await publicClient.readContract({ ...onWattWitness, functionName: "token" });
  const registrars = [
    ...["register", "proposeKey", "proposeOwner", "proposeCapacity"],
    ...["cancelProposal", "lowerCapacity", "decommission"],
  ];
  await restrict(deployer, manager, registry, selectors(meterRegistryAbi, registrars), ROLES.registrar);
  await restrict(deployer, manager, registry, selectors(meterRegistryAbi, PAUSING), ROLES.guardian);
  await restrict(deployer, manager, wattWitness, selectors(wattWitnessAbi, ["attest"]), ROLES.attestor);
  for (const role of Object.values(ROLES)) await manage(deployer, manager, "setGrantDelay", [role, ROLE_DELAY]);
  for (const target of [registry, wattWitness]) await delayChanges(deployer, manager, target);
  return { manager, registry, wattWitness, token, fromBlock };
}

export type FunctionsDon = { router: Hex; donId: Hex; source: string };

/** The attestor that asks a Chainlink Functions DON, with the role it needs. */
export async function deployFunctionsAttestor(
  deployer: Deployer,
  { manager, wattWitness }: Deployment,
  { router, donId, source }: FunctionsDon,
): Promise<Hex> {
  const attestor = await deploy(deployer, "FunctionsAttestor", [manager, router, wattWitness, donId, source]);
  await restrict(deployer, manager, attestor, selectors(functionsAttestorAbi, ["request", "order"]), ROLES.operator);
  await restrict(deployer, manager, attestor, selectors(functionsAttestorAbi, PAUSING), ROLES.guardian);
  await delayChanges(deployer, manager, attestor);
  await grant(deployer, manager, ROLES.attestor, attestor);
  return attestor;
}

const PAUSING = ["pause", "unpause"];

/** Grants a role: at once while a deployment is set up, after ROLE_DELAY later. */
export async function grant(deployer: Deployer, manager: Hex, role: bigint, account: Hex): Promise<void> {
  await manage(deployer, manager, "grantRole", [role, account, 0]);
}

const restrict = (deployer: Deployer, manager: Hex, target: Hex, functions: Hex[], role: bigint) =>
  manage(deployer, manager, "setTargetFunctionRole", [target, functions, role]);

const delayChanges = (deployer: Deployer, manager: Hex, target: Hex) =>
  manage(deployer, manager, "setTargetAdminDelay", [target, ROLE_DELAY]);

async function manage(deployer: Deployer, manager: Hex, functionName: string, args: unknown[]): Promise<void> {
  const { abi } = await deployer.artifact("AccessManager");
  const { wallet } = deployer;
  const request = { chain: wallet.chain, address: manager, abi, functionName, args };
  await confirmed(deployer, `AccessManager.${functionName}`, wallet.writeContract(request));
}

export async function deploy(deployer: Deployer, name: string, args: unknown[]): Promise<Hex> {
  return (await deployed(deployer, name, args)).address;
}

async function deployed(deployer: Deployer, name: string, args: unknown[]): Promise<{ address: Hex; block: number }> {
  const { abi, bytecode } = await deployer.artifact(name);
  const { wallet } = deployer;
  const receipt = await confirmed(deployer, name, wallet.deployContract({ chain: wallet.chain, abi, bytecode, args }));
  if (!receipt.contractAddress) throw new Error(`${name} was not deployed`);
  return { address: receipt.contractAddress, block: Number(receipt.blockNumber) };
}

async function confirmed({ publicClient, progress }: Deployer, what: string, transaction: Promise<Hex>) {
  const hash = await transaction;
  progress?.({ what, hash });
  const receipt = await publicClient.waitForTransactionReceipt({ hash });
  progress?.({ what, hash, receipt });
  if (receipt.status !== "success") throw new Error(`${what}: transaction ${receipt.transactionHash} reverted`);
  return receipt;
}

const selectors = (abi: Abi, names: readonly string[]): Hex[] =>
  names.map((name) => {
    const item = abi.find((entry) => entry.type === "function" && entry.name === name);
    if (item?.type !== "function") throw new Error(`there is no function ${name}`);
    return toFunctionSelector(item);
  });
