import assert from "node:assert/strict";
import { assertWhole, killAt, killingScene, killUnderLoad } from "./scenarios/killing.ts";
import { randomOf } from "./scene/random.ts";
import { type Scene, whyNoScene } from "./scene/scene.ts";

/** One moment of each stage that lasts; `npm run faults` takes all that there are. */
const MOMENTS = [
  "before write journal/1",
  "after sync journal/1",
  "after write entries",
  "after name jobs",
  "before send transaction",
  "after send transaction",
  "after name published tlog",
  "after name jobs-finished",
];

const absent = whyNoScene();
const describeScene = absent ? describe.skip : describe;

describeScene(`an oracle that is killed${absent ? ` (${absent})` : ""}`, function () {
  this.timeout(120_000);
  let scene: Scene;
  before(async () => {
    scene = await killingScene();
  });
  after(() => scene?.close());

  it("at any stage that lasts has what it acknowledged, and settles it once", async () => {
    const missed: string[] = [];
    for (const moment of MOMENTS) if (!(await killAt(scene, moment))) missed.push(moment);
    assert.deepEqual(missed, []);
    await assertWhole(scene);
  });

  it("while all meters post, too", async () => {
    const { posts } = await killUnderLoad(scene, randomOf(1), 2);
    assert.ok(posts > 0);
    await assertWhole(scene);
  });
});
