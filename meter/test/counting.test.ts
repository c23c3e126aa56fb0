import assert from "node:assert/strict";
import { CONDITIONS } from "../../protocol/index.ts";
import { createCounting } from "../counting.ts";

const START = 1_773_964_800;
/** W: 1,000 mWh a second */
const CAPACITY = 3600;
const { discontinuous, invalid } = CONDITIONS;

/** A meter that showed `register` at START, and what it counts at so many seconds after. */
function begin(register: bigint, capacity: number | undefined = CAPACITY) {
  const counting = createCounting(capacity);
  counting.count(START, { register });
  return {
    counting,
    at: (seconds: number, total: number | bigint, valid = true) =>
      counting.count(START + seconds, { register: BigInt(total), valid }),
    /** Shows every 10 s what grows by 10 mWh each time from `total` on; whether none of it counts. */
    standsLower(from: number, to: number, total: number) {
      const conditions = [];
      for (let [s, shown] = [from, total]; s <= to; s += 10, shown += 10) conditions.push(this.at(s, shown));
      return conditions.every((condition) => condition === discontinuous);
    },
  };
}

describe("what a device counts of its meter's register", () => {
  it("is nothing where it shows 0 for one poll and returns", () => {
    const { counting, at } = begin(1_000_000n);
    assert.equal(at(10, 1_001_390), 0);
    assert.equal(at(20, 0), discontinuous);
    assert.equal(counting.energy, 1390n);
    assert.equal(at(30, 1_002_780), 0);
    assert.equal(counting.energy, 2780n);
  });

  it("is nothing either where it shows something else at each of fifty polls", () => {
    const { counting, at } = begin(1_000_000n);
    for (let [i, total] = [1, 1]; i <= 50; i++) {
      total = (total * 31_337) % 1_000_000;
      assert.equal(at(i * 10, total), discontinuous);
    }
    assert.equal(at(510, 1_002_000), 0);
    assert.equal(counting.energy, 2000n);
  });

  it("is nothing of what another meter shows above it, and what that one counts from then on", () => {
    const counting = createCounting(CAPACITY);
    const at = (seconds: number, register: bigint, meter: string) =>
      counting.count(START + seconds, { register, meter });
    assert.equal(at(0, 1000n, "one"), 0);
    assert.equal(at(10, 2000n, "one"), 0);
    assert.equal(at(20, 5000n, "another"), discontinuous);
    assert.equal(counting.energy, 1000n);
    assert.equal(at(30, 5500n, "another"), 0);
    assert.equal(counting.energy, 1500n);
  });

  it("goes on from what was kept as if it had never stopped", () => {
    const shown = [1000n, 6000n, 0n, 40n, 80n, 6500n, 900_000n, 901_000n, 902_000n];
    const [always, energies] = [createCounting(CAPACITY), [] as bigint[]];
    let kept = createCounting(CAPACITY).counted();
    for (const [i, register] of shown.entries()) {
      const stopped = createCounting(CAPACITY, kept);
      const now = START + i * 10;
      assert.equal(stopped.count(now, { register, meter: "one" }), always.count(now, { register, meter: "one" }));
      assert.equal(stopped.energy, always.energy);
      kept = stopped.counted();
      energies.push(always.energy);
    }
    assert.ok(energies.at(-1) !== 0n);
  });

  it("is what a lower one counted since it first stood, once it has stood for a quarter of an hour", () => {
    const meter = begin(1_000_000n);
    assert.ok(meter.standsLower(10, 900, 500));
    assert.equal(meter.counting.energy, 0n);
    assert.equal(meter.at(910, 1400), 0);
    assert.equal(meter.counting.energy, 900n);
    assert.equal(meter.at(920, 1410), 0);
    assert.equal(meter.counting.energy, 910n);
  });

  it("is the old one's where that returns before", () => {
    const meter = begin(1_000_000n);
    assert.ok(meter.standsLower(10, 900, 500));
    assert.equal(meter.at(910, 1_000_700), 0);
    assert.equal(meter.counting.energy, 700n);
  });

  it("waits for another quarter of an hour where the lower one goes backward", () => {
    const meter = begin(1_000_000n);
    assert.ok(meter.standsLower(10, 800, 5000));
    assert.ok(meter.standsLower(810, 1700, 100));
    assert.equal(meter.at(1710, 1000), 0);
    assert.equal(meter.counting.energy, 900n);
  });

  it("is nothing twice where the lower one dips, too", () => {
    const meter = begin(1_000_000n);
    assert.ok(meter.standsLower(10, 400, 500_000));
    assert.equal(meter.at(410, 0), discontinuous);
    assert.ok(meter.standsLower(420, 1310, 500_400));
    assert.equal(meter.at(1320, 501_300), 0);
    assert.equal(meter.counting.energy, 1300n);
  });

  it("is nothing of the step from a dip to a lower one", () => {
    const meter = begin(1_000_000n);
    assert.equal(meter.at(10, 0), discontinuous);
    assert.ok(meter.standsLower(20, 910, 900_000));
    assert.equal(meter.at(920, 900_900), 0);
    assert.equal(meter.counting.energy, 900n);
  });

  it("does not take a time in which nobody looked for a quarter of an hour", () => {
    const { counting, at } = begin(1_000_000n);
    assert.equal(at(10, 0), discontinuous);
    assert.equal(at(7210, 0), discontinuous);
    assert.equal(at(7220, 1_000_100), 0);
    assert.equal(counting.energy, 100n);
  });

  it("needs no capacity to be told that a lower one is not believed at once", () => {
    const meter = begin(1_000_000n, undefined);
    assert.ok(meter.standsLower(10, 900, 500));
    assert.equal(meter.at(910, 1400), 0);
    assert.equal(meter.counting.energy, 900n);
  });

  it("is no more than the bucket holds at once, and the rest later", () => {
    const { counting, at } = begin(1000n);
    for (let minute = 1; minute < 60; minute++) assert.equal(at(minute * 60, 0, false), invalid);
    assert.equal(at(3600, 3_601_000), 0);
    assert.equal(counting.energy, 960_000n);
    assert.equal(at(3660, 3_601_000), 0);
    assert.equal(counting.energy, 1_020_000n);
    assert.equal(at(3670, 0), discontinuous);
    assert.equal(counting.energy, 1_020_000n);
    assert.equal(at(3660 + 2580, 3_601_000), 0);
    assert.equal(counting.energy, 3_600_000n);
  });

  it("is nothing of a jump, and no step larger than a minute's right after it", () => {
    const { counting, at } = begin(0n);
    assert.equal(at(60, 960_001), discontinuous);
    assert.equal(at(70, 960_001 + 60_001), discontinuous);
    assert.equal(at(80, 960_001 + 120_001), 0);
    assert.equal(counting.energy, 60_000n);
  });
});

describe("what a device counts of a meter that misbehaves at random", () => {
  for (const seed of [1n, 2n, 3n, 4n, 5n]) {
    it(`is never more than flowed, and all that it told in time (seed ${seed})`, () => {
      const below = randomOf(seed);
      const counting = createCounting(5000);
      const first = 50_000_000;
      let total = first;
      let dips = 0;
      for (let poll = 0; poll < 20_000; poll++) {
        if (dips === 0 && below(100) === 0) dips = 1 + below(50);
        dips = Math.max(0, dips - 1);
        const dipped = below(2) === 0 ? 0 : below(total);
        const register = BigInt(dips === 0 || poll === 0 ? total : dipped);
        counting.count(START + poll * 10, { register, valid: below(20) !== 0 || poll === 0 });
        assert.ok(counting.energy <= BigInt(total - first), `poll ${poll}`);
        total += below(13_000); // mWh in 10 s, of 13,888 that the capacity makes
      }
      for (let poll = 20_000; poll < 20_200; poll++)
        counting.count(START + poll * 10, { register: BigInt(total), valid: true });
      assert.equal(counting.energy, BigInt(total - first));
    });
  }
});

/** splitmix64 (Steele, Lea, Flood 2014). */
function randomOf(seed: bigint): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = BigInt.asUintN(64, state + 0x9e37_79b9_7f4a_7c15n);
    let z = BigInt.asUintN(64, (state ^ (state >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
    return Number(BigInt.asUintN(64, z ^ (z >> 31n)) % BigInt(limit));
  };
}
