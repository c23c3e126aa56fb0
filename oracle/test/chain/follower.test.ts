import assert from "node:assert/strict";
import type { Device } from "../../../meter/device.ts";
import { toHex } from "../../../protocol/index.ts";
import { createFollower } from "../../chain/follower.ts";
import {
  CAPACITY,
  newMeter,
  newWorld,
  OWNER,
  openStore,
  PLACE,
  removeDirectories,
  START,
  silent,
  temporaryDirectory,
  type World,
} from "../support.ts";
import { createFakeChain } from "./fake-chain.ts";

const BUYER = `0x${"b5".repeat(20)}` as const;

describe("the oracle's clock", () => {
  afterEach(removeDirectories);

  async function follower() {
    const clock = { chain: START, wall: 1_000_000 };
    const chain = createFakeChain(PLACE, () => clock.chain);
    const directory = await temporaryDirectory();
    const wall = () => clock.wall;
    return {
      clock,
      chain,
      follower: await createFollower({
        store: await openStore(directory),
        chain,
        fromBlock: 0,
        confirmations: 2,
        logger: silent,
        wall,
      }),
    };
  }

  it("is the chain's, whatever this machine's says", async () => {
    const { follower: known } = await follower();
    await known.follow();
    assert.equal(known.now(), START);
  });

  it("goes on between two looks, and while the chain stands still", async () => {
    const { follower: known, clock } = await follower();
    await known.follow();
    clock.wall += 40;
    assert.equal(known.now(), START + 40);
    await known.follow();
    assert.equal(known.now(), START + 40);
  });

  it("does not go back when this machine's does", async () => {
    const { follower: known, clock } = await follower();
    await known.follow();
    clock.wall -= 500;
    assert.equal(known.now(), START);
  });
});

describe("the oracle's clock, where this machine's is set anew", () => {
  const { now } = Date;
  afterEach(async () => {
    Date.now = now;
    await removeDirectories();
  });

  for (const step of [-3600, 3600]) {
    it(`does not go along, ${step} s`, async () => {
      const chain = createFakeChain(PLACE, () => START);
      const store = await openStore(await temporaryDirectory());
      const known = await createFollower({ store, chain, fromBlock: 0, confirmations: 2, logger: silent });
      await known.follow();
      Date.now = () => now() + step * 1000;
      const passed = known.now() - START;
      assert.ok(passed >= 0 && passed < 60, String(passed));
    });
  }
});

describe("what the oracle knows of a meter to which things happen", () => {
  let world: World;
  let device: Device;
  let successor: Device;
  beforeEach(async () => {
    world = await newWorld({ confirmations: 2, settles: false });
    [device, successor] = [deviceAt(START + 100), deviceAt(START + 200)];
    await world.register(device);
  });
  afterEach(removeDirectories);

  const deviceAt = (now: number): Device => {
    const meter = newMeter();
    meter.advance(now);
    return meter.device;
  };
  const known = (of: Device) => world.oracle.follower.meterOf(toHex(of.keyId));

  async function setCapacity(of: Device, capacity: number): Promise<void> {
    world.chain.act({ keyId: toHex(of.keyId), act: capacity });
    await world.oracle.tick();
  }

  /** As it is now, and as it is when all is final and the oracle begins again. */
  async function nowAndFinally(check: () => void): Promise<void> {
    check();
    world.chain.mine(3);
    await world.oracle.tick();
    await world.restart();
    check();
  }

  it("ends with a key's time, and its successor's key goes on with the meter", async () => {
    await setCapacity(device, 4000);
    await world.rotate(device, successor);
    await nowAndFinally(() => {
      const { status, until, successor: next } = known(device) ?? {};
      assert.deepEqual([status, until, next], ["superseded", START + 200, toHex(successor.keyId)]);
      assert.deepEqual(known(successor), {
        keyId: toHex(successor.keyId),
        meter: toHex(device.keyId),
        status: "active",
        publicKey: toHex(successor.publicKey),
        owner: OWNER,
        capacity: 4000,
        source: 0,
        details: toHex(new Uint8Array(32)),
        latest: { epoch: 1, size: 20, timestamp: START + 200, energy: String(successor.energy) },
        logs: { 1: { size: 20, root: toHex(successor.log.root()) } },
      });
    });
  });

  it("has the capacity of the key that the meter has now", async () => {
    await world.rotate(device, successor);
    await setCapacity(successor, 3000);
    await nowAndFinally(() => {
      assert.equal(known(successor)?.capacity, 3000);
      assert.equal(known(device)?.capacity, CAPACITY);
    });
  });

  it("has the owner whom the meter has now, under every key that it had", async () => {
    await world.rotate(device, successor);
    world.chain.act({ keyId: toHex(device.keyId), act: { soldTo: BUYER } });
    await world.oracle.tick();
    await nowAndFinally(() => {
      assert.equal(known(device)?.owner, BUYER);
      assert.equal(known(successor)?.owner, BUYER);
    });
  });

  it("is that its key is frozen, or decommissioned", async () => {
    world.chain.act({ keyId: toHex(device.keyId), act: "freeze" });
    await world.oracle.tick();
    await nowAndFinally(() => assert.equal(known(device)?.status, "frozen"));
    world.chain.act({ keyId: toHex(device.keyId), act: "decommission" });
    await world.oracle.tick();
    await nowAndFinally(() => {
      assert.equal(known(device)?.status, "decommissioned");
      assert.equal(known(device)?.until, START + 101);
    });
  });

  it("is taken back with the block that said it", async () => {
    const before = known(device);
    for (const act of ["freeze", "decommission", 3000, { soldTo: BUYER }, "rotate"] as const) {
      if (act === "rotate") await world.rotate(device, successor);
      else {
        world.chain.act({ keyId: toHex(device.keyId), act });
        await world.oracle.tick();
      }
      assert.notDeepEqual(known(device), before, JSON.stringify(act));
      world.chain.reorganise(1, true);
      await world.oracle.tick();
      assert.deepEqual(known(device), before, JSON.stringify(act));
    }
    assert.equal(known(successor), undefined);
  });
});
