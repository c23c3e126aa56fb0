/** The chain, asked with viem. */
import {
  type Address,
  BlockNotFoundError,
  createPublicClient,
  encodeFunctionData,
  http,
  keccak256,
  TransactionReceiptNotFoundError,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { functionsAttestorAbi, wattWitnessAbi } from "../../../contracts/abi.ts";
import { fromHex } from "../../../protocol/index.ts";
import {
  type Attestation,
  type Block,
  type Call,
  type Chain,
  type ChainEvent,
  type Hex,
  STATUSES,
  type Status,
} from "../chain.ts";
import { isRevert, isThereAlready, reasonOf } from "./errors.ts";
import { attestationIn, eventsOf } from "./events.ts";
import { createRanges } from "./ranges.ts";

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

  const contracts = [registry, wattWitness];
  const ranges = createRanges(client);

  async function blockAt(number: number): Promise<Block | undefined> {
    try {
      return blockOf(await client.getBlock({ blockNumber: BigInt(number) }));
    } catch (error) {
      if (error instanceof BlockNotFoundError) return undefined;
      throw error;
    }
  }

  async function isKnown(hash: Hex): Promise<boolean> {
    try {
      await client.getBlock({ blockHash: hash });
      return true;
    } catch (error) {
      if (error instanceof BlockNotFoundError) return false;
      throw error;
    }
  }

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

    newest: async () => blockOf(await client.getBlock()),

    blockAt,

    async eventsIn(hash) {
      try {
        return eventsOf(await client.getLogs({ address: contracts, blockHash: hash }));
      } catch (error) {
        // nodes refuse a hash that they do not know, each in its own words
        if (!(await isKnown(hash))) return undefined;
        throw error;
      }
    },

    async events(from, to) {
      const events: ChainEvent[] = [];
      for await (const logs of ranges.logs(contracts, from, to)) events.push(...eventsOf(logs));
      return events;
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
      const { number } = await client.getBlock();
      let state: Attestation = { state: "none" };
      for await (const logs of ranges.logs([attestor], sinceBlock, Number(number))) {
        state = attestationIn(logs, root) ?? state;
      }
      return state;
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
        if (!isThereAlready(error)) throw error;
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

const blockOf = ({
  number,
  hash,
  parentHash,
  timestamp,
}: {
  number: bigint;
  hash: Hex;
  parentHash: Hex;
  timestamp: bigint;
}): Block => ({
  ...{ block: Number(number), hash, parent: parentHash, timestamp: Number(timestamp) },
});
