/** What the chain's nodes do: down, slow, silent, out of patience, behind, wrong, of another chain, and reorganised. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { numberToHex } from "viem";
import type { RpcAnswer } from "../../chain/rpc-node.ts";
import { type Node, until } from "../scene/node.ts";
import type { Behaviour } from "../scene/proxy.ts";
import { createScene, type Known, type Scene } from "../scene/scene.ts";

const resultOf = (answer: RpcAnswer): unknown => ("result" in answer ? answer.result : undefined);
const changed =
  (method: string, change: (result: never, params: unknown[]) => unknown): Behaviour =>
  async (request, ask) => {
    const answer = await ask();
    if (request.method !== method || !("result" in answer)) return answer;
    return { result: change(answer.result as never, request.params) };
  };

/** Adds to what a node counts. */
const counting = (more: number): Behaviour =>
  changed("eth_getTransactionCount", (count: `0x${string}`) => numberToHex(Math.max(0, Number(count) + more)));

export type Fault = {
  name: string;
  behaviour: Behaviour;
  /** what /ready says meanwhile; nothing where the oracle can go on */
  reason?: RegExp;
  /** one of those that `npm test` tries */
  isBrief?: boolean;
};

export const FAULTS: readonly Fault[] = [
  { name: "is down", isBrief: true, behaviour: async () => "cut", reason: /the chain cannot be asked/ },
  { name: "never answers", behaviour: async () => "hang", reason: /the chain has been looked at for \d+ s/ },
  { name: "answers 429", behaviour: async () => ({ status: 429 }), reason: /the chain cannot be asked/ },
  { name: "answers 500", behaviour: async () => ({ status: 500 }), reason: /the chain cannot be asked/ },
  {
    name: "refuses in JSON",
    behaviour: async () => ({ error: { code: -32005, message: "daily request count exceeded" } }),
    reason: /the chain cannot be asked/,
  },
  {
    name: "is slow",
    behaviour: async (_request, ask) => {
      await delay(300);
      return ask();
    },
  },
  { name: "tells of too many transactions", isBrief: true, behaviour: counting(7) },
  { name: "tells of too few transactions", behaviour: counting(-3) },
  { name: "knows no receipt", behaviour: changed("eth_getTransactionReceipt", () => null) },
  {
    name: "takes transactions and forgets them",
    behaviour: async ({ method }, ask) =>
      method === "eth_sendRawTransaction" ? { result: `0x${"11".repeat(32)}` } : ask(),
  },
  {
    name: "refuses transactions",
    behaviour: async ({ method }, ask) =>
      method === "eth_sendRawTransaction" ? { error: { code: -32000, message: "txpool is full" } } : ask(),
  },
  {
    name: "has no block but the newest, and of it no logs",
    behaviour: async ({ method, params }, ask) => {
      if (method === "eth_getLogs") return { result: [] };
      if (method === "eth_getBlockByHash") return { result: null };
      return method === "eth_getBlockByNumber" && params[0] !== "latest" ? { result: null } : ask();
    },
    reason: /the chain cannot be asked/,
  },
  {
    name: "is of another chain",
    // another node's blocks: other hashes, and no contracts
    behaviour: async ({ method }, ask) => {
      const other = (hash: string) =>
        `0x${hash.slice(2).replace(/./g, (digit) => (15 - Number.parseInt(digit, 16)).toString(16))}`;
      if (method === "eth_chainId") return { result: "0x1" };
      if (method === "eth_call" || method === "eth_getCode") return { result: "0x" };
      if (method === "eth_getLogs") return { result: [] };
      if (method === "eth_getBlockByHash") return { result: null };
      if (method !== "eth_getBlockByNumber") return ask();
      const block = resultOf(await ask()) as { hash: string; parentHash: string } | null;
      return { result: block && { ...block, hash: other(block.hash), parentHash: other(block.parentHash) } };
    },
  },
];

/** Blocks that go away at most. */
export const DEEPEST = 64;

/** A scene with two meters, which no reorganisation takes back. */
export async function nodesScene(): Promise<Scene> {
  const scene = await createScene();
  for (let i = 0; i < 2; i++) await scene.addMeter();
  await scene.anvil.request("anvil_mine", [numberToHex(DEEPEST)]);
  return scene;
}

/** Posts and settles while a node does what it should not, and after it. */
export async function misbehave(scene: Scene, node: Node, { behaviour, reason }: Fault): Promise<void> {
  await scene.live(600);
  await scene.seen(node);
  await scene.anvil.request("evm_mine");
  scene.proxy.behave(behaviour);
  await scene.upload(node);
  if (reason) await until(async () => (await scene.reasons(node)).some((one) => reason.test(one)), "it never says why");
  else await delay(2500);
  await scene.assertNothingTwice();
  scene.proxy.behave();
  // what is stuck is sent again after five minutes
  await scene.live(400);
  await scene.upload(node);
  await scene.assertSettled(node);
  await until(async () => (await scene.reasons(node)).length === 0, "it never is ready again");
  assert.ok(!node.hasEnded());
}

/** Takes so many blocks away, with a registration and a settlement in them, and has both made again. */
export async function reorganise(scene: Scene, node: Node, depth: number): Promise<void> {
  await scene.live(600);
  await scene.upload(node);
  await scene.assertSettled(node);
  const [one] = scene.known as [Known];
  const before = await scene.settledSize(one);

  // in the blocks that go away: a registration, a settlement, and empty ones
  await scene.anvil.request("anvil_mine", [numberToHex(Math.max(0, depth - 8))]);
  await scene.addMeter();
  await scene.live(600);
  await scene.upload(node);
  await until(async () => (await scene.settledSize(one)) > before, "it is not settled");
  await scene.anvil.reorganise(depth);
  await scene.seen(node);
  await scene.assertNothingTwice();
  await scene.registerAgain();
  // transactions before its own may be gone for good: it is signed again after five minutes
  await scene.live(400);
  await scene.upload(node);
  await scene.assertSettled(node);
  await scene.assertKept(node);
}
