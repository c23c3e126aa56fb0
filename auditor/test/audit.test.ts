import assert from "node:assert/strict";
import { createWorld, type World } from "./world.ts";

describe("an audit", function () {
  this.timeout(180_000);
  let world: World;
  before(async () => {
    world = await createWorld();
  });
  after(() => world.close());

  it("verifies a world in which everything happens, and says its figures", async () => {
    const { verdict, findings, figures } = await world.audit();
    console.log(figures, world.files);
    assert.deepEqual(findings, []);
    assert.equal(verdict, "verified");
  });
});
