/** The chain, asked with viem. */
import {
  type Address,
  BlockNotFoundError,
  createPublicClient,
  encodeFunctionData,
  formatEther,
  formatGwei,
  http,
  keccak256,
  parseTransaction,
  type TransactionReceipt,
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
  type Signing,
  type Simulation,
  STATUSES,
  type Status,
} from "../chain.ts";
import { isOutOfGas, isRevert, isThereAlready, isUnfunded, reasonOf } from "./errors.ts";
import { attestationIn, eventsOf } from "./events.ts";
import { subscriptionFunds } from "./funds.ts";
import { createRanges } from "./ranges.ts";

export type ViemChainOptions = {
  rpcUrl: string;
  registry: Address;
  wattWitness: Address;
  attestor: Address | undefined;
  /** of Chainlink Functions, where the subscription's balance is to be told */
  router?: Address | undefined;
  operatorKey: Hex | undefined;
  /** wei per gas, the most to pay */
  maxGasPrice: bigint;
};

/** unattestedAfter: never */
const NEVER = 0xffff_ffff;
/** Of what a call was estimated to cost, in percent: state moves until its block, and every item may pay a new balance. */
const GAS_MARGIN = 140n;

/** EIP-7825: gas of one transaction. */
const TRANSACTION_GAS = 16_777_216n;
/** Gas of a transaction that is not known yet: a request takes some 400,000, a settlement 100,000 and more. */
const TRANSACTION_ESTIMATE = 500_000n;
/** In percent: by less nodes do not replace what they have. */
const RAISE = 113n;

type Refusal = Extract<Simulation, { ok: false }>;
type Fees = { maxFeePerGas: bigint; maxPriorityFeePerGas: bigint };

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const raised = (fee = 0n): bigint => (fee * RAISE) / 100n + 1n;

/** Throws where the node cannot be reached: nothing can be said without its chain id. */
export async function createViemChain(options: ViemChainOptions): Promise<Chain> {
  const { registry, wattWitness, attestor, router, operatorKey, maxGasPrice } = options;
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

  /** Gas to give to the call, or why it cannot be made. A node that does not answer throws. */
  async function estimate(call: Call): Promise<{ ok: true; gas: bigint } | Refusal> {
    if (!account) throw new Error("there is no operator key to act with");
    const { gasLimit } = await client.getBlock();
    const limit = gasLimit < TRANSACTION_GAS ? gasLimit : TRANSACTION_GAS;
    const tooMuch = {
      ok: false,
      failure: "size",
      reason: `it takes more gas than the ${limit} of a transaction`,
    } as const;
    try {
      const estimated = await client.estimateGas({ account: account.address, ...encode(call) });
      const gas = (estimated * GAS_MARGIN) / 100n;
      return gas <= limit ? { ok: true, gas } : tooMuch;
    } catch (error) {
      if (isOutOfGas(error)) return tooMuch;
      if (!isRevert(error)) throw error;
      if (call.to === "attestor" && isUnfunded(error)) {
        const reason = `the subscription ${call.subscriptionId} has too little LINK for a request: pay some in`;
        return { ok: false, failure: "funds", reason };
      }
      return { ok: false, failure: "revert", reason: reasonOf(error) };
    }
  }

  /** What a block asks for now, and what to offer: room for it to double, up to the cap. */
  async function feesNow() {
    const { baseFeePerGas } = await client.getBlock();
    const base = baseFeePerGas ?? 0n;
    const tip = await client.estimateMaxPriorityFeePerGas();
    return { base, maxFeePerGas: least(2n * base + tip, maxGasPrice), maxPriorityFeePerGas: least(tip, maxGasPrice) };
  }

  /** Signs, where the operator can pay for it. */
  async function signFor(fees: Fees, gas: bigint, nonce: number, to: Address, data: Hex): Promise<Signing> {
    if (!account) throw new Error("there is no operator key to act with");
    const balance = await client.getBalance({ address: account.address });
    const cost = gas * fees.maxFeePerGas;
    if (balance < cost) {
      const reason = `the operator ${account.address} has ${formatEther(balance)} and may need ${formatEther(cost)} of the chain's coin: send it some`;
      return { ok: false, failure: "funds", reason };
    }
    const raw = await account.signTransaction({ type: "eip1559", chainId, nonce, to, data, gas, ...fees });
    return { ok: true, transaction: { hash: keccak256(raw), raw, nonce } };
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
      const estimated = await estimate(call);
      if (!estimated.ok) return estimated;
      const { base, ...fees } = await feesNow();
      if (base > maxGasPrice) {
        return {
          ok: false,
          failure: "price",
          reason: `gas costs more than the ${formatGwei(maxGasPrice)} gwei to be paid`,
        };
      }
      const { to, data } = encode(call);
      return signFor(fees, estimated.gas, nonce, to, data);
    },

    async raise(raw) {
      const sent = parseTransaction(raw);
      const { to, data, gas, nonce } = sent as { to: Address; data: Hex; gas: bigint; nonce: number };
      const now = await feesNow();
      const fees = {
        maxFeePerGas: most(raised(sent.maxFeePerGas), now.maxFeePerGas),
        maxPriorityFeePerGas: most(raised(sent.maxPriorityFeePerGas), now.maxPriorityFeePerGas),
      };
      if (fees.maxFeePerGas <= maxGasPrice) return signFor(fees, gas, nonce, to, data);
      const reason = `a transaction waits, and a higher fee would be above the ${formatGwei(maxGasPrice)} gwei to be paid`;
      return { ok: false, failure: "price", reason };
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
        const receipt = await client.getTransactionReceipt({ hash });
        return { block: Number(receipt.blockNumber), succeeded: receipt.status === "success", ...costOf(receipt) };
      } catch (error) {
        if (error instanceof TransactionReceiptNotFoundError) return undefined;
        throw error;
      }
    },

    async funds(subscriptionId) {
      if (!account) throw new Error("there is no operator key to act with");
      const { address } = account;
      const [balance, { base, maxFeePerGas }] = await Promise.all([client.getBalance({ address }), feesNow()]);
      const operator = { address, balance, needed: TRANSACTION_ESTIMATE * maxFeePerGas };
      if (!router || !attestor || subscriptionId === undefined) return { operator };
      const subscription = { router, attestor, id: subscriptionId };
      return { operator, subscription: await subscriptionFunds(client, subscription, base) };
    },
  };
}

/** Rollups add what they pay for a place on their first layer, under a name that is not viem's. */
function costOf({ gasUsed, effectiveGasPrice, ...rest }: TransactionReceipt): { gas: number; fee: bigint } {
  const { l1Fee = 0 } = rest as { l1Fee?: string | bigint };
  return { gas: Number(gasUsed), fee: gasUsed * effectiveGasPrice + BigInt(l1Fee) };
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
