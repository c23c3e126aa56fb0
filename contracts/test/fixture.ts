/** What the contract tests stand on: a chain of their own, the contracts, and meters whose every byte can be bent. */
import assert from "node:assert/strict";
import { sha256 } from "@noble/hashes/sha2.js";
import hre from "hardhat";
import {
  type Abi,
  BaseError,
  ContractFunctionRevertedError,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  type PublicClient,
  parseEventLogs,
  type TransactionReceipt,
} from "viem";
import {
  attestationLeaf,
  attestationRoot,
  createLog,
  decodeReading,
  domain,
  encodeClaim,
  encodeHead,
  encodeReading,
  encodeRotation,
  fromHex,
  frontier,
  type Head,
  headHash,
  inclusionProof,
  keyIdOf,
  leafHash,
  nodeHash,
  type Place,
  publicKeyOf,
  type RangeHash,
  type Reading,
  type Segment,
  sign,
  timestampOf,
  toHex,
} from "../../protocol/index.ts";
import { functionsAttestorAbi, lensAbi, meterRegistryAbi, productionTokenAbi, wattWitnessAbi } from "../abi.ts";
import { type DeploymentTerms, deploy, deployWattWitness, grant, ROLES, THIRTY_DAYS, type Wallet } from "../deploy.ts";
import {
  type Basis,
  decodeBasis,
  encodeBasis,
  headParts,
  hexes,
  publicKeyParts,
  type SettlementItem,
  settlementItem,
  signatureParts,
} from "../settlement.ts";

/** 2026-03-20T00:00:00Z: the chains of the tests begin here, and so do the readings. */
export const START = 1_773_964_800;
export const CAPACITY = 5000; // W
export const SOURCE = 0x10;
/** mW that the test meters produce, and what that makes of 10 s */
export const POWER = 3_600_000n;
export const STEP = 10_000n; // mWh
export const UNITS = 10n ** 12n;
export const ZERO = toHex(new Uint8Array(32));

/** IWattWitness.Status */
export const STATUS = { None: 0, Active: 1, Frozen: 2, Superseded: 3, Decommissioned: 4 } as const;
/** IWattWitness.SkipReason */
export const SKIP_REASONS = {
  ...{ Overtaken: 1, CapacityChanged: 2, Frozen: 3, Decommissioned: 4, Superseded: 5, Passed: 6 },
} as const;
/** IMeterRegistry.Change */
export const CHANGE = { Key: 0, Owner: 1, Capacity: 2 } as const;

/** Every error that can come up through a call of any of the contracts. */
const ERRORS = [wattWitnessAbi, meterRegistryAbi, functionsAttestorAbi, productionTokenAbi, lensAbi]
  .flat()
  .filter((item) => item.type === "error");

const EVENTS = [meterRegistryAbi, wattWitnessAbi, productionTokenAbi].flat().filter((item) => item.type === "event");

export type Network = "default" | "rollup" | "prague";

/** Somewhere to deploy to. */
export type Chain = {
  publicClient: PublicClient;
  wallets: Wallet[];
  /** Asks the node itself. */
  request: (method: string, params?: unknown[]) => Promise<unknown>;
  /** Mines a block at this time (s). */
  at: (timestamp: number) => Promise<void>;
};

/** `osaka` has P-256 at 0x100, so has the `rollup`; `prague` has not. */
export async function createChain(network: Network = "default"): Promise<Chain> {
  const connection = await hre.network.create({ network, override: { initialDate: new Date(START * 1000) } });
  const request: Chain["request"] = (method, params = []) => connection.provider.request({ method, params });
  return {
    publicClient: (await connection.viem.getPublicClient()) as unknown as PublicClient,
    wallets: (await connection.viem.getWalletClients()) as unknown as Wallet[],
    request,
    at: mineAt(request),
  };
}

export const mineAt = (request: Chain["request"]) => async (timestamp: number) => {
  await request("evm_setNextBlockTimestamp", [`0x${timestamp.toString(16)}`]);
  await request("evm_mine");
};

export const artifact = async (name: string) => {
  const { abi, bytecode } = await hre.artifacts.readArtifact(name);
  return { abi: abi as Abi, bytecode: bytecode as Hex };
};

export const NETWORKS = [
  ["default", "Ethereum with the precompile at 0x100"],
  ["rollup", "a rollup with the precompile at 0x100"],
  ["prague", "a chain without the precompile"],
] as const;

/** The libraries' functions, through the harness that opens them. */
export type Libraries = Awaited<ReturnType<typeof openLibraries>>;

export async function openLibraries(network: Network) {
  const { publicClient, wallets } = await createChain(network);
  const address = await deploy({ publicClient, wallet: wallets[0] as Wallet, artifact }, "Harness", []);
  const { abi } = await artifact("Harness");
  const call = (functionName: string, ...args: unknown[]): Promise<unknown> =>
    publicClient.readContract({ address, abi, functionName, args });
  const precompile = async (data: Hex) => (await publicClient.call({ to: P256_VERIFY, data })).data;
  /** As call, with no more gas than that for the whole. */
  const withGas = async (gas: bigint, functionName: string, ...args: unknown[]): Promise<unknown> => {
    const data = encodeFunctionData({ abi, functionName, args });
    const { data: answer } = await publicClient.call({ to: address, data, gas });
    return decodeFunctionResult({ abi, functionName, data: answer as Hex });
  };
  return Object.assign(call, { precompile, withGas });
}

/** P256VERIFY of EIP-7951. */
const P256_VERIFY = "0x0000000000000000000000000000000000000100";

/** The contracts on a chain; accounts: 0 administrator and registrar, 1 owner, 2 attestor, 3 stranger, 4 guardian. */
export async function deployFixture(network?: Network, unattestedAfter = THIRTY_DAYS) {
  return deployOn(await createChain(network), unattestedAfter);
}

export async function deployOn(chain: Chain, unattestedAfter = THIRTY_DAYS, terms: Partial<DeploymentTerms> = {}) {
  const { publicClient, request } = chain;
  const [admin, owner, attestor, stranger, guardian] = chain.wallets as [Wallet, Wallet, Wallet, Wallet, Wallet];
  const deployer = { publicClient, wallet: admin, artifact };
  const deployment = await deployWattWitness(deployer, { unattestedAfter, ...terms });
  await grant(deployer, deployment.authority, ROLES.registrar, admin.account.address);
  await grant(deployer, deployment.authority, ROLES.attestor, attestor.account.address);
  await grant(deployer, deployment.authority, ROLES.guardian, guardian.account.address);
  const place: Place = { chainId: await publicClient.getChainId(), registry: deployment.registry };

  const registry = { address: deployment.registry, abi: [...meterRegistryAbi, ...ERRORS] as const };
  const wattWitness = { address: deployment.wattWitness, abi: [...wattWitnessAbi, ...ERRORS] as const };
  const lens = { address: deployment.lens, abi: [...lensAbi, ...ERRORS] as const };
  const token = { address: deployment.token, abi: productionTokenAbi };

  type Call = { address: Hex; abi: Abi | readonly unknown[]; functionName: string; args: readonly unknown[] };
  /** Sends a transaction after simulating it, so that a refusal comes with its error. */
  const send = async (call: Call, by: Wallet = admin) => {
    const transaction = { ...call, abi: call.abi as Abi, account: by.account };
    await publicClient.simulateContract(transaction);
    const hash = await by.writeContract({ ...transaction, chain: by.chain });
    return publicClient.waitForTransactionReceipt({ hash });
  };

  const attest = (root: Hex, by = attestor) => send({ ...wattWitness, functionName: "attest", args: [root] }, by);
  const settle = (attestation: Hex, items: readonly SettlementItem[], by = stranger) =>
    send({ ...wattWitness, functionName: "settle", args: [attestation, items] }, by);
  const register = (meter: TestMeter, change: Partial<ReturnType<typeof registrationOf>> = {}, by = admin) =>
    send(
      { ...registry, functionName: "register", args: [{ ...registrationOf(meter, owner.account.address), ...change }] },
      by,
    );

  /** Rotates `meter`, whose key is `old`'s, to the key of `device`, at its first reading. */
  const rotate = (meter: Hex, old: TestMeter, device: TestMeter, change: Partial<RotateArgs> = {}, by = owner) => {
    const newKey = change.newKey ?? newKeyOf(device, meter, by.account.address);
    const key = change.key ?? publicKeyParts(old.publicKey);
    const rotation = change.rotation ?? rotationOf(old, meter, device.id);
    return send({ ...registry, functionName: "rotate", args: [meter, newKey, key, rotation] }, by);
  };
  /** Transactions that all succeed, in one block. */
  const inOneBlock = async (calls: [Pick<Call, "address" | "abi">, string, readonly unknown[], Wallet][]) => {
    await request("evm_setAutomine", [false]);
    const hashes: Hex[] = [];
    for (const [contract, functionName, args, by] of calls) {
      const call = { ...contract, abi: contract.abi as Abi, functionName, args, account: by.account };
      hashes.push(await by.writeContract({ ...call, chain: by.chain, gas: 1_000_000n }));
    }
    await request("evm_mine");
    await request("evm_setAutomine", [true]);
    const receipts = await Promise.all(hashes.map((hash) => publicClient.waitForTransactionReceipt({ hash })));
    assert.ok(receipts.every(({ status }) => status === "success"));
    assert.equal(new Set(receipts.map(({ blockNumber }) => blockNumber)).size, 1);
  };
  /** A transaction that the Authority is asked to make: an administrator's, unless told. */
  const manage = async (functionName: string, args: readonly unknown[], by = admin) => {
    const { abi } = await artifact("Authority");
    return send({ address: deployment.authority, abi, functionName, args }, by);
  };
  /** A transaction of a registrar, unless told, that the registry is asked to make. */
  const registryCall = (functionName: string, args: readonly unknown[], by = admin) =>
    send({ ...registry, functionName, args }, by);
  const registryView = (functionName: string, ...args: unknown[]): Promise<never> =>
    publicClient.readContract({ ...registry, functionName, args } as never) as Promise<never>;

  const registered = async (meter: TestMeter) => {
    await register(meter);
    return meter;
  };
  /** One attestation over all parts, and their settlement. */
  const settleAttested = async (...parts: Part[]) => {
    const { attestation, items } = attestedItems(parts);
    await attest(attestation);
    return settle(attestation, items);
  };

  const latestOf = (meter: TestMeter) =>
    publicClient.readContract({ ...wattWitness, functionName: "latestOf", args: [meter.id] });
  const logOf = (meter: TestMeter, epoch: number) =>
    publicClient.readContract({ ...wattWitness, functionName: "logOf", args: [meter.id, epoch] });
  const gapOf = (meter: TestMeter, epoch: number) =>
    publicClient.readContract({ ...wattWitness, functionName: "gapOf", args: [meter.id, epoch] });

  return {
    ...chain,
    ...{ admin, owner, attestor, stranger, guardian, deployer, deployment, place },
    ...{ registry, wattWitness, token, lens },
    ...{
      send,
      manage,
      attest,
      settle,
      register,
      registered,
      rotate,
      inOneBlock,
      registryCall,
      registryView,
      settleAttested,
    },
    eventsOf: async (eventName: string) => {
      const events = await publicClient.getContractEvents({
        address: [registry.address, wattWitness.address, token.address],
        abi: EVENTS,
        eventName,
        fromBlock: 0n,
      } as never);
      return (events as unknown as { args: Record<string, unknown> }[]).map(({ args }) => args);
    },
    /** The events of a transaction by name, in the order in which it tells them. */
    toldBy: ({ logs }: TransactionReceipt) =>
      parseEventLogs({ abi: EVENTS, logs })
        .sort((a, b) => a.logIndex - b.logIndex)
        .map(({ eventName }) => eventName),
    termsOf: (meter: TestMeter) =>
      publicClient.readContract({ ...wattWitness, functionName: "termsOf", args: [meter.id] }),
    intervalOf: (meter: TestMeter) =>
      publicClient.readContract({ ...wattWitness, functionName: "intervalOf", args: [meter.id] }),
    latestOf,
    logOf,
    gapOf,
    /** What would settle readings up to `to` of any epoch now, as the chain says: see WattWitness._settleRest. */
    partOf: async (meter: TestMeter, epoch: number, to: number): Promise<Part> => {
      const [size] = await logOf(meter, epoch);
      const latest = await latestOf(meter);
      let before = epoch;
      if (size === 0n) while (before > 0 && (await logOf(meter, before))[0] === 0n) before--;
      const settledTimestamp = epoch >= latest.epoch ? latest.timestamp : (await gapOf(meter, before)).since;
      return { meter, epoch, to, settled: Number(size), settledTimestamp };
    },
    balanceOf: (account: Hex) => publicClient.readContract({ ...token, functionName: "balanceOf", args: [account] }),
    supply: () => publicClient.readContract({ ...token, functionName: "totalSupply" }),
    deploy: (name: string, args: unknown[] = []) => deploy(deployer, name, args),
  };
}

type RotateArgs = {
  newKey: ReturnType<typeof newKeyOf>;
  key: ReturnType<typeof publicKeyParts>;
  rotation: ReturnType<typeof rotationOf>;
};

export type Fixture = Awaited<ReturnType<typeof deployFixture>>;

// METERS

export type TestMeter = ReturnType<typeof createMeter>;

type Production = {
  count: number;
  from?: Partial<Reading>;
  power?: bigint;
  interval?: number;
  change?: Partial<Reading>;
};

/** Readings 10 s apart at a steady power, the first `from` START and energy 0 unless told. */
export function produce({ count, from = {}, power = POWER, interval = 10, change = {} }: Production): Uint8Array[] {
  const first: Reading = { timestamp: START, energy: 0n, power, source: SOURCE, conditions: 0, ...from };
  return Array.from({ length: count }, (_, i) =>
    encodeReading({
      ...first,
      ...change,
      timestamp: first.timestamp + i * interval,
      energy: first.energy + (power * BigInt(i) * BigInt(interval)) / 3600n,
    }),
  );
}

/** The reading with something else in it. */
export function bent(reading: Uint8Array, change: Partial<Reading>): Uint8Array {
  const decoded = decodeReading(reading);
  assert.ok(decoded.ok);
  return encodeReading({ ...decoded.value, ...change });
}

/** A device and its key. `readings` is its log in epoch 1; other epochs are added with `begin`. */
export function createMeter(place: Place, seed: number, readings = produce({ count: 600 })) {
  const privateKey = new Uint8Array(32).fill(seed);
  const publicKey = publicKeyOf(privateKey);
  const logs = new Map([[1, readings]]);
  return {
    place,
    privateKey,
    publicKey,
    id: toHex(keyIdOf(publicKey)),
    begin: (epoch: number, list: Uint8Array[]) => logs.set(epoch, list),
    readingsOf: (epoch = 1) => logs.get(epoch) as Uint8Array[],
    headDomain: domain("head", place),
  };
}

export function headOf(meter: TestMeter, size: number, epoch = 1): Head {
  const readings = meter.readingsOf(epoch);
  return { epoch, size, reading: readings[size - 1] as Uint8Array, root: createLog(readings.slice(0, size)).root() };
}

export const signHead = (meter: TestMeter, head: Head): Uint8Array =>
  sign(encodeHead(meter.headDomain, head), meter.privateKey);

/** The claim of a device's key to belong to the owner of `meter`, over its head of `size` readings. */
export function claimOf(device: TestMeter, { meter = device.id, owner, size = 1, epoch = 1 }: ClaimOptions) {
  const keyId = fromHex(device.id);
  const head = headHash(encodeHead(device.headDomain, headOf(device, size, epoch)));
  const claim = { meter: fromHex(meter), keyId, owner, headHash: head };
  return signatureParts(sign(encodeClaim(domain("claim", device.place), claim), device.privateKey));
}

type ClaimOptions = { meter?: Hex; owner: Hex; size?: number; epoch?: number };

export function registrationOf(meter: TestMeter, owner: Hex, size = 1, epoch = 1) {
  return {
    key: publicKeyParts(meter.publicKey),
    owner,
    capacity: CAPACITY,
    source: SOURCE,
    details: ZERO,
    baseline: headParts(headOf(meter, size, epoch)),
    claim: claimOf(meter, { owner, size, epoch }),
  };
}

/** What makes a device's key that of a meter. */
export function newKeyOf(device: TestMeter, meter: Hex, owner: Hex, size = 1) {
  return {
    key: publicKeyParts(device.publicKey),
    baseline: headParts(headOf(device, size)),
    claim: claimOf(device, { meter, owner, size }),
  };
}

/** The old device's word that another key succeeds it. */
export function rotationOf(device: TestMeter, meter: Hex, newKeyId: Hex) {
  const rotation = { meter: fromHex(meter), newKeyId: fromHex(newKeyId) };
  return signatureParts(sign(encodeRotation(domain("rotate", device.place), rotation), device.privateKey));
}

// CHANCE

/** Numbers that are always the same: below `sides`. */
export function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % sides;
  };
}

// SETTLEMENTS

/** What of a meter's log is to be settled. */
export type Part = {
  meter: TestMeter;
  epoch?: number;
  /** readings in the head */
  to: number;
  /** what of this log is settled, 1 (the baseline) unless told */
  settled?: number;
  /** what of this meter is settled: Unix time, s; that of reading `settled` - 1 unless told */
  settledTimestamp?: number;
  /** where the segment begins, the last settled reading unless told */
  from?: number;
  capacity?: number;
  head?: Partial<Head>;
  signature?: Uint8Array;
};

export function segmentOf({ meter, epoch = 1, to, settled = 1, from, capacity = CAPACITY }: Part): Segment {
  const start = from ?? Math.max(settled - 1, 0);
  const readings = meter.readingsOf(epoch);
  return {
    publicKey: meter.publicKey,
    epoch,
    from: start,
    capacity,
    frontier: frontier(createLog(readings).range, start),
    readings: readings.slice(start, to),
    signature: signHead(meter, headOf(meter, to, epoch)),
  };
}

/** One attestation over all the parts, and the items that settle them. */
export function attestedItems(parts: Part[]): { attestation: Hex; items: SettlementItem[] } {
  const heads = parts.map(({ meter, to, epoch, head }) => ({ ...headOf(meter, to, epoch), ...head }));
  const starts = parts.map(({ settled = 1, from }) => from ?? Math.max(settled - 1, 0));
  const leaves = parts.map(({ meter, capacity = CAPACITY }, i) => {
    const head = heads[i] as Head;
    const hash = headHash(encodeHead(meter.headDomain, head));
    return attestationLeaf({
      keyId: fromHex(meter.id),
      epoch: head.epoch,
      from: starts[i] as number,
      capacity,
      headHash: hash,
    });
  });
  const items = parts.map((part, index) =>
    itemOf(part, heads[index] as Head, { from: starts[index] as number, leaves, index }),
  );
  return { attestation: toHex(attestationRoot(leaves)), items };
}

/** The item that settles a part on the device's signature alone. */
export const unattestedItem = (part: Part): SettlementItem =>
  itemOf(part, { ...headOf(part.meter, part.to, part.epoch), ...part.head });

function itemOf(part: Part, head: Head, attested?: { from: number; leaves: Uint8Array[]; index: number }) {
  const { meter, epoch = 1, settled = 1, signature = signHead(meter, head), capacity = CAPACITY } = part;
  const readings = meter.readingsOf(epoch);
  const last = settled === 0 ? undefined : readings[settled - 1];
  const settledTimestamp = part.settledTimestamp ?? (last ? timestampOf(last) : 0);
  return settlementItem({
    publicKey: meter.publicKey,
    head,
    signature,
    settledSize: settled,
    settledTimestamp,
    capacity,
    range: createLog(readings).range,
    firstReading: readings[0],
    attested,
  });
}

/** The item, with another basis. */
export const rebased = (item: SettlementItem, change: Partial<Basis>): SettlementItem => ({
  ...item,
  basis: encodeBasis({ ...decodeBasis(item.basis), ...change }),
});

/** A reading of a log of `size` readings, with its inclusion proof. */
export function placed(meter: TestMeter, index: number, size: number, epoch = 1) {
  const readings = meter.readingsOf(epoch);
  const proof = hexes(inclusionProof(createLog(readings.slice(0, size)).range, index, size));
  return { index: BigInt(index), reading: toHex(readings[index] as Uint8Array), proof };
}

// REFUSALS

/** Asserts that a call is refused with this custom error, and with these values where they are given. */
export async function refuses(call: Promise<unknown>, error: string, args?: readonly unknown[]): Promise<void> {
  const thrown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(thrown, `was not refused, but expected ${error}`);
  assert.ok(thrown instanceof BaseError, String(thrown));
  const revert = thrown.walk((cause) => cause instanceof ContractFunctionRevertedError);
  assert.ok(revert instanceof ContractFunctionRevertedError, thrown.message);
  assert.equal(revert.data?.errorName, error, thrown.message);
  if (args) assert.deepEqual(revert.data?.args, args);
}

// LOGS TOO LARGE TO HAVE

/** Some leaf. */
export const leafAt = (index: number): Uint8Array => sha256(new TextEncoder().encode(`leaf ${index}`));

/**
 * A log of up to 2^40 leaves of which only some are ever looked at: a complete subtree without any of `points` has a hash
 * of its own making, every other is made of its halves.
 */
export function sparseRange(points: readonly number[], leaf = leafAt): RangeHash {
  const range: RangeHash = (start, end) => {
    const width = end - start;
    const isComplete = Number.isInteger(Math.log2(width)) && start % width === 0;
    if (isComplete && !points.some((point) => point >= start && point < end)) {
      return sha256(new TextEncoder().encode(`subtree ${start} ${end}`));
    }
    if (width === 1) return leafHash(leaf(start));
    const middle = start + 2 ** (Math.ceil(Math.log2(width)) - 1);
    return nodeHash(range(start, middle), range(middle, end));
  };
  return range;
}
