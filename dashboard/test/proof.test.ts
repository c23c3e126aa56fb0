import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { toHex } from "../../protocol/index.ts";
import { createSystem, createTestMeter, type System } from "../../test/support.ts";
import { SELECTOR } from "../../verification/chain/abi.ts";
import { changed, othersThan, type Path, pathsOf } from "../../verification/test/changing.ts";
import { AXE, describeInBrowser, launch, type Served, serveSystem, type Visit, visit } from "./support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const HOUR = 3600;
const INDEX = 31;

describeInBrowser("a proof in a browser", () => {
  let system: System;
  let served: Served;
  let browser: Browser;
  let keyId: string;
  let current: Visit | undefined;

  before(async () => {
    browser = await launch();
    system = await createSystem(START);
    const meter = createTestMeter(system, { powerAt: () => 3_000_000n, start: START, seed: 1 });
    await system.at(START + 600);
    meter.advance(START + 600);
    await system.register(meter.device);
    meter.advance(START + HOUR);
    await system.upload(meter.device);
    await system.settled(meter.device);
    keyId = toHex(meter.device.keyId);
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

  const withChain = () => `?rpc=${system.chain.url}`;
  const proofPath = () => `#/proof/${keyId}/1/${INDEX}`;
  async function open(query: string, options: BrowserContextOptions & { lie?: (json: never) => unknown } = {}) {
    const { lie, ...rest } = options;
    current = await visit(browser, `${served.url}${query}${lie ? "#/nowhere" : proofPath()}`, rest);
    const { page } = current;
    if (lie) {
      await page.route("**/proof", async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: lie((await response.json()) as never) });
      });
      await page.goto(`${served.url}${query}${proofPath()}`);
    }
    await page.waitForSelector(".verdict");
    return current;
  }
  const verdictOf = ({ page }: Visit) => page.locator(".verdict").getAttribute("data-verdict");
  const reds = ({ page }: Visit) =>
    page.locator("[data-state=refuted]").evaluateAll((all) => all.map(({ dataset }) => dataset["step"]));

  it("is verified with a node of the visitor's, and asks nobody else", async () => {
    const visited = await open(withChain());
    assert.equal(await verdictOf(visited), "verified");
    assert.equal(await visited.page.locator("[data-state=holds]").count(), 9);
    const origins = new Set(visited.requests.map((url) => new URL(url).origin));
    assert.deepEqual([...origins].sort(), [new URL(served.url).origin, new URL(system.chain.url).origin].sort());
    const others = visited.wrongs.filter((wrong) => !wrong.startsWith(`asked ${system.chain.url}`));
    assert.deepEqual(others, []);
    await visited.shoot("proof-verified");
  });

  it("turns red at each lie that the visitor tells in its place, and green again at the truth", async () => {
    const visited = await open(withChain());
    const { page } = visited;
    const lies = {
      "1 kWh more": "root",
      "An hour later": "root",
      "Another log": "root",
      "Another signature": "signature",
    };
    for (const [lie, step] of Object.entries(lies)) {
      await page.getByText(lie, { exact: true }).click();
      await page.waitForSelector("[data-verdict=refuted]");
      assert.ok((await reds(visited)).includes(step), `${lie}: ${await reds(visited)}`);
      if (lie === "1 kWh more") await visited.shoot("proof-lie");
      await page.getByText("As it came", { exact: true }).click();
      await page.waitForSelector("[data-verdict=verified]");
    }
    assert.equal(visited.requests.filter((url) => url.endsWith("/proof")).length, 1);
  });

  it("is offered of the newest reading that was settled, to whoever has no file", async () => {
    const phone = { viewport: { width: 390, height: 844 } };
    current = await visit(browser, `${served.url}${withChain()}#/proof`, phone);
    const { page } = current;
    await page.locator("main li a").first().click();
    await page.waitForSelector("[data-verdict=verified]");
    assert.match(page.url(), new RegExp(`#/proof/${keyId}/1/\\d+$`));
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 390);
    await current.shoot("proof-newest-phone");
  });

  it("cannot tell without a chain, says so, and takes the address of one", async () => {
    const visited = await open("");
    assert.equal(await verdictOf(visited), "cannot tell");
    await visited.page.getByLabel(/URL of a node/).fill(system.chain.url);
    await visited.page.getByRole("button", { name: "Ask this chain" }).click();
    await visited.page.waitForSelector("[data-verdict=verified]");
  });

  it("is red in every field that the oracle lies in, and says why", async () => {
    const response = await system.app.inject(`/api/v1/readings/${keyId}/1/${INDEX}/proof`);
    const honest = response.json();
    const isOpinion = (path: Path) => path.at(-1) === "confirmed";
    const seen = new Set<string>();
    for (const path of pathsOf(honest)) {
      const name = path.map((part) => (typeof part === "number" ? "#" : part)).join(".");
      if (isOpinion(path) || seen.has(name)) continue;
      seen.add(name);
      const lied = changed(honest, path, (value) => othersThan(value)[0]);
      const visited = await open(withChain(), { lie: () => lied });
      assert.equal(await verdictOf(visited), "refuted", name);
      assert.ok((await visited.page.locator(".verdict p").first().textContent())?.length, name);
      await visited.close();
    }
    assert.ok(seen.size > 15, [...seen].join(" "));
  });

  it("turns the step red that a lie is in", async () => {
    const lie = (json: { signed: { signature: string } }) => ({
      ...json,
      signed: { ...json.signed, signature: `0x${"01".repeat(64)}` },
    });
    const visited = await open(withChain(), { lie });
    assert.deepEqual(await reds(visited), ["signature"]);
    await visited.shoot("proof-refuted");
  });

  it("believes no node of another chain, and says so", async () => {
    const visited = await open("");
    await visited.page.route(`${system.chain.url}/**`, async (route) => {
      const { id, method } = route.request().postDataJSON() as { id: number; method: string };
      const response = await route.fetch();
      const honest = await response.json();
      await route.fulfill({
        response,
        json: method === "eth_chainId" ? { jsonrpc: "2.0", id, result: "0x1" } : honest,
      });
    });
    await visited.page.goto(`${served.url}${withChain()}${proofPath()}`);
    await visited.page.waitForSelector("[data-step=chain]:not([data-state=holds]) .why");
    assert.notEqual(await verdictOf(visited), "verified");
  });

  describe("is never green with a node that", () => {
    type Call = { id: number; method: string; params: { data?: string }[] };
    type Log = { data: string };
    const oneMore = (hex: string) => hex.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
    const view =
      (selector: string, lie: (honest: string) => string) =>
      ({ params: [call] }: Call, honest: unknown) =>
        call?.data?.startsWith(selector) ? lie(honest as string) : honest;
    const events =
      (lie: (logs: Log[]) => Log[]) =>
      ({ method }: Call, honest: unknown) =>
        method === "eth_getLogs" ? lie(honest as Log[]) : honest;
    const lies: [string, (call: Call, honest: unknown) => unknown][] = [
      ["is of another chain", ({ method }, honest) => (method === "eth_chainId" ? "0x1" : honest)],
      ["settled another root", view(SELECTOR.logOf, oneMore)],
      ["invents a settlement that was not", events((logs) => logs.map((log) => ({ ...log, data: oneMore(log.data) })))],
      ["hides the settlement", events(() => [])],
      ["forgot the attestation", view(SELECTOR.attestationOf, (hex) => `0x${"0".repeat(hex.length - 2)}`)],
      ["denies the reading", view(SELECTOR.verifyReading, () => `0x${"0".repeat(64)}`)],
      ["answers nothing", () => undefined],
      ["answers with a page", () => "<html>"],
      ["has had enough", () => 429],
      ["is asleep", () => new Promise(() => {})],
    ];
    for (const [name, lie] of lies) {
      it(name, async () => {
        const visited = await open("");
        await visited.page.route(`${system.chain.url}/**`, async (route) => {
          const call = route.request().postDataJSON() as Call;
          const response = await route.fetch();
          const result = await lie(call, ((await response.json()) as { result: unknown }).result);
          if (result === undefined) return route.abort();
          if (result === 429) return route.fulfill({ response, status: 429, body: "{}" });
          if (result === "<html>") return route.fulfill({ response, body: result });
          await route.fulfill({ response, json: { jsonrpc: "2.0", id: call.id, result } });
        });
        await visited.page.goto(`${served.url}${withChain()}${proofPath()}`);
        await visited.page.waitForSelector(".verdict:has(~ section [data-step])");
        await visited.page.waitForSelector(".proof-steps :is([data-state=unknown], [data-state=refuted]) .why");
        assert.match((await verdictOf(visited)) as string, /refuted|cannot tell/);
        assert.equal(await visited.page.locator(".verdict.good").count(), 0);
      });
    }
  });

  it("says of no step that it holds where it does not, in any language", async () => {
    for (const locale of ["en-GB", "de-DE"]) {
      const { page } = await open("", { locale });
      const signature = await page.locator("[data-step=settled]").innerText();
      assert.match(signature, /open|offen/);
      const text = await page.locator(".proof-steps").innerText();
      assert.doesNotMatch(text, /\{|\?/);
      await current?.close();
    }
    const { page } = await open(withChain());
    assert.doesNotMatch(await page.locator(".proof-steps").innerText(), /\{|\?/);
  });

  it("is saved as a file, and verified from it", async () => {
    const { page } = await open(withChain());
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save the proof" }).click(),
    ]);
    const path = await file.path();
    assert.match(await readFile(path, "utf8"), /WattWitness\/1 proof/);
    await page.goto(`${served.url}${withChain()}#/proof`);
    await page.locator("input[type=file]").setInputFiles(path);
    await page.waitForSelector("[data-verdict=verified]");
  });

  for (const colorScheme of ["light", "dark"] as const) {
    it(`is for everybody, ${colorScheme}: axe finds nothing serious, all bytes shown`, async () => {
      const { page, shoot } = await open(withChain(), { colorScheme });
      for (const details of await page.locator("details summary").all()) await details.click();
      await shoot(`proof-bytes-${colorScheme}`);
      await page.evaluate(await readFile(AXE, "utf8"));
      const serious = await page.evaluate(
        "axe.run().then(({ violations }) => violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => [id, nodes[0].html]))",
      );
      assert.deepEqual(serious, []);
    });
  }
});
