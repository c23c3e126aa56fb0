import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { buildApp } from "../../http/app.ts";
import { newWorld, removeDirectories, silent, type World } from "../support.ts";
import { flood, forgedPost, openSilent, postAll, silentLimit, untilClosed } from "./scenarios/hostility.ts";
import type { Node } from "./scene/node.ts";
import { createScene, type Known, type Scene, whyNoScene } from "./scene/scene.ts";

const absent = whyNoScene();
const describeScene = absent ? describe.skip : describe;

describeScene(`an oracle among strangers${absent ? ` (${absent})` : ""}`, function () {
  this.timeout(60_000);
  let scene: Scene;
  let node: Node;
  let one: Known;
  before(async () => {
    scene = await createScene();
    one = await scene.addMeter();
    node = await scene.start();
    await scene.live(10_000);
    await scene.seen(node);
    assert.equal(await scene.post(node, one, scene.nextPost(one, 20)), 200);
  });
  after(() => scene?.close());

  it("takes every post of a meter while they flood it in that meter's name, and tells them when to come back", async () => {
    const flooding = flood(node, forgedPost(one));
    while (!flooding.statuses.has(429)) await postAll(scene, node, one, 5);
    const { posts } = await postAll(scene, node, one, 100);
    await flooding.end();
    assert.equal(posts, 100);
    assert.deepEqual([...flooding.statuses.keys()].sort(), [409, 429]);
    for (const after of flooding.retryAfter) assert.ok(Number(after) > 0, after);
    await scene.assertKept(node);
  });

  it("ends within ten seconds at SIGTERM while all post, and has what it acknowledged", async () => {
    const posting = (async () => {
      while (!node.hasEnded())
        if (!one.device.nextPost() || (await scene.post(node, one, scene.nextPost(one, 3))) === 0) break;
    })();
    const flooding = flood(node, forgedPost(one), "127.0.0.3");
    while (flooding.statuses.size === 0) await new Promise((resolve) => setImmediate(resolve));
    const began = Date.now();
    assert.deepEqual(await node.kill("SIGTERM"), [0, null]);
    assert.ok(Date.now() - began < 10_000);
    await posting;
    await flooding.end();
    node = await scene.start();
    await scene.assertKept(node);
  });
});

describe("an oracle that is connected to by those who say nothing", function () {
  this.timeout(60_000);
  let world: World;
  beforeEach(async () => {
    world = await newWorld();
  });
  afterEach(async () => {
    await world.app.close();
    await removeDirectories();
  });

  for (const [what, first] of [
    ["nothing at all", ""],
    ["half a header", "GET /health HTTP/1.1\r\nhost: a"],
    [
      "half a body",
      "POST /readings HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{",
    ],
  ] as const) {
    it(`answers beside up to 1,000 of them, and closes them: ${what}`, async () => {
      // both ends are this process's
      const count = Math.floor(silentLimit(2000) / 2);
      const { oracle, chain } = world;
      const app = buildApp({ oracle, chain, logger: silent, arrivesWithin: 1000 });
      await app.listen({ host: "127.0.0.1", port: 0 });
      const { port } = app.server.address() as AddressInfo;
      try {
        const sockets = await openSilent(port, count, first);
        const answered = once(sockets[0] as never, "data");
        assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200);
        assert.equal(await untilClosed(sockets), count);
        assert.match(String((await answered)[0]), /^HTTP\/1.1 408 /);
        assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200);
      } finally {
        await app.close();
      }
    });
  }
});
