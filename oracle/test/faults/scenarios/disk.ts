/** A disk that is full: the oracle refuses what it cannot keep, says so, and goes on when there is room. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Node, until } from "../scene/node.ts";
import { createScene, type Known, type Scene } from "../scene/scene.ts";

/** bytes of the disk */
const SIZE = 4_000_000;

/** Why there can be no such disk here; undefined = there can. */
export function whyNoDisk(): string | undefined {
  if (process.platform !== "linux") return "a small disk is made of a tmpfs, which only Linux has";
  return process.getuid?.() === 0 ? undefined : "only root may mount a small disk";
}

/** A scene whose data folder is a disk of its own, and what fills that and makes room on it. */
export async function diskScene() {
  const scene = await createScene();
  mkdirSync(scene.directory);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE}`, "none", scene.directory], { stdio: "pipe" });
  const filler = join(scene.directory, "filler.bin");
  return {
    scene,
    fill() {
      const { bavail, bsize } = statfsSync(scene.directory);
      writeFileSync(filler, Buffer.alloc(bavail * bsize));
    },
    makeRoom: () => truncateSync(filler),
    async close() {
      for (const node of scene.nodes) await node.kill("SIGKILL");
      execFileSync("umount", [scene.directory], { stdio: "pipe" });
      await scene.close();
    },
  };
}

export type Disk = Awaited<ReturnType<typeof diskScene>>;

/** Posts until it is refused for want of room. Returns how many posts were taken meanwhile. */
async function postUntilFull(scene: Scene, node: Node, one: Known): Promise<number> {
  for (let posts = 0; ; posts++) {
    const post = scene.nextPost(one, 8);
    assert.ok(post, "all is posted, and the disk is not full");
    const response = await fetch(`${node.url}/readings`, {
      ...{ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(post) },
    });
    const body = (await response.json()) as { rule?: string; detail?: string };
    const answer = { status: response.status, body };
    if (answer.status === 200) one.acknowledged = post.size;
    one.device.answered(post, answer, one.meter.now);
    if (answer.status === 200) continue;
    assert.deepEqual([answer.status, body.rule], [503, "store unavailable"], JSON.stringify(body));
    assert.ok(Number(response.headers.get("retry-after")) > 0);
    return posts;
  }
}

/** Fills the disk of a running oracle and makes room again. */
export async function fillAndMakeRoom({ scene, fill, makeRoom }: Disk): Promise<{ posts: number }> {
  if (scene.known.length === 0) await scene.addMeter();
  const node = await scene.start();
  const one = scene.known[0] as Known;
  await scene.live(20_000);
  await scene.seen(node);
  fill();
  const posts = await postUntilFull(scene, node, one);
  await scene.assertKept(node);
  await until(async () => (await scene.reasons(node)).some((reason) => reason.includes("ENOSPC")), "it never says why");
  makeRoom();
  await scene.upload(node);
  await scene.assertSettled(node);
  await until(async () => (await scene.reasons(node)).length === 0, "it never is ready again");
  await scene.assertKept(node);
  await node.kill("SIGKILL");
  const again = await scene.start();
  await scene.assertKept(again);
  await again.kill("SIGTERM");
  return { posts };
}

/** What an oracle says that starts on a full disk. */
export async function startOnFull({ scene, fill, makeRoom }: Disk): Promise<string> {
  fill();
  const node = await scene.start();
  const [code] = await node.ended();
  makeRoom();
  assert.equal(code, 1, node.said());
  return node.said();
}
