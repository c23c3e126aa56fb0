import assert from "node:assert/strict";
import pg from "pg";
import { createLog } from "../../../../protocol/index.ts";
import { type Store, StoreDamaged, type StoredLog, StoreUnavailable } from "../../../store/store.ts";
import { readingAt } from "../../support.ts";
import { KEY_ID, readingsOf, SIGNATURE, sizesOf } from "../contract.ts";
import { describeWithServer } from "./server.ts";

const keyOf = (i: number): string => `0x${i.toString(16).padStart(64, "0")}`;

describeWithServer("a database of several oracles", (server) => {
  let url: string;
  let one: Store;
  let other: Store;
  beforeEach(async () => {
    url = await server().newStoreDatabase();
    [one, other] = [await server().openStore(url), await server().openStore(url)];
  });

  async function query(text: string): Promise<pg.QueryResult> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return client.query(text).finally(() => client.end());
  }

  it("refuses what is appended to a log that another made longer, and stores nothing of it", async () => {
    const log = await one.logs.open(KEY_ID, 1);
    await log.append(readingsOf(300), SIGNATURE, 0n);
    const stale = await other.logs.open(KEY_ID, 1);
    assert.equal(await log.append(readingsOf(300, 300), SIGNATURE, 0n), true);
    assert.equal(await stale.append(readingsOf(700, 300), SIGNATURE, 9n), false);
    assert.equal(stale.size, 300);
    const again = await other.logs.open(KEY_ID, 1);
    assert.equal(again.bucket, 0n);
    assert.deepEqual(await again.readings(0, 2000), readingsOf(600));
    assert.deepEqual(await sizesOf(again), [300, 600]);
    assert.deepEqual(await again.hashOf(0, 600), createLog(readingsOf(600)).root());
  });

  it("stores the others of a group in which one lost", async () => {
    const logs = await Promise.all(Array.from({ length: 20 }, (_, i) => one.logs.open(keyOf(i), 1)));
    const winner = await other.logs.open(keyOf(7), 1);
    assert.equal(await winner.append(readingsOf(2), SIGNATURE, 0n), true);
    const stored = await Promise.all(logs.map((log) => log.append(readingsOf(1), SIGNATURE, 0n)));
    assert.deepEqual(
      stored,
      logs.map((_, i) => i !== 7),
    );
    for (const [i, log] of logs.entries()) {
      assert.equal((await other.logs.get(log.keyId, 1))?.size, i === 7 ? 2 : 1);
    }
  });

  it("stores each reading once where all append to the same logs at once", async () => {
    const readings = readingsOf(600);
    /** Appends one at a time until the log is full, as whoever is faster leaves it. */
    async function fill(store: Store, keyId: string): Promise<void> {
      for (let log = await store.logs.open(keyId, 1); log.size < 600; log = await store.logs.open(keyId, 1)) {
        await log.append(readings.slice(log.size, log.size + 37), SIGNATURE, 0n);
      }
    }
    const keys = [1, 2, 3].map(keyOf);
    await Promise.all([one, other].flatMap((store) => keys.map((keyId) => fill(store, keyId))));
    for (const keyId of keys) {
      const log = (await one.logs.get(keyId, 1)) as StoredLog;
      assert.deepEqual(await log.readings(0, 1000), readings);
      assert.deepEqual(await log.hashOf(0, 600), createLog(readings).root());
    }
  });

  it("begins no log in its middle", async () => {
    const log = await one.logs.open(KEY_ID, 1);
    await log.append(readingsOf(5), SIGNATURE, 0n);
    await query("delete from logs");
    assert.equal(await log.append(readingsOf(5, 5), SIGNATURE, 0n), false);
    assert.equal(await one.logs.get(KEY_ID, 1), undefined);
  });

  it("shows each what another appended", async () => {
    for (let size = 0; size < 600; size += 60) {
      const [writer, reader] = size % 120 === 0 ? [one, other] : [other, one];
      const log = await writer.logs.open(KEY_ID, 1);
      assert.equal(log.size, size);
      assert.equal(await log.append(readingsOf(60, size), SIGNATURE, 0n), true);
      const [seen] = await reader.logs.of(KEY_ID);
      assert.deepEqual(await seen?.readings(0, 1000), readingsOf(size + 60));
    }
  });

  it("keeps records, documents and batches that another wrote", async () => {
    const records = await one.records<{ n: number }>("some/where");
    await records.put("b", { n: 1 });
    await records.put("a", { n: 2 });
    await records.put("b", { n: 3 });
    await (await one.records("elsewhere")).put("c", { n: 4 });
    const seen = await other.records("some/where");
    assert.deepEqual(await seen.ids(), ["a", "b"]);
    assert.deepEqual(await seen.all(), [{ n: 2 }, { n: 3 }]);
    await seen.remove("a");
    assert.equal(await records.get("a"), undefined);
    await (await one.document("place", { block: 0 })).update((data) => {
      data.block = 7;
    });
    assert.deepEqual((await other.document("place", { block: 0 })).data, { block: 7 });
    const batch = Uint8Array.of(1, 2, 3);
    assert.deepEqual(await other.batches.get(await one.batches.put(batch)), batch);
    assert.equal(await other.batches.put(batch), await one.batches.put(batch));
    assert.equal(await other.batches.get(KEY_ID), undefined);
  });

  it("never forgets a head that another made the newest", async () => {
    const log = await one.logs.open(KEY_ID, 1);
    for (const size of [100, 300, 400]) await log.append(readingsOf(size - log.size, log.size), SIGNATURE, 0n);
    const later = await other.logs.open(KEY_ID, 1);
    await later.append(readingsOf(150, 400), SIGNATURE, 0n);
    await log.prune(1000, [100]);
    assert.deepEqual(await sizesOf((await other.logs.get(KEY_ID, 1)) as StoredLog, 400), [550]);
    assert.deepEqual(
      await sizesOf((await (await server().openStore(url)).logs.get(KEY_ID, 1)) as StoredLog),
      [100, 550],
    );
  });

  it("has the hashes of logs that fill a tile of tiles", async () => {
    const readings = readingsOf(132_000);
    const tree = createLog(readings);
    let size = 0;
    for (const end of [65_000, 65_535, 65_536, 65_537, 66_000, 131_071, 132_000]) {
      const store = await server().openStore(url);
      const log = await store.logs.open(KEY_ID, 1);
      assert.deepEqual(log.rootWith(readings.slice(size, end)), tree.root(end), `${end}`);
      assert.equal(await log.append(readings.slice(size, end), SIGNATURE, 0n), true);
      size = end;
    }
    const log = (await other.logs.get(KEY_ID, 1)) as StoredLog;
    assert.deepEqual(log.rootWith([]), tree.root(size));
    assert.deepEqual(
      await log.tile(2, 0, 2),
      Uint8Array.from([...tree.range(0, 65_536), ...tree.range(65_536, 131_072)]),
    );
    assert.deepEqual(await log.hashOf(65_536, 131_072), tree.range(65_536, 131_072));
    assert.deepEqual(await log.hashOf(65_280, 65_536), tree.range(65_280, 65_536));
    assert.deepEqual(await log.readings(65_500, 65_600), readings.slice(65_500, 65_600));
    assert.deepEqual(await sizesOf(log, 65_535), [65_536, 65_537, 66_000, 131_071, 132_000]);
  });

  describe("that is damaged", () => {
    beforeEach(async () => {
      await (await one.logs.open(KEY_ID, 1)).append(readingsOf(700), SIGNATURE, 0n);
    });
    const fresh = async () => (await server().openStore(url)).logs.get(KEY_ID, 1) as Promise<StoredLog>;

    for (const [what, statement, use] of [
      ["a reading", "update bundles set readings = set_byte(readings, 9, 1) where index = 1", "readings 256 to 511"],
      ["a bundle that is gone", "delete from bundles where index = 1", "readings 256 to 511"],
    ] as const) {
      it(`by ${what} says which readings, and gives the others`, async () => {
        await query(statement);
        const log = await fresh();
        await assert.rejects(log.readings(0, 700), (error: Error) => {
          assert.ok(error instanceof StoreDamaged);
          assert.match(error.message, new RegExp(`${use} of key ${KEY_ID} in epoch 1 are damaged`));
          return true;
        });
        assert.deepEqual(await log.readings(0, 256), readingsOf(256));
        assert.deepEqual(await log.readings(512, 700), readingsOf(188, 512));
      });
    }

    it("by a tail that is shorter than its log opens no log", async () => {
      await query("delete from tails");
      await assert.rejects(fresh(), StoreDamaged);
    });

    it("by tiles that are shorter than their log opens no log", async () => {
      await query("update tiles set hashes = substr(hashes, 1, 32)");
      await assert.rejects(fresh(), StoreDamaged);
    });
  });

  it("goes on with logs of which an old year was detached, and has that again once attached", async () => {
    const before = (i: number) => readingAt(Date.UTC(2026, 11, 31, 23, 55) / 1000 + i, BigInt(i));
    const readings = Array.from({ length: 1500 }, (_, i) => before(i));
    await (await one.logs.open(KEY_ID, 1)).append(readings.slice(0, 1000), SIGNATURE, 0n);
    const { rows } = await query("select tableoid::regclass as part, index from bundles order by index");
    assert.deepEqual(
      rows.map(({ part }) => part),
      ["bundles_2026", "bundles_2026", "bundles_2027"],
    );
    await query("alter table bundles detach partition bundles_2026");
    const log = await (await server().openStore(url)).logs.open(KEY_ID, 1);
    await log.append(readings.slice(1000), SIGNATURE, 0n);
    assert.deepEqual(await log.hashOf(0, 1500), createLog(readings).root());
    assert.deepEqual(await log.readings(512, 1500), readings.slice(512));
    await assert.rejects(log.readings(0, 1), /readings 0 to 255 of .* are missing, as where their year was detached/);
    const [from, to] = [2026, 2027].map((year) => Date.UTC(year, 0) / 1000);
    await query(`alter table bundles attach partition bundles_2026 for values from (${from}) to (${to})`);
    assert.deepEqual(await log.readings(0, 1500), readings);
  });

  it("that restarts in the middle of writes loses nothing that it acknowledged, and is written to again", async () => {
    const readings = readingsOf(600);
    const acknowledged = new Map<string, number>();
    const failures: unknown[] = [];
    let crashing: Promise<void> | undefined;
    const restart = async () => {
      await server().crash();
      await server().start();
    };
    /** Posts until all is stored; what fails is posted again once the server is back. */
    async function fill(store: Store, keyId: string): Promise<void> {
      for (let size = 0; size < 600; ) {
        try {
          const log = await store.logs.open(keyId, 1);
          assert.ok(log.size >= (acknowledged.get(keyId) ?? 0), "an acknowledged reading is gone");
          size = Math.min(600, log.size + 7);
          if (size > log.size && !(await log.append(readings.slice(log.size, size), SIGNATURE, 0n))) continue;
          acknowledged.set(keyId, size);
          if (size > 300) crashing ??= restart();
        } catch (error) {
          size = 0;
          failures.push(error);
          await crashing;
        }
      }
    }
    const keys = Array.from({ length: 8 }, (_, i) => keyOf(i));
    await Promise.all(keys.map((keyId, i) => fill(i % 2 === 0 ? one : other, keyId)));
    await crashing;
    assert.ok(failures.length > 0, "the restart hit no write");
    for (const failure of failures) assert.ok(failure instanceof StoreUnavailable, String(failure));
    for (const keyId of keys) {
      const log = (await one.logs.get(keyId, 1)) as StoredLog;
      assert.deepEqual(await log.readings(0, 1000), readings);
      assert.deepEqual(await log.hashOf(0, 600), createLog(readings).root());
    }
  });
});
