import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { jsonFile } from "../../../store/embedded/durable.ts";
import { FORMAT } from "../../../store/embedded/format.ts";
import { openEmbeddedStore } from "../../../store/embedded/store.ts";
import { openStore, removeDirectories, silent, temporaryDirectory } from "../../support.ts";

// of a database its migrations say the same: migrations.test.ts
describe("a folder's format", () => {
  let directory: string;
  let file: string;
  beforeEach(async () => {
    directory = await temporaryDirectory();
    file = join(directory, "oracle.format");
  });
  afterEach(removeDirectories);

  const format = async () => (await jsonFile<{ format: number }>(file).read())?.format;
  const refused = async () => {
    const opening = await openEmbeddedStore(directory, silent);
    assert.ok(!opening.ok);
    return opening.problem;
  };

  it("that is newer than this oracle is refused, and everything left as it is", async () => {
    await jsonFile(file).write({ format: FORMAT + 1 });
    const before = await readFile(file, "utf8");
    const problem = `The data directory ${directory} is of format ${FORMAT + 1}, and this oracle knows formats up to ${FORMAT}: run the newer oracle that wrote it, or restore a backup of before.`;
    assert.equal(await refused(), problem);
    assert.deepEqual(await readdir(directory), ["oracle.format"]);
    assert.equal(await readFile(file, "utf8"), before);
  });

  it("that is damaged is refused, and named", async () => {
    for (const content of ["", '{"format":1}\n00000000\n', '{"format":"1"}']) {
      await writeFile(file, content);
      assert.match(await refused(), /oracle\.format is damaged/, content);
    }
  });

  it("is written at the first start, also into a folder of before it was written", async () => {
    await (await openStore(directory)).close();
    assert.equal(await format(), FORMAT);
    await rm(file);
    const store = await openStore(directory);
    assert.equal(await format(), FORMAT);
    assert.deepEqual(await store.names(), { records: [], documents: [] });
  });
});
