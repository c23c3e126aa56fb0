import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { meterRegistryAbi } from "../../contracts/abi.ts";
import { CAPACITY_CEILING } from "../../contracts/deploy.ts";
import { ACCOUNTS } from "../../demo/deployment.ts";
import { toHex } from "../../protocol/index.ts";
import { CAPACITY, createSystem, createTestMeter, type System } from "../../test/support.ts";
import { injected } from "./injected.ts";
import {
  describeInBrowser,
  launch,
  type Served,
  seriousIn,
  serveSystem,
  type Visit,
  type VisitOptions,
  visit,
} from "./support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const DAY = 86_400;
const OWNER = ACCOUNTS.firstOwner;
const OTHER = ACCOUNTS.firstOwner + 1;
const PHONE = { width: 390, height: 844 };

describeInBrowser("the register of applications in a browser", () => {
  let system: System;
  let served: Served;
  let browser: Browser;
  let current: Visit | undefined;
  let seed = 0;

  before(async () => {
    browser = await launch();
    system = await createSystem(START);
    await system.at(START + 600);
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

  const addressOf = (account: number) => system.chain.wallet(account).account.address;
  /** Of a device that has read for ten minutes from `start` (Unix time, s) on. */
  function application(start = START, isOpened = false) {
    seed += 1;
    const meter = createTestMeter(system, { powerAt: () => 3_000_000n, start, seed });
    if (isOpened) meter.device.tamper();
    meter.advance(start + 600);
    const terms = { owner: addressOf(OWNER), capacity: CAPACITY, details: new Uint8Array(32).fill(seed) };
    const keyId = toHex(meter.device.keyId);
    return { keyId, status: "pending" as const, ...meter.device.registration(terms) };
  }
  type Application = ReturnType<typeof application>;

  /** One that the oracle took. */
  async function applied(): Promise<Application> {
    const mine = application();
    const { keyId: _, status: __, ...body } = mine;
    const answer = await system.inject("/registrations", body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return mine;
  }

  type Options = VisitOptions & { query?: string; lie?: (Application | Record<string, unknown>)[] };
  async function open({ query = `?rpc=${system.chain.url}`, lie, ...options }: Options = {}): Promise<Visit> {
    const prepare: VisitOptions["prepare"] = async (page) => {
      await options.prepare?.(page);
      if (lie) await page.route("**/registrations", (route) => route.fulfill({ json: { registrations: lie } }));
    };
    current = await visit(browser, `${served.url}${query}#/register`, { ...options, prepare });
    await current.page.waitForSelector("h1");
    return current;
  }
  const of = ({ page }: Visit, { keyId }: Pick<Application, "keyId">) => page.locator(`[data-key="${keyId}"]`);
  const standing = (visited: Visit, mine: Pick<Application, "keyId">, is: string) =>
    visited.page.waitForSelector(`[data-key="${mine.keyId}"][data-standing=${is}]`);
  /** The checks that it fails. */
  const failed = (visited: Visit, mine: Application) =>
    of(visited, mine)
      .locator("[data-level=bad]")
      .evaluateAll((all) => all.map(({ dataset }) => dataset["check"]));
  async function connect({ page }: Visit): Promise<void> {
    await page.getByRole("button", { name: "Connect wallet" }).click();
    await page.getByRole("button", { name: "Test Wallet" }).click();
    await page.waitForSelector(".account");
  }
  const wallet = (account: number) => injected(system.chain, account);

  describe("tells as not true", () => {
    it("what another key signed", async () => {
      const [mine, other] = [application(), application()];
      const forged = { ...mine, claim: other.claim };
      const visited = await open({ lie: [forged] });
      await standing(visited, mine, "untrue");
      assert.deepEqual(await failed(visited, mine), ["claim"]);
      await visited.shoot("register-untrue");
    });

    it("a claim for another owner than the key named", async () => {
      const mine = application();
      const visited = await open({ lie: [{ ...mine, owner: addressOf(OTHER) }] });
      await standing(visited, mine, "untrue");
      assert.deepEqual(await failed(visited, mine), ["claim"]);
    });

    it("another baseline than the key named", async () => {
      const mine = application();
      const root = `0x${"01".repeat(32)}`;
      const visited = await open({ lie: [{ ...mine, baseline: { ...mine.baseline, root } }] });
      await standing(visited, mine, "untrue");
      assert.deepEqual(await failed(visited, mine), ["claim"]);
    });

    it("a key id that is another key's", async () => {
      const [mine, other] = [application(), application()];
      const visited = await open({ lie: [{ ...mine, keyId: other.keyId }] });
      await standing(visited, other, "untrue");
      assert.deepEqual(await failed(visited, other), ["key"]);
    });

    it("what cannot be read at all, and shows the others", async () => {
      const [mine, blind, honest] = [application(), application(), application()];
      const unread = { ...blind, baseline: { ...blind.baseline, reading: "0xzz" } };
      const visited = await open({ lie: [{ ...mine, claim: "0x00", publicKey: "0x0102" }, unread, honest] });
      await standing(visited, mine, "untrue");
      await standing(visited, blind, "untrue");
      await standing(visited, honest, "waiting");
    });
  });

  describe("tells what the contract would refuse", () => {
    it("a baseline of an opened enclosure, or of another source", async () => {
      const [opened, turned] = [application(START, true), application()];
      const visited = await open({ lie: [opened, { ...turned, source: 0 }] });
      await standing(visited, opened, "refused");
      await standing(visited, turned, "refused");
      assert.deepEqual(await failed(visited, turned), ["baseline"]);
    });

    it("a baseline older than a week, which has lapsed", async () => {
      const old = application(START - 8 * DAY);
      const visited = await open({ lie: [old] });
      await standing(visited, old, "lapsed");
      assert.deepEqual(await failed(visited, old), ["age"]);
    });
  });

  it("believes the chain and not the oracle, of what is registered", async () => {
    const mine = application();
    const visited = await open({ lie: [{ ...mine, status: "registered" }] });
    await standing(visited, mine, "waiting");
    assert.match((await of(visited, mine).textContent()) ?? "", /Does not know this key yet/);
  });

  it("says that it is the oracle's word where no chain is named", async () => {
    const mine = application();
    const visited = await open({ query: "", lie: [{ ...mine, status: "registered" }] });
    await standing(visited, mine, "registered");
    assert.match((await of(visited, mine).textContent()) ?? "", /the oracle's word/);
    await visited.page.getByLabel(/URL of a node/).waitFor();
  });

  it("lets an owner find what is his by key id or address, without a wallet, and says when it lapses", async () => {
    const mine = await applied();
    const visited = await open();
    const search = visited.page.getByRole("searchbox");
    for (const text of [mine.keyId.slice(2, 20).toUpperCase(), mine.owner]) {
      await search.fill(text);
      await standing(visited, mine, "waiting");
    }
    assert.match((await of(visited, mine).textContent()) ?? "", /Lapses27 Mar 2026.*in 6 days/);
    await search.fill(addressOf(OTHER));
    await visited.page.getByText("What the oracle refused is not kept").waitFor();
    assert.equal(await visited.page.locator("article").count(), 0);
  });

  it("lets nobody register who has not the role", async () => {
    const mine = await applied();
    const visited = await open({ prepare: (page) => wallet(OWNER).install(page) });
    await connect(visited);
    await visited.page.getByText("This account is no registrar").waitFor();
    await standing(visited, mine, "waiting");
    assert.equal(await visited.page.getByRole("button", { name: "Register…" }).count(), 0);
  });

  it("takes no capacity from a registrar that is none, or above the ceiling, and says where it is another", async () => {
    const mine = application();
    const lie = [{ ...mine, capacity: 2 * CAPACITY_CEILING }];
    const visited = await open({ lie, prepare: (page) => wallet(ACCOUNTS.registrar).install(page) });
    await connect(visited);
    const field = visited.page.getByLabel("Capacity, kW");
    for (const [typed, why] of [
      ["5.0001", /in whole watts/],
      ["0", /at most 100\.0\skW/],
      ["100.001", /at most 100\.0\skW/],
    ] as const) {
      await field.fill(typed);
      await visited.page.getByRole("button", { name: "Register…" }).click();
      await visited.page.getByText(why).waitFor();
    }
    await field.fill("99.5");
    await visited.page.getByRole("button", { name: "Register…" }).click();
    await visited.page.getByText(/The application says 200\.0\skW, and it is registered with 99\.50\skW/).waitFor();
    await visited.page.waitForSelector("[data-phase=ready]");
  });

  it("registers as a registrar, as the application says, and tells that the chain knows it", async () => {
    const mine = await applied();
    const visited = await open({ prepare: (page) => wallet(ACCOUNTS.registrar).install(page) });
    await connect(visited);
    await of(visited, mine).getByRole("button", { name: "Register…" }).click();
    await visited.page.waitForSelector("[data-phase=ready]");
    await visited.page.getByRole("button", { name: "Send in the wallet" }).click();
    await visited.page.waitForSelector("[data-phase=done]");
    await standing(visited, mine, "registered");
    const meter = await system.chain.publicClient.readContract({
      ...{ address: system.deployment.registry, abi: meterRegistryAbi, functionName: "meterOf", args: [mine.keyId] },
    });
    const { owner, capacity, source, details } = meter;
    assert.deepEqual(
      { owner, capacity, source, details },
      {
        ...{ owner: mine.owner, capacity: mine.capacity, source: mine.source, details: mine.details },
      },
    );
  });

  for (const [name, options] of Object.entries({
    light: {},
    dark: { colorScheme: "dark" as const },
    phone: { viewport: PHONE, locale: "de-DE" },
  })) {
    it(`is for everybody, ${name}: axe finds nothing serious`, async () => {
      const [mine, forged, old] = [application(), application(), application(START - 8 * DAY)];
      const lie = [mine, { ...forged, owner: addressOf(OTHER) }, old];
      const visited = await open({ lie, ...options, prepare: (page) => wallet(ACCOUNTS.registrar).install(page) });
      await standing(visited, mine, "waiting");
      await standing(visited, old, "lapsed");
      await visited.page.getByRole("button", { name: /Connect wallet|Wallet verbinden/ }).click();
      await visited.page.getByRole("button", { name: "Test Wallet" }).click();
      await visited.page.waitForSelector("article form");
      await visited.shoot(`register-${name}`);
      assert.deepEqual(await seriousIn(visited.page), []);
    });
  }
});
