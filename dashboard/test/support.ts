/** A browser before a real oracle, with software meters on a chain in memory; what a page does wrong is kept. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { createDevice } from "../../meter/device.ts";
import { createMeter, type Meter, type PowerAt } from "../../meter/meter.ts";
import { sunPower } from "../../meter/sun.ts";
import { type AppOptions, buildApp } from "../../oracle/http/app.ts";
import { readSite } from "../../oracle/http/site.ts";
import { CAPACITY, PLACE, START, silent, type World } from "../../oracle/test/support.ts";
import { generatePrivateKey, toHex } from "../../protocol/index.ts";
import type { System } from "../../test/support.ts";
import { buildDashboard } from "../build.ts";

const CHROMIUM = "/usr/bin/chromium";
export const isMissing = !existsSync(CHROMIUM);
export const WHY = `there is no ${CHROMIUM}`;

/** Skipped with one line where there is no browser. */
export function describeInBrowser(what: string, tests: () => void): void {
  describe(what, function () {
    this.timeout(120_000);
    if (!isMissing) return tests();
    it(`skipped: ${WHY}`, function () {
      this.skip();
    });
  });
}

/** Finds what keeps people out. */
export const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Folder for pictures of every view; none are taken without. */
const SCREENSHOTS = process.env["WATTWITNESS_SCREENSHOTS"];

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });

export type Served = { url: string; port: number; close(): Promise<void> };

/** The world's oracle on a port, with its pages. */
export async function serve(
  { oracle, chain, wattWitness }: Pick<AppOptions, "oracle" | "chain" | "wattWitness">,
  port = 0,
): Promise<Served> {
  const site = await readSite(await buildDashboard());
  const app = buildApp({
    oracle,
    chain,
    ...(wattWitness && { wattWitness }),
    logger: silent,
    site,
    limits: { perAddress: 100_000 },
  });
  await app.listen({ host: "127.0.0.1", port });
  const { port: taken } = app.server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${taken}/`,
    port: taken,
    async close() {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

/** The oracle of a whole system, with its pages. */
export function serveSystem({ oracle, place, deployment: { wattWitness } }: System): Promise<Served> {
  return serve({ oracle, chain: { chainId: Number(place.chainId), registry: place.registry }, wattWitness });
}

export type Visit = {
  page: Page;
  /** what the console said that is an error, what the policy forbade, and who else was asked */
  wrongs: string[];
  requests: string[];
  /** A picture of what is shown, where a folder is given. */
  shoot(name: string): Promise<void>;
  close(): Promise<void>;
};

const DEFAULTS: BrowserContextOptions = {
  ...{ viewport: { width: 1280, height: 900 }, locale: "en-GB", timezoneId: "Europe/Berlin", colorScheme: "light" },
};

export type VisitOptions = BrowserContextOptions & {
  /** before anything is loaded */
  prepare?: (page: Page) => Promise<unknown>;
};

export async function visit(browser: Browser, url: string, { prepare, ...options }: VisitOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ ...DEFAULTS, ...options });
  const page = await context.newPage();
  await prepare?.(page);
  const [wrongs, requests]: [string[], string[]] = [[], []];
  const own = new URL(url).origin;
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") wrongs.push(message.text());
  });
  page.on("pageerror", (error) => wrongs.push(String(error)));
  page.on("request", (request) => {
    requests.push(request.url());
    const { origin, protocol } = new URL(request.url());
    if (origin !== own && protocol !== "blob:" && protocol !== "data:") wrongs.push(`asked ${request.url()}`);
  });
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (event) => console.error('forbidden: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile))",
  );
  await page.goto(url);
  return {
    ...{ page, wrongs, requests },
    async shoot(name) {
      if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
    },
    close: () => context.close(),
  };
}

/** What keeps people out of what is shown. */
export async function seriousIn(page: Page): Promise<unknown> {
  await page.evaluate(await readFile(AXE, "utf8"));
  return page.evaluate(
    "axe.run().then(({ violations }) => violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => [id, nodes[0].html]))",
  );
}

/** What a browser may say when nobody answers is no fault of the page. */
export const assertClean = ({ wrongs }: Visit): void => assert.deepEqual(wrongs, []);

const PAYLOAD = Buffer.from('{"mac":"EC64C9C05E97"}').toString("base64");

/** s between readings: days of them are quickly made */
export const INTERVAL = 60;

/** A meter that reads once in `interval` seconds. */
export function slowMeter(powerAt: PowerAt, interval = INTERVAL, start = START): Meter {
  const device = createDevice({ privateKey: generatePrivateKey(), epoch: 1, interval, source: 0, place: PLACE });
  return createMeter({ device, powerAt, start });
}

/** A meter under a modelled sun, registered and announced by its name; it has read for a moment. */
export async function roof(world: World, name: string, latitude = 48.1, longitude = 11.6): Promise<Meter> {
  const meter = slowMeter(sunPower({ latitude, longitude, capacity: CAPACITY, seed: name }));
  meter.advance(START + 2 * INTERVAL);
  await world.register(meter.device);
  await announce(world, meter, name);
  return meter;
}

/** With the next reading, which it has not posted. */
async function announce(world: World, meter: Meter, name: string): Promise<void> {
  world.now = Math.max(world.now, meter.now) + INTERVAL;
  meter.advance(world.now);
  const { signature, epoch, size, reading, root } = meter.device.head();
  const response = await world.app.inject({
    method: "POST",
    url: "/api/v1/installations",
    payload: {
      ...{ name, shelly_payload: PAYLOAD, boot_timestamp: START },
      public_key: toHex(meter.device.publicKey),
      head: { epoch, size, reading: toHex(reading), root: toHex(root) },
      signature: toHex(signature),
    },
  });
  assert.equal(response.statusCode, 200, response.body);
}

export const keyIdOf = (meter: Meter): string => toHex(meter.device.keyId);
