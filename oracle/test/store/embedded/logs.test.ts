import assert from "node:assert/strict";
import { copyFile, mkdir, readdir, readFile, rmdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  consistencyProof,
  createLog,
  frontier,
  inclusionProof,
  type Log,
  toHex,
  verifyInclusion,
} from "../../../../protocol/index.ts";
import { makeDirectory, writeDurably } from "../../../store/embedded/durable.ts";
import { CHUNK_LENGTH, openLogs } from "../../../store/embedded/logs.ts";
import { openRecords } from "../../../store/embedded/records.ts";
import { extendFrontier, rootOfFrontier, withHashes } from "../../../store/hashes.ts";
import type { StoredLog } from "../../../store/store.ts";
import { readingAt, removeDirectories, START, temporaryDirectory } from "../../support.ts";

const KEY_ID = `0x${"0a".repeat(32)}`;
const SIGNATURE = new Uint8Array(64).fill(1);

const readingsOf = (count: number, from = 0): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => readingAt(START + from + i, BigInt(from + i)));

async function openStored(directory: string): Promise<StoredLog> {
  return (await openLogs(directory)).open(KEY_ID, 1);
}

/** Every file under a directory: its place on disk and its length. A rewritten file has another place. */
async function filesUnder(directory: string): Promise<Map<string, { inode: number; bytes: number }>> {
  const files = new Map<string, { inode: number; bytes: number }>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const { ino, size } = await stat(path);
    files.set(path, { inode: ino, bytes: size });
  }
  return files;
}

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

describe("a stored log", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await temporaryDirectory();
  });
  afterEach(removeDirectories);

  it("is the same after it is opened again, at every size around a chunk", async () => {
    let log = await openStored(directory);
    const readings = readingsOf(2 * CHUNK_LENGTH + 3);
    let size = 0;
    for (const end of [1, 2, 255, 256, 257, 511, 512, 513, 515]) {
      await log.append(readings.slice(size, end), SIGNATURE, BigInt(end));
      size = end;
      log = await openStored(directory);
      assert.equal(log.size, end);
      assert.equal(log.bucket, BigInt(end));
      assert.deepEqual(log.last, readings[end - 1]);
      assert.equal(log.newestHead?.size, end);
      assert.deepEqual(log.rootWith([]), createLog(readings.slice(0, end)).root());
    }
    assert.deepEqual(await log.readings(0, size), readings);
    assert.deepEqual(await log.readings(250, 260), readings.slice(250, 260));
    assert.deepEqual(
      (await log.headsAfter(255)).map((head) => head.size),
      [256, 257, 511, 512, 513, 515],
    );
  });

  it("tells the root that it would have", async () => {
    const log = await openStored(directory);
    const readings = readingsOf(600);
    await log.append(readings.slice(0, 100), SIGNATURE, 0n);
    assert.deepEqual(log.rootWith(readings.slice(100)), createLog(readings).root());
    assert.equal(log.size, 100);
  });

  describe("of thousands of readings", () => {
    const readings = readingsOf(9 * CHUNK_LENGTH + 77);
    const tree: Log = createLog(readings);
    let log: StoredLog;
    beforeEach(async () => {
      log = await openStored(directory);
      await log.append(readings, SIGNATURE, 0n);
      log = await openStored(directory);
    });

    it("has the protocol's hash of every range, complete or not", async () => {
      for (const size of [1, 2, 255, 256, 257, 512, 1023, 1024, 1025, 2048, 2303, 2304, readings.length]) {
        assert.deepEqual(await log.hashOf(0, size), tree.root(size), `${size}`);
      }
      for (const [start, end] of [
        [256, 512],
        [768, 1024],
        [1024, 2048],
        [1536, 2048],
        [2048, 2304],
        [2304, readings.length],
        [300, 302],
      ] as const) {
        assert.deepEqual(await log.hashOf(start, end), tree.range(start, end), `${start}-${end}`);
      }
    });

    it("gives the protocol's proofs and frontiers", async () => {
      for (const size of [1, 300, 1024, readings.length]) {
        for (const index of [0, Math.floor(size / 2), size - 1]) {
          const proof = await withHashes(log.hashOf, (range) => inclusionProof(range, index, size));
          assert.ok(verifyInclusion(readings[index] as Uint8Array, index, size, proof, tree.root(size)).ok);
        }
        assert.deepEqual(await withHashes(log.hashOf, (range) => frontier(range, size)), frontier(tree.range, size));
      }
      for (const [from, to] of [
        [1, readings.length],
        [256, 2304],
        [777, 2000],
        [2303, 2304],
      ] as const) {
        assert.deepEqual(
          await withHashes(log.hashOf, (range) => consistencyProof(range, from, to)),
          consistencyProof(tree.range, from, to),
        );
      }
    });
  });

  it("ends at its last signed head when a post of many chunks was torn, wherever that was", async () => {
    const [before, post] = [readingsOf(300), readingsOf(1000, 300)];
    const whole = await openStored(directory);
    await whole.append(before, SIGNATURE, 5n);
    const kept = await temporaryDirectory();
    const chunks = join(KEY_ID, "1");
    await mkdir(join(kept, chunks), { recursive: true });
    for (const chunk of ["0.json", "1.json"]) await copyFile(join(directory, chunks, chunk), join(kept, chunks, chunk));
    await whole.append(post, SIGNATURE, 9n);
    const written = ["1.json", "2.json", "3.json", "4.json"];
    assert.deepEqual((await readdir(join(directory, chunks))).sort(), ["0.json", ...written, "5.json"]);

    for (const chunk of written) {
      await copyFile(join(directory, chunks, chunk), join(kept, chunks, chunk));
      const torn = await openStored(kept);
      assert.equal(torn.size, 300, `after ${chunk}`);
      assert.equal(torn.bucket, 5n);
      assert.deepEqual(torn.last, before.at(-1));
      assert.deepEqual(torn.rootWith([]), createLog(before).root());
    }
    const torn = await openStored(kept);
    await torn.append(post.slice(0, 10), SIGNATURE, 7n);
    const again = await openStored(kept);
    assert.equal(again.size, 310);
    assert.deepEqual(await again.readings(0, 310), [...before, ...post.slice(0, 10)]);
  });

  it("is nothing at all when its very first post was torn", async () => {
    const log = await openStored(directory);
    await log.append(readingsOf(600), SIGNATURE, 0n);
    const chunks = join(directory, KEY_ID, "1");
    const torn = await temporaryDirectory();
    await mkdir(join(torn, KEY_ID, "1"), { recursive: true });
    await copyFile(join(chunks, "0.json"), join(torn, KEY_ID, "1", "0.json"));
    const logs = await openLogs(torn);
    assert.equal(await logs.get(KEY_ID, 1), undefined);
    const fresh = await logs.open(KEY_ID, 1);
    await fresh.append(readingsOf(3), SIGNATURE, 0n);
    assert.equal((await openStored(torn)).size, 3);
  });

  it("is as before when storing fails", async () => {
    const log = await openStored(directory);
    await log.append(readingsOf(10), SIGNATURE, 0n);
    await mkdir(join(directory, KEY_ID, "1", "0.json.unfinished"));
    await assert.rejects(log.append(readingsOf(5, 10), SIGNATURE, 1n));
    assert.equal(log.size, 10);
    assert.equal(log.newestHead?.size, 10);
    assert.deepEqual(log.rootWith([]), createLog(readingsOf(10)).root());
    await rmdir(join(directory, KEY_ID, "1", "0.json.unfinished"));
    await log.append(readingsOf(3, 10), SIGNATURE, 1n);
    assert.deepEqual(await (await openStored(directory)).readings(0, 13), readingsOf(13));
  });

  it("costs no more to append to, however long it is", async () => {
    const log = await openStored(directory);
    const costs: number[] = [];
    for (const history of [0, 50]) {
      for (let chunk = 0; chunk < history; chunk++) {
        await log.append(readingsOf(CHUNK_LENGTH, log.size), SIGNATURE, 0n);
      }
      let worst = 0;
      for (let i = 0; i < CHUNK_LENGTH; i++) {
        const before = await filesUnder(directory);
        await log.append(readingsOf(1, log.size), SIGNATURE, 0n);
        let written = 0;
        for (const [path, { inode, bytes }] of await filesUnder(directory)) {
          if (before.get(path)?.inode !== inode) written += bytes;
        }
        worst = Math.max(worst, written);
      }
      costs.push(worst);
    }
    const [young, old] = costs as [number, number];
    assert.ok(young > 0);
    assert.ok(old - young < 2000, `${young} bytes at first, ${old} after 50 chunks`);
  });

  it("reads one chunk of a log when it is opened", async () => {
    const log = await openStored(directory);
    await log.append(readingsOf(20 * CHUNK_LENGTH), SIGNATURE, 0n);
    const chunks = join(directory, KEY_ID, "1");
    for (let i = 0; i < 19; i++) await writeFile(join(chunks, `${i}.json`), "unreadable");
    const opened = await openStored(directory);
    assert.equal(opened.size, 20 * CHUNK_LENGTH);
    assert.equal(toHex(opened.rootWith([])), toHex(createLog(readingsOf(20 * CHUNK_LENGTH)).root()));
    await assert.rejects(opened.readings(0, 1));
  });
});

describe("a frontier", () => {
  it("grown leaf by leaf is the protocol's, and so is its root", () => {
    const readings = readingsOf(70);
    const tree = createLog(readings);
    let grown: Uint8Array[] = [];
    for (let size = 1; size <= 70; size++) {
      grown = extendFrontier(grown, size - 1, tree.range(size - 1, size));
      assert.deepEqual(grown, frontier(tree.range, size));
      assert.deepEqual(rootOfFrontier(grown), tree.root(size));
    }
  });
});
