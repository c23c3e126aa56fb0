import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import type { Meter } from "../../meter/meter.ts";
import { newWorld, removeDirectories, START, type World } from "../../oracle/test/support.ts";
import { energyOf, timestampOf } from "../../protocol/index.ts";
import { buildDashboard } from "../build.ts";
import { describeInBrowser, keyIdOf, launch, type Served, serve, slowMeter, visit } from "./support.ts";

const HOUR = 3600;
const DAY = 86_400;
const QUARTER = 900;
const at = (date: string): number => Date.parse(date) / 1000;

/** Begin and end of periods, of their first and last bar, and how many there are, by the calendars of the zones. */
const PERIODS = [
  { zone: "Europe/Berlin", frame: "hour", start: "2026-03-25T10:00Z", end: "2026-03-25T11:00Z", bars: 12 },
  { zone: "Europe/Berlin", frame: "day", start: "2026-03-24T23:00Z", end: "2026-03-25T23:00Z", bars: 24 },
  { zone: "Europe/Berlin", frame: "week", start: "2026-03-22T23:00Z", end: "2026-03-29T22:00Z", bars: 7 },
  { zone: "Europe/Berlin", frame: "month", start: "2026-02-28T23:00Z", end: "2026-03-31T22:00Z", bars: 31 },
  { zone: "Europe/Berlin", frame: "year", start: "2025-12-31T23:00Z", end: "2026-12-31T23:00Z", bars: 12 },
  // clocks go forward, back, and back by half an hour
  { zone: "Europe/Berlin", frame: "day", start: "2026-03-28T23:00Z", end: "2026-03-29T22:00Z", bars: 23 },
  { zone: "Pacific/Auckland", frame: "day", start: "2026-04-04T11:00Z", end: "2026-04-05T12:00Z", bars: 25 },
  { zone: "Australia/Lord_Howe", frame: "day", start: "2026-04-04T13:00Z", end: "2026-04-05T13:30Z", bars: 25 },
] as const;

describeInBrowser("a chart in a browser", () => {
  let world: World;
  let meter: Meter;
  let served: Served;
  let browser: Browser;

  /** Reads each quarter of an hour through three weeks, but not through a night and a day of an outage. */
  before(async () => {
    browser = await launch();
    await buildDashboard();
    world = await newWorld({ confirmations: 1 });
    meter = slowMeter((time) => BigInt(Math.max(0, Math.round(3e6 * Math.sin((time / DAY) * 2 * Math.PI)))), QUARTER);
    meter.advance(START + QUARTER);
    await world.register(meter.device);
    meter.advance(at("2026-03-26T20:00Z"));
    meter.sleep(at("2026-03-28T09:20Z"));
    world.now = at("2026-04-10T12:00Z");
    meter.advance(world.now);
    await world.upload(meter.device);
    served = await serve(world);
  });
  after(async () => {
    await browser.close();
    await served.close();
    await world.app.close();
    await removeDirectories();
  });

  /** The register at a moment, Wh; a bar is the difference of two, where something was read in it. */
  function readAt(time: number): { index: number; energy: number } {
    const { readings } = meter.device;
    const index = readings.findLastIndex((reading) => timestampOf(reading) <= time);
    return { index, energy: Number(energyOf(readings[Math.max(0, index)] as Uint8Array)) / 1000 };
  }
  function between(start: number, end: number): number | undefined {
    const [from, to] = [readAt(start), readAt(end)];
    return to.index > Math.max(0, from.index) ? to.energy - from.energy : undefined;
  }

  type Bar = { start: number; value: number | undefined };

  async function barsOf(zone: string, frame: string, time: number, figure: "Power" | "Energy"): Promise<Bar[]> {
    const url = `${served.url}#/meters/${keyIdOf(meter)}?frame=${frame}&at=${time}`;
    const { page, wrongs, close } = await visit(browser, url, { timezoneId: zone });
    await page.waitForSelector(".plot canvas");
    await page.locator("details.numbers summary", { hasText: figure }).click();
    const rows = page.locator("figure", { has: page.getByRole("heading", { name: figure }) }).locator("tbody tr");
    await rows.first().waitFor();
    const bars = await rows.evaluateAll((all) =>
      all.map(({ dataset }) => ({
        start: Number(dataset["time"]),
        value: dataset["value"] === "" ? undefined : Number(dataset["value"]),
      })),
    );
    assert.deepEqual(wrongs, []);
    await close();
    return bars;
  }

  for (const { zone, frame, start, end, bars } of PERIODS) {
    it(`has the energy of each bar of the ${frame} from ${start} in ${zone}`, async () => {
      const shown = await barsOf(zone, frame, at(start) + HOUR / 2, "Energy");
      assert.equal(shown.length, bars);
      assert.equal(shown[0]?.start, at(start));
      shown.forEach(({ start: from, value }, i) => {
        const until = shown[i + 1]?.start ?? at(end);
        const expected = until <= START ? undefined : between(from, until);
        assert.equal(value?.toFixed(3), expected?.toFixed(3), new Date(from * 1000).toISOString());
      });
      const sum = shown.reduce((all, { value }) => all + (value ?? 0), 0);
      assert.ok(Math.abs(sum - (between(at(start), at(end)) ?? 0)) < 0.01);
    });
  }

  it("has no bar, and none of zero, where nothing was read, and all of it in the next", async () => {
    const shown = await barsOf("UTC", "day", at("2026-03-28T12:00Z"), "Energy");
    assert.deepEqual(
      shown.slice(0, 9).map(({ value }) => value),
      Array(9).fill(undefined),
    );
    const slept = between(at("2026-03-26T20:00Z"), at("2026-03-28T10:00Z"));
    assert.equal(shown[9]?.value?.toFixed(3), slept?.toFixed(3));
    assert.ok(shown.every(({ value }) => value === undefined || value >= 0));
  });

  it("has the mean power of each quarter of an hour of a day of 23 hours, from the register", async () => {
    const shown = await barsOf("Europe/Berlin", "day", at("2026-03-29T12:00Z"), "Power");
    assert.equal(shown.length, 23 * 4);
    for (const { start, value } of shown) {
      const expected = (between(start, start + QUARTER) as number) * 4;
      assert.ok(Math.abs((value as number) - expected) < 0.01, new Date(start * 1000).toISOString());
    }
  });

  it("has each reading of an hour as it was read", async () => {
    const shown = await barsOf("UTC", "hour", at("2026-03-25T06:30Z"), "Power");
    assert.deepEqual(
      shown.map(({ start, value }) => [start, value]),
      [0, 1, 2, 3].map((i) => {
        const time = at("2026-03-25T06:00Z") + i * QUARTER;
        return [time, Math.round(3e6 * Math.sin((time / DAY) * 2 * Math.PI)) / 1000];
      }),
    );
  });
});
