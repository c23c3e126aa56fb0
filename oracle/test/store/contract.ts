/** What every store does, as one suite: `describeStore(name, open)` runs it against one. */
import assert from "node:assert/strict";
import {
  consistencyProof,
  createLog,
  frontier,
  inclusionProof,
  type Log,
  verifyInclusion,
} from "../../../protocol/index.ts";
import { withHashes } from "../../store/hashes.ts";
import type { Store, StoredLog } from "../../store/store.ts";
import { readingAt, START } from "../support.ts";

export const KEY_ID = `0x${"0a".repeat(32)}`;
export const SIGNATURE = new Uint8Array(64).fill(1);

export const readingsOf = (count: number, from = 0): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => readingAt(START + from + i, BigInt(from + i)));

export const sizesOf = async (log: StoredLog, after = 0): Promise<number[]> =>
  (await log.headsAfter(after)).map(({ size }) => size);

/** A store of a test's own; `reopen` gives what a new process finds in its place. */
export type Opened = { store: Store; reopen(): Promise<Store> };

export function describeStore(name: string, open: () => Promise<Opened>): void {
  describe(name, () => {
    let opened: Opened;
    let log: StoredLog;
    beforeEach(async () => {
      opened = await open();
      log = await opened.store.logs.open(KEY_ID, 1);
    });
    const reopenLog = async () => (await opened.reopen()).logs.open(KEY_ID, 1);

    it("refuses what is appended where another began the log first", async () => {
      const other = await opened.store.logs.open(KEY_ID, 1);
      assert.equal(await log.append(readingsOf(2), SIGNATURE, 0n), true);
      assert.equal(await other.append(readingsOf(3), SIGNATURE, 0n), false);
      assert.equal((await opened.store.logs.get(KEY_ID, 1))?.size, 2);
    });

    it("has no log before its first reading", async () => {
      assert.equal(log.size, 0);
      assert.equal(log.newestHead, undefined);
      assert.equal(await opened.store.logs.get(KEY_ID, 1), undefined);
      assert.deepEqual(await opened.store.logs.of(KEY_ID), []);
    });

    it("has no tile or bundle wider than the log", async () => {
      await log.append(readingsOf(300), SIGNATURE, 0n);
      assert.equal(await log.tile(0, 1, 45), undefined);
      assert.equal(await log.tile(1, 0, 2), undefined);
      assert.equal(await log.entries(1, 45), undefined);
    });

    it("is the same after it is opened again, at every size around a tile", async () => {
      const readings = readingsOf(515);
      let size = 0;
      for (const end of [1, 2, 255, 256, 257, 511, 512, 513, 515]) {
        await log.append(readings.slice(size, end), SIGNATURE, BigInt(end));
        size = end;
        log = await reopenLog();
        assert.equal(log.size, end);
        assert.equal(log.bucket, BigInt(end));
        assert.deepEqual(log.last, readings[end - 1]);
        assert.deepEqual(log.newestHead, { size, reading: readings[end - 1], signature: SIGNATURE });
        assert.deepEqual(log.rootWith([]), createLog(readings.slice(0, end)).root());
      }
      assert.deepEqual(await log.readings(0, size), readings);
      assert.deepEqual(await log.readings(250, 260), readings.slice(250, 260));
      assert.deepEqual(await sizesOf(log, 255), [256, 257, 511, 512, 513, 515]);
      assert.deepEqual((await log.headsAfter(512))[0]?.reading, readings[512]);
    });

    it("lists the logs of a key by epoch", async () => {
      for (const epoch of [3, 1, 2])
        await (await opened.store.logs.open(KEY_ID, epoch)).append(readingsOf(1), SIGNATURE, 0n);
      const listed = await (await opened.reopen()).logs.of(KEY_ID);
      assert.deepEqual(
        listed.map(({ epoch }) => epoch),
        [1, 2, 3],
      );
    });

    it("lists the keys that have a log, page by page", async () => {
      const keys = ["0c", "0b", "0d"].map((digits) => `0x${digits.repeat(32)}`);
      for (const keyId of keys) {
        for (const epoch of [1, 2])
          await (await opened.store.logs.open(keyId, epoch)).append(readingsOf(1), SIGNATURE, 0n);
      }
      const { logs } = await opened.reopen();
      const [first, second, third] = keys.sort();
      assert.deepEqual(await logs.keys(undefined, 2), [first, second]);
      assert.deepEqual(await logs.keys(second, 2), [third]);
      assert.deepEqual(await logs.keys(third, 2), []);
    });

    it("tells the root that a log would have, and leaves the log as it is", async () => {
      const readings = readingsOf(600);
      await log.append(readings.slice(0, 100), SIGNATURE, 0n);
      for (const end of [101, 255, 256, 257, 512, 600]) {
        assert.deepEqual(log.rootWith(readings.slice(100, end)), createLog(readings.slice(0, end)).root(), `${end}`);
      }
      assert.equal(log.size, 100);
      assert.deepEqual(log.rootWith([]), createLog(readings.slice(0, 100)).root());
    });

    it("forgets settled heads but those it is told to keep and the newest, and no reading", async () => {
      const readings = readingsOf(800);
      for (let at = 0; at < 800; at += 100) await log.append(readings.slice(at, at + 100), SIGNATURE, 0n);
      await log.prune(750, [300]);
      assert.deepEqual(await sizesOf(log), [300, 800]);
      await log.prune(900, []);
      assert.deepEqual(await sizesOf(log), [800]);
      assert.deepEqual(await log.readings(0, 800), readings);
    });

    it("names its records and documents", async () => {
      for (const name of ["meters", "marks/0x0a/1", "marks/0x0b/12"]) {
        await (await opened.store.records(name)).put("a", { n: 1 });
      }
      await opened.store.records("jobs");
      await (await opened.store.document("chain", { n: 0 })).write();
      await log.append(readingsOf(300), SIGNATURE, 0n);
      await opened.store.batches.put(Uint8Array.of(1));
      assert.deepEqual(await (await opened.reopen()).names(), {
        records: ["marks/0x0a/1", "marks/0x0b/12", "meters"],
        documents: ["chain"],
      });
    });

    it("adds a record once, whoever else adds it at the same time", async () => {
      const [one, other] = [await opened.store.records("numbers"), await opened.store.records("numbers")];
      const added = await Promise.all([1, 2, 3].map((n) => (n % 2 === 0 ? one : other).add("a", { n })));
      assert.equal(added.filter(Boolean).length, 1);
      assert.deepEqual(await one.all(), [{ n: 1 + added.indexOf(true) }]);
      assert.equal(await other.add("a", { n: 4 }), false);
      assert.equal(await other.add("b", { n: 5 }), true);
      assert.deepEqual(await one.get("b"), { n: 5 });
    });

    it("has what was added when it is opened again", async () => {
      const heads = { sizes: [300, 310], proof: ["0x00", "0x01"], reading: `0x${"00".repeat(32)}` };
      assert.equal(await (await opened.store.records("equivocations")).add(`${KEY_ID}-1`, heads), true);
      const again = await (await opened.reopen()).records("equivocations");
      assert.deepEqual(await again.get(`${KEY_ID}-1`), heads);
      assert.deepEqual(await again.ids(), [`${KEY_ID}-1`]);
      assert.equal(await again.add(`${KEY_ID}-1`, { other: true }), false);
      assert.deepEqual(await again.all(), [heads]);
    });

    it("counts what is earlier than a moment, however unsteadily it was read", async () => {
      // every second, after a month's silence now and then, and at last once an hour
      const silences = [1, 255, 256, 257, 1000, 1536];
      let time = START;
      const times = Array.from({ length: 1800 }, (_, i) => {
        time += silences.includes(i) ? 30 * 86_400 : i < 1600 ? 1 : 3600;
        return time;
      });
      await log.append(
        times.map((at) => readingAt(at, 0n)),
        SIGNATURE,
        0n,
      );
      for (const [index, at] of times.entries()) {
        assert.equal(await log.countBefore(at), index, `before reading ${index}`);
        assert.equal(await log.countBefore(at + 1), index + 1, `after reading ${index}`);
      }
      assert.equal(await log.countBefore(0), 0);
    });

    describe("with a log of thousands of readings", () => {
      const readings = readingsOf(9 * 256 + 77);
      const tree: Log = createLog(readings);
      beforeEach(async () => {
        await log.append(readings, SIGNATURE, 0n);
        log = await reopenLog();
      });

      it("has the protocol's hash of every range, complete or not", async () => {
        for (const size of [1, 2, 255, 256, 257, 512, 1023, 1024, 1025, 2048, 2303, 2304, readings.length]) {
          assert.deepEqual(await log.hashOf(0, size), tree.root(size), `${size}`);
        }
        for (const [start, end] of [
          [256, 512],
          [1024, 2048],
          [1536, 2048],
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
        const [from, to] = [777, 2000];
        const proof = await withHashes(log.hashOf, (range) => consistencyProof(range, from, to));
        assert.deepEqual(proof, consistencyProof(tree.range, from, to));
      });

      it("counts what is earlier than a moment", async () => {
        for (const index of [0, 1, 255, 256, 2303, 2304, readings.length - 1]) {
          assert.equal(await log.countBefore(START + index), index);
        }
        assert.equal(await log.countBefore(START + 100_000), readings.length);
      });

      it("has tiles and bundles, full and partial, as tlog-tiles wants them", async () => {
        const leaves = (from: number, to: number) =>
          Uint8Array.from(readings.slice(from, to).flatMap((_, i) => [...tree.range(from + i, from + i + 1)]));
        assert.deepEqual(await log.tile(0, 3, 256), leaves(768, 1024));
        assert.deepEqual(await log.tile(0, 9, 77), leaves(2304, 2381));
        assert.deepEqual((await log.tile(1, 0, 9))?.slice(256, 288), tree.range(2048, 2304));
        const entries = await log.entries(9, 2);
        assert.deepEqual(entries?.slice(34), Uint8Array.from([0, 32, ...(readings[2305] as Uint8Array)]));
      });
    });
  });
}
