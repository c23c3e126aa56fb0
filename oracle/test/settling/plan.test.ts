import assert from "node:assert/strict";
import { CONDITIONS } from "../../../protocol/index.ts";
import type { Gap, SettledHead, Terms } from "../../chain/chain.ts";
import { type PlanRules, planLog, planLogs, planRest, type UnsettledLog } from "../../settling/plan.ts";
import type { StoredHead } from "../../store/store.ts";
import { CAPACITY, readingAt, START } from "../support.ts";

const TERMS: Terms = { status: "active", capacity: CAPACITY, source: 0 };
const RULES: PlanRules = {
  ...{ now: START + 7200, alignment: 0, patience: 86_400, stride: 8192 },
  allowedFrom: () => 0,
};
const LATEST: SettledHead = { epoch: 1, size: 10, timestamp: START, energy: 1000n, settledAt: START };
/** mWh of an hour at capacity */
const HOURLY = BigInt(CAPACITY) * 1000n;

const head = (size: number, second: number, energy: bigint, more = {}): StoredHead => ({
  size,
  reading: readingAt(START + second, energy, more),
  signature: new Uint8Array(64),
});

const logOf = (heads: StoredHead[], more: Partial<UnsettledLog> = {}): UnsettledLog => ({
  epoch: 1,
  settledSize: 10,
  first: readingAt(START - 100, 0n),
  base: readingAt(START, 1000n),
  heads,
  ...more,
});

const sizes = (log: UnsettledLog, rules: Partial<PlanRules> = {}, latest = LATEST): number[] =>
  planLog(log, latest, TERMS, { ...RULES, ...rules }).heads.map(({ size }) => size);

describe("the plan of a settlement", () => {
  it("has no head that is more than five minutes ahead of the chain", () => {
    assert.deepEqual(sizes(logOf([head(11, 60, 1001n), head(12, 7501, 1002n)])), [11]);
    assert.deepEqual(sizes(logOf([head(11, 60, 1001n), head(12, 7500, 1002n)])), [12]);
  });

  it("has no head that ends in a drifting or tampered reading", () => {
    for (const conditions of [CONDITIONS.drifting, CONDITIONS.tamper]) {
      assert.deepEqual(sizes(logOf([head(11, 60, 1001n), head(12, 120, 1002n, { conditions })])), [11]);
    }
    const harmless = { conditions: CONDITIONS.invalid | CONDITIONS.discontinuous };
    assert.deepEqual(sizes(logOf([head(11, 60, 1001n), head(12, 120, 1002n, harmless)])), [12]);
  });

  it("has no head that another channel or register measured", () => {
    assert.deepEqual(sizes(logOf([head(11, 60, 1001n, { source: 1 })])), []);
  });

  it("has nothing where nothing was produced", () => {
    assert.deepEqual(sizes(logOf([head(11, 60, 1000n)])), []);
  });

  it("has no head with one mWh more than capacity x time", () => {
    assert.deepEqual(sizes(logOf([head(11, 3600, 1000n + HOURLY)])), [11]);
    assert.deepEqual(sizes(logOf([head(11, 3600, 1000n + HOURLY + 1n)])), []);
    assert.deepEqual(sizes(logOf([head(11, 60, 1010n), head(12, 3600, 1000n + HOURLY + 1n)])), [11]);
  });

  it("has no head while what it goes on from is too new to go without attestation", () => {
    const heads = [head(11, 60, 1001n)];
    const allowedFrom = (timestamp: number, settledAt: number) => Math.min(timestamp, settledAt) + 7200;
    const settledAt = (seconds: number): SettledHead => ({ ...LATEST, settledAt: START + seconds });
    assert.deepEqual(sizes(logOf(heads), { allowedFrom, now: START + 7199 }, settledAt(600)), []);
    assert.deepEqual(sizes(logOf(heads), { allowedFrom }, settledAt(600)), [11]);
    assert.deepEqual(sizes(logOf(heads), { allowedFrom }, settledAt(-1)), [11]);
    const later = { ...LATEST, timestamp: START + 1 };
    assert.deepEqual(sizes(logOf(heads), { allowedFrom }, later), [11], "settled before it was measured");
  });

  it("is one head where the next would have to wait without attestation", () => {
    const heads = [head(13, 60, 1001n), head(15, 120, 1002n)];
    const allowedFrom = (timestamp: number) => (timestamp === START ? 0 : Number.POSITIVE_INFINITY);
    assert.deepEqual(sizes(logOf(heads), { stride: 4 }), [13, 15]);
    assert.deepEqual(sizes(logOf(heads), { stride: 4, allowedFrom }), [13]);
  });

  it("is the newest head, once", () => {
    assert.deepEqual(sizes(logOf([head(11, 60, 1001n), head(12, 120, 1002n), head(15, 180, 1003n)])), [15]);
  });

  it("goes on in strides, and further where the only head is further", () => {
    const heads = [head(13, 60, 1001n), head(15, 120, 1002n), head(20, 180, 1003n), head(40, 240, 1004n)];
    assert.deepEqual(sizes(logOf(heads), { stride: 5 }), [15, 20, 40]);
  });

  it("ends at a full hour", () => {
    const heads = [head(11, 3600, 1001n), head(12, 3610, 1002n)];
    assert.deepEqual(sizes(logOf(heads), { alignment: 3600 }), [11]);
    assert.deepEqual(sizes(logOf([head(12, 3610, 1002n)]), { alignment: 3600 }), []);
  });

  it("ends anywhere when no head stood at a full hour for too long", () => {
    const heads = [head(12, 3610, 1002n)];
    assert.deepEqual(sizes(logOf(heads), { alignment: 3600, patience: 7199 }), [12]);
    assert.deepEqual(sizes(logOf(heads), { alignment: 3600, patience: 7200 }), []);
  });

  describe("of a new epoch", () => {
    const fresh = (firstSecond: number, firstEnergy: bigint, heads: StoredHead[]) =>
      logOf(heads, {
        epoch: 2,
        settledSize: 0,
        first: readingAt(START + firstSecond, firstEnergy),
        base: readingAt(START + firstSecond, firstEnergy),
      });

    it("has nothing where it is more than 64 above the last settled one", () => {
      const far = (epoch: number) => ({ ...fresh(60, 1001n, [head(1, 60, 1001n)]), epoch });
      assert.deepEqual(sizes(far(66)), []);
      assert.deepEqual(sizes(far(65)), [1]);
    });

    it("has nothing where it lost its register before the settled reading", () => {
      assert.deepEqual(sizes(fresh(0, 999n, [head(2, 60, 3000n)])), []);
      assert.deepEqual(sizes(fresh(1, 999n, [head(2, 60, 3000n)])), [2]);
    });

    it("has only heads later than the settled reading where the register went on", () => {
      assert.deepEqual(sizes(fresh(-60, 1000n, [head(1, -60, 1000n), head(2, 0, 1001n), head(3, 60, 1002n)])), [3]);
      assert.deepEqual(sizes(fresh(-60, 1000n, [head(1, -60, 1001n)])), []);
    });

    it("counts from the settled energy where the register went on", () => {
      assert.deepEqual(sizes(fresh(60, 1001n, [head(1, 60, 1001n)])), [1]);
      assert.deepEqual(sizes(fresh(3600, 1000n + HOURLY, [head(2, 3610, 1001n + HOURLY)])), [2]);
    });

    it("counts from its first reading where the register was lost", () => {
      assert.deepEqual(sizes(fresh(60, 0n, [head(1, 60, 0n)])), []);
      assert.deepEqual(sizes(fresh(60, 0n, [head(2, 70, 5n)])), [2]);
    });

    it("is what the next is measured against", () => {
      const plan = planLog(fresh(60, 0n, [head(2, 70, 5n)]), LATEST, TERMS, RULES);
      assert.deepEqual(plan.latest, {
        epoch: 2,
        size: 2,
        timestamp: START + 70,
        energy: 5n,
        settledAt: RULES.now,
      });
    });
  });

  describe("of an epoch before the last settled one", () => {
    const GAP: Gap = {
      ...{ since: START, until: START + 3600, energyBefore: 1000n, energyAfter: 0n },
      room: HOURLY,
    };
    const rest = (log: UnsettledLog, gap: Partial<Gap> = {}, rules: Partial<PlanRules> = {}) =>
      planRest(log, { ...GAP, ...gap }, TERMS, { ...RULES, ...rules })?.size;
    /** A log of which nothing is settled. */
    const passed = (heads: StoredHead[], second: number, energy: bigint) =>
      logOf(heads, { settledSize: 0, first: readingAt(START + second, energy) });

    it("is one head, the newest in its gap", () => {
      const heads = [head(11, 60, 1001n), head(12, 3599, 1002n), head(13, 3600, 1003n)];
      assert.equal(rest(logOf(heads)), 12);
      assert.equal(rest(logOf(heads), { since: START + 3599 }), undefined);
      assert.equal(rest(logOf(heads), {}, { stride: 1 }), 11);
    });

    it("has no head that ends in a tampered reading, or that another channel measured", () => {
      for (const more of [{ conditions: CONDITIONS.tamper }, { source: 1 }]) {
        assert.equal(rest(logOf([head(11, 60, 1001n, more)])), undefined);
      }
    });

    it("has nothing where the register went on: it was minted with the next", () => {
      assert.equal(rest(logOf([head(11, 60, 2000n)]), { energyAfter: 2000n }), undefined);
      assert.equal(rest(logOf([head(11, 60, 2000n)]), { energyAfter: 1999n }), 11);
    });

    it("has no head with one mWh more than its gap has room for", () => {
      const heads = [head(11, 60, 1100n), head(12, 120, 1101n)];
      assert.equal(rest(logOf(heads), { room: 100n }), 11);
      assert.equal(rest(logOf(heads), { room: 101n }), 12);
    });

    it("counts the rises before, in and after a log that was passed over, less what was known", () => {
      const log = (energy: bigint) => passed([head(2, 120, energy)], 60, 0n);
      assert.equal(rest(log(50n), { energyAfter: 0n }), 2);
      assert.equal(rest(log(0n), { energyAfter: 0n }), undefined, "nothing");
      assert.equal(rest(log(50n), { energyAfter: 900n, room: 900n }), 2, "50 in it, and 850 after it");
      assert.equal(rest(log(50n), { energyAfter: 900n, room: 899n }), undefined);
      assert.equal(rest(passed([head(2, 120, 1500n)], 60, 1200n), { energyAfter: 1600n }), undefined, "it went on");
    });

    it("has no head of a log that was passed over whose reading 0 is not later than what is settled before it", () => {
      assert.equal(rest(passed([head(2, 120, 50n)], 0, 0n)), undefined);
      assert.equal(rest(passed([head(2, 120, 50n)], 1, 0n)), 2);
    });
  });

  describe("of many epochs", () => {
    /** A log of one reading, in the minute of its epoch's number. */
    const one = (epoch: number, energy: bigint, more = {}): UnsettledLog => {
      const first = readingAt(START + epoch * 60, energy, more);
      const heads = [{ size: 1, reading: first, signature: new Uint8Array(64) }];
      return { epoch, settledSize: 0, first, base: first, heads };
    };
    const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
    const epochs = (logs: UnsettledLog[]) =>
      planLogs(logs, LATEST, TERMS, { ...RULES, now: START + 86_400 }).map(({ epoch }) => epoch);

    it("takes those that produced, one after the other", () => {
      assert.deepEqual(epochs([logOf([head(11, 60, 1001n)]), one(2, 1001n), one(3, 1002n)]), [1, 3]);
    });

    it("passes over those that produced nothing, also where nothing follows", () => {
      assert.deepEqual(epochs([one(2, 1000n), one(3, 1001n)]), [3]);
      assert.deepEqual(epochs(range(2, 200).map((epoch) => one(epoch, 1000n))), []);
    });

    it("reaches one that is too far above over the newest that the contract takes", () => {
      const nights = range(2, 66).map((epoch) => one(epoch, 1000n));
      assert.deepEqual(epochs([...nights, one(67, 1001n)]), [65, 67]);
      const opened = { conditions: CONDITIONS.tamper };
      const spoilt = nights.map((log) => (log.epoch > 40 ? one(log.epoch, 1000n, opened) : log));
      assert.deepEqual(epochs([...spoilt, one(67, 1001n)]), [40, 67]);
      assert.deepEqual(
        epochs([...range(2, 199).map((epoch) => one(epoch, 1000n)), one(200, 1001n)]),
        [65, 129, 193, 200],
      );
    });

    it("does not reach one where there is nothing in between", () => {
      assert.deepEqual(epochs([one(2, 1001n), one(67, 1002n), one(68, 1003n)]), [2]);
    });
  });
});
