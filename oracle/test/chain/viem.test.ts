import assert from "node:assert/strict";
import { encodeAbiParameters, encodeEventTopics, numberToHex, parseTransaction } from "viem";
import { functionsAttestorAbi, wattWitnessAbi } from "../../../contracts/abi.ts";
import type { Chain } from "../../chain/chain.ts";
import { createViemChain } from "../../chain/viem/chain.ts";
import { PLACE } from "../support.ts";
import { type RpcAnswer, type RpcNode, type RpcRequest, startRpcNode } from "./rpc-node.ts";

const WATT_WITNESS = `0x${"66".repeat(20)}` as const;
const ATTESTOR = `0x${"77".repeat(20)}` as const;
/** of the well-known mnemonic of test networks */
const OPERATOR_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const GWEI = 1_000_000_000n;
const ROOT = `0x${"0a".repeat(32)}` as const;
const KEY_ID = `0x${"0b".repeat(32)}` as const;
const NEWEST = 20_000;

type Asked = { fromBlock: `0x${string}`; toBlock: `0x${string}`; blockHash?: string };

const hashOf = (block: number) => numberToHex(block, { size: 32 });
const blockOf = (number: number) => ({
  ...{ number: numberToHex(number), timestamp: numberToHex(1000 + number), transactions: [] },
  ...{ gasLimit: "0x1c9c380", baseFeePerGas: numberToHex(GWEI) },
  ...{ hash: hashOf(number), parentHash: number === 0 ? hashOf(0) : hashOf(number - 1) },
});
const logAt = (block: number, address: string, topics: unknown, data: string) => ({
  ...{ address, topics, data, logIndex: "0x0", transactionIndex: "0x0", removed: false },
  ...{ blockNumber: numberToHex(block), blockHash: hashOf(block), transactionHash: hashOf(block) },
});

/** In every thousandth block a meter is frozen. */
const frozenIn = (from: number, to: number) =>
  Array.from({ length: NEWEST / 1000 }, (_, i) => 1000 * (i + 1))
    .filter((block) => block >= from && block <= to)
    .map((block) =>
      logAt(
        block,
        WATT_WITNESS,
        encodeEventTopics({ abi: wattWitnessAbi, eventName: "Ended", args: { keyId: KEY_ID } }),
        encodeAbiParameters([{ type: "uint8" }, { type: "uint32" }], [4, block]),
      ),
    );

describe("the chain, asked over JSON-RPC", () => {
  let node: RpcNode;
  let chain: Chain;
  /** what the node says to a question for logs, undefined: it answers */
  let refuse: (asked: { from: number; to: number }) => RpcAnswer | undefined;
  /** the newest block that the node has */
  let has: number;
  /** what it answers to anything else */
  let answers: Record<string, RpcAnswer>;

  beforeEach(async () => {
    refuse = () => undefined;
    has = NEWEST;
    answers = {};
    node = await startRpcNode(answer);
    chain = await createViemChain({
      rpcUrl: node.url,
      registry: PLACE.registry,
      wattWitness: WATT_WITNESS,
      attestor: ATTESTOR,
      operatorKey: OPERATOR_KEY,
      maxGasPrice: 50n * GWEI,
    });
    node.asked.length = 0;
  });
  afterEach(() => node.close());

  function answer({ method, params }: RpcRequest): RpcAnswer {
    if (method === "eth_chainId") return { result: "0x7a69" };
    if (method === "eth_call") return { result: `0x${"00".repeat(64)}` };
    if (method === "eth_getBlockByNumber") {
      const number = params[0] === "latest" ? has : Number(params[0]);
      return { result: number <= has ? blockOf(number) : null };
    }
    if (method === "eth_getBlockByHash") {
      return { result: Number(params[0]) <= has ? blockOf(Number(params[0])) : null };
    }
    if (method in answers) return answers[method] as RpcAnswer;
    if (method !== "eth_getLogs") return { error: { code: -32601, message: "the method does not exist" } };
    const { fromBlock, toBlock, blockHash } = params[0] as Asked;
    if (blockHash && Number(blockHash) > has) return { error: { code: -32000, message: "unknown block" } };
    const [from, to] = blockHash ? [Number(blockHash), Number(blockHash)] : [Number(fromBlock), Number(toBlock)];
    return refuse({ from, to }) ?? { result: frozenIn(from, Math.min(to, has)) };
  }

  const ranges = () =>
    node.asked
      .filter(({ method }) => method === "eth_getLogs")
      .map(({ params }) => {
        const { fromBlock, toBlock } = params[0] as Asked;
        return Number(toBlock) - Number(fromBlock) + 1;
      });
  const blocks = async (from: number, to: number) => (await chain.events(from, to)).map(({ block }) => block);
  const every = (step: number, to: number) => Array.from({ length: to / step }, (_, i) => step * (i + 1));

  describe("does not take silence for an answer:", () => {
    it("a node that has not got the last block that it is asked for", async () => {
      has = 4999;
      await assert.rejects(chain.events(1, 5000), /the node that answers has no block 5000/);
    });

    it("a block that the node does not know", async () => {
      has = 1999;
      assert.equal(await chain.eventsIn(hashOf(2000)), undefined);
      assert.equal(await chain.blockAt(2000), undefined);
    });
  });

  it("throws where the node is asked too often: fewer blocks would not help", async () => {
    for (const said of [
      { status: 429 },
      { error: { code: -32005, message: "daily request count exceeded, request rate limited" } },
      { error: { code: -32005, message: "exceeded the quota usage" } },
      { status: 401 },
    ]) {
      node.asked.length = 0;
      refuse = () => said;
      await assert.rejects(chain.events(1, 100), JSON.stringify(said));
      assert.ok(
        ranges().every((range) => range === 100),
        JSON.stringify(said),
      );
    }
  });

  it("gives up at a block that alone is refused", async () => {
    refuse = ({ from, to }) =>
      from <= 7 && to >= 7 ? { error: { code: -32000, message: "no logs of block 7" } } : undefined;
    await assert.rejects(chain.events(1, 10), /no logs of block 7/);
  });

  for (const [allowed, said] of [
    [2000, { error: { code: -32602, message: "query exceeds max block range 2000" } }],
    [2048, { error: { code: -32600, message: "block range is too wide" } }],
    [1000, { error: { code: -32614, message: "eth_getLogs is limited to a 1,000 range" } }],
    [
      500,
      {
        error: {
          code: -32000,
          message: "Under the Free tier plan, you can make eth_getLogs requests with up to a 500 block range",
        },
      },
    ],
    [10, { error: { code: -32005, message: "query returned more than 10000 results" } }],
    [800, { status: 413 }],
    [3000, { status: 400 }],
    [1, { error: { code: -1, message: "nein" } }],
  ] as const) {
    it(`asks a node that allows ${allowed} blocks for fewer, and misses nothing (${JSON.stringify(said)})`, async () => {
      refuse = ({ from, to }) => (to - from + 1 > allowed ? said : undefined);
      const last = Math.min(NEWEST, 1000 * Math.max(3, Math.floor(allowed / 100)));
      assert.deepEqual(await blocks(1, allowed > 1 ? last : 40), every(1000, allowed > 1 ? last : 0));
    }).timeout(60_000);
  }

  it("remembers what a node allows", async () => {
    refuse = ({ from, to }) => (to - from + 1 > 700 ? { error: { code: -32000, message: "too many" } } : undefined);
    await chain.events(1, 10_000);
    node.asked.length = 0;
    assert.deepEqual(await blocks(10_001, 20_000), every(1000, 20_000).slice(10));
    assert.ok(
      ranges().every((range) => range <= 700),
      String(ranges()),
    );
  });

  it("asks for what became of an attestation in parts that the node allows", async () => {
    refuse = ({ from, to }) => {
      if (to - from + 1 > 600) return { error: { code: -32000, message: "range too large" } };
      const at = 12_345;
      if (from > at || to < at) return { result: [] };
      const args = { requestId: KEY_ID, root: ROOT };
      const topics = encodeEventTopics({ abi: functionsAttestorAbi, eventName: "AttestationRefused", args });
      return { result: [logAt(at, ATTESTOR, topics, encodeAbiParameters([{ type: "string" }], ["gap"]))] };
    };
    assert.deepEqual(await chain.attestation(ROOT, 10), { state: "refused", reason: "gap" });
    assert.deepEqual(await chain.attestation(ROOT, 13_000), { state: "none" });
  });

  describe("takes a transaction for sent that is there already, in the words of", () => {
    for (const [client, message] of [
      ["geth", "already known"],
      ["geth, mined", "nonce too low: next nonce 5, tx nonce 4"],
      ["Nethermind", "AlreadyKnown"],
      ["Nethermind, mined", "OldNonce, Current nonce: 5, nonce of rejected tx: 4"],
      ["Besu", "Known transaction"],
      ["Besu, mined", "Nonce too low"],
      ["Erigon", "existing tx with same hash: ALREADY_EXISTS: already known"],
      ["Reth", "already known"],
      ["OpenEthereum", "Transaction with the same hash was already imported."],
      ["Ankr", "transaction already in mempool"],
      ["anvil", "transaction already imported"],
      [
        "Hardhat",
        "Nonce too low. Expected nonce to be 5 but got 4. Note that transactions can't be queued when automining.",
      ],
    ] as const) {
      it(client, async () => {
        answers = { eth_sendRawTransaction: { error: { code: -32000, message } } };
        await chain.broadcast("0x02");
      });
    }

    it("nobody, where it was refused for something else", async () => {
      for (const message of [
        "insufficient funds for gas * price + value",
        "intrinsic gas too low",
        "replacement transaction underpriced",
        "max fee per gas less than block base fee",
        "txpool is full",
      ]) {
        answers = { eth_sendRawTransaction: { error: { code: -32000, message } } };
        await assert.rejects(chain.broadcast("0x02"), message);
      }
    });
  });

  it("tells what a transaction cost, with what a rollup adds for its place on the first layer", async () => {
    const receipt = {
      ...{ blockNumber: "0x5", status: "0x1", gasUsed: "0x186a0", effectiveGasPrice: numberToHex(GWEI), logs: [] },
      ...{ transactionHash: ROOT, transactionIndex: "0x0", type: "0x2" },
    };
    answers = { eth_getTransactionReceipt: { result: receipt } };
    const cost = 100_000n * GWEI;
    assert.deepEqual(await chain.receiptOf(ROOT), { block: 5, succeeded: true, gas: 100_000, fee: cost });
    answers = { eth_getTransactionReceipt: { result: { ...receipt, status: "0x0", l1Fee: "0x10" } } };
    assert.deepEqual(await chain.receiptOf(ROOT), { block: 5, succeeded: false, gas: 100_000, fee: cost + 16n });
  });

  it("tells what the operator has, and may need for a transaction at what a block asks now", async () => {
    answers = {
      eth_maxPriorityFeePerGas: { result: numberToHex(GWEI / 10n) },
      eth_getBalance: { result: numberToHex(7) },
    };
    const { operator, subscription } = await chain.funds(1n);
    assert.deepEqual([operator.balance, operator.needed], [7n, (500_000n * 21n * GWEI) / 10n]);
    assert.equal(subscription, undefined);
  });

  describe("signs", () => {
    const call = { to: "wattWitness", attestation: ROOT, items: [] } as const;
    beforeEach(() => {
      answers = {
        eth_estimateGas: { result: numberToHex(100_000) },
        eth_maxPriorityFeePerGas: { result: numberToHex(GWEI / 10n) },
        eth_getBalance: { result: numberToHex(10n ** 18n) },
      };
    });
    const failure = async () => {
      const signing = await chain.sign(call, 3);
      return signing.ok ? undefined : signing.failure;
    };

    it("nothing that the contract would refuse", async () => {
      answers["eth_estimateGas"] = { error: { code: 3, message: "execution reverted" } };
      assert.equal(await failure(), "revert");
    });

    it("nothing near what a transaction may take, or more than a node tries", async () => {
      answers["eth_estimateGas"] = { result: numberToHex(12_000_000) };
      assert.equal(await failure(), "size");
      for (const message of ["gas required exceeds allowance (50000000)", "out of gas", "exceeds block gas limit"]) {
        answers["eth_estimateGas"] = { error: { code: -32000, message } };
        assert.equal(await failure(), "size", message);
      }
    });

    it("nothing that the operator cannot pay for, and says what is missing", async () => {
      answers["eth_getBalance"] = { result: numberToHex(10n ** 14n) };
      const signing = await chain.sign(call, 3);
      assert.ok(!signing.ok && signing.failure === "funds");
      assert.match(signing.reason, /^the operator 0xf39Fd6\w+ has 0\.0001 and may need 0\.000294 of the chain's coin/);
    });

    it("for what a block asks twice, and not above the cap", async () => {
      const signing = await chain.sign(call, 3);
      assert.ok(signing.ok);
      const { nonce, gas, maxFeePerGas, maxPriorityFeePerGas } = parseTransaction(signing.transaction.raw);
      assert.deepEqual([nonce, gas], [3, 140_000n]);
      assert.deepEqual([maxFeePerGas, maxPriorityFeePerGas], [(21n * GWEI) / 10n, GWEI / 10n]);
      answers["eth_maxPriorityFeePerGas"] = { result: numberToHex(90n * GWEI) };
      const dear = await chain.sign(call, 3);
      assert.ok(dear.ok);
      assert.equal(parseTransaction(dear.transaction.raw).maxFeePerGas, 50n * GWEI);
    });

    it("the same again for an eighth more, until that is above the cap", async () => {
      const first = await chain.sign(call, 3);
      assert.ok(first.ok);
      let { raw } = first.transaction;
      let fee = parseTransaction(raw).maxFeePerGas as bigint;
      for (let raises = 0; ; raises++) {
        const again = await chain.raise(raw);
        if (!again.ok) {
          assert.equal(again.failure, "price");
          assert.ok(raises > 10 && (fee * 113n) / 100n >= 50n * GWEI, `${raises} raises, ${fee}`);
          break;
        }
        const { nonce, data, maxFeePerGas } = parseTransaction(again.transaction.raw);
        assert.deepEqual([nonce, data], [3, parseTransaction(raw).data]);
        assert.ok((maxFeePerGas as bigint) * 8n >= fee * 9n);
        [raw, fee] = [again.transaction.raw, maxFeePerGas as bigint];
      }
    });
  });
});
