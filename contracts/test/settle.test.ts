import assert from "node:assert/strict";
import { getAddress } from "viem";
import {
  createLog,
  decodeReading,
  domain,
  encodeHead,
  encodeReading,
  fromHex,
  normaliseS,
  ORDER,
  type Reading,
  sign,
  toHex,
} from "../../protocol/index.ts";
import { NEVER } from "../deploy.ts";
import {
  attestedItems,
  CAPACITY,
  createMeter,
  deployFixture,
  type Fixture,
  headOf,
  type Part,
  produce,
  rebased,
  refuses,
  SKIP_REASONS,
  SOURCE,
  START,
  STEP,
  type TestMeter,
  UNITS,
  unattestedItem,
  ZERO,
} from "./fixture.ts";

const DAY = 24 * 3600;
/** the first reading of a meter that is registered after the others produced */
const LATER = { timestamp: START + 6000 };

/** The reading with something else in it. */
function bent(reading: Uint8Array, change: Partial<Reading>): Uint8Array {
  const decoded = decodeReading(reading);
  assert.ok(decoded.ok);
  return encodeReading({ ...decoded.value, ...change });
}

/** A head that ends in a bent reading, signed and attested all the same. */
function bentPart(meter: TestMeter, to: number, change: Partial<Reading>): Part {
  const readings = [...meter.readingsOf()];
  readings[to - 1] = bent(readings[to - 1] as Uint8Array, change);
  return { meter: { ...meter, readingsOf: () => readings }, to };
}

describe("settle", () => {
  let chain: Fixture;
  let meter: TestMeter;
  beforeEach(async () => {
    chain = await deployFixture();
    meter = await chain.registered(createMeter(chain.place, 1));
    await chain.at(START + 600 * 10);
  });

  /** Attests and settles one part, with the item bent afterwards where told. */
  const settleWith = async (part: Part, change: object = {}) => {
    const { attestation, items } = attestedItems([part]);
    await chain.attest(attestation);
    return chain.settle(
      attestation,
      items.map((item) => ({ ...item, ...change })),
    );
  };

  describe("refuses", () => {
    it("an attestation that nobody made", async () => {
      const { attestation, items } = attestedItems([{ meter, to: 10 }]);
      await refuses(chain.settle(attestation, items), "AttestationUnknown", [attestation]);
    });

    it("a key that is not registered", async () => {
      const other = createMeter(chain.place, 2);
      await refuses(settleWith({ meter: other, to: 10 }), "KeyUnknown", [other.id]);
    });

    for (const [name, size] of [
      ["a size that was settled already", 10],
      ["a stale size", 5],
    ] as const) {
      it(name, async () => {
        const { attestation, items } = attestedItems([{ meter, to: size }]);
        await chain.settleAttested({ meter, to: 10 });
        if (size !== 10) await chain.attest(attestation);
        const replayed = items.map((item) => rebased(item, { settledSize: 10, settledTimestamp: START + 90 }));
        await refuses(chain.settle(attestation, replayed), "SizeNotForward", [meter.id, 1, BigInt(size), 10n]);
      });
    }

    it("size 0", async () => {
      const [item] = attestedItems([{ meter, to: 10 }]).items;
      assert.ok(item);
      await refuses(settleWith({ meter, to: 10 }, { head: { ...item.head, size: 0n } }), "SizeNotForward", [
        meter.id,
        1,
        0n,
        1n,
      ]);
    });

    it("size 2^40", async () => {
      const [item] = attestedItems([{ meter, to: 10 }]).items;
      assert.ok(item);
      const head = { ...item.head, size: 2n ** 40n };
      await refuses(settleWith({ meter, to: 10 }, { head }), "SizeOutOfRange", [2n ** 40n]);
    });

    it("to settle without attestation before its time", async () => {
      const { settledAt } = await chain.latestOf(meter);
      const item = unattestedItem({ meter, to: 10 });
      await refuses(chain.settle(ZERO, [item]), "AttestationRequired", [meter.id, BigInt(settledAt + 30 * DAY)]);
    });

    it("a reading more than five minutes ahead of the block", async () => {
      const early = await deployFixture();
      await early.registered(meter);
      const { attestation, items } = attestedItems([{ meter, to: 100 }]);
      await early.attest(attestation);
      await refuses(early.settle(attestation, items), "TimeAhead");
    });

    it("a reading that is not later than the last settled one", async () => {
      await refuses(settleWith(bentPart(meter, 10, { timestamp: START })), "TimeNotForward", [meter.id, START, START]);
    });

    for (const [name, conditions] of [
      ["a drifting clock", 0x01],
      ["an opened enclosure", 0x08],
    ] as const) {
      it(name, async () => {
        await refuses(settleWith(bentPart(meter, 10, { conditions })), "ConditionsBlock", [meter.id, conditions]);
      });
    }

    it("a reserved condition", async () => {
      const [item] = attestedItems([{ meter, to: 10 }]).items;
      assert.ok(item);
      const reading = toHex(Uint8Array.of(...fromHex(item.head.reading).slice(0, 31), 0x10));
      await refuses(settleWith({ meter, to: 10 }, { head: { ...item.head, reading } }), "ConditionsBlock", [
        meter.id,
        0x10,
      ]);
    });

    it("a reading of another channel or register", async () => {
      await refuses(settleWith(bentPart(meter, 10, { source: 0x00 })), "SourceMismatch", [meter.id, 0x00, SOURCE]);
    });

    it("energy going backward", async () => {
      await chain.settleAttested({ meter, to: 10 });
      const part = { ...bentPart(meter, 20, { energy: 9n * STEP - 1n }), settled: 10 };
      await refuses(settleWith(part), "EnergyBackward", [meter.id, 9n * STEP - 1n, 9n * STEP]);
    });

    it("one mWh more than the capacity can produce in the time", async () => {
      const possible = (BigInt(CAPACITY) * 1000n * 90n) / 3600n;
      const part = bentPart(meter, 10, { energy: possible + 1n });
      await refuses(settleWith(part), "BeyondCapacity", [meter.id, possible + 1n, possible]);
      await settleWith(bentPart(meter, 10, { energy: possible }));
      assert.equal(await chain.supply(), possible * UNITS);
    });

    it("energy near 2^64 without wrapping around", async () => {
      await refuses(settleWith(bentPart(meter, 10, { energy: 2n ** 64n - 1n })), "BeyondCapacity");
    });

    describe("a head that the device did not sign:", () => {
      const head = () => headOf(meter, 10);
      const signedAs = (change: object, privateKey = meter.privateKey, headDomain = meter.headDomain) =>
        sign(encodeHead(headDomain, { ...head(), ...change }), privateKey);
      const forgeries: [string, () => Uint8Array][] = [
        ["another key's signature", () => signedAs({}, new Uint8Array(32).fill(9))],
        ["another size", () => signedAs({ size: 11 })],
        ["another epoch", () => signedAs({ epoch: 2 })],
        ["another root", () => signedAs({ root: createLog(meter.readingsOf().slice(0, 11)).root() })],
        ["another reading", () => signedAs({ reading: meter.readingsOf()[10] as Uint8Array })],
        ["another chain", () => signedAs({}, undefined, domain("head", { ...chain.place, chainId: 1 }))],
        [
          "another registry",
          () => signedAs({}, undefined, domain("head", { ...chain.place, registry: chain.deployment.token })),
        ],
        ["another kind of statement", () => signedAs({}, undefined, domain("claim", chain.place))],
        ["a high s", () => withS(signedAs({}), (s) => ORDER - s)],
        ["s = 0", () => withS(signedAs({}), () => 0n)],
        ["s = n", () => withS(signedAs({}), () => ORDER)],
        ["r = 0", () => new Uint8Array([...new Uint8Array(32), ...signedAs({}).slice(32)])],
      ];
      for (const [name, signature] of forgeries) {
        it(name, async () => {
          await refuses(settleWith({ meter, to: 10, signature: signature() }), "SignatureInvalid");
        });
      }

      it("but accepts the high s once the firmware made it low", async () => {
        await settleWith({ meter, to: 10, signature: normaliseS(withS(signedAs({}), (s) => ORDER - s)) });
      });
    });

    const rewrites: [string, (readings: Uint8Array[]) => Uint8Array[]][] = [
      ["changed", (r) => r.map((reading, i) => (i === 4 ? bent(reading, { power: 1n }) : reading))],
      ["dropped", (r) => r.filter((_, i) => i !== 4)],
      ["repeated", (r) => r.flatMap((reading, i) => (i === 4 ? [reading, reading] : [reading]))],
      ["moved", (r) => [0, 1, 2, 4, 3].map((i) => r[i] as Uint8Array).concat(r.slice(5))],
    ];
    for (const [name, rewrite] of rewrites) {
      it(`a log in which a settled reading was ${name}, though the device signed it`, async () => {
        await chain.settleAttested({ meter, to: 10 });
        meter.begin(1, rewrite(meter.readingsOf()));
        const part = { meter, to: 30, settled: 10, settledTimestamp: START + 90 };
        await refuses(settleWith(part), "LogInconsistent", [meter.id, 1, 10n, 30n]);
      });
    }

    it("a segment that begins after the last settled reading", async () => {
      await refuses(settleWith({ meter, to: 30, from: 1 }), "SegmentGap", [meter.id, 1n, 1n]);
    });

    it("a head that is not in the attested batch", async () => {
      const { attestation } = attestedItems([{ meter, to: 20 }]);
      await chain.attest(attestation);
      const { items } = attestedItems([{ meter, to: 30 }]);
      await refuses(chain.settle(attestation, items), "SegmentNotAttested");
    });

    it("a batch that was verified against another capacity", async () => {
      const { attestation, items } = attestedItems([{ meter, to: 10, capacity: CAPACITY + 1 }]);
      await chain.attest(attestation);
      const lying = items.map((item) => rebased(item, { capacity: CAPACITY }));
      await refuses(chain.settle(attestation, lying), "SegmentNotAttested");
    });

    it("a segment that was attested from elsewhere", async () => {
      await chain.settleAttested({ meter, to: 10 });
      const { attestation, items } = attestedItems([{ meter, to: 30, settled: 10 }]);
      await chain.attest(attestation);
      const moved = items.map((item) => rebased(item, { from: 3 }));
      await refuses(chain.settle(attestation, moved), "SegmentNotAttested");
    });
  });

  it("mints the energy since the baseline to the owner, to the last unit", async () => {
    await chain.settleAttested({ meter, to: 600 });
    assert.equal(await chain.balanceOf(chain.owner.account.address), 599n * STEP * UNITS);
    assert.equal(await chain.supply(), 599n * STEP * UNITS);
  });

  it("mints only what is new the second time", async () => {
    await chain.settleAttested({ meter, to: 100 });
    await chain.settleAttested({ meter, to: 600, settled: 100 });
    assert.equal(await chain.supply(), 599n * STEP * UNITS);
  });

  it("accepts a segment that begins before the last settled reading", async () => {
    await chain.settleAttested({ meter, to: 100 });
    await chain.settleAttested({ meter, to: 600, settled: 100, from: 0 });
    assert.equal(await chain.supply(), 599n * STEP * UNITS);
  });

  it("accepts harmless conditions", async () => {
    await settleWith(bentPart(meter, 10, { conditions: 0x06 }));
    assert.equal(await chain.supply(), 9n * STEP * UNITS);
  });

  it("settles many meters in one batch", async () => {
    const others = [2, 3, 4].map((seed) => createMeter(chain.place, seed));
    for (const other of others) {
      const baseline = produce({ count: 600, from: { timestamp: START + 5000 } });
      other.begin(1, baseline);
      await chain.registered(other);
    }
    await chain.at(START + 11_000);
    await chain.settleAttested(...[meter, ...others].map((m) => ({ meter: m, to: 600 })));
    assert.equal(await chain.supply(), 4n * 599n * STEP * UNITS);
  });

  it("tells what was settled", async () => {
    const { attestation, items } = attestedItems([{ meter, to: 600 }]);
    await chain.attest(attestation);
    await chain.settle(attestation, items);
    const [event] = await chain.publicClient.getContractEvents({ ...chain.wattWitness, eventName: "Settled" });
    const head = headOf(meter, 600);
    assert.deepEqual((event as unknown as { args: object }).args, {
      keyId: meter.id,
      payee: getAddress(chain.owner.account.address),
      attestation,
      epoch: 1,
      fromSize: 1n,
      size: 600n,
      timestamp: START + 5990,
      energy: 599n * STEP,
      produced: 599n * STEP,
      root: toHex(head.root),
    });
    const latest = await chain.latestOf(meter);
    assert.equal(latest.root, toHex(head.root));
    assert.equal(latest.size, 600);
  });

  it("keeps a log once: settling on takes no new storage, of which a slot costs 22,100 gas", async () => {
    await chain.settleAttested({ meter, to: 100 });
    const other = await chain.registered(createMeter(chain.place, 2, produce({ count: 100, from: LATER })));
    await chain.at(LATER.timestamp + 1000);
    const { gasUsed } = await chain.settleAttested({ meter: other, to: 100 });
    assert.ok(gasUsed < 105_000n, `${gasUsed} gas`);
  });

  describe("items that lost a race", () => {
    it("are skipped with an event, and do not stop the rest of the batch", async () => {
      const other = createMeter(chain.place, 2, produce({ count: 600, from: { timestamp: START + 5000 } }));
      await chain.registered(other);
      await chain.at(START + 11_000);
      const batch = attestedItems([
        { meter, to: 600 },
        { meter: other, to: 600 },
      ]);
      await chain.attest(batch.attestation);
      await chain.settleAttested({ meter, to: 300 });

      await chain.settle(batch.attestation, batch.items);

      const [skipped] = await chain.publicClient.getContractEvents({ ...chain.wattWitness, eventName: "Skipped" });
      assert.deepEqual((skipped as unknown as { args: object }).args, {
        keyId: meter.id,
        attestation: batch.attestation,
        reason: SKIP_REASONS.Overtaken,
        epoch: 1,
        size: 600n,
      });
      assert.equal(await chain.supply(), (299n + 599n) * STEP * UNITS);
    });

    it("cannot stop the batch by settling a later head of the epoch before", async () => {
      // near full capacity a step of the register, just over before the new epoch begins
      const other = createMeter(chain.place, 2, produce({ count: 600, from: { timestamp: START + 5000 } }));
      await chain.registered(other);
      await chain.settleAttested({ meter, to: 200 });
      const energy = 200n * STEP + (BigInt(CAPACITY) * 1000n * 1010n) / 3600n;
      meter.begin(2, produce({ count: 2, from: { timestamp: START + 3000, energy } }));
      await chain.at(START + 11_000);
      const batch = attestedItems([
        { meter, epoch: 2, to: 1, settled: 0, settledTimestamp: START + 1990 },
        { meter: other, to: 600 },
      ]);
      await chain.attest(batch.attestation);
      await chain.settleAttested({ meter, to: 290, settled: 200 });
      const supply = await chain.supply();

      await chain.settle(batch.attestation, batch.items);

      assert.equal((await chain.supply()) - supply, 599n * STEP * UNITS);
      const [skipped] = await chain.eventsOf("Skipped");
      const { attestation } = batch;
      assert.deepEqual(skipped, { keyId: meter.id, attestation, reason: SKIP_REASONS.Overtaken, epoch: 2, size: 1n });
    });

    it("cannot stop the batch by settling a later epoch first: their own is recorded", async () => {
      meter.begin(2, produce({ count: 100, from: { timestamp: START + 3000, energy: 300n * STEP } }));
      const { attestation, items } = attestedItems([{ meter, to: 200 }]);
      await chain.attest(attestation);
      await chain.settleAttested({ meter, epoch: 2, to: 100, settled: 0, settledTimestamp: START });
      const supply = await chain.supply();

      await chain.settle(attestation, items);

      assert.equal(await chain.supply(), supply);
      assert.equal((await chain.logOf(meter, 1))[0], 200n);
    });

    it("are skipped where the meter's capacity is another since", async () => {
      const { attestation, items } = attestedItems([{ meter, to: 200 }]);
      await chain.attest(attestation);
      await chain.registryCall("lowerCapacity", [meter.id, CAPACITY - 1]);
      await chain.settle(attestation, items);
      assert.equal(await chain.supply(), 0n);
      assert.equal((await chain.eventsOf("Skipped"))[0]?.["reason"], SKIP_REASONS.CapacityChanged);
    });

    it("are skipped without attestation, too, though another settlement has begun the wait anew", async () => {
      meter.begin(2, produce({ count: 100, from: { timestamp: START + 6000, energy: 600n * STEP } }));
      await chain.at(START + 31 * DAY);
      const fresh = unattestedItem({ meter, epoch: 2, to: 100, settled: 0, settledTimestamp: START });
      await chain.settle(ZERO, [unattestedItem({ meter, to: 300 })]);
      await chain.settle(ZERO, [fresh]);
      assert.equal((await chain.eventsOf("Skipped")).length, 1);
      assert.equal(await chain.supply(), 299n * STEP * UNITS);
    });

    it("are told with the attestation that they were offered under, or with none", async () => {
      const { attestation, items } = attestedItems([{ meter, to: 200 }]);
      await chain.attest(attestation);
      await chain.settleAttested({ meter, to: 300 });
      await chain.settle(attestation, items);
      await chain.settle(ZERO, [unattestedItem({ meter, to: 200 })]);
      const skipped = await chain.eventsOf("Skipped");
      assert.deepEqual(
        skipped.map((event) => event["attestation"]),
        [attestation, ZERO],
      );
    });

    it("cannot be brought by the same batch twice", async () => {
      const { attestation, items } = attestedItems([{ meter, to: 600 }]);
      await chain.attest(attestation);
      await chain.settle(attestation, [...items, ...items]);
      assert.equal(await chain.supply(), 599n * STEP * UNITS);
    });
  });

  describe("a new epoch", () => {
    const later = (energy: bigint) => produce({ count: 200, from: { timestamp: START + 3000, energy } });
    /** Of a log not settled yet, after epoch 1 was settled to 200. */
    const fresh = (part: Omit<Part, "meter" | "settled">): Part => ({
      meter,
      settled: 0,
      settledTimestamp: START + 1990,
      ...part,
    });
    beforeEach(async () => {
      await chain.settleAttested({ meter, to: 200 });
    });

    it("is refused without its reading 0", async () => {
      meter.begin(2, later(250n * STEP));
      const part = fresh({ epoch: 2, to: 100 });
      const lie = toHex(bent(meter.readingsOf(2)[0] as Uint8Array, { energy: 249n * STEP }));
      await refuses(settleWith(part, { firstReading: lie }), "FirstReadingInvalid", [meter.id, 2, 100n]);
    });

    it("is refused where it begins before the last settled reading", async () => {
      meter.begin(2, produce({ count: 200, from: { timestamp: START + 1990, energy: 0n } }));
      await refuses(settleWith(fresh({ epoch: 2, to: 100 })), "TimeNotForward", [meter.id, START + 1990, START + 1990]);
    });

    it("mints from the settled energy where the register went on", async () => {
      meter.begin(2, later(250n * STEP));
      await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
      assert.equal(await chain.supply(), (250n + 99n) * STEP * UNITS);
    });

    it("mints from reading 0 where the register was lost", async () => {
      meter.begin(2, later(0n));
      await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
      assert.equal(await chain.supply(), (199n + 99n) * STEP * UNITS);
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

    it("tells its reading 0, right before it is recorded, where it was passed over", async () => {
      meter.begin(2, later(205n * STEP));
      meter.begin(3, produce({ count: 50, from: { timestamp: START + 5000, energy: 450n * STEP } }));
      await chain.settleAttested(fresh({ epoch: 3, to: 50 }));
      const receipt = await chain.settle(ZERO, [unattestedItem(fresh({ epoch: 2, to: 100 }))]);
      const [, begun] = await chain.eventsOf("LogBegun");
      assert.deepEqual(begun, { keyId: meter.id, epoch: 2, timestamp: START + 3000, energy: 205n * STEP });
      assert.deepEqual(chain.toldBy(receipt), ["LogBegun", "Recorded"]);
    });

    it("tells its reading 0 once: not when its log goes on, nor for the log of the baseline", async () => {
      assert.deepEqual(await chain.eventsOf("LogBegun"), []);
      meter.begin(2, later(250n * STEP));
      await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
      const settled = await chain.settleAttested({ meter, epoch: 2, to: 200, settled: 100 });
      const recorded = await chain.settleAttested({ meter, to: 600, settled: 200 });
      assert.deepEqual(chain.toldBy(settled), ["Transfer", "Settled"]);
      assert.deepEqual(chain.toldBy(recorded), ["Recorded"]);
    });

    it("tells the time and the energy of a later head of the epoch before, which is recorded", async () => {
      meter.begin(2, later(250n * STEP));
      await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
      const { attestation, items } = attestedItems([{ meter, to: 600, settled: 200 }]);
      await chain.attest(attestation);
      await chain.settle(attestation, items);
      const [recorded] = await chain.eventsOf("Recorded");
      assert.deepEqual(recorded, {
        keyId: meter.id,
        attestation,
        epoch: 1,
        fromSize: 200n,
        size: 600n,
        timestamp: START + 5990,
        energy: 599n * STEP,
        root: toHex(headOf(meter, 600).root),
      });
    });

    it("mints nothing for a lost register's first reading alone", async () => {
      meter.begin(2, later(3n * STEP));
      await chain.settleAttested(fresh({ epoch: 2, to: 1 }));
      assert.equal(await chain.supply(), 199n * STEP * UNITS);
      assert.equal((await chain.latestOf(meter)).energy, 3n * STEP);
      const mints = await chain.publicClient.getContractEvents({
        ...chain.token,
        eventName: "Transfer",
        fromBlock: 0n,
      });
      assert.equal(mints.length, 1);
    });

    it("is bounded by the capacity since its own reading 0 where the register was lost", async () => {
      const possible = (BigInt(CAPACITY) * 1000n * 990n) / 3600n;
      const readings = later(0n);
      readings[99] = bent(readings[99] as Uint8Array, { energy: possible + 1n });
      meter.begin(2, readings);
      await refuses(settleWith(fresh({ epoch: 2, to: 100 })), "BeyondCapacity", [meter.id, possible + 1n, possible]);
    });

    it("leaves the earlier epoch's log provable, and lets a later head of it be recorded, minting nothing", async () => {
      meter.begin(2, later(250n * STEP));
      await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
      const [supply, latest] = [await chain.supply(), await chain.latestOf(meter)];
      assert.deepEqual(await chain.logOf(meter, 1), [200n, toHex(headOf(meter, 200).root)]);

      await chain.settleAttested({ meter, to: 600, settled: 200 });

      assert.deepEqual(await chain.logOf(meter, 1), [600n, toHex(headOf(meter, 600).root)]);
      assert.equal(await chain.supply(), supply);
      assert.deepEqual(await chain.latestOf(meter), latest);
    });

    it("lets an epoch that was passed over be recorded, also without attestation, minting nothing", async () => {
      meter.begin(2, later(205n * STEP));
      meter.begin(3, produce({ count: 50, from: { timestamp: START + 5000, energy: 450n * STEP } }));
      await chain.settleAttested(fresh({ epoch: 3, to: 50 }));
      const supply = await chain.supply();

      await chain.settle(ZERO, [unattestedItem(fresh({ epoch: 2, to: 100 }))]);

      assert.equal(await chain.supply(), supply);
      assert.equal((await chain.logOf(meter, 2))[0], 100n);
      assert.equal((await chain.latestOf(meter)).epoch, 3);
    });

    it("skips a head of an earlier epoch that was overtaken by another of it", async () => {
      meter.begin(2, later(250n * STEP));
      await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
      const { attestation, items } = attestedItems([{ meter, to: 300, settled: 200, settledTimestamp: START + 3990 }]);
      await chain.attest(attestation);
      await chain.settleAttested({ meter, to: 600, settled: 200 });
      await chain.settle(attestation, items);
      assert.equal((await chain.eventsOf("Skipped"))[0]?.["reason"], SKIP_REASONS.Overtaken);
      assert.equal((await chain.logOf(meter, 1))[0], 600n);
    });

    it("refuses a forged head of the earlier epoch", async () => {
      meter.begin(2, later(250n * STEP));
      await chain.settleAttested(fresh({ epoch: 2, to: 100 }));
      const signature = sign(encodeHead(meter.headDomain, headOf(meter, 600)), new Uint8Array(32).fill(9));
      await refuses(settleWith({ meter, to: 600, settled: 200, signature }), "SignatureInvalid");
      await refuses(settleWith({ ...bentPart(meter, 600, { conditions: 0x08 }), settled: 200 }), "ConditionsBlock");
    });
  });

  describe("without attestation", () => {
    const item = (part: Partial<Part> = {}) => unattestedItem({ meter, to: 600, ...part });

    it("is refused where the head's reading is not the last of its log", async () => {
      await chain.at(START + 40 * DAY);
      const reading = bent(meter.readingsOf()[599] as Uint8Array, { energy: 599n * STEP + 1n });
      await refuses(chain.settle(ZERO, [item({ head: { reading } })]), "LastReadingInvalid", [meter.id, 1, 600n]);
    });

    it("settles on the device's signature alone after 30 days", async () => {
      await chain.at(START + 31 * DAY);
      await chain.settle(ZERO, [item()]);
      assert.equal(await chain.supply(), 599n * STEP * UNITS);
      const [event] = await chain.publicClient.getContractEvents({ ...chain.wattWitness, eventName: "Settled" });
      assert.equal((event as unknown as { args: { attestation: string } }).args.attestation, ZERO);
    });

    it("waits anew after every settlement", async () => {
      await chain.at(START + 31 * DAY);
      await chain.settle(ZERO, [item({ to: 300 })]);
      await refuses(chain.settle(ZERO, [item({ to: 600, settled: 300 })]), "AttestationRequired");
    });

    it("settles at any time where the deployment says always", async () => {
      chain = await deployFixture("default", 0);
      await chain.registered(meter);
      await chain.at(START + 6000);
      await chain.settle(ZERO, [item()]);
      assert.equal(await chain.supply(), 599n * STEP * UNITS);
    });

    it("never settles where the deployment says never", async () => {
      chain = await deployFixture("default", NEVER);
      await chain.registered(meter);
      await chain.at(START + 10_000 * DAY);
      await refuses(chain.settle(ZERO, [item()]), "AttestationRequired", [meter.id, 2n ** 256n - 1n]);
    });
  });
});

for (const network of ["rollup", "prague"] as const) {
  describe(`settle on ${network === "rollup" ? "a rollup" : "a chain without the precompile"}`, () => {
    it("refuses a forged signature and accepts the device's", async () => {
      const chain = await deployFixture(network);
      const meter = await chain.registered(createMeter(chain.place, 1));
      await chain.at(START + 6000);
      const forged = attestedItems([{ meter, to: 600, signature: new Uint8Array(64).fill(1) }]);
      await chain.attest(forged.attestation);
      await refuses(chain.settle(forged.attestation, forged.items), "SignatureInvalid");
      await chain.settleAttested({ meter, to: 600 });
      assert.equal(await chain.supply(), 599n * STEP * UNITS);
    });
  });
}

function withS(signature: Uint8Array, change: (s: bigint) => bigint): Uint8Array {
  const s = change(BigInt(toHex(signature.subarray(32))));
  return new Uint8Array([...signature.subarray(0, 32), ...fromHex(s.toString(16).padStart(64, "0"))]);
}
