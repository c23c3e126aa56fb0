import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import type { Meter } from "../../meter/meter.ts";
import { CAPACITY, newWorld, OWNER, removeDirectories, START, type World } from "../../oracle/test/support.ts";
import { buildDashboard } from "../build.ts";
import {
  assertClean,
  describeInBrowser,
  INTERVAL,
  keyIdOf,
  launch,
  type Served,
  serve,
  slowMeter,
  type Visit,
  visit,
} from "./support.ts";

const METERS = 1000;

describeInBrowser("a thousand meters in a browser", () => {
  let world: World;
  let meters: Meter[];
  let served: Served;
  let browser: Browser;
  let visited: Visit;

  before(async () => {
    browser = await launch();
    await buildDashboard();
    world = await newWorld({ confirmations: 1 });
    meters = Array.from({ length: METERS }, (_, i) => slowMeter(() => BigInt(i) * 1000n));
    for (const meter of meters) {
      meter.advance(START + INTERVAL);
      const terms = { owner: OWNER, capacity: CAPACITY, details: new Uint8Array(32) };
      world.chain.register(meter.device.registration(terms));
    }
    world.now = START + INTERVAL;
    await world.oracle.tick();
    for (const meter of meters) await world.live(meter, START + 2 * INTERVAL);
    served = await serve(world);
    visited = await visit(browser, served.url);
    await visited.page.waitForSelector(".rows .row");
  });
  after(async () => {
    await visited.close();
    await browser.close();
    await served.close();
    await world.app.close();
    await removeDirectories();
  });

  const rows = () => visited.page.locator(".rows .row");
  const nameOf = (meter: Meter) => `${keyIdOf(meter).slice(0, 8)}…${keyIdOf(meter).slice(-4)}`;
  const first = () => rows().first().textContent();

  it("are drawn as far as they are in sight, and asked for at once", async () => {
    assert.match((await visited.page.locator(".count").textContent()) ?? "", /1,000 meters/);
    assert.ok((await rows().count()) < 60, String(await rows().count()));
    assert.equal(visited.requests.filter((url) => url.includes("/api/")).length, 2);
    await visited.shoot("thousand");
  });

  it("are sorted by what is asked for, and back", async () => {
    await visited.page.getByRole("button", { name: "Power" }).click();
    assert.ok((await first())?.includes(nameOf(meters.at(-1) as Meter)));
    assert.equal(
      await visited.page.getByRole("columnheader", { name: "Power" }).getAttribute("aria-sort"),
      "descending",
    );
    await visited.page.getByRole("button", { name: "Power" }).click();
    assert.ok((await first())?.includes(nameOf(meters[0] as Meter)));
  });

  it("are found by their keys", async () => {
    const wanted = meters[617] as Meter;
    await visited.page.getByRole("searchbox").fill(keyIdOf(wanted).slice(0, 20));
    assert.equal(await rows().count(), 1);
    assert.ok((await first())?.includes(nameOf(wanted)));
    await visited.page.getByRole("searchbox").fill("nobody");
    assert.match((await visited.page.locator(".list .none").textContent()) ?? "", /No meter is like that/);
    await visited.page.getByRole("searchbox").fill("");
  });

  it("are scrolled to the last, and told apart by their places", async () => {
    const { page } = visited;
    await page.locator(".rows").evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page.waitForSelector(`.rows [aria-rowindex="${METERS + 1}"]`);
    assert.equal(await page.getByRole("table").getAttribute("aria-rowcount"), String(METERS + 1));
    assert.ok((await rows().count()) < 60);
  });

  it("are gone through by the keyboard, one after the other, beyond what was in sight", async () => {
    const { page } = visited;
    await page.locator(".rows").evaluate((element) => element.scrollTo(0, 0));
    await page.waitForSelector('.rows [aria-rowindex="2"]');
    await page.locator('.rows [aria-rowindex="2"] a').focus();
    for (let row = 3; row <= 32; row++) {
      // nobody goes on before there is something to go to
      await page.waitForSelector(`.rows [aria-rowindex="${row}"] a`);
      await page.keyboard.press("Tab");
    }
    const place = await page.evaluate("document.activeElement.closest('[role=row]').getAttribute('aria-rowindex')");
    assert.equal(place, "32");
  });

  it("go on live, and broke no rule meanwhile", async () => {
    const { page } = visited;
    const meter = meters.at(-1) as Meter;
    await page.getByRole("searchbox").fill(keyIdOf(meter));
    const before = await first();
    await world.live(meter, START + 60 * INTERVAL);
    await page.waitForFunction(
      (text) => {
        const { document } = globalThis as unknown as {
          document: { querySelector(s: string): { textContent: string } };
        };
        return document.querySelector(".rows .row").textContent !== text;
      },
      before,
      { timeout: 10_000 },
    );
    assertClean(visited);
  });
});
