/** The chain, asked with viem. */
import {
  type Address,
  BaseError,
  concatHex,
  createPublicClient,
  decodeErrorResult,
  encodeFunctionData,
  http,
  keccak256,
  numberToHex,
  parseEventLogs,
  TransactionReceiptNotFoundError,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { functionsAttestorAbi, meterRegistryAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import { fromHex } from "../../protocol/index.ts";
import { type Attestation, type Call, type Chain, type ChainEvent, type Hex, STATUSES, type Status } from "./chain.ts";

export type ViemChainOptions = {
  rpcUrl: string;
  registry: Address;
  wattWitness: Address;
  attestor: Address | undefined;
  operatorKey: Hex | undefined;
  /** wei per gas, the most to pay */
  maxGasPrice: bigint;
};

/** unattestedAfter: never */
const NEVER = 0xffff_ffff;
/** Of what a call was estimated to cost, in percent: state moves until its block, and every item may pay a new balance. */
const GAS_MARGIN = 140n;

const EVENTS_ABI = [...meterRegistryAbi, ...wattWitnessAbi] as const;

const ERRORS_ABI = [...EVENTS_ABI, ...functionsAttestorAbi] as const;

/** Throws where the node cannot be reached: nothing can be said without its chain id. */
export async function createViemChain(options: ViemChainOptions): Promise<Chain> {
  const { registry, wattWitness, attestor, operatorKey, maxGasPrice } = options;
  const client = createPublicClient({ transport: http(options.rpcUrl, { batch: true }), cacheTime: 0 });
  const chainId = await client.getChainId();
  const account = operatorKey && privateKeyToAccount(operatorKey);
  const unattestedAfter = await client.readContract({
    address: wattWitness,
    abi: wattWitnessAbi,
    functionName: "unattestedAfter",
  });

  const encode = (call: Call): { to: Address; data: Hex } => {
    if (call.to === "wattWitness") {
      const args = [call.attestation, [...call.items]] as const;
      return { to: wattWitness, data: encodeFunctionData({ abi: wattWitnessAbi, functionName: "settle", args }) };
    }
    if (!attestor) throw new Error("there is no attestor to ask");
    const args = [call.digest, call.root, [...call.urls], call.subscriptionId] as const;
    return { to: attestor, data: encodeFunctionData({ abi: functionsAttestorAbi, functionName: "request", args }) };
  };

  /** Gas that the call needs, or why it would revert. A node that does not answer throws. */
  async function estimate(call: Call): Promise<{ ok: true; gas: bigint } | { ok: false; reason: string }> {
    if (!account) throw new Error("there is no operator key to act with");
    try {
      return { ok: true, gas: await client.estimateGas({ account: account.address, ...encode(call) }) };
    } catch (error) {
      if (!isRevert(error)) throw error;
      return { ok: false, reason: reasonOf(error) };
    }
  }

  return {
    chainId,
    registry,

    async newest() {
      const { number, timestamp } = await client.getBlock();
      return { block: Number(number), timestamp: Number(timestamp) };
    },

    async events(from, to) {
      const logs = await client.getLogs({
        address: [registry, wattWitness],
        fromBlock: BigInt(from),
        toBlock: BigInt(to),
      });
      return parseEventLogs({ abi: EVENTS_ABI, logs }).flatMap(eventOf);
    },

    async termsOf(keyId) {
      const { status, capacity, source } = await client.readContract({
        address: wattWitness,
        abi: wattWitnessAbi,
        functionName: "termsOf",
        args: [keyId as Hex],
      });
      return { status: STATUSES[status] as Status, capacity, source };
    },

    async latestOf(keyId) {
      const { epoch, size, timestamp, energy, settledAt } = await client.readContract({
        address: wattWitness,
        abi: wattWitnessAbi,
        functionName: "latestOf",
        args: [keyId as Hex],
      });
      return { epoch, size: Number(size), timestamp, energy, settledAt: Number(settledAt) };
    },

    async logOf(keyId, epoch) {
      const [size, root] = await client.readContract({
        address: wattWitness,
        abi: wattWitnessAbi,
        functionName: "logOf",
        args: [keyId as Hex, epoch],
      });
      return { size: Number(size), root };
    },

    gapOf: (keyId, epoch) =>
      client.readContract({
        address: wattWitness,
        abi: wattWitnessAbi,
        functionName: "gapOf",
        args: [keyId as Hex, epoch],
      }),

    unattestedFrom: (timestamp, settledAt) =>
      unattestedAfter === NEVER ? Number.POSITIVE_INFINITY : Math.min(timestamp, settledAt) + unattestedAfter,

    async attestation(root, sinceBlock): Promise<Attestation> {
      const [by] = await client.readContract({
        address: wattWitness,
        abi: wattWitnessAbi,
        functionName: "attestationOf",
        args: [root],
      });
      if (fromHex(by).some((byte) => byte !== 0)) return { state: "attested" };
      if (!attestor) return { state: "none" };
      const logs = await client.getLogs({ address: attestor, fromBlock: BigInt(sinceBlock) });
      const answers = parseEventLogs({
        abi: functionsAttestorAbi,
        logs,
        eventName: ["AttestationRequested", "AttestationRefused"],
      });
      const last = answers.filter((event) => event.args.root === root).at(-1);
      if (!last) return { state: "none" };
      if (last.eventName === "AttestationRequested") return { state: "pending" };
      return { state: "refused", reason: last.args.reason || "the DON answered with another root" };
    },

    async simulate(call) {
      const estimated = await estimate(call);
      return estimated.ok ? { ok: true } : estimated;
    },

    async sign(call, nonce) {
      if (!account) throw new Error("there is no operator key to act with");
      const estimated = await estimate(call);
      if (!estimated.ok) return { ok: false, failure: "revert", reason: estimated.reason };
      const { baseFeePerGas } = await client.getBlock();
      if ((baseFeePerGas ?? 0n) > maxGasPrice) {
        return { ok: false, failure: "price", reason: `gas costs ${baseFeePerGas} wei, above ${maxGasPrice}` };
      }
      const tip = await client.estimateMaxPriorityFeePerGas();
      const raw = await account.signTransaction({
        type: "eip1559",
        chainId,
        nonce,
        ...encode(call),
        gas: (estimated.gas * GAS_MARGIN) / 100n,
        maxFeePerGas: maxGasPrice,
        maxPriorityFeePerGas: tip < maxGasPrice ? tip : maxGasPrice,
      });
      return { ok: true, transaction: { hash: keccak256(raw), raw, nonce } };
    },

    async broadcast(raw) {
      try {
        await client.sendRawTransaction({ serializedTransaction: raw });
      } catch (error) {
        // known or mined already: the receipt will tell
        if (!(error instanceof BaseError)) throw error;
        if (!/already known|already imported|nonce too low|known transaction/i.test(error.details)) throw error;
      }
    },

    async transactionCount() {
      if (!account) throw new Error("there is no operator key to act with");
      return client.getTransactionCount({ address: account.address, blockTag: "latest" });
    },

    async receiptOf(hash) {
      try {
        const { blockNumber, status } = await client.getTransactionReceipt({ hash });
        return { block: Number(blockNumber), succeeded: status === "success" };
      } catch (error) {
        if (error instanceof TransactionReceiptNotFoundError) return undefined;
        throw error;
      }
    },
  };
}

type DecodedLog = ReturnType<typeof parseEventLogs<typeof EVENTS_ABI, true, undefined>>[number];

function eventOf(log: DecodedLog): ChainEvent[] {
  const place = { block: Number(log.blockNumber), transaction: log.transactionHash as Hex };
  if (log.eventName === "MeterRegistered") {
    const { meter: keyId, owner, x, y, capacity, source, details } = log.args;
    const publicKey = concatHex([x, y]);
    return [{ ...place, kind: "registered", keyId, publicKey, owner, capacity, source, details }];
  }
  if (log.eventName === "KeyRotated") {
    const { keyId, previousKeyId, x, y } = log.args;
    return [{ ...place, kind: "rotated", keyId, previousKeyId, publicKey: concatHex([x, y]) }];
  }
  if (log.eventName === "Ended") {
    const { keyId, status, until } = log.args;
    return [{ ...place, kind: "ended", keyId, status: STATUSES[status] as EndedStatus, until }];
  }
  if (log.eventName === "Equivocated") {
    return log.args.frozen ? [{ ...place, kind: "frozen", keyId: log.args.keyId }] : [];
  }
  if (log.eventName === "CapacityChanged") {
    return [{ ...place, kind: "capacity changed", ...log.args }];
  }
  if (log.eventName === "Transfer") {
    const { to, tokenId } = log.args;
    return [{ ...place, kind: "transferred", meter: numberToHex(tokenId, { size: 32 }), owner: to }];
  }
  if (log.eventName === "Begun") {
    const { keyId, epoch, size, timestamp, energy, root } = log.args;
    return [{ ...place, kind: "begun", keyId, epoch, size: Number(size), timestamp, energy, root }];
  }
  if (log.eventName === "Settled") {
    const { fromSize, size, payee: _, meter: __, ...rest } = log.args;
    return [{ ...place, kind: "settled", ...rest, fromSize: Number(fromSize), size: Number(size) }];
  }
  return [];
}

type EndedStatus = Extract<ChainEvent, { kind: "ended" }>["status"];

const isRevert = (error: unknown): boolean =>
  error instanceof BaseError &&
  error.walk((cause) => cause instanceof BaseError && /revert/i.test(`${cause.name} ${cause.message}`)) !== null;

/** The contract's error with its values, if it can be told. */
function reasonOf(error: unknown): string {
  if (!(error instanceof BaseError)) return String(error);
  const carrier = error.walk((cause) => typeof (cause as { data?: unknown }).data === "string");
  try {
    const { errorName, args } = decodeErrorResult({
      abi: ERRORS_ABI,
      data: (carrier as unknown as { data: Hex }).data,
    });
    return `${errorName}(${(args ?? []).join(", ")})`;
  } catch {
    return error.details || error.shortMessage;
  }
}
