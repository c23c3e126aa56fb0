import assert from "node:assert/strict";
import { describeWithServer } from "../store/postgres/server.ts";
import { crashDatabase, killLeader, startTwo } from "./scenarios/database.ts";
import { randomOf } from "./scene/random.ts";
import { createScene, type Scene, whyNoScene } from "./scene/scene.ts";

describeWithServer("oracles that share a database settle all once, and lose nothing", (server) => {
  let scene: Scene;
  before(async function () {
    if (whyNoScene()) return this.skip();
    scene = await createScene();
    for (let i = 0; i < 2; i++) await scene.addMeter();
  });
  after(() => scene?.close());

  it("where the one that leads is killed, and where the database crashes in the middle of writes", async function () {
    this.timeout(120_000);
    const { url, nodes } = await startTwo(scene, server());
    await killLeader(scene, nodes, randomOf(1));
    const third = await scene.start({ settings: { WATTWITNESS_DATABASE_URL: url } });
    assert.ok((await crashDatabase(scene, server(), [nodes[1], third], randomOf(2), 2)) > 0);
  });
});
