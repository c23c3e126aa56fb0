/** Oracles that share a database: the one that leads is killed, and the database is, in the middle of writes. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Server } from "../../store/postgres/server.ts";
import { type Node, until } from "../scene/node.ts";
import { below, oneOf, type Random } from "../scene/random.ts";
import type { Known, Scene } from "../scene/scene.ts";

/** ms in which another oracle takes over */
export const TAKEOVER = 30_000;

/** Two oracles on one new database of a server; the first leads. */
export async function startTwo(scene: Scene, server: Server): Promise<{ url: string; nodes: [Node, Node] }> {
  const url = await server.newStoreDatabase();
  const settings = { WATTWITNESS_DATABASE_URL: url };
  return { url, nodes: [await scene.start({ settings }), await scene.start({ settings })] };
}

/** Lets all meters post to whichever of the oracles lives, until `act` is over. */
async function postingWhile(scene: Scene, nodes: () => readonly Node[], random: Random, act: () => Promise<void>) {
  let isOver = false;
  let posts = 0;
  const post = async (one: Known) => {
    while (!isOver && one.device.nextPost()) {
      const living = nodes().filter((node) => !node.hasEnded());
      if (living.length === 0) await delay(20);
      else if ((await scene.post(oneOf(random, living), one, scene.nextPost(one, 1 + below(random, 20)))) === 200)
        posts += 1;
      else await delay(20);
    }
  };
  const posting = scene.known.map(post);
  await act();
  isOver = true;
  await Promise.all(posting);
  return posts;
}

/** Kills the leader in the middle of all, and looks how long nobody settles. Returns s until the other one did. */
export async function killLeader(scene: Scene, [leader, other]: [Node, Node], random: Random): Promise<number> {
  await scene.live(6000);
  let took = 0;
  await postingWhile(
    scene,
    () => [leader, other],
    random,
    async () => {
      await delay(below(random, 2000));
      const minted = await scene.supply();
      await leader.kill("SIGKILL");
      const began = Date.now();
      await until(async () => {
        await scene.anvil.request("evm_mine");
        return (await scene.supply()) > minted;
      }, "the other oracle does not take over");
      took = (Date.now() - began) / 1000;
    },
  );
  assert.ok(took * 1000 < TAKEOVER, `it took ${took} s`);
  await scene.upload(other);
  await scene.assertSettled(other);
  await scene.assertKept(other);
  return took;
}

/** Crashes the database so often while all meters post to oracles on it. Returns how many posts were taken. */
export async function crashDatabase(
  scene: Scene,
  server: Server,
  nodes: readonly Node[],
  random: Random,
  crashes: number,
): Promise<number> {
  await scene.live(20_000);
  const posts = await postingWhile(
    scene,
    () => nodes,
    random,
    async () => {
      for (let i = 0; i < crashes; i++) {
        await delay(below(random, 1000));
        await server.crash();
        await server.start();
      }
    },
  );
  for (const node of nodes) assert.ok(!node.hasEnded(), node.said().slice(-2000));
  const [node] = nodes as [Node];
  await scene.upload(node);
  await scene.assertSettled(node);
  for (const one of nodes) await scene.assertKept(one);
  return posts;
}
