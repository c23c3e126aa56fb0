import assert from "node:assert/strict";
import { CONDITIONS } from "../../protocol/index.ts";
import { RULES, STEPS } from "../../verification/index.ts";
import { aligned } from "../src/model/align.ts";
import { csvOf } from "../src/model/csv.ts";
import { gapsOf, stepsOfReadings } from "../src/model/gaps.ts";
import { byLevel, type Seen, stateOf } from "../src/model/health.ts";
import { de } from "../src/strings/de.ts";
import { en } from "../src/strings/en.ts";

const HOUR = 3600;
const DAY = 86_400;
const NOW = Date.parse("2026-06-01T12:00:00Z") / 1000;

describe("what the dashboard makes of answers", () => {
  describe("the state of a meter", () => {
    const well: Seen = { status: "active", timestamp: NOW - 60, conditions: 0, settled: NOW - DAY, isAhead: true };
    const reasonOf = (more: Partial<Seen>) => stateOf({ ...well, ...more }, NOW).reason;

    it("is well where readings come and reach the chain", () => {
      assert.deepEqual(stateOf(well, NOW), { level: "good", reason: "well" });
      assert.equal(reasonOf({ settled: 0, isAhead: false }), "well");
    });

    it("says what the chain says of its key before anything else", () => {
      const conditions = CONDITIONS.tamper;
      for (const status of ["frozen", "superseded", "decommissioned"] as const) {
        assert.equal(reasonOf({ status, conditions, timestamp: undefined }), status);
      }
    });

    it("is silent for now after a while, and silent after hours, since its last reading", () => {
      assert.equal(reasonOf({ timestamp: undefined }), "nothingYet");
      assert.equal(reasonOf({ timestamp: NOW - 1200 }), "well");
      assert.equal(reasonOf({ timestamp: NOW - 1201 }), "silentForNow");
      const silent = stateOf({ ...well, timestamp: NOW - 7 * HOUR }, NOW);
      assert.deepEqual(silent, { level: "bad", reason: "silent", since: NOW - 7 * HOUR });
    });

    it("tells each condition of its newest reading, what blocks settling first", () => {
      for (const reason of ["drifting", "invalid", "discontinuous", "tamper"] as const) {
        assert.equal(reasonOf({ conditions: CONDITIONS[reason] }), reason);
      }
      assert.equal(reasonOf({ conditions: 0x0f }), "tamper");
      assert.equal(reasonOf({ conditions: CONDITIONS.invalid, timestamp: NOW - 7 * HOUR }), "silent");
    });

    it("is not settled where readings wait for more than a week", () => {
      assert.equal(reasonOf({ settled: NOW - 9 * DAY }), "unsettled");
      assert.equal(reasonOf({ settled: NOW - 9 * DAY, isAhead: false }), "well");
    });

    it("sorts the worst first and what is over last", () => {
      assert.deepEqual((["over", "good", "bad", "warn"] as const).toSorted(byLevel), ["bad", "warn", "good", "over"]);
    });
  });

  describe("gaps", () => {
    const steps = (...values: (number | null)[]) =>
      values.map((value, i) => ({ start: NOW + i * HOUR, end: NOW + (i + 1) * HOUR, value }));
    const known = { since: NOW, last: NOW + 4 * HOUR, now: NOW + 4 * HOUR };

    it("are none of a meter that has not read yet, before its first reading, and in what is to come", () => {
      assert.deepEqual(gapsOf(steps(null, null), { ...known, since: null, last: null }), []);
      assert.deepEqual(gapsOf(steps(null, 0, 0, 0, null), { ...known, since: NOW + HOUR }), []);
    });

    it("are not what is zero", () => {
      assert.deepEqual(gapsOf(steps(0, 0, 0, 0), known), []);
    });

    it("are what is missing between readings, one beside the other as one", () => {
      assert.deepEqual(gapsOf(steps(1, null, null, 1), known), [{ start: NOW + HOUR, end: NOW + 3 * HOUR }]);
    });

    it("go on until now where a meter went silent, and not where its next reading may still come", () => {
      const now = NOW + 3.5 * HOUR;
      assert.deepEqual(gapsOf(steps(1, 1, null, null, null), { since: NOW, last: NOW + 2 * HOUR, now }), [
        { start: NOW + 2 * HOUR, end: now },
      ]);
      assert.deepEqual(gapsOf(steps(1, 1, null), { since: NOW, last: NOW + 2 * HOUR, now: NOW + 2 * HOUR + 600 }), []);
    });

    it("are before, between and after the readings of an hour", () => {
      const at = (seconds: number, power_w: number | null) => ({ timestamp: NOW + seconds, power_w });
      const points = [at(600, 1), at(610, 2), at(620, null), at(1200, 3)];
      const missing = stepsOfReadings(points, { start: NOW, end: NOW + HOUR }).filter(({ value }) => value === null);
      assert.deepEqual(
        missing.map(({ start, end }) => [start - NOW, end - NOW]),
        [
          [0, 600],
          [620, 1200],
          [1210, 3600],
        ],
      );
    });
  });

  describe("a period over the one before", () => {
    const hours = (start: string, count: number) =>
      Array.from({ length: count }, (_, i) => Date.parse(start) / 1000 + i * HOUR);

    it("has the same hour of the wall under each hour, also of a day of 23 and of 25", () => {
      const short = hours("2026-03-28T23:00:00Z", 23);
      const before = hours("2026-03-27T23:00:00Z", 24);
      const under = aligned("day", "Europe/Berlin", short, before);
      // there is no 02:00: after 01:00 comes 03:00
      assert.deepEqual(under.slice(0, 4), [0, 1, 3, 4]);
      const long = hours("2026-10-24T22:00:00Z", 25);
      const twice = aligned("day", "Europe/Berlin", long, hours("2026-10-23T22:00:00Z", 24));
      assert.deepEqual(twice.slice(1, 5), [1, 2, 2, 3]);
    });

    it("has Tuesday under Tuesday, the fifth under the fifth, and nothing under a day that the month before lacks", () => {
      const days = (start: string, count: number) => hours(start, count * 24).filter((_, i) => i % 24 === 0);
      assert.deepEqual(aligned("week", "UTC", days("2026-06-08T00:00:00Z", 7), days("2026-06-01T00:00:00Z", 7)), [
        ...[0, 1, 2, 3, 4, 5, 6],
      ]);
      const march = aligned("month", "UTC", days("2026-03-01T00:00:00Z", 31), days("2026-02-01T00:00:00Z", 28));
      assert.deepEqual([march[4], march[27], march[28]], [4, 27, undefined]);
    });
  });

  it("writes what is not known into CSV as nothing, and quotes what would break a line", () => {
    assert.equal(
      csvOf(
        ["a", "b"],
        [
          [1, null],
          ['x"y', "p,q"],
        ],
      ),
      'a,b\r\n1,\r\n"x""y","p,q"\r\n',
    );
  });

  for (const [language, { proof, chain }] of Object.entries({ en, de })) {
    describe(`what is said of a verification in ${language}`, () => {
      it("has a neutral title for each step, and another sentence for each state", () => {
        for (const step of STEPS) {
          const { title, holds, refuted } = proof.steps[step];
          assert.equal(new Set([title, holds, refuted, proof.open]).size, 4, step);
          for (const text of [holds, refuted, proof.open]) assert.match(text, /^\p{Lu}.*\.$/u, step);
          assert.doesNotMatch(title, /[.!]/, step);
        }
      });

      it("has a sentence for each rule", () => {
        for (const rule of RULES) assert.match(proof.rules[rule], /^\p{Lu}.*\.$/u, rule);
      });

      it("does not say of a check that it holds before it is known", () => {
        for (const name of Object.values(chain.checks)) assert.doesNotMatch(name, /\.|\b(is|are|ist|sind)\b/);
      });
    });
  }
});
