import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory, writeDurably } from "../../../store/embedded/durable.ts";
import { openRecords } from "../../../store/embedded/records.ts";
import { removeDirectories, temporaryDirectory } from "../../support.ts";

describe("a durable file", () => {
  afterEach(removeDirectories);

  it("keeps what was written last when many write at once", async () => {
    const path = join(await temporaryDirectory(), "file");
    await Promise.all(Array.from({ length: 20 }, (_, i) => writeDurably(path, `${i}`)));
    assert.equal(await readFile(path, "utf8"), "19");
  });

  it("is not hurt by a write that never ended", async () => {
    const directory = await temporaryDirectory();
    const records = await openRecords<{ n: number }>(directory);
    await records.put("a", { n: 1 });
    await writeFile(join(directory, "a.json.unfinished"), '{"n":');
    await writeFile(join(directory, "b.json.unfinished"), "");
    assert.deepEqual(await records.all(), [{ n: 1 }]);
  });

  it("refuses a name that would leave its folder", async () => {
    const records = await openRecords<{ n: number }>(await temporaryDirectory());
    assert.throws(() => records.put("../a", { n: 1 }), RangeError);
  });

  it("goes on writing after a write that failed", async () => {
    const path = join(await temporaryDirectory(), "later", "file");
    await assert.rejects(writeDurably(path, "a"));
    await makeDirectory(join(path, ".."));
    await writeDurably(path, "b");
    assert.equal(await readFile(path, "utf8"), "b");
    const failed = assert.rejects(writeDurably(path, 5 as never));
    await writeDurably(path, "c");
    await failed;
    assert.equal(await readFile(path, "utf8"), "c");
  });
});
