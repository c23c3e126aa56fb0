import assert from "node:assert/strict";
import { buildApp } from "../../http/app.ts";
import type { Readiness } from "../../serving/readiness.ts";
import { newWorld, postOf, removeDirectories, START, silent, type World } from "../support.ts";

describe("the oracle says how it is", () => {
  let world: World;
  beforeEach(async () => {
    world = await newWorld({ confirmations: 1 });
  });
  afterEach(async () => {
    await world.app.close();
    await removeDirectories();
  });

  async function ready(readiness?: Readiness, looksEvery = 5) {
    const { oracle, chain } = world;
    const app = buildApp({ oracle, chain, logger: silent, looksEvery, ...(readiness && { readiness }) });
    const response = await app.inject("/ready");
    await app.close();
    return { status: response.statusCode, ...response.json() };
  }

  it("is not ready, with every reason", async () => {
    world.now += 121;
    const { status, ready: is, reasons } = await ready(() => ["the relayer has no funds"]);
    assert.deepEqual([status, is], [503, false]);
    assert.deepEqual(reasons, ["the chain was last looked at 121 s ago", "the relayer has no funds"]);
    assert.equal((await world.app.inject("/health")).statusCode, 200);
  });

  it("is not ready where its reasons cannot be found out", async () => {
    const { status, reasons } = await ready(async () => {
      throw new Error("secret");
    });
    assert.equal(status, 503);
    assert.doesNotMatch(reasons.join(), /secret/);
    assert.equal(reasons.length, 1);
  });

  it("is ready between looks however far they are apart, and not when three have failed", async () => {
    world.now += 3000;
    assert.equal((await ready(undefined, 1000)).status, 200);
    world.now += 1;
    assert.equal((await ready(undefined, 1000)).status, 503);
  });

  it("is not ready while it cannot settle, and says why", async () => {
    const meter = await world.newMeter();
    await world.live(meter, START + 200);
    world.chain.unpaid = { failure: "funds", reason: "the operator has nothing: send it some" };
    await world.oracle.tick();
    assert.deepEqual(await ready(), {
      ...{ status: 503, ready: false, reasons: ["the operator has nothing: send it some"] },
    });
    world.chain.unpaid = undefined;
    await world.oracle.tick();
    assert.equal((await ready()).status, 200);
    world.chain.don = { state: "refused", reason: "the DON could not fetch it" };
    world.now += 1000;
    meter.advance(world.now);
    await world.upload(meter.device);
    for (let i = 0; i < 4; i++) await world.oracle.tick();
    assert.deepEqual((await ready()).reasons, ["the DON could not fetch it"]);
  });

  it("is ready while the chain is in step", async () => {
    world.now += 120;
    assert.deepEqual(await ready(() => []), { status: 200, ready: true, reasons: [] });
    world.now += 1;
    assert.equal((await ready()).status, 503);
    await world.oracle.tick();
    assert.equal((await ready()).status, 200);
  });

  async function metrics(): Promise<Record<string, number>> {
    const response = await world.app.inject("/metrics");
    assert.equal(response.statusCode, 200);
    assert.match(String(response.headers["content-type"]), /^text\/plain; version=/);
    const lines = response.body.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return Object.fromEntries(lines.map((line) => [line.replace(/ \S+$/, ""), Number(line.split(" ").at(-1))]));
  }

  it("counts what it took and what it refused, by rule", async () => {
    const meter = await world.newMeter();
    await world.post(postOf(meter.device, [...meter.device.readings]));
    await world.post({});
    await world.app.inject("/nowhere");
    await world.upload(meter.device);
    world.now = START + 400;
    const told = await metrics();
    assert.equal(told["wattwitness_readings_total"], 10);
    assert.equal(told["wattwitness_posts_total"], 1);
    assert.equal(told['wattwitness_refusals_total{rule="bad signature"}'], 1);
    assert.equal(told['wattwitness_refusals_total{rule="malformed"}'], 1);
    assert.equal(told['wattwitness_refusals_total{rule="unknown route"}'], 1);
    assert.equal(told["wattwitness_meters"], 1);
    assert.equal(told["wattwitness_chain_lag_seconds"], 300);
    assert.equal(told["wattwitness_chain_block"], (await world.chain.newest()).block);
    assert.equal(told["wattwitness_oldest_unsettled_seconds"], 0);
  });

  it("tells how old the oldest reading is that is not on chain, and the batches under way", async () => {
    const meter = await world.newMeter();
    await world.live(meter, START + 200);
    world.now = START + 500;
    assert.equal((await metrics())["wattwitness_oldest_unsettled_seconds"], 500 - 110);
  });

  it("keeps the counts of two oracles apart", async () => {
    const other = await newWorld();
    await other.app.inject("/nowhere");
    assert.equal((await metrics())['wattwitness_refusals_total{rule="unknown route"}'], undefined);
    await other.app.close();
  });
});
