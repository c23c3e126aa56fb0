import assert from "node:assert/strict";
import { CONDITIONS } from "../../protocol/index.ts";
import type { SettledHead, Terms } from "../chain.ts";
import type { StoredHead } from "../logs.ts";
import { type PlanRules, planLog, type UnsettledLog } from "../plan.ts";
import { CAPACITY, readingAt, START } from "./support.ts";

const TERMS: Terms = { status: "active", capacity: CAPACITY, source: 0 };
const RULES: PlanRules = { now: START + 7200, alignment: 0, patience: 86_400, stride: 8192 };
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

    it("has nothing while its first reading is not later than the settled one", () => {
      assert.deepEqual(sizes(fresh(0, 2000n, [head(2, 60, 3000n)])), []);
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

  it("records what an epoch left behind produced, and leaves the latest as it is", () => {
    const latest = { ...LATEST, epoch: 2, energy: 0n };
    const log = logOf([head(11, 60, 1000n), head(12, 120, 1001n)]);
    const plan = planLog(log, latest, TERMS, RULES);
    assert.deepEqual(
      plan.heads.map(({ size }) => size),
      [12],
    );
    assert.deepEqual(plan.latest, latest);
    assert.deepEqual(sizes(logOf([head(11, 60, 1000n)]), {}, latest), []);
  });
});
