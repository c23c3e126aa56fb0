import assert from "node:assert/strict";
import { toHex } from "../../../protocol/index.ts";
import { copyStore } from "../../commands/copying.ts";
import type { Store, StoredLog } from "../../store/store.ts";
import { KEY_ID, readingsOf, SIGNATURE } from "../store/contract.ts";
import { describeWithServer } from "../store/postgres/server.ts";
import { newWorld, openStore, removeDirectories, START, temporaryDirectory, type World } from "../support.ts";

/** Everything that was settled, with what the chain said of it. */
async function usedWorld(): Promise<{ world: World; keyId: string }> {
  const world = await newWorld({ confirmations: 1, keepsHeads: true });
  const meter = await world.newMeter();
  for (const seconds of [3000, 6000]) {
    await world.live(meter, START + seconds);
  }
  for (let i = 0; i < 3; i++) await world.oracle.tick();
  return { world, keyId: toHex(meter.device.keyId) };
}

async function contentsOf({ logs, records, document }: Store, keyId: string) {
  const log = (await logs.get(keyId, 1)) as StoredLog;
  return {
    log: [log.size, log.bucket, log.last, log.newestHead, log.rootWith([])],
    readings: await log.readings(0, log.size),
    heads: await log.headsAfter(0),
    meters: await (await records("meters")).all(),
    marks: await (await records(`marks/${keyId}/1`)).ids().then((ids) => ids.sort()),
    jobs: await (await records("jobs-finished")).all(),
    chain: (await document("chain", {})).data,
    schedule: (await document("schedule", {})).data,
  };
}

function describeCopy(name: string, open: () => Promise<Store>): void {
  describe(`copying to ${name}`, () => {
    afterEach(removeDirectories);

    it("refuses where the other store has other readings", async () => {
      const [from, to] = [await openStore(await temporaryDirectory()), await open()];
      await (await from.logs.open(KEY_ID, 1)).append(readingsOf(3), SIGNATURE, 0n);
      await (await to.logs.open(KEY_ID, 1)).append(readingsOf(2, 5), SIGNATURE, 0n);
      const copying = await copyStore(from, to);
      assert.ok(!copying.ok);
      assert.match(copying.problem, new RegExp(`different readings in the log of key ${KEY_ID} in epoch 1`));
      assert.equal((await to.logs.get(KEY_ID, 1))?.size, 2);
    });

    it("brings over everything, once", async () => {
      const { world, keyId } = await usedWorld();
      const { store } = world.oracle;
      const to = await open();
      const told: number[] = [];
      const first = await copyStore(store, to, (readings) => void told.push(readings));
      assert.ok(first.ok);
      assert.deepEqual([first.copied.logs, first.copied.readings, first.copied.batches], [1, 600, 1]);
      assert.equal(told.at(-1), 600);
      assert.deepEqual(await contentsOf(to, keyId), await contentsOf(store, keyId));
      const [job] = await (await store.records<{ digest: string }>("jobs-finished")).all();
      assert.deepEqual(
        toHex((await to.batches.get(job?.digest as string)) as Uint8Array),
        toHex((await store.batches.get(job?.digest as string)) as Uint8Array),
      );
      const again = await copyStore(store, to);
      assert.deepEqual([again.copied.readings, again.copied.batches], [0, 0]);
    });

    it("goes on where it was interrupted", async () => {
      const { world, keyId } = await usedWorld();
      const { store } = world.oracle;
      const to = await open();
      const interrupted = copyStore(store, to, () => {
        throw new Error("interrupted");
      });
      await assert.rejects(interrupted, /interrupted/);
      const size = (await to.logs.get(keyId, 1))?.size as number;
      assert.ok(size > 0 && size < 600, `${size}`);
      const copying = await copyStore(store, to);
      assert.equal(copying.copied.readings, 600 - size);
      assert.deepEqual(await contentsOf(to, keyId), await contentsOf(store, keyId));
    });
  });
}

describeCopy("a folder", async () => openStore(await temporaryDirectory()));
describeWithServer("with a database", (server) => {
  describeCopy("PostgreSQL", async () => server().openStore(await server().newStoreDatabase()));
});
