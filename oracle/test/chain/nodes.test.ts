/** What the oracle knows of the chain where nodes do not agree, and where blocks are taken back. */
import assert from "node:assert/strict";
import type { Device } from "../../../meter/device.ts";
import { toHex } from "../../../protocol/index.ts";
import { CAPACITY, newMeter, newWorld, OWNER, removeDirectories, START, type World } from "../support.ts";

const REGISTRATION = { owner: OWNER, capacity: CAPACITY, details: new Uint8Array(32) };

describe("the oracle, of what nodes tell it", () => {
  let world: World;
  let device: Device;
  beforeEach(async () => {
    world = await newWorld({ confirmations: 2, settles: false });
    device = deviceAt(START + 100);
    world.now = START + 100;
  });
  afterEach(removeDirectories);

  const deviceAt = (now: number): Device => {
    const meter = newMeter();
    meter.advance(now);
    return meter.device;
  };
  const knows = (one: Device) => world.oracle.follower.meterOf(toHex(one.keyId)) !== undefined;
  const register = (one: Device) => world.chain.register(one.registration(REGISTRATION));

  describe("behind a load balancer", () => {
    it("passes over no block that the node which answers has not got yet", async () => {
      for (const behind of [1, 2, 5]) {
        const one = deviceAt(START + 100);
        register(one);
        world.chain.mine(behind === 5 ? 4 : 0);
        world.chain.behind = behind;
        await assert.rejects(world.oracle.tick(), /has no block|does not know block/);
        world.chain.mine(100);
        await assert.rejects(world.oracle.tick(), /has no block|does not know block/);
        world.chain.behind = 0;
        await world.oracle.tick();
        assert.ok(knows(one), `${behind} behind`);
      }
    });

    it("keeps what it knows when one tells of a block that is not the newest any more", async () => {
      register(device);
      await world.oracle.tick();
      const { block } = world.oracle.follower.newest;
      world.chain.late = 1;
      await world.oracle.tick();
      assert.ok(knows(device));
      assert.equal(world.oracle.follower.newest.block, block);
      world.chain.mine(200);
      world.chain.late = 0;
      await world.oracle.tick();
      world.chain.late = 150;
      await world.oracle.tick();
      assert.equal(world.oracle.follower.newest.block, block + 200);
    });
  });

  for (const depth of [1, 2, 3, 10, 64, 150]) {
    it(`knows after a reorganisation of ${depth} blocks what the chain does, now and when it begins again`, async () => {
      const kept = deviceAt(START + 100);
      register(kept);
      world.chain.mine(200);
      await world.oracle.tick();
      register(device);
      world.chain.act({ keyId: toHex(kept.keyId), act: 1234 });
      world.chain.mine(depth - 2);
      for (let blocks = 0; blocks < depth; blocks += 7) await world.oracle.tick();
      assert.ok(depth < 2 || knows(device));

      world.chain.reorganise(depth, true);
      for (const again of [false, true]) {
        if (again) await world.restart();
        await world.oracle.tick();
        // of one block only the new capacity is taken back
        assert.equal(knows(device), depth === 1);
        assert.equal(world.oracle.follower.meterOf(toHex(kept.keyId))?.capacity, CAPACITY);
        const marks = await world.oracle.follower.marksOf(toHex(device.keyId), 1);
        assert.equal(marks.length, depth === 1 ? 1 : 0, "nothing is on chain that the chain does not have");
        assert.equal((await world.oracle.follower.marksOf(toHex(kept.keyId), 1)).length, 1);
      }
    });
  }

  it("reads all again when it was ended while it went back", async () => {
    register(device);
    world.chain.mine(10);
    await world.oracle.tick();
    world.chain.reorganise(11, true);
    const { put } = await world.oracle.store.records<object>("meters");
    await put("stale", { keyId: "stale" });
    const cursor = await world.oracle.store.document("chain", { block: 0 });
    cursor.data = { block: -1 };
    await cursor.write();
    await world.restart();
    assert.deepEqual(world.oracle.follower.meters(), []);
  });
});
