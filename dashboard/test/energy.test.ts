import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { toHex } from "../../protocol/index.ts";
import { createSystem, createTestMeter, type System } from "../../test/support.ts";
import { AXE, describeInBrowser, launch, type Served, serveSystem, type Visit, visit } from "./support.ts";

/** 2026-03-20T09:00:00Z, 10 o'clock in Berlin */
const START = 1_773_997_200;
const HOUR = 3600;

describeInBrowser("the energy of a bar, in a browser", () => {
  let system: System;
  let served: Served;
  let browser: Browser;
  let current: Visit | undefined;
  let meter: ReturnType<typeof createTestMeter>;

  /** An hour in a first log, one in a second that went on, one in a third whose register was lost; then an unsettled moment. */
  before(async () => {
    browser = await launch();
    system = await createSystem(START);
    meter = createTestMeter(system, { powerAt: () => 3_000_000n, start: START, seed: 1 });
    const { device } = meter;
    await system.at(START + 60);
    meter.advance(START + 60);
    await system.register(device);
    const settle = async (until: number) => {
      meter.advance(until);
      await system.upload(device);
      await system.settled(device);
    };
    await settle(START + HOUR);
    meter.advance(START + HOUR + 60);
    const refused = device.nextPost();
    assert.ok(refused);
    device.answered(refused, { status: 422, body: {} }, meter.now);
    await settle(START + 2 * HOUR);
    device.loseRegister();
    await settle(START + 3 * HOUR);
    meter.advance(START + 3 * HOUR + 600);
    await system.upload(device);
    served = await serveSystem(system);
  });
  after(async () => {
    await browser.close();
    await served?.close();
    await system?.close();
  });
  afterEach(async () => {
    await current?.close();
    current = undefined;
  });

  type Options = BrowserContextOptions & { lie?: (json: Record<string, unknown>, url: string) => unknown };
  async function open(path: string, { lie, ...options }: Options = {}, query = `?rpc=${system.chain.url}`) {
    current = await visit(browser, `${served.url}#/nowhere`, options);
    const { page } = current;
    if (lie) {
      await page.route("**/proof", async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: lie(await response.json(), route.request().url()) });
      });
    }
    await page.goto(`${served.url}${query}${path}`);
    return current;
  }
  const keyId = () => toHex(meter.device.keyId);
  const energy = async (places: string, options?: Options, query?: string) => {
    const visited = await open(`#/energy/${keyId()}/${places}`, options, query);
    await visited.page.waitForSelector("[data-rise], .verdict.bad");
    return visited;
  };
  const verdictOf = ({ page }: Visit) => page.locator("[data-verdict]").first().getAttribute("data-verdict");
  const bars = async () => {
    const visited = await open(`#/meters/${keyId()}?at=${START}`);
    await visited.page.waitForSelector(".plot canvas");
    await visited.page.locator("details.numbers summary", { hasText: "Energy" }).click();
    const figure = visited.page.locator("figure", { has: visited.page.getByRole("heading", { name: "Energy" }) });
    await figure.locator("tbody tr").first().waitFor();
    return { visited, figure };
  };

  it("is not verified where the oracle answers with another reading's proof, or a false one", async () => {
    const other = await system.app.inject(`/api/v1/readings/${keyId()}/1/7/proof`);
    const swapped = await energy("1/0/1/30", { lie: (json, url) => (url.includes("/1/30/") ? other.json() : json) });
    assert.match(await swapped.page.locator("main").innerText(), /proof of another reading/);
    assert.equal(await swapped.page.locator(".verdict.good").count(), 0);
    await swapped.close();
    const reading = `0x${"00".repeat(32)}`;
    const forged = await energy("1/0/1/30", {
      lie: (json, url) => (url.includes("/1/30/") ? { ...json, reading } : json),
    });
    assert.equal(await verdictOf(forged), "refuted");
  });

  it("is not verified backward, in one log or from a later to an earlier", async () => {
    for (const places of ["1/30/1/10", "2/10/1/30"]) {
      const visited = await energy(places);
      assert.equal(await verdictOf(visited), "refuted", places);
      await visited.close();
    }
  });

  it("cannot be told without a chain, or before its end is settled", async () => {
    assert.equal(await verdictOf(await energy("1/0/1/30", {}, "")), "cannot tell");
    await current?.close();
    const visited = await energy(`3/10/3/${meter.device.size - 1}`);
    assert.equal(await verdictOf(visited), "cannot tell");
    assert.match(await visited.page.locator(".verdict").first().innerText(), /has settled 60 readings of this log/);
  });

  it("is verified from its bar's row: both readings, and their difference is the bar's number", async () => {
    const { visited, figure } = await bars();
    const { page } = visited;
    const row = figure.locator("tbody tr", { has: page.locator("a") }).first();
    const value = Number(await row.getAttribute("data-value"));
    assert.equal(value, 2950);
    await row.getByRole("link", { name: /Proof of an energy/ }).focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-verdict=verified]");
    assert.equal(Number(await page.locator("[data-rise]").getAttribute("data-rise")), value);
    assert.match(await page.locator("h2").first().innerText(), /^2\.95.kWh: Verified$/);
    assert.equal(await page.locator(".verdict.good").count(), 3);
    assert.deepEqual(
      visited.wrongs.filter((wrong) => !wrong.startsWith(`asked ${system.chain.url}`)),
      [],
    );
    await visited.shoot("energy");
    await page.getByRole("link", { name: "Reading 59 of epoch 1" }).click();
    await page.waitForSelector(".proof-steps");
  });

  it("is opened by a click on its bar, and by none where there is no bar", async () => {
    const { visited, figure } = await bars();
    const { page } = visited;
    const over = figure.locator(".u-over");
    await over.scrollIntoViewIfNeeded();
    const { width = 0 } = (await over.boundingBox()) ?? {};
    const clickOn = (hour: number) => over.click({ position: { x: ((hour + 0.5) / 24) * width, y: 100 } });
    await clickOn(3);
    assert.match(page.url(), /#\/meters\//);
    await clickOn(10);
    await page.waitForURL(/#\/energy\/0x[0-9a-f]{64}\/1\/0\/1\/59$/);
  });

  for (const [which, says] of [
    [1, /went on from the one to the other/],
    [2, /began anew with the next log/],
  ] as const) {
    it(`over two logs is proven by a reading of each, and the bar's number: ${says.source}`, async () => {
      const { visited, figure } = await bars();
      const { page } = visited;
      const row = figure.locator("tbody tr", { has: page.locator("a") }).nth(which);
      const value = await row.getAttribute("data-value");
      await row.getByRole("link").click();
      await page.waitForSelector("[data-verdict=verified]");
      assert.match(page.url(), new RegExp(`/${which}/\\d+/${which + 1}/\\d+$`));
      assert.equal(await page.locator("[data-rise]").getAttribute("data-rise"), value);
      assert.match(await page.locator("main").innerText(), says);
      await visited.shoot(`energy-two-logs-${which}`);
    });
  }

  it("over more logs claims no number, and says what the bar sums", async () => {
    const visited = await energy("1/10/3/10");
    assert.equal(await verdictOf(visited), "verified");
    assert.match(await visited.page.locator("main").innerText(), /Other logs lie between/);
    assert.doesNotMatch(await visited.page.locator("h2").first().innerText(), /Wh/);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    it(`is for everybody, ${colorScheme}: axe finds nothing serious, nothing is wider than a phone`, async () => {
      const { page, shoot } = await energy("1/10/3/10", { colorScheme, viewport: { width: 390, height: 844 } });
      await shoot(`energy-${colorScheme}-phone`);
      await page.evaluate(await readFile(AXE, "utf8"));
      const serious = await page.evaluate(
        "axe.run().then(({ violations }) => violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => [id, nodes[0].html]))",
      );
      assert.deepEqual(serious, []);
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 390);
    });
  }
});
