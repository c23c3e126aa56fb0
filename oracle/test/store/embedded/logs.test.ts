import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLog, toHex } from "../../../../protocol/index.ts";
import { readGroups } from "../../../store/embedded/frames.ts";
import { openLogs } from "../../../store/embedded/logs.ts";
import { openEmbeddedStore } from "../../../store/embedded/store.ts";
import { StoreDamaged, type StoredLog } from "../../../store/store.ts";
import { openStore, removeDirectories, temporaryDirectory } from "../../support.ts";
import { describeStore, KEY_ID, readingsOf, SIGNATURE, sizesOf } from "../contract.ts";

describe("in a folder", () => {
  afterEach(removeDirectories);

  describeStore("the embedded store", async () => {
    const directory = await temporaryDirectory();
    return { store: await openStore(directory), reopen: () => openStore(directory) };
  });
});

/** Opens and closes logs around `use`; returns what was said. */
async function withLog(
  directory: string,
  use: (log: StoredLog) => Promise<unknown>,
  journalLimit?: number,
): Promise<string[]> {
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  const { logs, close } = await openLogs(directory, { info: say, warn: say }, journalLimit);
  await use(await logs.open(KEY_ID, 1));
  await close();
  return said;
}

const problemOf = async (directory: string): Promise<string> => {
  const opening = await openEmbeddedStore(directory, { info() {}, warn() {} });
  if (!opening.ok) return opening.problem;
  await opening.store.close();
  return "";
};

const journalOf = async (directory: string): Promise<string> =>
  join(directory, "journal", (await readdir(join(directory, "journal"))).sort().at(-1) as string);

/** A folder as a crash leaves it: what is appended is in the journal, which has begun no other. */
async function crashed(posts: readonly number[]): Promise<{ directory: string; ends: number[] }> {
  const directory = await temporaryDirectory();
  const store = await openStore(directory);
  const log = await store.logs.open(KEY_ID, 1);
  const ends: number[] = [];
  for (const count of posts) {
    await log.append(readingsOf(count, log.size), SIGNATURE, 0n);
    ends.push((await stat(await journalOf(directory))).size);
  }
  const copy = await temporaryDirectory();
  await cp(join(directory, "journal"), join(copy, "journal"), { recursive: true });
  return { directory: copy, ends };
}

describe("the journal", () => {
  afterEach(removeDirectories);

  it("refuses to start where whole groups follow a damaged one, and names file and byte", async () => {
    const { directory, ends } = await crashed([3, 4, 5]);
    const path = await journalOf(directory);
    const bytes = await readFile(path);
    const offset = ends[0] as number;
    bytes[offset + 60] = (bytes[offset + 60] as number) ^ 1;
    await writeFile(path, bytes);
    const problem = await problemOf(directory);
    assert.ok(problem.includes(path) && problem.includes(`byte ${offset}`), problem);
  });

  it("refuses to start without a whole snapshot", async () => {
    const { directory } = await crashed([3]);
    const path = await journalOf(directory);
    for (const damage of [Buffer.alloc(0), Buffer.alloc(300), (await readFile(path)).subarray(0, 10)]) {
      await writeFile(path, damage);
      assert.match(await problemOf(directory), /00000001 is damaged/);
    }
  });

  it("refuses to start where it is gone and logs are there", async () => {
    const directory = await temporaryDirectory();
    await withLog(directory, (log) => log.append(readingsOf(300), SIGNATURE, 0n));
    await rm(join(directory, "journal"), { recursive: true });
    assert.match(await problemOf(directory), /journal is missing/);
  });

  it("cuts off a last group that is torn, at every byte, says so and goes on", async () => {
    const { directory, ends } = await crashed([3, 4]);
    const path = await journalOf(directory);
    const whole = await readFile(path);
    const [start, end] = ends as [number, number];
    for (let cut = start + 1; cut < end; cut++) {
      await rm(join(directory, "journal"), { recursive: true });
      await mkdir(join(directory, "journal"));
      await writeFile(path, whole.subarray(0, cut));
      const said = await withLog(directory, async (log) => {
        assert.equal(log.size, 3, `${cut}`);
        assert.equal(await log.append(readingsOf(1, 3), SIGNATURE, 0n), true);
        assert.deepEqual(log.rootWith([]), createLog(readingsOf(4)).root());
      });
      assert.match(said.join(), /cut off/);
      assert.deepEqual(await readFile(`${path}.cut-${start}`), whole.subarray(start, cut));
    }
  });

  it("writes appends that wait together as one group", async () => {
    const directory = await temporaryDirectory();
    const { logs } = await openStore(directory);
    const opened = await Promise.all(Array.from({ length: 100 }, (_, epoch) => logs.open(KEY_ID, epoch)));
    await Promise.all(opened.map((log) => log.append(readingsOf(1), SIGNATURE, 0n)));
    // the snapshot and one more
    assert.equal(readGroups(await journalOf(directory), () => {}).groups, 2);
  });

  it("is followed by the next when it has grown, and nothing is lost", async () => {
    const directory = await temporaryDirectory();
    const readings = readingsOf(1000);
    await withLog(
      directory,
      async (log) => {
        for (let at = 0; at < 1000; at += 10) await log.append(readings.slice(at, at + 10), SIGNATURE, 0n);
      },
      2000,
    );
    assert.equal((await readdir(join(directory, "journal"))).length, 1);
    assert.ok(Number((await journalOf(directory)).slice(-8)) > 5);
    await withLog(directory, async (log) => {
      assert.deepEqual(await log.readings(0, 1000), readings);
      assert.equal((await sizesOf(log)).length, 100);
    });
  });

  it("is kept until the files that it filled are durable, and read with those after it", async () => {
    const directory = await temporaryDirectory();
    const copy = await temporaryDirectory();
    const readings = readingsOf(2000);
    const folder = join(directory, "logs", KEY_ID, "1");
    const said = await withLog(
      directory,
      async (log) => {
        // a file where a folder is to be: nothing can be written there
        await log.append(readings.slice(0, 10), SIGNATURE, 0n);
        await mkdir(folder, { recursive: true });
        await writeFile(join(folder, "tile"), "");
        for (let at = 10; at < 2000; at += 10) await log.append(readings.slice(at, at + 10), SIGNATURE, 0n);
        assert.deepEqual(await log.readings(0, 2000), readings);
        assert.ok((await readdir(join(directory, "journal"))).length > 1);
        await cp(join(directory, "journal"), join(copy, "journal"), { recursive: true });
        await rm(join(folder, "tile"));
      },
      2000,
    );
    assert.match(said.join(), /could not be made durable, the journal has them: /);
    assert.equal((await readdir(join(directory, "journal"))).length, 1);
    // as after a crash in which no file had reached the disk
    for (const left of [copy, directory]) {
      await withLog(left, async (log) => {
        assert.deepEqual(await log.readings(0, 2000), readings);
        assert.equal((await sizesOf(log)).length, 200);
      });
    }
  });

  it("refuses to start where one before the last is torn", async () => {
    const { directory } = await crashed([300, 7]);
    const old = await journalOf(directory);
    const oldBytes = await readFile(old);
    await withLog(directory, async () => {});
    await writeFile(old, oldBytes.subarray(0, -1));
    const problem = await problemOf(directory);
    assert.ok(problem.includes(`${old} is damaged at byte`), problem);
  });

  it("is the old one, the new one or both when its rotation is interrupted", async () => {
    const { directory } = await crashed([300, 7]);
    const old = await journalOf(directory);
    const oldBytes = await readFile(old);
    await withLog(directory, async () => {});
    const next = await journalOf(directory);
    const nextBytes = await readFile(next);
    assert.notEqual(next, old);
    const states: [string, Uint8Array][][] = [
      [[old, oldBytes]],
      [
        [old, oldBytes],
        [`${next}.unfinished`, nextBytes.subarray(0, 40)],
      ],
      [
        [old, oldBytes],
        [`${next}.unfinished`, nextBytes],
      ],
      [
        [old, oldBytes],
        [next, nextBytes],
      ],
      [[next, nextBytes]],
    ];
    for (const files of states) {
      await rm(join(directory, "journal"), { recursive: true });
      await mkdir(join(directory, "journal"));
      for (const [path, bytes] of files) await writeFile(path, bytes);
      await withLog(directory, async (log) => {
        assert.equal(log.size, 307);
        assert.deepEqual(await log.readings(0, 307), readingsOf(307));
      });
      assert.equal((await readdir(join(directory, "journal"))).length, 1);
    }
  });
});

describe("a file of a log that is damaged", () => {
  afterEach(removeDirectories);

  const damages: [string, (bytes: Buffer) => Buffer][] = [
    ["empty", () => Buffer.alloc(0)],
    ["halved", (bytes) => bytes.subarray(0, bytes.length / 2)],
    ["filled with zeros", (bytes) => Buffer.alloc(bytes.length)],
    [
      "of one other bit",
      (bytes) => Buffer.concat([bytes.subarray(0, -9), Buffer.of((bytes.at(-9) as number) ^ 1), bytes.subarray(-8)]),
    ],
  ];
  const files = ["tile/0/001", "tile/entries/001", "heads/001"];
  for (const [how, damage] of damages) {
    it(`is named with its readings when it is ${how}`, async () => {
      for (const file of files) {
        const directory = await temporaryDirectory();
        await withLog(directory, async (log) => {
          await log.append(readingsOf(500), SIGNATURE, 0n);
          await log.append(readingsOf(100, 500), SIGNATURE, 0n);
        });
        const path = join(directory, "logs", KEY_ID, "1", file);
        await writeFile(path, damage(await readFile(path)));
        await withLog(directory, async (log) => {
          assert.equal(log.size, 600);
          assert.deepEqual(await log.readings(0, 256), readingsOf(256));
          const reads = file.startsWith("heads") ? log.headsAfter(0) : log.readings(0, 600);
          await assert.rejects(reads, (error: Error) => {
            assert.ok(error instanceof StoreDamaged);
            assert.ok(error.message.includes(path) && error.message.includes("readings 256 to 511"), error.message);
            return true;
          });
        });
      }
    });
  }
});

describe("a data folder", () => {
  afterEach(removeDirectories);

  it("that cannot be written is told in a sentence", async () => {
    const file = join(await temporaryDirectory(), "file");
    await writeFile(file, "");
    assert.match(await problemOf(join(file, "data")), /^The data directory .* cannot be used: /);
  });

  describe("of chunks", () => {
    const readings = readingsOf(600);
    const ends = [100, 256, 300, 590];

    async function chunks(): Promise<string> {
      const directory = await temporaryDirectory();
      const folder = join(directory, "logs", KEY_ID, "1");
      await mkdir(folder, { recursive: true });
      for (let index = 0; index * 256 < readings.length; index++) {
        const [start, end] = [index * 256, (index + 1) * 256];
        const heads = ends
          .filter((size) => size > start && size <= end)
          .map((size) => ({ size, signature: toHex(SIGNATURE) }));
        const chunk = { frontier: [], readings: readings.slice(start, end).map(toHex), heads, bucket: "77" };
        await writeFile(join(folder, `${index}.json`), JSON.stringify(chunk));
      }
      return directory;
    }

    const isTakenOver = async (log: StoredLog) => {
      assert.equal(log.size, 590);
      assert.equal(log.bucket, 77n);
      assert.deepEqual(await log.readings(0, 600), readings.slice(0, 590));
      assert.deepEqual(await sizesOf(log), ends);
    };

    it("refuses to be taken over where a chunk is damaged, and names it", async () => {
      const directory = await chunks();
      await writeFile(join(directory, "logs", KEY_ID, "1", "1.json"), "");
      assert.match(await problemOf(directory), /1\.json is damaged/);
    });

    it("is taken over once, up to its last head, and said so", async () => {
      const directory = await chunks();
      assert.match((await withLog(directory, isTakenOver)).join(), /Took over 1 logs with 590 readings/);
      assert.deepEqual(await withLog(directory, isTakenOver), []);
      assert.deepEqual((await readdir(directory)).sort(), ["journal", "logs"]);
    });

    it("is taken over by the next start where one was interrupted", async () => {
      const [directory, taken] = [await chunks(), await chunks()];
      await withLog(taken, isTakenOver);
      // before the journal: the new files are there in part
      await cp(join(directory, "logs"), join(directory, "logs-before"), { recursive: true });
      await rm(join(directory, "logs"), { recursive: true });
      await mkdir(join(directory, "logs", KEY_ID, "1", "tile"), { recursive: true });
      // after it: the old ones are there still
      await cp(join(directory, "logs-before"), join(taken, "logs-before"), { recursive: true });
      for (const interrupted of [directory, taken]) {
        await withLog(interrupted, isTakenOver);
        assert.deepEqual((await readdir(interrupted)).sort(), ["journal", "logs"]);
      }
    });
  });
});
