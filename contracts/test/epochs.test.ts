import assert from "node:assert/strict";
import { encodeHead, sign, toHex } from "../../protocol/index.ts";
import {
  attestedItems,
  bent,
  CAPACITY,
  createMeter,
  deployFixture,
  type Fixture,
  headOf,
  type Part,
  POWER,
  placed,
  produce,
  rebased,
  refuses,
  registrationOf,
  SKIP_REASONS,
  START,
  STEP,
  type TestMeter,
  UNITS,
  unattestedItem,
  ZERO,
} from "./fixture.ts";

const DAY = 24 * 3600;

/** mWh that `seconds` s of full power make. */
const atMost = (seconds: number): bigint => (BigInt(CAPACITY) * 1000n * BigInt(seconds)) / 3600n;

describe("epochs", () => {
  let chain: Fixture;
  let meter: TestMeter;
  beforeEach(async () => {
    chain = await deployFixture();
    meter = await chain.registered(createMeter(chain.place, 1));
    await chain.at(START + 6000);
    await chain.settleAttested({ meter, to: 200 });
  });

  /** Readings of another epoch, the first at START + `time`. */
  const later = (energy: bigint, time = 3000, count = 200) =>
    produce({ count, from: { timestamp: START + time, energy } });
  /** What settles a log that never was, after epoch 1 was settled to 200. */
  const fresh = (part: Omit<Part, "meter" | "settled">): Part => ({
    meter,
    settled: 0,
    settledTimestamp: START + 1990,
    ...part,
  });
  const settleWith = async (part: Part, change: object = {}) => {
    const { attestation, items } = attestedItems([part]);
    await chain.attest(attestation);
    return chain.settle(
      attestation,
      items.map((item) => ({ ...item, ...change })),
    );
  };
  const minted = async () => (await chain.supply()) / UNITS;
  const lastSkipped = async () => (await chain.eventsOf("Skipped")).at(-1)?.["reason"];

  describe("a new one", () => {
    it("is refused without its reading 0", async () => {
      meter.begin(2, later(250n * STEP));
      const lie = toHex(bent(meter.readingsOf(2)[0] as Uint8Array, { energy: 249n * STEP }));
      const call = settleWith(fresh({ epoch: 2, to: 100 }), { firstReading: lie });
      await refuses(call, "FirstReadingInvalid", [meter.id, 2, 100n]);
    });

    it("is refused where it lost its register before the last settled reading", async () => {
      meter.begin(2, later(0n, 1990));
      const args = [meter.id, START + 1990, START + 1990];
      await refuses(settleWith(fresh({ epoch: 2, to: 100 })), "TimeNotForward", args);
    });

    it("is refused where its only reading is told to be earlier than its reading 0", async () => {
      meter.begin(2, later(0n, 3000, 1));
      const [item] = attestedItems([fresh({ epoch: 2, to: 1 })]).items;
      assert.ok(item);
      const reading = toHex(bent(meter.readingsOf(2)[0] as Uint8Array, { timestamp: START + 2999 }));
      const call = settleWith(fresh({ epoch: 2, to: 1 }), { head: { ...item.head, reading } });
      await refuses(call, "TimeNotForward", [meter.id, START + 2999, START + 3000]);
    });

    for (const epoch of [66, 0xffff_ffff]) {
      it(`is refused where it is ${epoch - 1} above the last: whoever had the chip signed it in advance`, async () => {
        meter.begin(epoch, later(0n, 3000, 1));
        await refuses(settleWith(fresh({ epoch, to: 1 })), "EpochTooFar", [meter.id, epoch, 65n]);
      });
    }

    it("may be 64 above the last", async () => {
      meter.begin(65, later(250n * STEP));
      await chain.settleAttested(fresh({ epoch: 65, to: 100 }));
      assert.equal((await chain.latestOf(meter)).epoch, 65);
    });

    it("mints from the settled energy where the register went on", async () => {
      meter.begin(2, later(250n * STEP));
      await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
      assert.equal(await minted(), (250n + 99n) * STEP);
    });

    for (const [name, energy] of [
      ["further on", 210n],
      ["where it stood", 204n],
    ] as const)
      it(`mints so also where it began before the last settled reading, whose clock was ahead, ${name}`, async () => {
        const ahead = [...meter.readingsOf().slice(0, 200), ...later(200n * STEP, 8200, 5)];
        meter.begin(1, ahead);
        await chain.at(START + 8000);
        await chain.settleAttested({ meter, to: 205, settled: 200 });
        meter.begin(
          2,
          produce({ count: 600, power: POWER / 10n, from: { timestamp: START + 3000, energy: energy * STEP } }),
        );
        await chain.at(START + 9000);
        await chain.settleAttested(fresh({ epoch: 2, to: 600, settledTimestamp: START + 8240 }));
        assert.equal(await minted(), energy * STEP + 599n * (STEP / 10n));
        assert.equal((await chain.gapOf(meter, 1)).until, 0);
      });

    it("mints nothing and moves no token where all it has is its reading 0", async () => {
      meter.begin(2, later(0n, 3000, 1));
      await chain.settleAttested(fresh({ epoch: 2, to: 1 }));
      const moved = await chain.publicClient.getContractEvents({ ...chain.token, eventName: "Transfer" });
      assert.deepEqual([moved.length, await minted()], [0, 199n * STEP]);
    });

    it("is skipped where the item was made for another size of its log", async () => {
      await settleWith({ meter, to: 300, settled: 199, settledTimestamp: START + 1990 });
      assert.equal(await lastSkipped(), SKIP_REASONS.Overtaken);
    });

    it("mints from reading 0 where the register was lost", async () => {
      meter.begin(2, later(0n));
      await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
      assert.equal(await minted(), (199n + 99n) * STEP);
    });

    for (const [name, energy] of [
      ["the register went on", 250n * STEP],
      ["the register was lost", 7n],
    ] as const) {
      it(`tells its reading 0, right before it is settled, where ${name}`, async () => {
        meter.begin(2, later(energy));
        const receipt = await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        assert.deepEqual(await chain.eventsOf("LogBegun"), [
          { keyId: meter.id, epoch: 2, timestamp: START + 3000, energy },
        ]);
        assert.deepEqual(chain.toldBy(receipt), ["Transfer", "LogBegun", "Settled"]);
      });
    }

    it("tells its reading 0 once: not when its log goes on, nor for the log of the baseline", async () => {
      assert.deepEqual(await chain.eventsOf("LogBegun"), []);
      meter.begin(2, later(250n * STEP));
      await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
      const settled = await chain.settleAttested({ meter, epoch: 2, to: 200, settled: 100 });
      assert.deepEqual(chain.toldBy(settled), ["Transfer", "Settled"]);
    });

    it("mints nothing for a lost register's first reading alone", async () => {
      meter.begin(2, later(3n * STEP));
      await chain.settleAttested(fresh({ epoch: 2, to: 1 }));
      assert.equal(await minted(), 199n * STEP);
      assert.equal((await chain.latestOf(meter)).energy, 3n * STEP);
      assert.equal((await chain.eventsOf("Settled")).at(-1)?.["produced"], 0n);
    });

    it("is bounded by the capacity since its own reading 0 where the register was lost", async () => {
      const readings = later(0n);
      readings[99] = bent(readings[99] as Uint8Array, { energy: atMost(990) + 1n });
      meter.begin(2, readings);
      const args = [meter.id, atMost(990) + 1n, atMost(990)];
      await refuses(settleWith(fresh({ epoch: 2, to: 100 })), "BeyondCapacity", args);
    });

    it("leaves the earlier one's log provable", async () => {
      meter.begin(2, later(250n * STEP));
      await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
      assert.deepEqual(await chain.logOf(meter, 1), [200n, toHex(headOf(meter, 200).root)]);
    });
  });

  describe("an earlier one", () => {
    describe("is skipped, and nothing of it kept,", () => {
      const isSkipped = async (part: Part) => {
        const [supply, log] = [await minted(), await chain.logOf(meter, part.epoch ?? 1)];
        await chain.settleAttested(part);
        assert.equal(await lastSkipped(), SKIP_REASONS.Passed);
        assert.equal(await minted(), supply);
        assert.deepEqual(await chain.logOf(meter, part.epoch ?? 1), log);
      };

      it("where the next one's register went on", async () => {
        meter.begin(2, later(300n * STEP));
        await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        await isSkipped({ meter, to: 299, settled: 200 });
      });

      it("where it goes on to the next one's reading 0, or beyond", async () => {
        meter.begin(2, later(0n));
        await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        await isSkipped({ meter, to: 301, settled: 200 });
        await isSkipped({ meter, to: 600, settled: 200 });
        await chain.settleAttested({ meter, to: 300, settled: 200 });
      });

      it("where it is of before the key's baseline", async () => {
        const device = createMeter(chain.place, 3, produce({ count: 1 }));
        device.begin(5, later(0n, 6000));
        await chain.register(device, registrationIn(device, 5));
        await chain.at(START + 8000);
        await chain.settleAttested({ meter: device, epoch: 5, to: 200, settled: 1 });
        device.begin(2, later(0n, 6001));
        meter = device;
        await isSkipped({ meter, epoch: 2, to: 200, settled: 0, settledTimestamp: 0 });
        await isSkipped({ meter, epoch: 2, to: 200, settled: 0, settledTimestamp: START + 6000 });
        // two readings of one second: only that which settled verifies
        const verify = (epoch: number, index: number) => {
          const args = [meter.id, epoch, placed(meter, index, 200, epoch)] as const;
          return chain.publicClient.readContract({ ...chain.wattWitness, functionName: "verifyReading", args });
        };
        assert.deepEqual([await verify(5, 150), await verify(2, 150)], [true, false]);
      });

      it("where it was passed over and began before what is settled", async () => {
        meter.begin(2, later(0n, 1990));
        meter.begin(3, later(0n, 5000));
        await chain.settleAttested(fresh({ epoch: 3, to: 50 }));
        await isSkipped(fresh({ epoch: 2, to: 50 }));
      });

      it("where its last reading is told to be earlier than its reading 0", async () => {
        meter.begin(2, later(0n, 3000, 1));
        meter.begin(3, later(0n, 5000));
        await chain.settleAttested(fresh({ epoch: 3, to: 50 }));
        const part = fresh({ epoch: 2, to: 1 });
        const reading = bent(meter.readingsOf(2)[0] as Uint8Array, { timestamp: START + 2999, energy: 5n });
        await isSkipped({ ...part, head: { reading } });
      });

      it("where it is of more than one reading, all of the second of its reading 0", async () => {
        meter.begin(2, produce({ count: 2, interval: 0, from: { timestamp: START + 3000, energy: 0n } }));
        meter.begin(3, later(0n, 5000));
        await chain.settleAttested(fresh({ epoch: 3, to: 50 }));
        const [first, second] = meter.readingsOf(2) as [Uint8Array, Uint8Array];
        meter.begin(2, [first, bent(second, { energy: 5n })]);
        await isSkipped(fresh({ epoch: 2, to: 2 }));
        meter.begin(2, [first]);
        await chain.settleAttested(fresh({ epoch: 2, to: 1 }));
        assert.equal((await chain.logOf(meter, 2))[0], 1n);
      });

      it("where its register went backward", async () => {
        meter.begin(2, later(0n));
        await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        const readings = [...meter.readingsOf()];
        readings[249] = bent(readings[249] as Uint8Array, { energy: 198n * STEP });
        meter.begin(1, readings);
        await isSkipped({ meter, to: 250, settled: 200 });
      });

      it("where its register went on, and its time went back", async () => {
        meter.begin(2, later(0n));
        await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        const readings = [...meter.readingsOf()];
        readings[249] = bent(readings[249] as Uint8Array, { timestamp: START + 1990 });
        meter.begin(1, readings);
        await isSkipped({ meter, to: 250, settled: 200 });
      });

      it("where it was passed over and its register went backward", async () => {
        const readings = later(240n * STEP, 3000, 100);
        readings[99] = bent(readings[99] as Uint8Array, { energy: 210n * STEP });
        meter.begin(2, readings);
        meter.begin(3, later(250n * STEP, 5000));
        await chain.settleAttested(fresh({ epoch: 3, to: 50 }));
        await isSkipped(fresh({ epoch: 2, to: 100 }));
      });

      it("where it would mint one mWh more than the capacity makes of the time between the settled logs", async () => {
        meter.begin(2, later(0n));
        await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        const most = 199n * STEP + atMost(1010);
        const [part, readings] = [{ meter, to: 250, settled: 200 }, [...meter.readingsOf()]];
        readings[249] = bent(readings[249] as Uint8Array, { energy: most + 1n });
        meter.begin(1, readings);
        await isSkipped(part);
        readings[249] = bent(readings[249] as Uint8Array, { energy: most });
        await chain.settleAttested(part);
        assert.equal(await minted(), most + 99n * STEP);
        assert.equal((await chain.gapOf(meter, 1)).room, 0n);
      });

      it("as long as the next one minted all that the capacity makes of the time of both", async () => {
        const readings = later(200n * STEP);
        readings[99] = bent(readings[99] as Uint8Array, { energy: 199n * STEP + atMost(2000) });
        meter.begin(2, readings);
        await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        await isSkipped({ meter, to: 300, settled: 200 });
      });

      it("where its key is not its meter's any more", async () => {
        const next = createMeter(chain.place, 2, later(0n, 6000));
        await chain.rotate(meter.id, meter, next);
        await chain.settleAttested({ meter, to: 300, settled: 200 });
        assert.equal(await lastSkipped(), SKIP_REASONS.Superseded);
        assert.deepEqual(await chain.logOf(meter, 1), [200n, toHex(headOf(meter, 200).root)]);
      });
    });

    describe("whose register was lost,", () => {
      beforeEach(() => {
        meter.begin(2, later(0n));
      });
      const rest: () => Part = () => ({ meter, to: 300, settled: 200 });

      it("mints its rest after the next one was settled, as it would have before", async () => {
        const batch = attestedItems([rest(), fresh({ epoch: 2, to: 100, settledTimestamp: START + 2990 })]);
        await chain.attest(batch.attestation);
        const second = batch.items[1];
        assert.ok(second);
        // a stranger runs ahead with the newer epoch, rebased onto what is settled
        await chain.settle(batch.attestation, [rebased(second, { settledTimestamp: START + 1990 })], chain.stranger);
        const receipt = await chain.settle(batch.attestation, batch.items);
        assert.deepEqual(chain.toldBy(receipt), ["Transfer", "Settled", "Skipped"]);
        assert.equal(await minted(), (299n + 99n) * STEP);
        assert.deepEqual(await chain.logOf(meter, 1), [300n, toHex(headOf(meter, 300).root)]);
      });

      it("leaves what the next one settled where it is", async () => {
        await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        const { produced, ...latest } = await chain.latestOf(meter);
        await chain.settleAttested(rest());
        const { produced: more, ...after } = await chain.latestOf(meter);
        assert.deepEqual(after, latest);
        assert.equal(more - produced, 100n * STEP);
      });

      it("mints it in parts, each once", async () => {
        await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        const replayed = attestedItems([{ meter, to: 250, settled: 200 }]);
        await chain.attest(replayed.attestation);
        await chain.settle(replayed.attestation, [...replayed.items, ...replayed.items]);
        assert.equal(await lastSkipped(), SKIP_REASONS.Overtaken);
        await chain.settleAttested({ meter, to: 300, settled: 250 });
        assert.equal(await minted(), (299n + 99n) * STEP);
      });

      it("mints it though the settled energy was no more than the next one's reading 0", async () => {
        const device = createMeter(chain.place, 3, later(0n, 5900));
        await chain.register(device);
        device.begin(2, later(0n, 8000));
        await chain.at(START + 10_000);
        const newer: Part = { meter: device, epoch: 2, to: 100, settled: 0, settledTimestamp: START + 5900 };
        await chain.settleAttested(newer);
        const before = await minted();
        await chain.settleAttested({ meter: device, to: 200 });
        assert.equal((await minted()) - before, 199n * STEP);
      });

      it("is held against the capacity that the meter has now", async () => {
        await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        await chain.registryCall("lowerCapacity", [meter.id, CAPACITY - 1]);
        await chain.settleAttested(rest());
        assert.equal(await lastSkipped(), SKIP_REASONS.CapacityChanged);
      });

      it("is refused where it is false", async () => {
        await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        const other = sign(encodeHead(meter.headDomain, headOf(meter, 300)), new Uint8Array(32).fill(9));
        await refuses(settleWith({ ...rest(), signature: other }), "SignatureInvalid");
        const conditions = bent(meter.readingsOf()[299] as Uint8Array, { conditions: 0x08 });
        await refuses(settleWith({ ...rest(), head: { reading: conditions } }), "ConditionsBlock", [meter.id, 8]);
        const source = bent(meter.readingsOf()[299] as Uint8Array, { source: 0 });
        await refuses(settleWith({ ...rest(), head: { reading: source } }), "SourceMismatch");
        await refuses(settleWith({ ...rest(), from: 200 }), "SegmentGap", [meter.id, 200n, 200n]);
        const replay = rebased(attestedItems([rest()]).items[0] as never, { settledSize: 200 });
        const short = { ...replay, head: { ...replay.head, size: 200n } };
        await refuses(settleWith(rest(), { head: short.head }), "SizeNotForward", [meter.id, 1, 200n, 200n]);
        const rewritten = meter.readingsOf().map((r, i) => (i === 5 ? bent(r, { power: 1n }) : r));
        meter.begin(1, rewritten);
        await refuses(settleWith(rest()), "LogInconsistent", [meter.id, 1, 200n, 300n]);
      });

      it("settles without attestation once what it goes on from is 30 days old, whatever was settled since", async () => {
        await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        const allowedAt = BigInt(START + 1990 + 30 * DAY);
        await chain.at(Number(allowedAt) - 2);
        await refuses(chain.settle(ZERO, [unattestedItem(rest())]), "AttestationRequired", [meter.id, allowedAt]);
        await chain.at(Number(allowedAt));
        await chain.settle(ZERO, [unattestedItem(rest())]);
        assert.equal(await minted(), (299n + 99n) * STEP);
      });
    });

    describe("that was passed over,", () => {
      beforeEach(async () => {
        meter.begin(2, later(0n));
        meter.begin(3, later(0n, 5000, 100));
        await chain.settleAttested(fresh({ epoch: 3, to: 50 }));
      });

      it("mints what it produced, and tells its reading 0", async () => {
        const before = await minted();
        const receipt = await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        assert.deepEqual(chain.toldBy(receipt), ["Transfer", "LogBegun", "Settled"]);
        assert.equal((await minted()) - before, 99n * STEP);
        assert.equal((await chain.logOf(meter, 2))[0], 100n);
        assert.equal((await chain.latestOf(meter)).epoch, 3);
      });

      it("leaves no more to mint before and after it than there was", async () => {
        meter.begin(2, later(240n * STEP));
        const { room } = await chain.gapOf(meter, 1);
        await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        // the register rose by 41 steps before its reading 0, and by 99 since
        const [before, after] = [(await chain.gapOf(meter, 1)).room, (await chain.gapOf(meter, 2)).room];
        assert.equal(before, atMost(1010) - 41n * STEP);
        assert.equal(before + after + 140n * STEP, room);
      });

      it("goes on, and leaves the rest of the one before it", async () => {
        await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
        await chain.settleAttested({ meter, epoch: 2, to: 200, settled: 100 });
        await chain.settleAttested({ meter, to: 300, settled: 200 });
        assert.equal(await minted(), (299n + 199n + 49n) * STEP);
      });

      it("settles though it mints nothing yet, and shows with the next that the register was lost between them", async () => {
        meter = await chain.registered(createMeter(chain.place, 3, later(0n, 5900, 2)));
        meter.begin(2, later(10n * STEP, 6000, 100));
        meter.begin(3, later(5n * STEP, 7000, 20));
        meter.begin(4, later(200n * STEP, 9000, 2));
        await chain.at(START + 10_000);
        const newest = await chain.partOf(meter, 4, 2);
        const before = await minted();
        await chain.settleAttested(newest);
        for (const [epoch, to, mints] of [
          [2, 100, 0n],
          [3, 20, 104n],
        ] as const) {
          const was = await minted();
          await chain.settleAttested(await chain.partOf(meter, epoch, to));
          assert.equal((await minted()) - was, mints * STEP);
          assert.equal((await chain.logOf(meter, epoch))[0], BigInt(to));
        }
        assert.equal((await minted()) - before, (201n + 104n) * STEP);
      });

      it("is skipped where another one was settled between", async () => {
        const { attestation, items } = attestedItems([fresh({ epoch: 2, to: 100 })]);
        await chain.attest(attestation);
        await chain.settleAttested({ meter, to: 250, settled: 200 });
        await chain.settle(attestation, items);
        assert.equal(await lastSkipped(), SKIP_REASONS.Overtaken);
      });
    });

    it("mints up to where its gap ends by an epoch that lies 64 above it, and none beyond", async () => {
      meter.begin(65, later(0n, 5000));
      await chain.settleAttested(fresh({ epoch: 65, to: 50 }));
      meter.begin(129, later(0n, 8000));
      await chain.at(START + 9000);
      await chain.settleAttested(fresh({ epoch: 129, to: 50, settledTimestamp: START + 5490 }));
      meter.begin(64, later(0n));
      await chain.settleAttested(fresh({ epoch: 64, to: 50 }));
      assert.equal((await chain.logOf(meter, 64))[0], 50n);
    });
  });

  function registrationIn(device: TestMeter, epoch: number) {
    return registrationOf(device, chain.owner.account.address, 1, epoch);
  }
});
