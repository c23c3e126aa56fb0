import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mirror, placeOf } from "../index.ts";
import { createWorld, type World } from "./world.ts";

describe("a mirror", function () {
  this.timeout(120_000);
  let world: World;
  let folder: string;
  before(async () => {
    world = await createWorld({ isWhole: true });
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-mirror-"));
  });
  afterEach(() => rm(folder, { recursive: true }));
  after(() => world.close());

  const filled = (from = [world.folder]) =>
    mirror({ chain: world.chain, registry: world.registry, from: from.map(placeOf), to: folder });
  const auditOf = async (place: string) => (await world.audit({ places: [placeOf(place)] })).verdict;

  it("keeps nothing of what does not lead to what the chain says, and says what it lacks", async () => {
    const bad = await mkdtemp(join(tmpdir(), "wattwitness-bad-"));
    try {
      await cp(world.folder, bad, { recursive: true });
      const entries = world.files.find((file) => file.endsWith("entries/000")) as string;
      const bytes = await readFile(join(bad, entries));
      bytes[100] = (bytes[100] as number) ^ 1;
      await writeFile(join(bad, entries), bytes);
      const batch = world.files.find((file) => file.startsWith("batches")) as string;
      await writeFile(join(bad, batch), "other bytes");
      const { findings } = await filled([bad]);
      assert.deepEqual(findings.map(({ rule }) => rule).sort(), ["no batch", "no readings"]);
      const kept = await readdir(folder, { recursive: true });
      assert.ok(!kept.includes(batch) && !kept.includes(entries));
      assert.ok(!kept.some((file) => file.includes("incoming")));
      // from another place what is missing comes, and what is here stays
      assert.deepEqual((await filled([bad, world.folder])).findings, []);
      assert.equal(await auditOf(folder), "verified");
    } finally {
      await rm(bad, { recursive: true });
    }
  });

  it("keeps all that an audit needs, and fetches nothing twice", async () => {
    const first = await filled();
    assert.deepEqual(first.findings, []);
    assert.equal(await auditOf(folder), "verified");
    assert.equal((await filled()).fetched, 0);
    const kept = (await readdir(folder, { recursive: true })).find((file) => file.includes("tile/0/")) as string;
    await rm(join(folder, kept), { recursive: true });
    const batch = (await readdir(join(folder, "batches")))[0] as string;
    await unlink(join(folder, "batches", batch));
    assert.ok((await filled()).fetched >= 2);
    assert.equal(await auditOf(folder), "verified");
  });
});
