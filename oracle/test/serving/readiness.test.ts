import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { buildApp } from "../../http/app.ts";
import { createOracle } from "../../oracle.ts";
import { storeWritable } from "../../serving/readiness.ts";
import { createFakeChain } from "../chain/fake-chain.ts";
import {
  DEMO_RULES,
  newWorld,
  openStore,
  PLACE,
  removeDirectories,
  START,
  silent,
  temporaryDirectory,
} from "../support.ts";

/** Tells how ready an oracle on a folder is, once it is as a test expects; in ten seconds at most. */
async function until(app: ReturnType<typeof buildApp>, reasons: string[]): Promise<void> {
  for (const end = Date.now() + 10_000; ; await delay(50)) {
    const response = await app.inject("/ready");
    const told = response.json().reasons;
    if (response.statusCode === (reasons.length === 0 ? 200 : 503) && JSON.stringify(told) === JSON.stringify(reasons))
      return;
    if (Date.now() > end) assert.deepEqual(told, reasons);
  }
}

describe("an oracle is not ready where its store cannot be written:", () => {
  afterEach(removeDirectories);

  it("a folder that is gone, until it is there again", async () => {
    const { app, directory } = await newWorld();
    await until(app, []);
    await rename(directory, `${directory}.away`);
    await until(app, ["the data directory cannot be written: ENOENT"]);
    await rename(`${directory}.away`, directory);
    await until(app, []);
    await app.close();
  });

  it("a journal that is closed, or broken", async () => {
    const store = await openStore(await temporaryDirectory());
    assert.equal(await store.whyNotWritable(), undefined);
    await store.close();
    assert.equal(await store.whyNotWritable(), "the journal cannot be written: the store is closed");
  });

  it("one that does not answer in time", async () => {
    const never = new Promise<undefined>(() => {});
    const isWritable = storeWritable({ whyNotWritable: () => never }, 50);
    assert.deepEqual(await isWritable(), ["the store did not write within 0.05 s"]);
  });

  it("and it is not written for everybody who asks", async () => {
    let count = 0;
    const isWritable = storeWritable({
      whyNotWritable: async () => {
        count += 1;
        return undefined;
      },
    });
    await Promise.all(Array.from({ length: 100 }, () => isWritable()));
    assert.equal(count, 1);
  });

  describe("a disk that", () => {
    let mount: string;
    let app: ReturnType<typeof buildApp>;

    before(async function () {
      mount = await temporaryDirectory();
      if (run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", mount)) return run("umount", mount);
      console.log("    skipped: nothing can be mounted here");
      return this.skip();
    });
    beforeEach(async () => {
      mount = await temporaryDirectory();
      run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", mount);
      await mkdir(join(mount, "data"));
      const store = await openStore(join(mount, "data"));
      const chain = createFakeChain(PLACE, () => START);
      const oracle = await createOracle({ config: DEMO_RULES, store, chain, now: () => START, logger: silent });
      await oracle.tick();
      app = buildApp({ oracle, chain, logger: silent });
      await until(app, []);
    });
    afterEach(async () => {
      await app.close();
      run("umount", join(mount, "data"));
      run("umount", "-l", mount);
    });

    it("is full", async () => {
      const filler = join(mount, "filler");
      await assert.rejects(writeFile(filler, Buffer.alloc(4_000_000)), { code: "ENOSPC" });
      await until(app, ["the data directory cannot be written: ENOSPC"]);
      await rm(filler);
      await until(app, []);
    });

    it("became read-only", async () => {
      const data = join(mount, "data");
      assert.ok(run("mount", "--bind", data, data) && run("mount", "-o", "remount,ro,bind", data));
      await until(app, ["the data directory cannot be written: EROFS"]);
      run("umount", data);
      await until(app, []);
    });
  });
});

/** Whether a command succeeds. */
function run(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
