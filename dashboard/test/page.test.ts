import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import type { Meter } from "../../meter/meter.ts";
import { newWorld, removeDirectories, START, type World } from "../../oracle/test/support.ts";
import { decodeReading } from "../../protocol/index.ts";
import { buildDashboard } from "../build.ts";
import {
  AXE,
  assertClean,
  describeInBrowser,
  keyIdOf,
  launch,
  roof,
  type Served,
  serve,
  type Visit,
  visit,
} from "./support.ts";

const DAY = 86_400;
const NOON = START + DAY + 12 * 3600;

describeInBrowser("the dashboard in a browser", () => {
  let world: World;
  let meter: Meter;
  let barn: Meter;
  let served: Served;
  let browser: Browser;
  let current: Visit | undefined;

  before(async () => {
    browser = await launch();
    await buildDashboard();
  });
  after(() => browser.close());

  beforeEach(async () => {
    world = await newWorld({ confirmations: 1 });
    meter = await roof(world, "Roof of the school");
    barn = await roof(world, "Barn, south side", 38.7, -9.1);
    barn.advance(START + DAY + 7 * 3600);
    barn.sleep(START + DAY + 9 * 3600);
    world.now = NOON;
    for (const each of [meter, barn]) each.advance(NOON);
    for (const each of [meter, barn]) await world.upload(each.device);
    for (let i = 0; i < 4; i++) await world.oracle.tick();
    world.now += 60;
    meter.advance(world.now);
    await world.upload(meter.device);
    served = await serve(world);
  });
  afterEach(async () => {
    await current?.close();
    current = undefined;
    await served.close();
    await world.app.close();
    await removeDirectories();
  });

  async function go(path = "", options: Parameters<typeof visit>[2] = {}): Promise<Visit> {
    await current?.close();
    current = await visit(browser, `${served.url}${path}`, options);
    return current;
  }
  const overview = async (options = {}) => {
    const visited = await go("", options);
    await visited.page.waitForSelector(".rows .row");
    await visited.page.waitForSelector(".connection.live");
    return visited;
  };
  const meterView = async (of: Meter, options = {}, query = "") => {
    const visited = await go(`#/meters/${keyIdOf(of)}${query}`, options);
    await visited.page.waitForSelector(".plot canvas");
    await visited.page.waitForSelector("table.readings");
    await visited.page.waitForSelector(".connection.live");
    return visited;
  };
  const proofView = async (options = {}) => {
    const visited = await go(`#/proof/${keyIdOf(meter)}/1/7`, options);
    await visited.page.waitForSelector(".proof-steps");
    return visited;
  };
  const VIEWS = { overview, meter: (options: object) => meterView(barn, options), proof: proofView };

  const powerText = (of: Meter): string => {
    const reading = decodeReading(of.device.readings.at(-1) as Uint8Array);
    assert.ok(reading.ok);
    const watts = Number(reading.value.power) / 1000;
    return watts < 1000 ? `${Math.round(watts)}` : `${(watts / 1000).toFixed(2)}`;
  };
  /** Lets the meter live on for a while, and posts it. */
  async function goOn(of: Meter, seconds = 600): Promise<void> {
    world.now += seconds;
    of.advance(world.now);
    await world.upload(of.device);
  }
  const seen = (page: Page, text: string, selector = "main") =>
    page.waitForFunction(
      ([where, what]) => {
        const { document } = globalThis as unknown as {
          document: { querySelector(s: string): { textContent: string } };
        };
        return document.querySelector(where as string)?.textContent.includes(what as string);
      },
      [selector, text],
      { timeout: 10_000 },
    );

  describe("asks nobody but the oracle, and breaks no rule of its policy", () => {
    for (const [name, open] of Object.entries(VIEWS)) {
      it(`in its view "${name}"`, async () => {
        const visited = await open({});
        assertClean(visited);
        assert.match(await visited.page.title(), /WattWitness/);
      });
    }

    it("not even where something in it tried", async () => {
      const { page, wrongs } = await overview();
      const failed = await page.evaluate("fetch('http://127.0.0.1:9/').then(() => false, () => true)");
      assert.ok(failed);
      const forbidden = /violates the following Content Security Policy directive: "connect-src/;
      assert.ok(wrongs.some((wrong) => forbidden.test(wrong)));
    });
  });

  it("tells power, energy and what was minted of every meter, and which is not well", async () => {
    await world.newMeter();
    const { page, shoot } = await overview();
    const rows = await page.locator(".rows .row").allTextContents();
    assert.equal(rows.length, 3);
    assert.match(rows[0] as string, /Waiting/);
    assert.ok(
      rows.some((row) => row.includes("Roof of the school") && row.includes(powerText(meter))),
      rows.join("\n"),
    );
    await page.getByLabel(/not well/).check();
    assert.equal(await page.locator(".rows .row").count(), 1);
    await page.getByLabel(/not well/).uncheck();
    await page.getByRole("searchbox").fill("school");
    assert.equal(await page.locator(".rows .row").count(), 1);
    await page.getByRole("searchbox").fill("");
    await shoot("overview");
  });

  it("shows what comes as it comes, and asks nothing for it", async () => {
    const { page, requests } = await overview();
    const before = requests.length;
    for (let i = 0; i < 3; i++) {
      await goOn(meter);
      await seen(page, powerText(meter), ".rows");
    }
    const today = Number(meter.device.energy) / 1e6;
    assert.ok(today > 0);
    assert.deepEqual(requests.slice(before), []);
    assert.equal(requests.filter((url) => url.includes("/overview")).length, 1);
  });

  it("counts what comes to today, to the kWh that the oracle counts", async () => {
    const { page } = await overview();
    for (let i = 0; i < 3; i++) await goOn(meter);
    const answer = await world.app.inject("/api/v1/overview?time_zone=Europe/Berlin");
    const glance = answer.json().meters.find(({ key_id }: { key_id: string }) => key_id === keyIdOf(meter));
    await seen(page, `${(Number(glance.today_mwh) / 1e6).toFixed(2)}\u202fkWh`, ".rows");
  });

  it("shows a reading's way onto the chain as it goes", async () => {
    const { page } = await meterView(meter);
    assert.match((await page.locator("table.readings tbody tr").first().textContent()) ?? "", /Signed/);
    for (let i = 0; i < 4; i++) await world.oracle.tick();
    await seen(page, "Attested, on chain", "table.readings tbody tr:first-child");
  });

  it("says that the oracle is gone, keeps what it knew, and goes on when it is back", async () => {
    const { page } = await overview();
    const { port } = served;
    await served.close();
    await page.waitForSelector(".connection.lost");
    await seen(page, "goes on by itself");
    assert.equal(await page.locator(".rows .row").count(), 2);
    await goOn(meter);
    served = await serve(world, port);
    await page.waitForSelector(".connection.live", { timeout: 20_000 });
    await seen(page, powerText(meter), ".rows");
    await goOn(meter);
    await seen(page, powerText(meter), ".rows");
  });

  it("says what to do where nothing answers from the beginning, and begins once something does", async () => {
    const other = await serve(world);
    await other.close();
    const { page, shoot } = await go(`?oracle=${other.url}`);
    await page.waitForSelector("[role=alert]");
    assert.ok((await page.locator("[role=alert]").textContent())?.includes(`Nothing answers at ${other.url}`));
    await shoot("unreachable");
    const later = await serve(world, other.port);
    await seen(page, powerText(meter));
    await later.close();
  });

  it("has words for what is not there", async () => {
    const { page, wrongs } = await go("#/nowhere");
    await seen(page, "There is nothing here");
    await page.goto(`${served.url}#/meters/0x${"00".repeat(32)}`);
    await seen(page, "No such meter");
    assert.deepEqual(wrongs, []);
  });

  it("says how a meter appears where there is none yet", async () => {
    const empty = await newWorld();
    const alone = await serve(empty);
    current = await visit(browser, alone.url);
    await seen(current.page, "No meter is registered yet");
    await current.shoot("empty");
    assertClean(current);
    await alone.close();
    await empty.app.close();
  });

  it("is the same from any static host, which its address tells the oracle", async () => {
    const folder = await buildDashboard();
    const host = createServer(async (request, response) => {
      const path = new URL(request.url ?? "", "http://host").pathname.replace(/^\/solar\//, "");
      response.setHeader(
        "content-type",
        path.endsWith(".js")
          ? "text/javascript"
          : path.endsWith(".css")
            ? "text/css"
            : path.endsWith(".svg")
              ? "image/svg+xml"
              : "text/html",
      );
      response.end(await readFile(join(folder, path || "index.html")));
    });
    await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(host.address() as AddressInfo).port}/solar/?oracle=${served.url}`;
    current = await visit(browser, url);
    await current.page.waitForSelector(".connection.live");
    await goOn(meter);
    await seen(current.page, powerText(meter), ".rows");
    const others = new Set(current.requests.map((asked) => new URL(asked).origin));
    assert.deepEqual([...others].sort(), [new URL(url).origin, new URL(served.url).origin].sort());
    assert.deepEqual(
      current.wrongs.filter((wrong) => !wrong.startsWith(`asked ${served.url}`)),
      [],
    );
    host.closeAllConnections();
    host.close();
  });

  it("speaks German to who does, with the numbers of his locale, and remembers another choice", async () => {
    const { page } = await overview({ locale: "de-DE" });
    await seen(page, "Leistung jetzt");
    assert.equal(await page.locator("html").getAttribute("lang"), "de");
    assert.match((await page.locator(".rows").textContent()) ?? "", /\d,\d\d/);
    await page.getByLabel("Sprache").selectOption("en");
    await seen(page, "Power now");
    await page.reload();
    await seen(page, "Power now");
  });

  it("is dark where the system is, and remembers where it was switched", async () => {
    const { page } = await overview({ colorScheme: "dark" });
    const ground = () => page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    const dark = await ground();
    await page.getByRole("button", { name: "Use light colours" }).click();
    assert.notEqual(await ground(), dark);
    await page.reload();
    await page.waitForSelector(".tiles");
    assert.notEqual(await ground(), dark);
  });

  it("goes to a meter, back, and to a reading's proof by the keyboard alone", async () => {
    const { page } = await overview();
    await page.getByRole("link", { name: "Roof of the school" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector("table.readings");
    await page
      .getByRole("link", { name: /^Proof of the reading/ })
      .first()
      .focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector(".proof-steps");
    assert.match(page.url(), /#\/proof\/0x[0-9a-f]{64}\/1\/\d+$/);
    await page.goBack();
    await page.waitForSelector("table.readings");
    await page.getByRole("radio", { name: "Week" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForURL(/frame=month/);
  });

  it("tells what is pointed at, and what it comes to again afterwards", async () => {
    const { page } = await meterView(barn);
    for (const [figure, expected] of [
      ["Power", /^\d\d:\d\d[\d.]+\u202fk?W/],
      ["Energy", /^\d\d:\d\d[\d.]+\u202fkWhPeriod before/],
    ] as const) {
      const shown = page.locator("figure", { has: page.getByRole("heading", { name: figure }) });
      const resting = (await shown.locator(".readout").textContent()) as string;
      await shown.locator(".u-over").scrollIntoViewIfNeeded();
      const { width = 0 } = (await shown.locator(".u-over").boundingBox()) ?? {};
      await shown.locator(".u-over").hover({ position: { x: width * 0.48, y: 100 } });
      assert.match((await shown.locator(".readout").textContent()) as string, expected);
      await page.mouse.move(0, 0);
      assert.equal(await shown.locator(".readout").textContent(), resting);
    }
  });

  it("hands out a chart's numbers as CSV, and the chart as a picture", async () => {
    const { page, wrongs } = await meterView(barn);
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "CSV: Energy" }).click(),
    ]);
    const lines = (await readFile(await file.path(), "utf8")).split("\r\n");
    assert.equal(lines[0], "start,end,energy_wh,energy_wh_period_before");
    assert.equal(lines.length, 26);
    const [picture] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Picture: Power" }).click(),
    ]);
    const bytes = await readFile(await picture.path());
    assert.equal(bytes.subarray(1, 4).toString(), "PNG");
    assert.match(picture.suggestedFilename(), /^Barn, south side-power-day-2026-03-20T23\.png$/);
    assert.deepEqual(wrongs, []);
  });

  describe("is for everybody", () => {
    for (const colorScheme of ["light", "dark"] as const) {
      for (const [name, open] of Object.entries(VIEWS)) {
        it(`in its view "${name}", ${colorScheme}: axe finds nothing serious`, async () => {
          const { page, shoot } = await open({ colorScheme });
          await shoot(`${name}-${colorScheme}`);
          for (const details of await page.locator("details.numbers summary").all()) await details.click();
          await page.evaluate(await readFile(AXE, "utf8"));
          const violations = (await page.evaluate(
            "axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => [impact, id, nodes[0].html, nodes[0].failureSummary]))",
          )) as string[][];
          assert.deepEqual(
            violations.filter(([impact]) => impact === "serious" || impact === "critical"),
            [],
          );
        });

        it(`in its view "${name}", ${colorScheme}, on a phone: nothing is wider than it`, async () => {
          const { page, shoot } = await open({ colorScheme, viewport: { width: 360, height: 740 } });
          await shoot(`${name}-${colorScheme}-phone`);
          const width = await page.evaluate("document.documentElement.scrollWidth");
          assert.equal(width, 360);
        });
      }
    }
  });
});
