import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SettlementItem } from "../../../contracts/settlement.ts";
import type { Post } from "../../../meter/device.ts";
import type { Meter } from "../../../meter/meter.ts";
import {
  energyOf,
  equal,
  fromHex,
  toHex,
  verifyBatch,
  verifyConsistency,
  verifyInclusion,
} from "../../../protocol/index.ts";
import type { Call, Hex } from "../../chain/chain.ts";
import type { Job, Sent } from "../../settling/jobs.ts";
import { basisOf } from "../chain/fake-chain.ts";
import { CAPACITY, newMeter, newWorld, removeDirectories, START, type World } from "../support.ts";

type Settle = Extract<Call, { to: "wattWitness" }>;

const HOUR = 3600;
const NO_ATTESTATION = `0x${"00".repeat(32)}`;

describe("the oracle's settlement", () => {
  afterEach(removeDirectories);

  /** A world of meters, registered, with some stored readings that are not settled. */
  async function worldOf(count: number, rules = {}, seconds = 600): Promise<{ world: World; meters: Meter[] }> {
    const world = await newWorld(rules);
    const meters = Array.from({ length: count }, () => newMeter());
    for (const meter of meters) {
      meter.advance(START + 100);
      await world.register(meter.device);
    }
    await produce(world, meters, seconds);
    return { world, meters };
  }

  async function produce(world: World, meters: Meter[], seconds: number): Promise<void> {
    world.now += seconds;
    for (const meter of meters) {
      meter.advance(world.now);
      await world.upload(meter.device);
    }
  }

  const keyIdOf = (meter: Meter): Hex => toHex(meter.device.keyId);
  const settles = (world: World) => world.chain.calls().filter((call): call is Settle => call.to === "wattWitness");
  const stages = (world: World) => world.oracle.settlement?.jobs().map(({ stage }) => stage);

  it("goes from seal to confirmation", async () => {
    const { world, meters } = await worldOf(3);
    await world.oracle.tick();
    assert.deepEqual(world.chain.mined().slice(3), ["attestor", "wattWitness"]);
    assert.deepEqual(stages(world), ["settling"]);
    for (const meter of meters) {
      const settled = world.chain.settled(keyIdOf(meter));
      assert.equal(settled.size, meter.device.size);
      assert.equal(settled.energy, meter.device.energy);
      assert.equal(settled.root, toHex(meter.device.log.root()));
    }
    world.chain.mine();
    await world.oracle.tick();
    assert.deepEqual(stages(world), []);
  });

  it("asks for the batch that it serves, whose segments are what it settles", async () => {
    const { world, meters } = await worldOf(3);
    await world.oracle.tick();
    const [request] = world.chain.calls().filter((call) => call.to === "attestor");
    assert.ok(request?.to === "attestor");
    assert.deepEqual(request.urls, [`http://127.0.0.1:8000/batches/${request.digest}`]);
    const response = await world.app.inject({ url: `/batches/${request.digest}` });
    const batch = await verifyBatch(new Uint8Array(response.rawPayload));
    assert.ok(batch.ok);
    assert.equal(toHex(batch.value.digest), request.digest);
    assert.equal(toHex(batch.value.root), request.root);
    const [settle] = settles(world);
    assert.equal(settle?.attestation, request.root);
    for (const [i, item] of (settle as Settle).items.entries()) {
      const device = (meters[i] as Meter).device;
      assert.deepEqual(basisOf(item), {
        ...{ settledSize: 10, settledTimestamp: START + 100, capacity: CAPACITY },
        ...{ from: 9, segment: i, segments: 3 },
      });
      const proof = item.growth.map(fromHex);
      const size = Number(item.head.size);
      assert.ok(verifyConsistency(10, size, device.log.root(10), fromHex(item.head.root), proof).ok);
    }
  });

  it("goes on from the last settled reading", async () => {
    const { world, meters } = await worldOf(1, { confirmations: 1 });
    await world.oracle.tick();
    const size = meters[0]?.device.size as number;
    await produce(world, meters, 600);
    await world.oracle.tick();
    const { settledSize, from } = basisOf(settles(world)[1]?.items[0] as SettlementItem);
    assert.deepEqual([settledSize, from], [size, size - 1]);
  });

  it("does nothing where nothing was produced", async () => {
    const world = await newWorld();
    const night = newMeter(() => -2709n);
    night.advance(START + 100);
    await world.register(night.device);
    await produce(world, [night], 600);
    await world.oracle.tick();
    assert.deepEqual(world.chain.mined(), ["register"]);
  });

  it("seals when it is time and not before", async () => {
    const { world, meters } = await worldOf(1, { settleEvery: HOUR, confirmations: 1 });
    await world.oracle.tick();
    world.chain.mine();
    await world.oracle.tick();
    const before = settles(world).length;
    const sealedAt = world.now;
    await produce(world, meters, HOUR - 10);
    await world.oracle.tick();
    assert.equal(settles(world).length, before);
    await world.restart();
    assert.equal(settles(world).length, before);
    world.now = sealedAt + HOUR;
    await world.oracle.tick();
    assert.equal(settles(world).length, before + 1);
  });

  it("seals before it is time where a batch is full, and only then", async () => {
    const { world, meters } = await worldOf(2, { settleEvery: 10 * HOUR, confirmations: 1, batchLimit: 10_000 });
    await world.oracle.tick();
    const before = settles(world).length;
    // 300 readings of 32 bytes
    await produce(world, meters, 1500);
    await world.oracle.tick();
    assert.equal(settles(world).length, before);
    await produce(world, meters, 200);
    await world.oracle.tick();
    assert.ok(settles(world).length > before);
    for (const meter of meters) assert.equal(world.chain.settled(keyIdOf(meter)).size, meter.device.size);
  });

  for (const file of ["tile/0/000", "tile/entries/000"]) {
    it(`settles all others where a file of one is damaged, and says which (${file})`, async () => {
      const { world, meters } = await worldOf(3, { confirmations: 1 }, 5000);
      const [damaged, ...others] = meters as [Meter, ...Meter[]];
      await world.oracle.store.close();
      const path = join(world.directory, "logs", keyIdOf(damaged), "1", file);
      await writeFile(path, "");
      // the start looks at the chain, and settles
      await world.restart();
      for (const meter of others) assert.equal(world.chain.settled(keyIdOf(meter)).size, meter.device.size);
      assert.equal(world.chain.settled(keyIdOf(damaged)).size, 10);
      const { statusCode, body } = await world.app.inject("/ready");
      assert.equal(statusCode, 503);
      assert.ok(body.includes(`${path} is damaged`), body);
    });
  }

  it("splits what is too much for one batch, and leaves nothing behind", async () => {
    const { world, meters } = await worldOf(3, { batchLimit: 5000, confirmations: 1 }, 1000);
    await world.oracle.tick();
    await world.oracle.tick();
    const requests = world.chain.calls().filter((call) => call.to === "attestor");
    assert.equal(requests.length, 3);
    for (const meter of meters) assert.equal(world.chain.settled(keyIdOf(meter)).size, meter.device.size);
  });

  it("brings a meter that has more than a batch holds up to date, batch by batch, at once", async () => {
    const world = await newWorld({ batchLimit: 10_000, confirmations: 1, settleEvery: HOUR });
    const meter = await world.newMeter();
    for (let i = 0; i < 10; i++) await produce(world, [meter], 1000);
    for (let i = 0; i < 5; i++) await world.oracle.tick();
    assert.equal(world.chain.settled(keyIdOf(meter)).size, meter.device.size);
    assert.equal(settles(world).length, 5, "two heads, 200 readings, a batch");
  });

  it("settles in one call as many as a transaction has gas for", async () => {
    const { world, meters } = await worldOf(41, {}, 100);
    world.chain.itemsPerCall = 16;
    await world.oracle.tick();
    assert.deepEqual(
      settles(world).map(({ items }) => items.length),
      [11, 11, 11, 8],
    );
    for (const meter of meters) assert.equal(world.chain.settled(keyIdOf(meter)).size, meter.device.size);
  }).timeout(10_000);

  for (const failure of ["price", "funds"] as const) {
    it(`waits, and gives nothing up, where it cannot pay (${failure})`, async () => {
      const { world, meters } = await worldOf(1);
      world.chain.unpaid = { failure, reason: "send it some" };
      for (let i = 0; i < 10; i++) await world.oracle.tick();
      assert.deepEqual(
        world.oracle.settlement?.jobs().map(({ attempts, transactions }) => [attempts, transactions.length]),
        [[0, 0]],
      );
      world.chain.unpaid = undefined;
      await world.oracle.tick();
      assert.equal(world.chain.settled(keyIdOf(meters[0] as Meter)).size, meters[0]?.device.size);
    });
  }

  describe("a transaction that no block takes", () => {
    const sent = (world: World) => world.oracle.settlement?.jobs()[0]?.transactions ?? [];

    async function stuck(): Promise<World> {
      const { world } = await worldOf(1);
      world.chain.automine = false;
      await world.oracle.tick();
      assert.equal(sent(world).length, 1);
      return world;
    }

    it("is sent again as it is for five minutes", async () => {
      const world = await stuck();
      const { hash } = sent(world)[0] as Sent;
      world.now += 299;
      await world.oracle.tick();
      assert.equal(sent(world)[0]?.hash, hash);
      assert.equal(sent(world)[0]?.replaced, undefined);
    });

    it("stays as it is where a higher fee is above the cap", async () => {
      const world = await stuck();
      world.chain.unpaid = { failure: "price", reason: "above the cap" };
      world.now += 301;
      await world.oracle.tick();
      assert.equal(sent(world)[0]?.replaced, undefined);
    });

    for (const which of ["the new one", "the old one"]) {
      it(`is replaced by another of the same nonce for a higher fee, and counts whichever is mined: ${which}`, async () => {
        const world = await stuck();
        const { hash, nonce } = sent(world)[0] as Sent;
        world.now += 301;
        await world.oracle.tick();
        const [now] = sent(world);
        assert.equal(sent(world).length, 1);
        assert.deepEqual([now?.nonce, now?.replaced], [nonce, [hash]]);
        assert.notEqual(now?.hash, hash);
        world.chain.forget(which === "the new one" ? hash : (now as Sent).hash);
        world.chain.automine = true;
        world.chain.mine();
        await world.oracle.tick();
        world.chain.mine(3);
        await world.oracle.tick();
        assert.equal(settles(world).length, 1);
        assert.deepEqual(world.oracle.settlement?.jobs(), []);
      });
    }
  });

  it("settles an epoch that ended before the one that followed", async () => {
    const { world, meters } = await worldOf(1);
    const { device } = meters[0] as Meter;
    const [ended, energy] = [device.size, device.energy];
    device.loseRegister();
    await produce(world, meters, 600);
    await world.oracle.tick();
    const items = settles(world)[0]?.items ?? [];
    assert.deepEqual(
      items.map((item) => [item.head.epoch, item.head.size, basisOf(item).settledSize]),
      [
        [1, BigInt(ended), 10],
        [2, BigInt(device.size), 0],
      ],
    );
    const fresh = items[1];
    assert.equal(fresh?.firstReading, toHex(device.readings[0] as Uint8Array));
    const proof = (fresh?.growth ?? []).map(fromHex);
    assert.ok(verifyInclusion(device.readings[0] as Uint8Array, 0, device.size, proof, device.log.root()).ok);
    assert.ok(energy > device.energy);
    assert.deepEqual(world.chain.skipped(), []);
    const { epoch, size } = world.chain.settled(keyIdOf(meters[0] as Meter));
    assert.deepEqual({ epoch, size }, { epoch: 2, size: device.size });
  });

  describe("when something happens to a meter", () => {
    const isSettled = (world: World, meter: Meter) => world.chain.settled(keyIdOf(meter)).size === meter.device.size;

    for (const [what, act] of [
      ["frozen", "freeze"],
      ["decommissioned", "decommission"],
    ] as const) {
      it(`seals nothing for it once it is ${what}`, async () => {
        const { world, meters } = await worldOf(2);
        world.chain.act({ keyId: keyIdOf(meters[0] as Meter), act });
        await world.oracle.tick();
        assert.deepEqual(
          world.oracle.settlement?.jobs().map(({ leaves }) => leaves.length),
          [1],
        );
        assert.deepEqual(
          meters.map((meter) => isSettled(world, meter)),
          [false, true],
        );
      });

      it(`leaves it out of the batch on its way where it is ${what}, and settles the others`, async () => {
        const { world, meters } = await worldOf(2, { confirmations: 1, settleEvery: HOUR });
        await sealed(world);
        world.chain.act({ keyId: keyIdOf(meters[0] as Meter), act });
        await attested(world);
        assert.deepEqual(
          meters.map((meter) => isSettled(world, meter)),
          [false, true],
        );
        assert.deepEqual(
          settles(world).map(({ items }) => items.length),
          [1],
        );
        assert.deepEqual(stages(world), []);
      });
    }

    it("sends nothing for a batch of which nothing is left", async () => {
      const { world, meters } = await worldOf(1, { settleEvery: HOUR });
      await sealed(world);
      world.chain.act({ keyId: keyIdOf(meters[0] as Meter), act: "freeze" });
      world.chain.mine(2);
      await attested(world);
      assert.deepEqual(settles(world), []);
      assert.deepEqual(stages(world), []);
      const finished = await (await world.oracle.store.records<Job>("jobs-finished")).all();
      assert.deepEqual(
        finished.map(({ stage }) => stage),
        ["abandoned"],
      );
    });

    it("leaves it out where its capacity is another, and settles it with that one later", async () => {
      const { world, meters } = await worldOf(2, { confirmations: 1, settleEvery: HOUR });
      await sealed(world);
      world.chain.act({ keyId: keyIdOf(meters[0] as Meter), act: 4000 });
      await attested(world);
      assert.deepEqual(
        meters.map((meter) => isSettled(world, meter)),
        [false, true],
      );
      await produce(world, meters, HOUR);
      await world.oracle.tick();
      assert.deepEqual(
        meters.map((meter) => isSettled(world, meter)),
        [true, true],
      );
      assert.deepEqual(
        settles(world).map(({ items }) => items.map((item) => basisOf(item).capacity)),
        [[5000], [4000, 5000]],
      );
      assert.deepEqual(world.chain.skipped(), []);
    });

    it("settles without attestation what is more than a lower capacity allows, and attested what comes then", async () => {
      // the last reading of the first five hours is not so old yet
      const [busy, month] = [START + 2 * HOUR, START + 30 * 24 * HOUR + HOUR];
      const world = await newWorld({ confirmations: 1, settleEvery: HOUR });
      world.chain.unattestedAfter = 30 * 24 * HOUR;
      const lowered = newMeter((now) => (now < busy ? 1_000_000n : now < month ? 0n : 100_000n));
      const meters = [lowered, newMeter()];
      for (const meter of meters) {
        meter.advance(START + 100);
        await world.register(meter.device);
      }
      world.chain.don = { state: "refused", reason: "not yet" };
      await produce(world, meters, 5 * HOUR);
      world.chain.act({ keyId: keyIdOf(lowered), act: 500 });
      world.chain.don = { state: "attested" };
      world.now += HOUR;
      await world.oracle.tick();
      assert.deepEqual(
        meters.map((meter) => isSettled(world, meter)),
        [false, true],
        "the DON would refuse it",
      );
      assert.deepEqual(
        settles(world).map(({ items }) => items.length),
        [1],
      );
      world.now = month;
      for (const meter of meters) meter.sleep(month);
      await world.restart();
      assert.equal(settles(world).at(-1)?.attestation, NO_ATTESTATION);
      assert.ok(isSettled(world, lowered));
      await produce(world, meters, HOUR);
      await world.oracle.tick();
      assert.ok(isSettled(world, lowered));
      assert.notEqual(settles(world).at(-1)?.attestation, NO_ATTESTATION);
    });

    it("does not repeat a settlement that lost the race against it", async () => {
      const { world, meters } = await worldOf(1, { confirmations: 1, settleEvery: HOUR });
      world.chain.automine = false;
      await world.oracle.tick();
      world.chain.mine();
      await world.oracle.tick();
      world.chain.act({ keyId: keyIdOf(meters[0] as Meter), act: 4000 });
      world.chain.mine();
      for (let i = 0; i < 3; i++) {
        await world.oracle.tick();
        world.chain.mine();
      }
      assert.deepEqual(world.chain.skipped(), ["capacity changed"]);
      assert.equal(settles(world).length, 1);
      assert.deepEqual(stages(world), []);
    });

    it("does not repeat a settlement that the contract skipped, for whatever reason", async () => {
      const { world, meters } = await worldOf(2, { confirmations: 1, settleEvery: HOUR });
      const x = toHex((meters[0] as Meter).device.publicKey.subarray(0, 32));
      world.chain.skips = ({ key }) => key.x === x;
      for (let i = 0; i < 3; i++) await world.oracle.tick();
      assert.deepEqual(
        settles(world).map(({ items }) => items.length),
        [2],
      );
      assert.deepEqual(
        meters.map((meter) => isSettled(world, meter)),
        [false, true],
      );
      assert.deepEqual(stages(world), []);
    });

    it("names the timestamp that is settled now, also where an earlier epoch was settled meanwhile", async () => {
      const { world, meters } = await worldOf(1, { confirmations: 1, settleEvery: HOUR });
      const { device } = meters[0] as Meter;
      const ended = { keyId: keyIdOf(meters[0] as Meter), device: { ...device, readings: [...device.readings] } };
      device.loseRegister();
      await produce(world, meters, 600);
      await sealed(world);
      world.chain.settleAsOther(ended);
      await attested(world);
      const { epoch, size } = world.chain.settled(ended.keyId);
      assert.deepEqual({ epoch, size }, { epoch: 2, size: device.size });
      assert.deepEqual(world.chain.skipped(), []);
    });

    describe("and a newer epoch is settled first, the rest of the earlier one", () => {
      /** What a device has in its epoch, for somebody else to settle. */
      const logOf = ({ device }: Meter, size = device.size) => ({
        keyId: toHex(device.keyId),
        device: {
          epoch: device.epoch,
          publicKey: device.publicKey,
          readings: device.readings.slice(0, size),
        },
      });

      /** A meter with an epoch that is not settled, and two heads of the next; it lost its register in between. */
      async function worldOfTwoEpochs(rules = {}) {
        const { world, meters } = await worldOf(1, { confirmations: 1, settleEvery: HOUR, ...rules });
        const [meter] = meters as [Meter];
        const [keyId, ended, energy] = [keyIdOf(meter), meter.device.size, meter.device.energy];
        const baseline = energyOf(meter.device.readings[9] as Uint8Array);
        meter.device.loseRegister();
        await produce(world, meters, 300);
        const begun = logOf(meter);
        await produce(world, meters, 300);
        const settled = () => [1, 2].map((epoch) => world.oracle.follower.meterOf(keyId)?.logs[epoch]?.size);
        const first = energyOf(meter.device.readings[0] as Uint8Array);
        const all = energy - baseline + meter.device.energy - first;
        return { world, meter, keyId, ended, begun, settled, all };
      }

      it("is sealed and settled", async () => {
        const { world, meter, keyId, ended, begun, settled, all } = await worldOfTwoEpochs();
        world.chain.settleAsOther(begun);
        await world.oracle.tick();
        assert.deepEqual(settled(), [ended, meter.device.size]);
        assert.deepEqual(world.chain.skipped(), []);
        assert.equal(world.chain.minted(keyId), all, "as much as in the order of the epochs");
        for (const { epoch, size } of [
          world.chain.settled(keyId),
          world.oracle.follower.meterOf(keyId)?.latest ?? {},
        ]) {
          assert.deepEqual([epoch, size], [2, meter.device.size], "the newest stays the newest");
        }
        const marks = await world.oracle.follower.marksOf(keyId, 1);
        assert.deepEqual(
          marks.map((mark) => mark.size),
          [10, ended],
        );
      });

      it("is settled with the newest where both were on their way", async () => {
        const { world, meter, keyId, ended, begun, settled } = await worldOfTwoEpochs();
        await sealed(world);
        world.chain.settleAsOther(begun);
        await attested(world);
        assert.deepEqual(settled(), [ended, begun.device.readings.length]);
        world.now += HOUR;
        await world.oracle.tick();
        assert.deepEqual(settled(), [ended, meter.device.size]);
        assert.deepEqual(world.chain.skipped(), []);
        assert.equal(world.chain.settled(keyId).epoch, 2);
      });

      it("is settled one head after the other where two were on their way: the first moves what the second goes on from", async () => {
        const { world, meters } = await worldOf(1, { confirmations: 1, settleEvery: HOUR, batchLimit: 5000 });
        const [meter] = meters as [Meter];
        await produce(world, meters, 600);
        const { size } = meter.device;
        await sealed(world);
        meter.device.loseRegister();
        await produce(world, meters, 600);
        world.chain.settleAsOther(logOf(meter));
        const before = settles(world).length;
        await attested(world);
        assert.deepEqual(
          settles(world)
            .slice(before)
            .map(({ items }) => items.map(({ head }) => Number(head.size))),
          [[70], [size]],
        );
        assert.deepEqual(world.chain.skipped(), []);
        assert.equal(world.oracle.follower.meterOf(keyIdOf(meter))?.logs[1]?.size, size);
      });

      it("is left out where the capacity is another, and settled with that one later", async () => {
        const { world, keyId, ended, begun, settled } = await worldOfTwoEpochs();
        await sealed(world);
        world.chain.settleAsOther(begun);
        world.chain.act({ keyId, act: 4000 });
        await attested(world);
        assert.deepEqual(settled(), [10, begun.device.readings.length]);
        world.now += HOUR;
        await world.oracle.tick();
        assert.equal(settled()[0], ended);
        assert.deepEqual(world.chain.skipped(), []);
      });

      it("is settled head by head where it is more than a batch holds", async () => {
        const { world, meters } = await worldOf(1, { confirmations: 1, settleEvery: HOUR, batchLimit: 4000 });
        const [meter] = meters as [Meter];
        await produce(world, meters, 600);
        meter.device.loseRegister();
        await produce(world, meters, 600);
        world.chain.settleAsOther(logOf(meter));
        const sizes: unknown[] = [];
        for (let i = 0; i < 3; i++) {
          await world.oracle.tick();
          world.now += HOUR;
          sizes.push(world.oracle.follower.meterOf(keyIdOf(meter))?.logs[1]?.size);
        }
        assert.deepEqual(sizes, [70, 130, 130]);
        assert.deepEqual(world.chain.skipped(), []);
      });

      it("is settled one after the other where several epochs were passed over, in whatever order they may", async () => {
        const { world, meter, keyId, ended, all } = await worldOfTwoEpochs();
        const passed = meter.device.size;
        meter.device.loseRegister();
        await produce(world, [meter], 600);
        const { readings, energy } = meter.device;
        world.chain.settleAsOther(logOf(meter));
        for (let i = 0; i < 2; i++) {
          await world.oracle.tick();
          world.now += HOUR;
        }
        const logs = world.oracle.follower.meterOf(keyId)?.logs ?? {};
        assert.deepEqual(
          [1, 2, 3].map((epoch) => logs[epoch]?.size),
          [ended, passed, readings.length],
        );
        assert.equal(world.chain.minted(keyId), all + energy - energyOf(readings[0] as Uint8Array));
        assert.deepEqual(world.chain.skipped(), []);
      });

      /** A meter with an epoch that is not settled, and the next, in which its register goes on. */
      async function worldThatWentOn() {
        const { world, meters } = await worldOf(1, { confirmations: 1, settleEvery: HOUR });
        const [meter] = meters as [Meter];
        meter.advance(world.now + 10);
        const post = meter.device.nextPost() as Post;
        meter.device.answered(post, { status: 422, body: {} }, world.now);
        await produce(world, meters, 600);
        assert.equal(meter.device.epoch, 2);
        return { world, meter };
      }

      it("is not sealed where it would mint nothing", async () => {
        const { world, meter } = await worldThatWentOn();
        world.chain.settleAsOther(logOf(meter));
        const before = world.chain.calls().length;
        await world.oracle.tick();
        assert.equal(world.chain.calls().length, before);
      });

      it("is left out where it would mint nothing any more", async () => {
        const { world, meter } = await worldThatWentOn();
        await sealed(world);
        world.chain.settleAsOther(logOf(meter));
        const before = settles(world).length;
        await attested(world);
        assert.equal(settles(world).length, before);
        assert.deepEqual(stages(world), []);
      });

      it("goes without attestation when what it goes on from is old enough, and not before", async () => {
        const { world, begun, ended, settled } = await worldOfTwoEpochs({ attestation: undefined });
        world.chain.settleAsOther(begun);
        world.chain.unattestedAfter = world.now - START;
        await world.oracle.tick();
        assert.deepEqual(settled(), [10, begun.device.readings.length]);
        world.now += 100;
        await world.oracle.tick();
        assert.deepEqual(settled(), [ended, begun.device.readings.length], "the newer one has to wait");
        assert.deepEqual(world.chain.skipped(), []);
      });

      it("goes so, too, where the DON refuses it, and does not stop what is newer", async () => {
        const world = await newWorld({ confirmations: 1, settleEvery: HOUR });
        world.chain.unattestedAfter = 30 * 24 * HOUR;
        const busy = START + 2 * HOUR;
        const meter = newMeter((now) => (now < busy ? 1_000_000n : 100_000n));
        const keyId = keyIdOf(meter);
        const settled = () => [1, 2].map((epoch) => world.oracle.follower.meterOf(keyId)?.logs[epoch]?.size);
        meter.advance(START + 100);
        await world.register(meter.device);
        world.chain.don = undefined;
        await produce(world, [meter], 5 * HOUR);
        const ended = meter.device.size;
        meter.device.loseRegister();
        await produce(world, [meter], HOUR);
        world.chain.settleAsOther(logOf(meter, 10));
        world.chain.act({ keyId, act: 500 });
        world.chain.don = { state: "attested" };
        for (let i = 0; i < 3; i++) {
          world.now += HOUR;
          await world.oracle.tick();
        }
        assert.deepEqual(settled(), [10, meter.device.size]);
        world.now = START + 30 * 24 * HOUR + 100;
        await world.oracle.tick();
        assert.equal(settled()[0], ended);
        assert.equal(settles(world).at(-1)?.attestation, NO_ATTESTATION);
        assert.deepEqual(world.chain.skipped(), []);
      });
    });

    it("sends nothing of a key that another succeeded meanwhile, and seals no more of it", async () => {
      const { world, meters } = await worldOf(1, { confirmations: 1, settleEvery: HOUR });
      const [old] = meters as [Meter];
      await sealed(world);
      const successor = newMeter();
      old.advance(world.now + 600);
      successor.advance(world.now + 600);
      await world.rotate(old.device, successor.device);
      await attested(world);
      await world.upload(old.device);
      world.now += HOUR;
      await world.oracle.tick();
      assert.deepEqual(settles(world), []);
      assert.deepEqual(stages(world), []);
    });

    it("settles what the successor of its key measured", async () => {
      const { world, meters } = await worldOf(1, { confirmations: 1 });
      await world.oracle.tick();
      const successor = newMeter();
      successor.advance(world.now);
      await world.rotate((meters[0] as Meter).device, successor.device);
      await produce(world, [successor], 600);
      await world.oracle.tick();
      assert.ok(isSettled(world, successor));
      assert.deepEqual(world.chain.skipped(), []);
    });

    /** Up to where the DON has not answered yet. */
    async function sealed(world: World): Promise<void> {
      world.chain.don = undefined;
      await world.oracle.tick();
      assert.deepEqual(stages(world), ["requested"]);
    }

    /** The DON's answer to what was asked last, and what the oracle does then. */
    async function attested(world: World): Promise<void> {
      world.chain.don = { state: "attested" };
      world.chain.answer();
      await world.oracle.tick();
      world.chain.mine(2);
      await world.oracle.tick();
    }
  });

  describe("when the DON refuses", () => {
    it("tries again later, and later still, and settles when the DON agrees", async () => {
      const { world } = await worldOf(1);
      world.chain.don = { state: "refused", reason: "no batch" };
      await world.oracle.tick();
      const [job] = world.oracle.settlement?.jobs() ?? [];
      assert.equal(job?.stage, "sealed");
      assert.equal(job?.reason, "no batch");
      await world.oracle.tick();
      assert.equal(world.chain.calls().length, 1, "not at once");
      world.now += 60;
      await world.oracle.tick();
      assert.equal(world.chain.calls().length, 2);
      world.chain.don = { state: "attested" };
      world.now += 60;
      await world.oracle.tick();
      assert.equal(world.chain.calls().length, 2, "not as soon as before");
      world.now += 61;
      await world.oracle.tick();
      assert.deepEqual(world.chain.mined().slice(1), ["attestor", "attestor", "attestor", "wattWitness"]);
    });

    it("gives a batch up after five times, and seals anew when it is time", async () => {
      const { world, meters } = await worldOf(1, { settleEvery: 4 * HOUR });
      world.chain.don = { state: "refused", reason: "no batch" };
      for (let i = 0; i < 10; i++) {
        await world.oracle.tick();
        world.now += 1000;
      }
      assert.equal(world.chain.calls().length, 5);
      assert.deepEqual(stages(world), []);
      world.chain.don = { state: "attested" };
      await produce(world, meters, 4 * HOUR);
      await world.oracle.tick();
      assert.equal(settles(world).length, 1);
      assert.notEqual(settles(world)[0]?.attestation, NO_ATTESTATION);
    });

    it("asks again when the DON does not answer", async () => {
      const { world } = await worldOf(1);
      world.chain.don = undefined;
      await world.oracle.tick();
      assert.deepEqual(stages(world), ["requested"]);
      world.now += 900;
      await world.oracle.tick();
      assert.equal(world.chain.calls().length, 1);
      world.now += 1;
      await world.oracle.tick();
      world.chain.don = { state: "attested" };
      world.now += 60;
      await world.oracle.tick();
      assert.deepEqual(world.chain.mined().slice(1), ["attestor", "attestor", "wattWitness"]);
    });
  });

  describe("without attestation", () => {
    it("waits until the contract allows it, then shows the head's own reading", async () => {
      const { world, meters } = await worldOf(1, { attestation: undefined });
      world.chain.unattestedAfter = 1000;
      await world.oracle.tick();
      assert.deepEqual(world.chain.calls(), []);
      await produce(world, meters, 400);
      await world.oracle.tick();
      const [settle] = settles(world);
      const { device } = meters[0] as Meter;
      assert.equal(settle?.attestation, NO_ATTESTATION);
      const [item] = settle?.items ?? [];
      const proof = (item?.witness ?? []).map(fromHex);
      const last = device.readings.at(-1) as Uint8Array;
      assert.ok(verifyInclusion(last, device.size - 1, device.size, proof, device.log.root()).ok);
      const { from, segment, segments } = basisOf(item as SettlementItem);
      assert.deepEqual([from, segment, segments], [0, 0, 0]);
    });

    it("waits from the settled reading on, however late that was settled", async () => {
      const { world, meters } = await worldOf(1, { attestation: undefined, confirmations: 1 });
      const [meter] = meters as [Meter];
      const { publicKey, readings } = meter.device;
      world.chain.unattestedAfter = 1000;
      const stale = { epoch: 1, publicKey, readings: readings.slice(0, 30) };
      world.chain.settleAsOther({ keyId: keyIdOf(meter), device: stale });
      await produce(world, meters, 590);
      await world.oracle.tick();
      assert.equal(world.chain.settled(keyIdOf(meter)).size, 30);
      await produce(world, meters, 10);
      await world.oracle.tick();
      assert.equal(world.chain.settled(keyIdOf(meter)).size, meter.device.size);
    });

    it("is how a meter settles whose batch the DON never attested", async () => {
      const { world, meters } = await worldOf(1, { settleEvery: 4 * HOUR });
      world.chain.don = { state: "refused", reason: "no batch" };
      world.chain.unattestedAfter = 30 * 24 * HOUR;
      for (let i = 0; i < 10; i++) {
        await world.oracle.tick();
        world.now += 1000;
      }
      await world.restart();
      meters[0]?.sleep(START + 30 * 24 * HOUR);
      world.now = START + 31 * 24 * HOUR;
      await produce(world, meters, 600);
      await world.oracle.tick();
      assert.equal(settles(world).at(-1)?.attestation, NO_ATTESTATION);
      assert.equal(world.chain.settled(keyIdOf(meters[0] as Meter)).size, meters[0]?.device.size);
    });
  });

  describe("does nothing twice:", () => {
    const isOnce = (world: World) => {
      assert.deepEqual(world.chain.mined().slice(1), ["attestor", "wattWitness"]);
      assert.deepEqual(stages(world), []);
    };

    it("after a crash between writing a transaction down and sending it", async () => {
      const { world } = await worldOf(1, { confirmations: 1 });
      world.chain.crash = "before";
      await world.oracle.tick();
      assert.equal(world.chain.broadcasts.size, 0);
      world.chain.crash = undefined;
      await world.restart();
      isOnce(world);
    });

    it("after a crash between sending a transaction and hearing of it", async () => {
      const { world } = await worldOf(1, { confirmations: 1 });
      world.chain.automine = false;
      world.chain.crash = "after";
      await world.oracle.tick();
      await world.restart();
      assert.equal(world.chain.broadcasts.size, 1, "the same transaction was sent again");
      world.chain.crash = undefined;
      world.chain.automine = true;
      await world.oracle.tick();
      isOnce(world);
    });

    it("after a crash with transactions that are waiting", async () => {
      const { world } = await worldOf(1, { confirmations: 1 });
      world.chain.automine = false;
      for (let i = 0; i < 4; i++) {
        await world.restart();
        await world.oracle.tick();
        world.chain.mine();
      }
      await world.oracle.tick();
      isOnce(world);
    });

    it("when the node is down for a while", async () => {
      const { world } = await worldOf(1, { confirmations: 1 });
      world.chain.down = true;
      await assert.rejects(world.oracle.tick());
      world.chain.down = false;
      await world.oracle.tick();
      isOnce(world);
    });

    it("when somebody else settled the same readings first", async () => {
      const { world, meters } = await worldOf(1, { confirmations: 1 });
      world.chain.don = undefined;
      await world.oracle.tick();
      const { device } = meters[0] as Meter;
      world.chain.settleAsOther({ keyId: toHex(device.keyId), device });
      world.chain.don = { state: "attested" };
      await world.oracle.tick();
      assert.deepEqual(world.chain.mined().slice(1), ["attestor", "wattWitness"], "the other's");
      assert.deepEqual(stages(world), []);
    });
  });

  it("sends again what a reorganisation took back, and marks it only while it is there", async () => {
    const { world, meters } = await worldOf(1, { confirmations: 3 });
    const keyId = keyIdOf(meters[0] as Meter);
    const settledSize = () => world.oracle.follower.meterOf(keyId)?.logs[1]?.size;
    await world.oracle.tick();
    const size = meters[0]?.device.size;
    assert.equal(settledSize(), size);
    world.chain.automine = false;
    world.chain.reorganise(1, true);
    await world.oracle.tick();
    assert.equal(settledSize(), 10, "unmarked");
    world.chain.mine(3);
    await world.oracle.tick();
    assert.equal(settledSize(), size);
    assert.deepEqual(world.chain.mined().slice(1), ["attestor", "wattWitness"]);
    assert.deepEqual(stages(world), []);
    assert.equal((await world.oracle.follower.marksOf(keyId, 1)).at(-1)?.confirmed, true);
  });

  it("sends the transactions of several batches under nonces of their own", async () => {
    const { world, meters } = await worldOf(3, { batchLimit: 5000, confirmations: 1 }, 1000);
    world.chain.automine = false;
    await world.oracle.tick();
    assert.equal(world.chain.broadcasts.size, 3);
    world.chain.mine();
    assert.equal(world.chain.calls().length, 3);
    world.chain.automine = true;
    await world.oracle.tick();
    for (const meter of meters) assert.equal(world.chain.settled(keyIdOf(meter)).size, meter.device.size);
  });

  it("plans a transaction again whose nonce another one used", async () => {
    const { world } = await worldOf(1, { confirmations: 1 });
    world.chain.automine = false;
    await world.oracle.tick();
    world.chain.useNonce();
    world.chain.automine = true;
    await world.oracle.tick();
    const { calls } = world.chain;
    assert.deepEqual(
      calls().map(({ to }) => to),
      ["wattWitness", "attestor", "wattWitness"],
    );
    assert.deepEqual(stages(world), []);
  });

  it("signs a transaction again that a node gave too high a nonce", async () => {
    const { world, meters } = await worldOf(1, { confirmations: 1 });
    const { transactionCount } = world.chain;
    world.chain.transactionCount = async () => (await transactionCount()) + 7;
    await world.oracle.tick();
    world.chain.transactionCount = transactionCount;
    const [meter] = meters as [Meter];
    world.now += 299;
    await world.oracle.tick();
    assert.equal(world.chain.settled(keyIdOf(meter)).size, 10);
    world.now += 2;
    await world.oracle.tick();
    assert.equal(world.chain.settled(keyIdOf(meter)).size, meter.device.size);
    assert.deepEqual(world.chain.mined().slice(1), ["attestor", "wattWitness"]);
  });

  it("leaves out the item that the contract would refuse, and settles the others", async () => {
    const { world, meters } = await worldOf(3, { confirmations: 1, settleEvery: HOUR });
    const bad = meters[1] as Meter;
    const x = toHex(bad.device.publicKey.subarray(0, 32));
    world.chain.refusal = (call) =>
      call.to === "wattWitness" && call.items.some(({ key }) => key.x === x) ? "KeyUnknown" : undefined;
    await world.oracle.tick();
    assert.deepEqual(settles(world)[0]?.items.length, 2);
    assert.equal(world.chain.settled(keyIdOf(bad)).size, 10);
    assert.equal(world.chain.settled(keyIdOf(meters[2] as Meter)).size, meters[2]?.device.size);
    assert.deepEqual(stages(world), []);
  });

  it("settles later what is more than a capacity allows that was raised only since", async () => {
    const { world, meters } = await worldOf(1, { confirmations: 1, settleEvery: HOUR });
    const [meter] = meters as [Meter];
    const beyond = meter.device.size;
    world.chain.refusal = (call) =>
      call.to === "wattWitness" && call.items.some(({ head }) => Number(head.size) === beyond)
        ? "BeyondCapacity"
        : undefined;
    await world.oracle.tick();
    assert.deepEqual(settles(world), []);
    assert.deepEqual(stages(world), []);
    await produce(world, meters, HOUR);
    await world.oracle.tick();
    assert.equal(world.chain.settled(keyIdOf(meter)).size, meter.device.size);
  });

  it("leaves out the later of a key's items where the contract would refuse only that, and settles the earlier", async () => {
    const { world, meters } = await worldOf(1, { confirmations: 1, settleEvery: HOUR });
    const { device } = meters[0] as Meter;
    const ended = device.size;
    device.loseRegister();
    await produce(world, meters, 600);
    // without the earlier one it is skipped, and nothing is refused
    world.chain.refusal = (call) =>
      call.to === "wattWitness" && call.items.length === 2 ? "BeyondCapacity" : undefined;
    await world.oracle.tick();
    const { epoch, size } = world.chain.settled(keyIdOf(meters[0] as Meter));
    assert.deepEqual({ epoch, size }, { epoch: 1, size: ended });
    assert.deepEqual(stages(world), []);
  });

  it("never seals readings that are not the settled ones", async () => {
    const { world, meters } = await worldOf(1, { confirmations: 1 });
    const keyId = keyIdOf(meters[0] as Meter);
    const other = newMeterLike(meters[0] as Meter);
    world.chain.settleAsOther({ keyId, device: { ...other, readings: other.readings.slice(0, 30) } });
    await world.oracle.tick();
    assert.deepEqual(world.chain.mined().slice(1), ["wattWitness"], "the other's");
    assert.deepEqual(stages(world), []);
  });

  it("tells where a reading is on chain", async () => {
    const { world, meters } = await worldOf(1);
    const keyId = keyIdOf(meters[0] as Meter);
    await world.oracle.tick();
    const marks = await world.oracle.follower.marksOf(keyId, 1);
    assert.deepEqual(
      marks.map(({ fromSize, size, confirmed }) => ({ fromSize, size, confirmed })),
      [
        { fromSize: 0, size: 10, confirmed: true },
        { fromSize: 10, size: meters[0]?.device.size, confirmed: false },
      ],
    );
  });

  /** Of the same key and size, other readings. */
  function newMeterLike(meter: Meter) {
    const { readings, publicKey } = meter.device;
    const changed = readings.map((reading, i) => (i === 3 ? readings[2] : reading) as Uint8Array);
    assert.ok(!equal(changed[3] as Uint8Array, readings[3] as Uint8Array));
    return { epoch: 1, publicKey, readings: changed };
  }
});
