/** kill -9 of the oracle, at every moment that lasts and at any other: what it acknowledged is there, and settled once. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Node, unlessEnded } from "../scene/node.ts";
import { below, type Random } from "../scene/random.ts";
import { createScene, type Known, type Scene } from "../scene/scene.ts";

const METERS = 3;
/** s that meters live between two ends: enough for full tiles */
const LIFE = 3000;

/** A scene whose oracle publishes, too. */
export async function killingScene(): Promise<Scene> {
  const scene = await createScene();
  scene.environment["WATTWITNESS_PUBLISH_DIR"] = join(scene.folder, "site");
  for (let i = 0; i < METERS; i++) await scene.addMeter();
  return scene;
}

/** Everything that an oracle does, from its start to its end. */
async function whole(scene: Scene, node: Node): Promise<void> {
  await unlessEnded(node, async () => {
    await scene.assertKept(node);
    await scene.live(LIFE);
    await scene.upload(node);
    await scene.settle(node);
  });
  await node.kill("SIGTERM");
}

/** The moments of a whole life that last, each with how often it came. */
export async function momentsOf(scene: Scene): Promise<Map<string, number>> {
  const list = join(scene.folder, "moments");
  const node = await scene.start({ list });
  await whole(scene, node);
  const moments = new Map<string, number>();
  for (const name of (await readFile(list, "utf8")).trim().split("\n")) moments.set(name, (moments.get(name) ?? 0) + 1);
  return moments;
}

/** Ends one life at a moment, and looks at what is there in the next. Returns whether that moment came. */
export async function killAt(scene: Scene, moment: string): Promise<boolean> {
  const node = await scene.start({ killAt: moment });
  await whole(scene, node);
  await scene.assertNothingTwice();
  return node.child.signalCode === "SIGKILL";
}

/** Ends lives at random while all meters post, and looks at what is there in the next. */
export async function killUnderLoad(scene: Scene, random: Random, rounds: number): Promise<{ posts: number }> {
  let posts = 0;
  for (let round = 0; round < rounds; round++) {
    await scene.live(LIFE);
    const node = await scene.start();
    await scene.assertKept(node);
    const ending = delay(below(random, 1500)).then(() => node.kill("SIGKILL"));
    const post = async (one: Known) => {
      while (!node.hasEnded() && scene.nextPost(one, 1)) {
        const most = 1 + below(random, 20);
        const status = await scene.post(node, one, scene.nextPost(one, most));
        if (status === 200) posts += 1;
        // not seen yet that it is so late
        else if (status === 425) await delay(50);
      }
    };
    await Promise.all(scene.known.map(post));
    await ending;
    await scene.assertNothingTwice();
  }
  return { posts };
}

/** What is left settles, once, and nothing that was acknowledged is missing. */
export async function assertWhole(scene: Scene): Promise<void> {
  const node = await scene.start();
  await scene.assertKept(node);
  await scene.upload(node);
  await scene.assertSettled(node);
  await scene.assertKept(node);
  await node.kill("SIGTERM");
}
