import assert from "node:assert/strict";
import { encodeAbiParameters, encodeEventTopics, numberToHex } from "viem";
import { functionsAttestorAbi, wattWitnessAbi } from "../../../contracts/abi.ts";
import type { Chain } from "../../chain/chain.ts";
import { createViemChain } from "../../chain/viem/chain.ts";
import { PLACE } from "../support.ts";
import { type RpcAnswer, type RpcNode, type RpcRequest, startRpcNode } from "./rpc-node.ts";

const WATT_WITNESS = `0x${"66".repeat(20)}` as const;
const ATTESTOR = `0x${"77".repeat(20)}` as const;
const ROOT = `0x${"0a".repeat(32)}` as const;
const KEY_ID = `0x${"0b".repeat(32)}` as const;
const NEWEST = 20_000;

type Asked = { fromBlock: `0x${string}`; toBlock: `0x${string}`; blockHash?: string };

const hashOf = (block: number) => numberToHex(block, { size: 32 });
const blockOf = (number: number) => ({
  ...{ number: numberToHex(number), timestamp: numberToHex(1000 + number), transactions: [] },
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

  beforeEach(async () => {
    refuse = () => undefined;
    has = NEWEST;
    node = await startRpcNode(answer);
    chain = await createViemChain({
      rpcUrl: node.url,
      registry: PLACE.registry,
      wattWitness: WATT_WITNESS,
      attestor: ATTESTOR,
      operatorKey: undefined,
      maxGasPrice: 1n,
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
});
