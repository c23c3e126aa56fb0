import assert from "node:assert/strict";
import { bucketsOf, isZone, type TimeFrame } from "../../serving/calendar.ts";

const at = (text: string) => Date.parse(text) / 1000;
const lengths = (frame: TimeFrame, zone: string, time: string) =>
  bucketsOf(frame, zone, at(time)).map(({ start, end }) => end - start);
const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

describe("a calendar", () => {
  it("knows zones from what are none", () => {
    for (const zone of ["Europe/Berlin", "UTC", "Asia/Kolkata"]) assert.ok(isZone(zone), zone);
    for (const zone of ["", "Mars/Olympus", "../etc", "Europe/Berlin "]) assert.ok(!isZone(zone), zone);
  });

  it("has days of 23, 24 and 25 hours", () => {
    assert.deepEqual(lengths("day", "Europe/Berlin", "2026-03-29T10:00:00Z"), Array(23).fill(3600));
    assert.deepEqual(lengths("day", "Europe/Berlin", "2026-03-30T10:00:00Z"), Array(24).fill(3600));
    assert.deepEqual(lengths("day", "Europe/Berlin", "2026-10-25T10:00:00Z"), Array(25).fill(3600));
    const labels = bucketsOf("day", "Europe/Berlin", at("2026-10-25T10:00:00Z")).map(({ label }) => label);
    assert.deepEqual(labels.slice(0, 5), ["00:00", "01:00", "02:00", "02:00", "03:00"]);
    assert.equal(labels.at(-1), "23:00");
  });

  it("has the part of an hour that a change of half an hour leaves", () => {
    assert.equal(sum(lengths("day", "Australia/Lord_Howe", "2026-04-05T10:00:00Z")), 24.5 * 3600);
    assert.equal(sum(lengths("day", "Australia/Lord_Howe", "2026-10-04T10:00:00Z")), 23.5 * 3600);
  });

  it("begins a day without midnight at its first moment", () => {
    const [first] = bucketsOf("day", "America/Sao_Paulo", at("2018-11-04T12:00:00Z"));
    assert.deepEqual([first?.start, first?.label], [at("2018-11-04T03:00:00Z"), "01:00"]);
  });

  it("leaves out a day that was skipped", () => {
    assert.equal(bucketsOf("month", "Pacific/Apia", at("2011-12-15T12:00:00Z")).length, 30);
  });

  it("begins hours where the zone does", () => {
    const [first] = bucketsOf("hour", "Asia/Kolkata", at("2026-06-01T10:47:13Z"));
    assert.deepEqual(first, { start: at("2026-06-01T10:30:00Z"), end: at("2026-06-01T10:35:00Z"), label: "16:00" });
  });

  it("has weeks from Monday, months and years, without a gap", () => {
    const week = bucketsOf("week", "Europe/Berlin", at("2026-03-29T10:00:00Z"));
    assert.deepEqual([week[0]?.label, week.at(-1)?.label], ["2026-03-23", "2026-03-29"]);
    assert.equal(bucketsOf("month", "UTC", at("2028-02-10T00:00:00Z")).length, 29);
    const year = bucketsOf("year", "Europe/Berlin", at("2026-12-31T23:30:00Z"));
    assert.deepEqual([year.length, year[0]?.label], [12, "2027-01"]);
    for (const frame of ["hour", "day", "week", "month", "year"] as const) {
      const time = at("2026-10-25T00:30:00Z");
      const buckets = bucketsOf(frame, "Europe/Berlin", time);
      for (const [i, { end }] of buckets.slice(0, -1).entries()) assert.equal(buckets[i + 1]?.start, end);
      assert.ok((buckets[0]?.start ?? Infinity) <= time && time < (buckets.at(-1)?.end ?? 0), frame);
    }
  });
});
