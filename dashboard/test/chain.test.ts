import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { type Hex, parseEther, zeroAddress } from "viem";
import { productionTokenAbi } from "../../contracts/abi.ts";
import { ACCOUNTS } from "../../demo/deployment.ts";
import { upload } from "../../meter/upload.ts";
import { toHex } from "../../protocol/index.ts";
import { createSystem, createTestMeter, type System } from "../../test/support.ts";
import { TOPIC } from "../../verification/chain/abi.ts";
import { AXE, describeInBrowser, launch, type Served, serveSystem, type Visit, visit } from "./support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const HOUR = 3600;

type Log = { topics: string[]; data: string; transactionHash: string };
type Call = { id: number; method: string; params: [Record<string, string>] };

/** An answer that is no result of JSON-RPC. */
class Raw {
  readonly status: number;
  readonly body: string;
  constructor(status: number, body: string) {
    this.status = status;
    this.body = body;
  }
}

/** What a stranger may write into a certificate: markup, other directions of writing, lines that look like the page's own. */
const HOSTILE = {
  name: `<img src=x onerror="console.error('ran')">\u202e\n\nAmount\n\n1,000,000 kWh ${"W".repeat(5000)}`,
  purpose: "لأجل القراءة في الليل\u202e\n\nRetired by\n0x0000000000000000000000000000000000000000",
};

describeInBrowser("the chain in a browser", () => {
  let system: System;
  let served: Served;
  let browser: Browser;
  let current: Visit | undefined;
  let roof: ReturnType<typeof createTestMeter>;
  let barn: ReturnType<typeof createTestMeter>;
  let now = START + HOUR;

  before(async () => {
    browser = await launch();
    system = await createSystem(START);
    roof = createTestMeter(system, { powerAt: () => 3_000_000n, start: START, seed: 1 });
    barn = createTestMeter(system, { powerAt: () => 1_000_000n, start: START, seed: 2 });
    await system.at(START + 600);
    for (const meter of [roof, barn]) {
      meter.advance(START + 600);
      await system.register(meter.device);
    }
    await goOn(roof, barn);
    await retire(parseEther("1.25"), "Ada Lovelace", "a year of reading lamps");
    await retire(1n, HOSTILE.name, HOSTILE.purpose);
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

  /** Lets meters produce until `now`, and settles it. */
  async function goOn(...meters: (typeof roof)[]): Promise<void> {
    await system.at(now);
    for (const meter of meters) meter.advance(now);
    // at once, so that they are settled together
    for (const meter of meters) await upload(meter.device, system.send, () => now);
    for (const meter of meters) await system.settled(meter.device);
  }

  async function retire(amount: bigint, name: string, purpose: string): Promise<void> {
    const wallet = system.chain.wallet(ACCOUNTS.firstOwner);
    const args = [amount, zeroAddress, name, purpose] as const;
    const token = { address: system.deployment.token, abi: productionTokenAbi } as const;
    await system.done(wallet.writeContract({ ...token, functionName: "retire", args, chain: wallet.chain }));
  }

  type Options = BrowserContextOptions & { answer?: (call: Call, honest: () => Promise<unknown>) => Promise<unknown> };

  /** `answer`: what the node answers instead. Undefined = nothing at all. */
  async function open(path: string, { answer, ...options }: Options = {}, query = `?rpc=${system.chain.url}`) {
    current = await visit(browser, `${served.url}#/nowhere`, options);
    const { page } = current;
    if (answer) {
      await page.route(`${system.chain.url}/**`, async (route) => {
        const call = route.request().postDataJSON() as Call;
        const response = await route.fetch();
        const honest = async () => ((await response.json()) as { result: unknown }).result;
        const result = await answer(call, honest);
        if (result === undefined) return route.abort();
        if (result instanceof Raw) return route.fulfill({ response, status: result.status, body: result.body });
        await route.fulfill({ response, json: { jsonrpc: "2.0", id: call.id, result } });
      });
    }
    await page.goto(`${served.url}${query}${path}`);
    return current;
  }
  const ledger = async (options?: Options) => {
    const visited = await open("#/chain", options);
    await visited.page.waitForSelector("[data-joins], [data-rule]");
    return visited;
  };
  const list = (page: Page, title: string) =>
    page.locator("section", { has: page.getByRole("heading", { name: title, exact: true }) });
  const fails = ({ page }: Visit) =>
    page.locator("[data-holds=false]").evaluateAll((all) => all.map(({ dataset }) => dataset["check"]));
  const inLogs =
    (change: (logs: Log[]) => Log[]) =>
    async ({ method }: Call, honest: () => Promise<unknown>) =>
      method === "eth_getLogs" ? change((await honest()) as Log[]) : honest();
  const isOf = (topic: string) => (log: Log) => log.topics[0] === topic;
  const without = (all: Log[], log: Log | undefined) => all.filter((each) => each !== log);
  const assertHarmless = ({ wrongs }: Visit) =>
    assert.deepEqual(
      wrongs.filter((wrong) => !wrong.startsWith(`asked ${system.chain.url}`)),
      [],
    );

  describe("is not shown as joined by a node that", () => {
    const lies: [string, (logs: Log[]) => Log[], string[]][] = [
      ["hides a settlement", (logs) => without(logs, logs.find(isOf(TOPIC.Settled))), ["settled"]],
      ["invents a settlement", (logs) => [...logs, logs.find(isOf(TOPIC.Settled)) as Log], ["settled"]],
      [
        "hides a settlement with what it minted",
        (logs) => without(without(logs, logs.find(isOf(TOPIC.Settled))), logs.find(isOf(TOPIC.Transfer))),
        ["minted", "held"],
      ],
      ["hides a retirement", (logs) => without(logs, logs.find(isOf(TOPIC.Retired))), ["retired"]],
      ["hides all", () => [], ["minted", "held", "retired"]],
    ];
    for (const [name, change, expected] of lies) {
      it(name, async () => {
        const visited = await ledger({ answer: inLogs(change) });
        assert.equal(await visited.page.locator("[data-joins]").getAttribute("data-joins"), "false");
        const failed = await fails(visited);
        for (const check of expected) assert.ok(failed.includes(check), `${name}: ${failed}`);
        if (name === "hides a settlement") await visited.shoot("chain-refuted");
      });
    }

    const states: [string, NonNullable<Options["answer"]>, string][] = [
      [
        "is of another chain",
        async ({ method }, honest) => (method === "eth_chainId" ? "0x1" : honest()),
        "wrong chain",
      ],
      ["answers nothing", async () => undefined, "unreachable"],
      ["answers with a page", async () => new Raw(200, "<html>"), "unreachable"],
      ["has had enough", async () => new Raw(429, "{}"), "unreachable"],
      ["is asleep", () => new Promise(() => {}), "unreachable"],
      [
        "tells of what was not asked",
        async ({ method }, honest) => (method === "eth_getLogs" ? [{}] : honest()),
        "nonsense",
      ],
    ];
    for (const [name, answer, rule] of states) {
      it(`${name}, and it is said what to do`, async () => {
        const { page } = await ledger({ answer });
        assert.equal(await page.locator("[data-rule]").getAttribute("data-rule"), rule);
        assert.equal(await page.locator("[data-joins]").count(), 0);
        assert.ok(await page.getByLabel(/URL of a node/).isVisible());
      });
    }
  });

  it("is asked for where no node is named, and not read from the oracle", async () => {
    const { page, shoot } = await open("#/chain", {}, "");
    await page.getByLabel(/URL of a node/).fill(system.chain.url);
    await shoot("chain-unnamed");
    await page.getByRole("button", { name: "Ask this chain" }).click();
    await page.waitForSelector("[data-joins=true]");
    assert.ok((await page.textContent("[data-joins]"))?.includes(system.deployment.token.toLowerCase()));
  });

  it("tells of the token, its settlements, holders and retirements, and that they join", async () => {
    const visited = await ledger();
    const { page } = visited;
    assert.equal(await page.locator("[data-joins]").getAttribute("data-joins"), "true");
    assert.equal(await page.locator("[data-holds=true]").count(), 4);
    await page.waitForFunction("[...document.querySelectorAll('td')].every((cell) => cell.textContent !== '–')");

    const rows = await list(page, "Settlements").locator("tbody tr").allInnerTexts();
    assert.equal(rows.length, 2);
    for (const row of rows) assert.match(row, /Attestation and device/);
    const links = await list(page, "Settlements").locator("tbody a").all();
    const keys = await Promise.all(links.map((link) => link.getAttribute("href")));
    assert.deepEqual(keys.sort(), [roof, barn].map(({ device }) => `#/meters/${toHex(device.keyId)}`).sort());

    const [holder] = await list(page, "Holders").locator("tbody tr").allInnerTexts();
    assert.match(holder as string, /100%/);
    assert.match(await list(page, "Retirements").innerText(), /1\.25/);
    assert.match(await list(page, "Attestations").innerText(), /1 [A-Z]|20 Mar 2026/);
    assertHarmless(visited);
    await visited.shoot("chain");
  });

  it("says what a settlement's transaction cost, and of one with several meters each one's part", async () => {
    const { page } = await ledger();
    const hashes = await list(page, "Settlements")
      .locator("td:nth-child(6) code")
      .evaluateAll((all) => all.map((code) => code.getAttribute("title") as string));
    await page.waitForFunction("[...document.querySelectorAll('td')].every((cell) => cell.textContent !== '–')");
    const cells = await list(page, "Settlements")
      .locator("tbody tr")
      .evaluateAll((rows) => rows.map((row) => [...row.children].slice(6).map((cell) => cell.textContent)));
    for (const [i, hash] of hashes.entries()) {
      const { gasUsed } = await system.chain.publicClient.getTransactionReceipt({ hash: hash as Hex });
      const items = hashes.filter((each) => each === hash).length;
      if (i === hashes.length - 1) assert.equal(items, 2);
      const expected = [Number(gasUsed), Math.round(Number(gasUsed) / items)].map((gas) => gas.toLocaleString("en-GB"));
      assert.deepEqual(cells[i], expected);
    }
  });

  it("is read from a node that answers for few blocks at once, and shows how far it is", async () => {
    const ranges: number[] = [];
    const { page } = await ledger({
      async answer({ method, params: [filter], id }, honest) {
        if (method !== "eth_getLogs") return honest();
        const blocks = Number(filter["toBlock"]) - Number(filter["fromBlock"]) + 1;
        if (blocks > 5) {
          const error = { code: -32_005, message: "query exceeds max block range 5" };
          return new Raw(200, JSON.stringify({ jsonrpc: "2.0", id, error }));
        }
        ranges.push(blocks);
        if (ranges.length === 3) await current?.page.waitForFunction("document.querySelector('progress').value > 0");
        return honest();
      },
    });
    assert.equal(await page.locator("[data-joins]").getAttribute("data-joins"), "true");
    assert.ok(ranges.length > 3 && ranges.every((blocks) => blocks <= 5), String(ranges));
  });

  it("tells of a new settlement as it comes, and asks for the new blocks alone", async () => {
    const asked: [number, number][] = [];
    const { page } = await ledger({
      async answer({ method, params: [filter] }, honest) {
        if (method === "eth_getLogs") asked.push([Number(filter["fromBlock"]), Number(filter["toBlock"])]);
        return honest();
      },
    });
    const before = await list(page, "Settlements").locator("tbody tr").count();
    await page.waitForSelector(".connection.live");
    now += HOUR;
    await goOn(roof);
    await list(page, "Settlements").locator("tbody tr").nth(before).waitFor({ timeout: 20_000 });
    assert.equal(await page.locator("[data-joins]").getAttribute("data-joins"), "true");
    for (const [i, [from]] of asked.entries()) assert.equal(from, i === 0 ? 0 : (asked[i - 1]?.[1] as number) + 1);
  });

  it("stays usable with ten thousand settlements, a page of them at a time", async () => {
    const { page } = await ledger({
      answer: inLogs((logs) => [
        ...without(logs, undefined),
        ...Array<Log>(10_000).fill(logs.find(isOf(TOPIC.Settled)) as Log),
      ]),
    });
    const shown = list(page, "Settlements");
    assert.equal(await shown.locator("tbody tr").count(), 20);
    const began = performance.now();
    await shown.getByRole("button", { name: "Earlier" }).click();
    assert.match(await shown.getByRole("status").innerText(), /^21–40 \/ 10,00\d$/);
    assert.ok(performance.now() - began < 1000);
  });

  it("does not join from a block on that is too late, whoever says to begin there", async () => {
    const visited = await open(
      "#/chain",
      {},
      `?rpc=${system.chain.url}&from_block=${await system.chain.publicClient.getBlockNumber()}`,
    );
    await visited.page.waitForSelector("[data-joins=false]");
    assert.ok((await fails(visited)).includes("minted"));
  });

  it("says on the overview what is held and retired, or leads to where a node is asked for", async () => {
    const { page, shoot } = await open("#/");
    await page.getByRole("link", { name: /^In circulation \d+\.\d\d, Retired 1\.25$/ }).waitFor();
    await shoot("overview-with-chain");
    await current?.close();
    const without = await open("#/", {}, "");
    await without.page.getByRole("link", { name: /^In circulation\s*, Retired$/ }).click();
    await without.page.getByLabel(/URL of a node/).waitFor();
  });

  describe("has certificates of retirement that", () => {
    const certificate = async (serial: number | string, options?: Options) => {
      const visited = await open(`#/certificate/${serial}`, options);
      await visited.page.waitForSelector(".certificate, .message");
      return visited;
    };
    const fact = (page: Page, name: string) =>
      page
        .locator(".certificate .facts div", { has: page.locator("dt", { hasText: new RegExp(`^${name}$`) }) })
        .locator("dd");

    it("are none for a serial that does not exist, which is said", async () => {
      const { page, shoot } = await certificate(99);
      assert.match(await page.locator(".message").innerText(), /There is no certificate 99/);
      await shoot("certificate-none");
      await page.goto(`${served.url}#/certificate/nonsense`);
      await page.getByText("There is nothing here").waitFor();
    });

    it("are not shown by a node that tells of it in two ways, or of another chain", async () => {
      const twice = await certificate(1, {
        answer: inLogs((logs) =>
          logs.map((log) => ({ ...log, data: log.data.replace(/^0x0{64}|^0x.{64}/, `0x${"1".padStart(64, "0")}`) })),
        ),
      });
      assert.equal(await twice.page.locator("[data-rule]").getAttribute("data-rule"), "contradicts itself");
      await twice.close();
      const other = await certificate(1, {
        answer: async ({ method }, honest) => (method === "eth_chainId" ? "0x1" : honest()),
      });
      assert.equal(await other.page.locator("[data-rule]").getAttribute("data-rule"), "wrong chain");
    });

    it("say what was retired, in whose name, by whom, and how anyone checks it", async () => {
      const visited = await certificate(1);
      const { page } = visited;
      assert.equal(await fact(page, "Amount").innerText(), "1.25 kWh");
      assert.match(await fact(page, "In the name of").innerText(), /Ada Lovelace/);
      assert.match(await fact(page, "Purpose").innerText(), /reading lamps/);
      assert.equal(await fact(page, "Token").innerText(), system.deployment.token.toLowerCase());
      const hash = (await fact(page, "Transaction").innerText()) as Hex;
      const { logs } = await system.chain.publicClient.getTransactionReceipt({ hash });
      assert.ok(logs.some(({ topics }) => topics[0] === TOPIC.Retired && BigInt(topics[1] as Hex) === 1n));
      assert.equal(await fact(page, "Permanent link").innerText(), `${served.url}#/certificate/1`);
      assert.match(
        await fact(page, "Check").innerText(),
        new RegExp(`${new URL(system.chain.url).host}.*cast call 0x`, "s"),
      );
      assert.ok(await page.locator("svg.qr path").isVisible());
      assertHarmless(visited);
    });

    it("let no stranger's words run, leave their place, or pass for the page's own", async () => {
      const visited = await certificate(2, { viewport: { width: 390, height: 844 } });
      const { page } = visited;
      assert.equal(await page.locator(".certificate img").count(), 0);
      assert.equal(await page.locator(".certificate dt", { hasText: "Amount" }).count(), 1);
      assert.equal(await fact(page, "Amount").innerText(), "0.000000000000000001 kWh");
      const texts = await page.locator(".certificate .words").allInnerTexts();
      for (const text of texts) assert.ok(text.length <= 165 && !text.includes("\n"), text);
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 390);
      assertHarmless(visited);
      await visited.shoot("certificate-hostile-phone");
    });

    for (const serial of [1, 2]) {
      it(`print on one page of A4, number ${serial} as well`, async () => {
        const { page, shoot } = await certificate(serial, { colorScheme: "dark" });
        const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
        assert.equal(pdf.match(/\/Type\s*\/Page\b(?!s)/g)?.length, 1);
        assert.match(pdf, /\/MediaBox\s*\[0 0 59[45][\d.]* 84[12]/);
        await page.emulateMedia({ media: "print" });
        const printed = await page.locator("body").innerText();
        for (const text of [served.url, serial === 1 ? "Ada Lovelace" : "<img"])
          assert.ok(printed.includes(text), text);
        assert.ok(!printed.includes("Skip to content") && !printed.includes("Print"));
        await shoot(`certificate-${serial}-print`);
      });
    }
  });

  describe("is for everybody", () => {
    const views = { chain: "#/chain", certificate: "#/certificate/1" };
    for (const [name, path] of Object.entries(views)) {
      for (const colorScheme of ["light", "dark"] as const) {
        it(`in its view "${name}", ${colorScheme}: axe finds nothing serious, nothing is wider than a phone`, async () => {
          const { page, shoot } = await open(path, { colorScheme, locale: colorScheme === "dark" ? "de-DE" : "en-GB" });
          await page.waitForSelector("[data-joins], .certificate");
          await page.waitForFunction("[...document.querySelectorAll('td')].every((cell) => cell.textContent !== '–')");
          await shoot(`${name}-${colorScheme}`);
          await page.evaluate(await readFile(AXE, "utf8"));
          const serious = await page.evaluate(
            "axe.run().then(({ violations }) => violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => [id, nodes[0].html]))",
          );
          assert.deepEqual(serious, []);
          await page.setViewportSize({ width: 390, height: 844 });
          await shoot(`${name}-${colorScheme}-phone`);
          assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 390);
        });
      }
    }
  });
});
