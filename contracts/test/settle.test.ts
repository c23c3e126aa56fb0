import assert from "node:assert/strict";
import { getAddress, numberToHex } from "viem";
import {
  createLog,
  domain,
  encodeHead,
  fromHex,
  normaliseS,
  ORDER,
  type Reading,
  sign,
  toHex,
} from "../../protocol/index.ts";
import { NEVER } from "../deploy.ts";
import { headParts, publicKeyParts, signatureParts } from "../settlement.ts";
import {
  attestedItems,
  bent,
  CAPACITY,
  createChain,
  createMeter,
  deployFixture,
  deployOn,
  type Fixture,
  headOf,
  type Part,
  placed,
  produce,
  rebased,
  refuses,
  SKIP_REASONS,
  SOURCE,
  START,
  STATUS,
  STEP,
  signHead,
  type TestMeter,
  UNITS,
  unattestedItem,
  ZERO,
} from "./fixture.ts";

const DAY = 24 * 3600;
/** the first reading of a meter that is registered after the others produced */
const LATER = { timestamp: START + 6000 };

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
      const item = unattestedItem({ meter, to: 10 });
      await refuses(chain.settle(ZERO, [item]), "AttestationRequired", [meter.id, BigInt(START + 30 * DAY)]);
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

    it("more under one key than is kept of it, 72 TWh", async () => {
      chain = await deployOn(await createChain(), undefined, { capacityCeiling: 0xffff_ffff });
      const most = 2n ** 56n - 1n;
      const energies = [0n, most, most + 1n];
      const readings = energies.map((energy, i) => {
        const [reading] = produce({ count: 1, from: { timestamp: START + 60 + i * 3 * 365 * DAY, energy } });
        return reading as Uint8Array;
      });
      const huge = createMeter(chain.place, 41, readings);
      await chain.register(huge, { capacity: 0xffff_ffff });
      await chain.at(START + 6 * 365 * DAY);
      await chain.settleAttested({ meter: huge, to: 2, capacity: 0xffff_ffff });
      const beyond = chain.settleAttested({ meter: huge, to: 3, settled: 2, capacity: 0xffff_ffff });
      await refuses(beyond, "ProducedOutOfRange", [huge.id, most + 1n]);
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

  it("mints, where chip and attestor both lie, a reading that is not in the log: within the capacity, and anyone can freeze the meter for it", async () => {
    const energy = (BigInt(CAPACITY) * 1000n * 990n) / 3600n;
    const reading = bent(meter.readingsOf()[99] as Uint8Array, { energy });
    const head = { ...headOf(meter, 100), reading };
    const signature = signHead(meter, head);
    await chain.settleAttested({ meter, to: 100, head: { reading }, signature });
    assert.equal(await chain.supply(), energy * UNITS);

    const signed = { first: headParts(head), firstSignature: signatureParts(signature) };
    const again = { second: headParts(head), secondSignature: signatureParts(signature) };
    const own = { index: 99n, reading: toHex(reading), proof: [] };
    const key = publicKeyParts(meter.publicKey);
    const args = [{ key, ...signed, ...again, one: own, other: placed(meter, 99, 100) }];
    await chain.send({ ...chain.wattWitness, functionName: "proveEquivocation", args }, chain.stranger);
    assert.equal((await chain.termsOf(meter)).status, STATUS.Frozen);
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
      meter: meter.id,
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

  it("needs at most a new balance more, 22,100 gas, of an item whose owner sets a payout address that never had a token", async () => {
    const others = [2, 3, 4, 5].map((seed) => createMeter(chain.place, seed, produce({ count: 100, from: LATER })));
    for (const other of others) await chain.register(other);
    await chain.at(LATER.timestamp + 1000);
    await chain.settleAttested(...others.map((other) => ({ meter: other, to: 50 })));
    const { attestation, items } = attestedItems(others.map((other) => ({ meter: other, to: 100, settled: 50 })));
    await chain.attest(attestation);
    const call = { ...chain.wattWitness, functionName: "settle", args: [attestation, items] } as never;
    const estimate = () => chain.publicClient.estimateContractGas(call);
    const before = await estimate();
    for (const [i, other] of others.entries()) {
      await chain.registryCall("setPayout", [other.id, numberToHex(0xdead0000 + i, { size: 20 })], chain.owner);
    }
    const after = await estimate();
    assert.ok(after - before <= 22_100n * 4n, `${after - before} gas more`);
    // what an oracle adds to an estimate
    assert.ok(after < (before * 140n) / 100n, `${after}, estimated ${before}`);
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

    it("settle after all, under the same attestation, with the proof that their log grew from what is settled now", async () => {
      const late = attestedItems([{ meter, to: 300 }]);
      await chain.attest(late.attestation);
      await chain.settleAttested({ meter, to: 30 });
      await chain.settle(late.attestation, late.items);
      const [{ growth } = { growth: [] }] = attestedItems([{ meter, to: 300, settled: 30 }]).items;
      const again = late.items.map((item) => ({
        ...rebased(item, { settledSize: 30, settledTimestamp: START + 290 }),
        growth,
      }));
      await chain.settle(late.attestation, again);
      assert.equal(await chain.supply(), 299n * STEP * UNITS);
    });

    it("are skipped where the meter's capacity is another since", async () => {
      const { attestation, items } = attestedItems([{ meter, to: 200 }]);
      await chain.attest(attestation);
      await chain.registryCall("lowerCapacity", [meter.id, CAPACITY - 1]);
      await chain.settle(attestation, items);
      assert.equal(await chain.supply(), 0n);
      assert.equal((await chain.eventsOf("Skipped"))[0]?.["reason"], SKIP_REASONS.CapacityChanged);
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

    it("waits until the last settled reading is 30 days old, whoever settled it when", async () => {
      const daily = produce({ count: 400, interval: DAY, power: 1_000_000n });
      const slow = await chain.registered(createMeter(chain.place, 2, daily));
      for (let month = 1; month <= 12; month++) {
        await chain.at(START + month * 29 * DAY);
        await chain.settleAttested({ meter: slow, to: month + 1, settled: month });
      }
      await chain.settle(ZERO, [unattestedItem({ meter: slow, to: 340, settled: 13 })]);
      assert.equal(await chain.supply(), 339n * 24_000_000n * UNITS);
      const allowedAt = START + (339 + 30) * DAY;
      const next = [unattestedItem({ meter: slow, to: 360, settled: 340 })];
      await chain.at(allowedAt - 2);
      await refuses(chain.settle(ZERO, next), "AttestationRequired", [slow.id, BigInt(allowedAt)]);
      await chain.at(allowedAt);
      await chain.settle(ZERO, next);
    });

    it("counts from the block where the last settled reading is ahead of it", async () => {
      const device = createMeter(chain.place, 2, produce({ count: 2, from: { timestamp: START + 6300 } }));
      await chain.register(device);
      const { settledAt } = await chain.latestOf(device);
      assert.ok(settledAt < START + 6300);
      const early = chain.settle(ZERO, [unattestedItem({ meter: device, to: 2 })]);
      await refuses(early, "AttestationRequired", [device.id, BigInt(settledAt + 30 * DAY)]);
    });

    it("settles at any time where the deployment says always", async () => {
      chain = await deployFixture("default", 0);
      await chain.registered(meter);
      await chain.at(START + 6000);
      await chain.settle(ZERO, [item({ to: 599 })]);
      await chain.settle(ZERO, [item({ settled: 599 })]);
      assert.equal(await chain.supply(), 599n * STEP * UNITS);
    });

    it("settles then though the last settled reading is ahead of the block", async () => {
      chain = await deployFixture("default", 0);
      const ahead = produce({ count: 2, from: { timestamp: START + 280 } });
      const device = await chain.registered(createMeter(chain.place, 2, ahead));
      await chain.settle(ZERO, [unattestedItem({ meter: device, to: 2 })]);
      assert.equal(await chain.supply(), STEP * UNITS);
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
