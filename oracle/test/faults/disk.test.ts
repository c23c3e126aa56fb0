import assert from "node:assert/strict";
import { type Disk, diskScene, fillAndMakeRoom, startOnFull, whyNoDisk } from "./scenarios/disk.ts";
import { whyNoScene } from "./scene/scene.ts";

const absent = whyNoScene() ?? whyNoDisk();
const describeDisk = absent ? describe.skip : describe;

describeDisk(`an oracle on a disk that is full${absent ? ` (${absent})` : ""}`, function () {
  this.timeout(60_000);
  let disk: Disk;
  before(async () => {
    disk = await diskScene();
  });
  after(() => disk?.close());

  it("says so in a sentence where it starts there", async () => {
    assert.match(await startOnFull(disk), /^The data directory .* cannot be used: ENOSPC.*\n$/);
  });

  it("answers 503, says why, goes on when there is room, and loses nothing", async () => {
    const { posts } = await fillAndMakeRoom(disk);
    assert.ok(posts >= 0);
  });
});
