/** Deploys WattWitness: used by tests, benchmarks, the demo and `wattwitness deploy`. */
import {
  type Abi,
  type Account,
  type Chain,
  concat,
  encodeDeployData,
  getContractAddress,
  type Hex,
  numberToHex,
  type PublicClient,
  size,
  slice,
  type TransactionReceipt,
  type Transport,
  toFunctionSelector,
  type WalletClient,
  zeroAddress,
} from "viem";
import { functionsAttestorAbi, meterRegistryAbi, wattWitnessAbi } from "./abi.ts";

/** Roles of the Authority; role 0 is the administrator's. */
export const ROLES = { administrator: 0n, registrar: 1n, operator: 2n, attestor: 3n, guardian: 4n } as const;

/**
 * s after which a role that is granted begins, and an administrator's change of what a role may do, once the setting up is
 * over: Authority.NOTICE. A role is revoked at once.
 */
export const NOTICE = 5 * 24 * 3600;

/** unattestedAfter: a meter never settles without attestation. */
export const NEVER = 0xffff_ffff;
/** unattestedAfter: after 30 days. */
export const THIRTY_DAYS = 30 * 24 * 3600;

/** W, the most that a meter is registered with where a deployment does not say: a large roof. */
export const CAPACITY_CEILING = 100_000;

export type Wallet = WalletClient<Transport, Chain | undefined, Account>;

/** A compiled contract, as Hardhat keeps it. */
export type Artifact = { abi: Abi; bytecode: Hex };

export type Deployer = {
  publicClient: PublicClient;
  wallet: Wallet;
  artifact: (name: string) => Promise<Artifact>;
  /** the contracts are made by FACTORY with it, and so have the same addresses on every chain: see addressOf */
  salt?: Hex;
  /** told of every transaction twice: once it is sent, and once it is in a block, then with its receipt */
  progress?: (step: Step) => void;
};

/** `what`: the contract that is deployed, or contract.function; `receipt`: with the contract's address */
export type Step = { what: string; hash: Hex; receipt?: TransactionReceipt };

/**
 * Deploys by CREATE2 (EIP-1014) what it is sent, 32 bytes of salt and the code: the "deterministic deployment proxy", which
 * is at this address of most chains.
 */
export const FACTORY: Hex = "0x4e59b44847b379578588920cA78FbF26c0B4956C";

/** What a deployment fixes, once and for all. */
export type DeploymentTerms = {
  /** s; see NEVER */
  unattestedAfter: number;
  /** W; CAPACITY_CEILING unless told */
  capacityCeiling?: number;
  /** registry of an earlier deployment whose meters this one takes over */
  predecessor?: Hex;
};

export type Deployment = {
  authority: Hex;
  descriptor: Hex;
  registry: Hex;
  wattWitness: Hex;
  token: Hex;
  lens: Hex;
  /** block of the registry's deployment: none of the others' events is in an earlier one */
  fromBlock: number;
};

/** A chain's 0x100 is something else than P-256 verification: see IWattWitness. */
const PRECOMPILE_BROKEN = toFunctionSelector("PrecompileBroken()");

function explained(error: Error): never {
  if (!error.message.includes("PrecompileBroken") && !error.message.includes(PRECOMPILE_BROKEN)) throw error;
  throw new Error("0x100 of this chain accepts a bad P-256 signature, or reverts: nothing can be verified with it");
}

/**
 * The contracts without an attestor; `wallet` becomes the administrator. Throws on a chain whose 0x100 is broken, which
 * WattWitness refuses. Roles begin at once until the setting up is closed: see `closeSetup`.
 */
export async function deployWattWitness(deployer: Deployer, terms: DeploymentTerms): Promise<Deployment> {
  const { publicClient, wallet } = deployer;
  const { unattestedAfter, capacityCeiling = CAPACITY_CEILING, predecessor = zeroAddress } = terms;
  const authority = await deploy(deployer, "Authority", [wallet.account.address]);
  const descriptor = await deploy(deployer, "MeterDescriptor", []);
  const registryArgs = [authority, descriptor, capacityCeiling, predecessor];
  const { address: registry, block: fromBlock } = await deployed(deployer, "MeterRegistry", registryArgs);
  const wattWitness = await deploy(deployer, "WattWitness", [authority, registry, unattestedAfter]).catch(explained);
  const onWattWitness = { address: wattWitness, abi: wattWitnessAbi } as const;
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
  await restrict(deployer, authority, registry, selectors(meterRegistryAbi, registrars), ROLES.registrar);
  await restrict(deployer, authority, registry, selectors(meterRegistryAbi, PAUSING), ROLES.guardian);
  await restrict(deployer, authority, wattWitness, selectors(wattWitnessAbi, ["attest"]), ROLES.attestor);
  const lens = await deploy(deployer, "Lens", [wattWitness]);
  return { authority, descriptor, registry, wattWitness, token, lens, fromBlock };
}

/** Ends the setting up: from now on a role that is granted begins after NOTICE, whoever grants it, and nobody can change that. */
export async function closeSetup(deployer: Deployer, authority: Hex): Promise<void> {
  await manage(deployer, authority, "close", []);
}

/** Certificates of hours, beside a deployment. They have no owner: anyone may deploy others, which certify other tokens. */
export const deployCertificates = (deployer: Deployer, wattWitness: Hex): Promise<Hex> =>
  deploy(deployer, "HourlyCertificates", [wattWitness]);

/** The factory of solar parks, beside certificates. It has no owner either. */
export async function deployParkFactory(deployer: Deployer, certificates: Hex): Promise<Hex> {
  const descriptor = await deploy(deployer, "ParkDescriptor", []);
  const codes = [];
  for (const name of ["SolarPark", "RestrictedPark", "ParkGovernor"]) codes.push(await store(deployer, name));
  return deploy(deployer, "ParkFactory", [certificates, descriptor, ...codes]);
}

/** Bytes of code in a piece: what a contract may have (EIP-170), less the STOP before them. */
const PIECE = 24_575;

/** Keeps the code of a contract that others make, as the code of as many contracts as it takes: see StoredCode. */
async function store(deployer: Deployer, name: string): Promise<Hex[]> {
  const { bytecode } = await deployer.artifact(name);
  const pieces: Hex[] = [];
  for (let start = 0; start < size(bytecode); start += PIECE) {
    const piece = concat(["0x00", slice(bytecode, start, Math.min(start + PIECE, size(bytecode)))]);
    pieces.push((await created(deployer, `code of ${name}`, concat([returning(piece), piece]))).address);
  }
  return pieces;
}

/** Init code that leaves what follows it as the code: PUSH2 length, DUP1, PUSH1 10, 0, CODECOPY, 0, RETURN. */
const returning = (code: Hex): Hex => concat(["0x61", numberToHex(size(code), { size: 2 }), "0x80600a3d393df3"]);

export type FunctionsDon = { router: Hex; donId: Hex; source: string };

/** The attestor that asks a Chainlink Functions DON, with the role it needs. */
export async function deployFunctionsAttestor(
  deployer: Deployer,
  { authority, wattWitness }: Deployment,
  { router, donId, source }: FunctionsDon,
): Promise<Hex> {
  const attestor = await deploy(deployer, "FunctionsAttestor", [authority, router, wattWitness, donId, source]);
  await restrict(deployer, authority, attestor, selectors(functionsAttestorAbi, ["request", "order"]), ROLES.operator);
  await restrict(deployer, authority, attestor, selectors(functionsAttestorAbi, PAUSING), ROLES.guardian);
  await grant(deployer, authority, ROLES.attestor, attestor);
  return attestor;
}

const PAUSING = ["pause", "unpause"];

/** Grants a role: at once while a deployment is set up, after NOTICE later. */
export async function grant(deployer: Deployer, authority: Hex, role: bigint, account: Hex): Promise<void> {
  await manage(deployer, authority, "grantRole", [role, account, 0]);
}

const restrict = (deployer: Deployer, authority: Hex, target: Hex, functions: Hex[], role: bigint) =>
  manage(deployer, authority, "setTargetFunctionRole", [target, functions, role]);

async function manage(deployer: Deployer, authority: Hex, functionName: string, args: unknown[]): Promise<void> {
  const { abi } = await deployer.artifact("Authority");
  const { wallet } = deployer;
  const request = { chain: wallet.chain, address: authority, abi, functionName, args };
  await confirmed(deployer, `Authority.${functionName}`, wallet.writeContract(request));
}

export async function deploy(deployer: Deployer, name: string, args: unknown[]): Promise<Hex> {
  return (await deployed(deployer, name, args)).address;
}

async function deployed(deployer: Deployer, name: string, args: unknown[]): Promise<{ address: Hex; block: number }> {
  const { abi, bytecode } = await deployer.artifact(name);
  return created(deployer, name, encodeDeployData({ abi, bytecode, args }));
}

/** `code`: with the constructor's arguments. */
async function created(deployer: Deployer, name: string, code: Hex): Promise<{ address: Hex; block: number }> {
  const { wallet, salt } = deployer;
  const data = salt ? { to: FACTORY, data: concat([salt, code]) } : { data: code };
  const sent = wallet.sendTransaction({ chain: wallet.chain, ...data });
  const receipt = await confirmed(deployer, name, sent, salt && addressOf(salt, code));
  if (!receipt.contractAddress) throw new Error(`${name} was not deployed`);
  return { address: receipt.contractAddress, block: Number(receipt.blockNumber) };
}

/** Where FACTORY puts it, on whatever chain. `code`: with the constructor's arguments. */
export const addressOf = (salt: Hex, code: Hex): Hex =>
  getContractAddress({ opcode: "CREATE2", from: FACTORY, salt, bytecode: code });

/** `made`: the contract's address, where a receipt does not tell it. */
async function confirmed(deployer: Deployer, what: string, transaction: Promise<Hex>, made?: Hex) {
  const { publicClient, progress } = deployer;
  const hash = await transaction;
  progress?.({ what, hash });
  const receipt = await publicClient.waitForTransactionReceipt({ hash });
  receipt.contractAddress ??= made;
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
