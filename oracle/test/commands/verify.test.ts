import assert from "node:assert/strict";
import { domain, toHex } from "../../../protocol/index.ts";
import { verifyStore } from "../../commands/verifying.ts";
import type { Store, StoredLog } from "../../store/store.ts";
import { newWorld, PLACE, removeDirectories, START, type World } from "../support.ts";

describe("verifying a store", () => {
  let world: World;
  let keyId: string;
  beforeEach(async () => {
    world = await newWorld({ confirmations: 1 });
    const meter = await world.newMeter();
    for (const seconds of [3000, 6000]) {
      await world.live(meter, START + seconds);
    }
    keyId = toHex(meter.device.keyId);
    for (let i = 0; i < 3; i++) await world.oracle.tick();
    assert.equal(world.chain.settled(keyId as `0x${string}`).size, 600);
  });
  afterEach(removeDirectories);

  /** What is found in the store where its logs are another's in some respect. */
  async function problemOf(
    changed: (log: StoredLog) => Partial<StoredLog>,
    more: Partial<Store> = {},
  ): Promise<string> {
    const { store } = world.oracle;
    const of = async (id: string) =>
      (await store.logs.of(id)).map((log) => Object.create(log, Object.getOwnPropertyDescriptors(changed(log))));
    const found = await verifyStore({
      store: { ...store, ...more, logs: { ...store.logs, of } },
      chain: world.chain,
      headDomain: domain("head", PLACE),
    });
    return found.ok ? "" : found.problem;
  }

  it("finds a reading that is another", async () => {
    const readings = async (log: StoredLog, from: number, to: number) =>
      (await log.readings(from, to)).map((bytes, i) => (from + i === 7 ? bytes.with(9, 1) : bytes));
    assert.match(
      await problemOf((log) => ({ readings: (from, to) => readings(log, from, to) })),
      new RegExp(
        `^In the log of key ${keyId} in epoch 1 the meter did not sign the head of \\d+ readings: bad signature`,
      ),
    );
  });

  it("finds readings that are missing", async () => {
    assert.match(
      await problemOf((log) => ({ readings: async (from, to) => (from < 256 ? log.readings(from, to) : []) })),
      /reading 256 is missing\.$/,
    );
  });

  it("finds a signature that is another", async () => {
    assert.match(
      await problemOf((log) => ({
        headsAfter: async (size) =>
          (await log.headsAfter(size)).map((head) => ({ ...head, signature: head.signature.with(0, 1).with(1, 1) })),
      })),
      /the meter did not sign the head of \d+ readings/,
    );
  });

  it("finds that the newest head is missing", async () => {
    assert.match(
      await problemOf(() => ({ headsAfter: async () => [] })),
      /the newest head, of 600 readings, is missing/,
    );
  });

  it("finds a root that is kept and is another", async () => {
    assert.match(await problemOf(() => ({ rootWith: () => new Uint8Array(32) })), /the root that is kept is not that/);
  });

  it("finds that the chain has settled another root", async () => {
    world.chain.logOf = async () => ({ size: 300, root: `0x${"12".repeat(32)}` });
    assert.match(await problemOf(() => ({})), /the chain has settled another root of the first 300 readings/);
  });

  it("finds logs of a key that no meter has", async () => {
    const records = async () => ({ get: async () => undefined }) as never;
    assert.match(await problemOf(() => ({}), { records }), /the store knows no meter of that key/);
  });

  it("counts what is right", async () => {
    const told: number[] = [];
    const { oracle, chain } = world;
    const progress = (readings: number) => void told.push(readings);
    const found = await verifyStore({ store: oracle.store, chain, headDomain: domain("head", PLACE), progress });
    const heads = (await (await oracle.store.logs.get(keyId, 1))?.headsAfter(0))?.length;
    assert.deepEqual(found, { ok: true, verified: { logs: 1, readings: 600, heads, settled: 1 } });
    assert.deepEqual(told, [256, 512, 600]);
  });
});
