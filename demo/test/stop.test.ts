import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createStops, type Stops, temporaryFolder } from "../processes/stop.ts";

describe("what is to be stopped", () => {
  let stops: Stops;
  let stopped: string[];
  const stop = (name: string) => () => {
    stopped.push(name);
  };
  beforeEach(() => {
    [stops, stopped] = [createStops(), []];
  });

  it("is stopped at once where it comes too late, and whoever starts it is told to start nothing else", async () => {
    let begin = () => {};
    const isSlow = new Promise<void>((resolve) => {
      begin = resolve;
    });
    stops.add(() => isSlow);
    const all = stops.stopAll();
    assert.throws(() => stops.add(stop("late")), /nothing is started any more/);
    assert.deepEqual(stopped, ["late"]);
    begin();
    await all;
  });

  it("is waited for, also where it came too late", async () => {
    const all = stops.stopAll();
    assert.throws(() => stops.add(() => Promise.resolve().then(stop("late"))));
    await all;
    assert.deepEqual(stopped, ["late"]);
  });

  it("is stopped though another could not be", async () => {
    stops.add(stop("first"));
    stops.add(() => {
      throw new Error("stuck");
    });
    stops.add(() => Promise.reject(new Error("stuck")));
    await stops.stopAll();
    assert.deepEqual(stopped, ["first"]);
  });

  it("is stopped last what was started first, and once", async () => {
    for (const name of ["first", "second"]) stops.add(stop(name));
    await Promise.all([stops.stopAll(), stops.stopAll()]);
    assert.deepEqual(stopped, ["second", "first"]);
  });

  it("is a folder that somebody still writes to, too", async () => {
    const folder = await temporaryFolder(stops, "stop-test");
    await writeFile(join(folder, "first"), "");
    let isOver = false;
    // fails once the folder is gone
    const writing = (async () => {
      for (let i = 0; !isOver; i++) await mkdir(join(folder, `${i}`));
    })().catch(() => {});
    const all = stops.stopAll();
    setTimeout(() => {
      isOver = true;
    }, 200);
    await Promise.all([all, writing]);
    assert.equal(existsSync(folder), false);
  });
});
