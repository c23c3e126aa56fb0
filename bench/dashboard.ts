/**
 * What the dashboard takes of a visitor, in a real browser on this machine, what serves it included: `npm run
 * bench:dashboard [-- --json]`. A year of one meter is a reading in 10 s, put into the store directly; the hour of live
 * updates is posted by a hundred meters as fast as it goes; the proof is of a real chain.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import type { Browser, CDPSession, Page } from "playwright-core";
import { sizes } from "../dashboard/size.ts";
import { isMissing, keyIdOf, launch, serve, serveSystem, slowMeter, visit, WHY } from "../dashboard/test/support.ts";
import { createEnding, createStops } from "../demo/processes/stop.ts";
import { createDevice } from "../meter/device.ts";
import { createMeter, type Meter } from "../meter/meter.ts";
import { clearSky } from "../meter/sun.ts";
import { CAPACITY, newWorld, OWNER, PLACE, removeDirectories, type World } from "../oracle/test/support.ts";
import { encodeReading, generatePrivateKey, toHex } from "../protocol/index.ts";
import { createSystem, createTestMeter } from "../test/support.ts";

const HELP = `What the dashboard takes of a visitor, in a real browser.

  npm run bench:dashboard

  --readings N    of the year, one in 10 s (3153600)
  --minutes N     of live updates of a hundred meters (60)
  --json          the figures as one JSON object on the last line, too
  --help          this text`;

const { values } = parseArgs({
  options: {
    readings: { type: "string", default: "3153600" },
    minutes: { type: "string", default: "60" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
if (isMissing) {
  console.error(`Nothing can be measured: ${WHY}.`);
  process.exit(1);
}

/** 2026-01-01T00:00:00Z */
const YEAR = 1_767_225_600;
const INTERVAL = 10;
const METERS = 100;
const PER_APPEND = 1000;
const UTC = { timezoneId: "UTC" };
const say = (text: string) => console.error(text);

/* IN THE PAGE */

/** Counts tasks of more than 50 ms (Long Tasks API), ms each. */
const WATCH_TASKS = `
  globalThis.longTasks = [];
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask", buffered: true });`;

/** Resolves with the ms since \`from\` once \`isThere\` and it has been painted. */
const untilPainted = (isThere: string, from: string) => `new Promise((resolve) => {
  const look = () => ${isThere}
    ? requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - ${from})))
    : setTimeout(look, 1);
  look();
})`;

/** Goes to a place in the page, and says how long it took. */
const timeTo = (page: Page, hash: string, isThere: string): Promise<number> =>
  page.evaluate(`(() => {
    const from = performance.now();
    location.hash = ${JSON.stringify(hash)};
    return ${untilPainted(isThere, "from")};
  })()`);

const longestTask = (page: Page): Promise<number> => page.evaluate("Math.max(0, ...longTasks)");
const forgetTasks = (page: Page): Promise<void> => page.evaluate("void (longTasks.length = 0)");

const count = (selector: string) => `document.querySelectorAll(${JSON.stringify(selector)}).length`;
const ROWS = `${count(".rows .row")} > 0`;
const CHARTS = `${count(".plot canvas")} === 2 && ${count(".readout strong")} === 2`;

/** MB of the page's objects once what nobody holds is gone. */
async function heapOf(session: CDPSession): Promise<number> {
  for (let i = 0; i < 3; i++) await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = (await session.send("Runtime.getHeapUsage")) as { usedSize: number };
  return usedSize / 1e6;
}

async function open(browser: Browser, url: string) {
  const visited = await visit(browser, "about:blank", UTC);
  await visited.page.addInitScript(WATCH_TASKS);
  await visited.page.goto(url);
  return visited;
}

/* A YEAR OF ONE METER */

/** Stores readings under a sun without clouds; nothing looks at the signature of what is in the store. */
async function storeYear(world: World, meter: Meter, readings: number): Promise<void> {
  const log = await world.oracle.store.logs.open(keyIdOf(meter), 1);
  const capacity = CAPACITY;
  let energy = 0n;
  let power = 0n;
  while (log.size < readings) {
    const from = log.size;
    const some = Array.from({ length: Math.min(PER_APPEND, readings - from) }, (_, i) => {
      const timestamp = YEAR + (from + i) * INTERVAL;
      // a new power each five minutes
      if ((from + i) % 30 === 0) {
        const share = clearSky({ latitude: 48.1, longitude: 11.6, capacity, seed: "" }, timestamp);
        power = BigInt(Math.round(share * capacity * 1000));
      }
      energy += (power * BigInt(INTERVAL)) / 3600n;
      return encodeReading({ timestamp, energy, power, source: 0, conditions: 0 });
    });
    await log.append(some, new Uint8Array(64), 0n);
  }
}

async function registered(world: World, meter: Meter): Promise<void> {
  const terms = { owner: OWNER, capacity: CAPACITY, details: new Uint8Array(32) };
  world.chain.register(meter.device.registration(terms));
  await world.oracle.tick();
}

async function measureYear(browser: Browser, readings: number) {
  say(`storing ${readings} readings of a year`);
  const world = await newWorld({ confirmations: 1 });
  const device = createDevice({
    ...{ privateKey: generatePrivateKey(), epoch: 1, interval: INTERVAL, source: 0, place: PLACE },
  });
  const meter = createMeter({ device, powerAt: () => 0n, start: YEAR });
  world.now = YEAR + INTERVAL;
  meter.advance(world.now);
  await registered(world, meter);
  await storeYear(world, meter, readings);
  world.now = YEAR + readings * INTERVAL;
  const served = await serve(world);
  say("opening the page, and its year");
  const first = await open(browser, served.url);
  const firstView = await first.page.evaluate<number>(untilPainted(ROWS, "0"));
  await forgetTasks(first.page);
  const place = `/meters/${keyIdOf(meter)}?frame=year&at=${YEAR + 180 * 86_400}`;
  const yearView = await timeTo(first.page, place, CHARTS);
  const task = await longestTask(first.page);
  await first.close();
  await served.close();
  await world.app.close();
  return { firstView, yearView, task };
}

/* AN HOUR OF A HUNDRED METERS */

async function measureHour(browser: Browser, minutes: number) {
  const world = await newWorld({ confirmations: 1 });
  world.now = YEAR;
  const meters = Array.from({ length: METERS }, (_, i) => slowMeter(() => BigInt(i) * 40_000n, INTERVAL, YEAR));
  world.now = YEAR + INTERVAL;
  for (const meter of meters) {
    meter.advance(world.now);
    await registered(world, meter);
  }
  const served = await serve(world);
  const visited = await open(browser, served.url);
  await visited.page.waitForSelector(".rows .row");
  const session = await visited.page.context().newCDPSession(visited.page);
  const before = await heapOf(session);
  await forgetTasks(visited.page);
  say(`posting ${minutes} minutes of ${METERS} meters`);
  const end = world.now + minutes * 60;
  for (let time = world.now + INTERVAL; time <= end; time += INTERVAL) {
    for (const meter of meters) await world.live(meter, time);
    // half of it before all meters, half before one
    if (time - end === -Math.floor((minutes * 60) / 2 / INTERVAL) * INTERVAL) {
      await visited.page.evaluate(`location.hash = "/meters/${keyIdOf(meters[50] as Meter)}?frame=hour"`);
      await visited.page.waitForSelector(".plot canvas");
    }
  }
  // what came last is shown
  await delay(1000);
  const after = await heapOf(session);
  const task = await longestTask(visited.page);
  await visited.close();
  await served.close();
  await world.app.close();
  return { before, after, task };
}

/* A PROOF */

async function measureProof(browser: Browser) {
  say("settling an hour on a chain, for a proof");
  const start = YEAR;
  const system = await createSystem(start);
  try {
    const meter = createTestMeter(system, { powerAt: () => 3_000_000n, start, seed: 1 });
    await system.at(start + 600);
    meter.advance(start + 600);
    await system.register(meter.device);
    meter.advance(start + 3600);
    await system.upload(meter.device);
    await system.settled(meter.device);
    const served = await serveSystem(system);
    const visited = await open(browser, `${served.url}?rpc=${system.chain.url}`);
    await visited.page.waitForSelector(".rows .row");
    const took: number[] = [];
    for (let index = 10; index < 40; index++) {
      const place = `/proof/${toHex(meter.device.keyId)}/1/${index}`;
      await timeTo(visited.page, place, `${count(".verdict[data-verdict=verified]")} === 1`);
      took.push(
        await visited.page.evaluate(
          `performance.now() - performance.getEntriesByType("resource").findLast(({ name }) => name.endsWith("/proof")).responseEnd`,
        ),
      );
      await visited.page.evaluate(`performance.clearResourceTimings(); location.hash = "/"`);
      await visited.page.waitForSelector(".rows .row");
    }
    const task = await longestTask(visited.page);
    await visited.close();
    await served.close();
    return { took: took.sort((a, b) => a - b)[Math.floor(took.length / 2)] as number, task };
  } finally {
    await system.close();
  }
}

const stops = createStops();
const ending = createEnding(stops);
try {
  stops.add(removeDirectories);
  const browser = await launch();
  stops.add(() => browser.close());
  const { most, all } = await sizes();
  const year = await measureYear(browser, Number(values.readings));
  const hour = await measureHour(browser, Number(values.minutes));
  const proof = await measureProof(browser);
  const longest = Math.max(year.task, hour.task, proof.task);
  const table = new Table({ head: ["", "", "at most"], style: { head: [], border: [] } });
  table.push(
    ["loaded at any address before a wallet, gzip", `${most} bytes`, "75000"],
    ["at all addresses together", `${all} bytes`, ""],
    ["first view, from nothing to the list of meters", `${year.firstView.toFixed(0)} ms`, ""],
    [`year of ${values.readings} readings, from the list to both charts`, `${year.yearView.toFixed(0)} ms`, "1000"],
    ["longest task of the year view", `${year.task.toFixed(0)} ms`, "100"],
    [
      "a proof, from its data to the verdict, with the chain's answers (half of 30)",
      `${proof.took.toFixed(0)} ms`,
      "150",
    ],
    ["the page's objects, before", `${hour.before.toFixed(1)} MB`, ""],
    [`the page's objects, after ${values.minutes} minutes of ${METERS} meters`, `${hour.after.toFixed(1)} MB`, ""],
    ["longest task of all", `${longest.toFixed(0)} ms`, ""],
  );
  console.log(table.toString());
  if (values.json) {
    console.log(
      JSON.stringify({
        ...{ gzip_bytes: most, first_view_ms: year.firstView, year_view_ms: year.yearView, proof_ms: proof.took },
        ...{ heap_mb_before: hour.before, heap_mb_after_hour: hour.after },
        ...{ long_tasks_ms: longest, long_task_of_year_view_ms: year.task },
      }),
    );
  }
  await ending.end(0);
} catch (error) {
  if (!ending.hasBegun()) console.error((error as Error).message);
  await ending.end(1);
}
