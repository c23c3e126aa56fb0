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

  it("is not ready while operator or subscription have too little, or that cannot be found out", async () => {
    const { operator } = world.chain.has;
    const lookAgain = async () => {
      world.now += 60;
      await world.oracle.tick();
      return (await ready()).reasons;
    };
    world.chain.has = {
      operator: { ...operator, balance: 10n ** 14n },
      subscription: { id: 7n, balance: 5n * 10n ** 16n, needed: 2n * 10n ** 17n },
    };
    assert.deepEqual(await lookAgain(), [
      `the operator ${operator.address} has 0.0001 of the chain's coin, and a transaction may need 0.001: send it some`,
      "the subscription 7 has 0.05 LINK, and a request may need 0.2: pay some in",
    ]);
    world.chain.has = { operator, subscription: { id: 7n, balance: 2n * 10n ** 17n, needed: 2n * 10n ** 17n } };
    assert.deepEqual(await lookAgain(), []);
    const { funds } = world.chain;
    world.chain.funds = () => Promise.reject(new Error("no such router\nwith much more"));
    assert.deepEqual(await lookAgain(), ["what there is to pay with could not be found out: no such router"]);
    world.chain.funds = funds;
    assert.deepEqual(await lookAgain(), []);
  });

  it("is not ready while the DON does not answer, also when it is asked again", async () => {
    const meter = await world.newMeter();
    await world.live(meter, START + 200);
    world.chain.don = undefined;
    await world.oracle.tick();
    const after = async (seconds: number) => {
      world.now += seconds;
      await world.oracle.tick();
      return (await ready()).reasons;
    };
    assert.deepEqual(await after(300), []);
    assert.deepEqual(await after(1), ["the DON was asked 301 s ago and has not answered"]);
    assert.deepEqual(await after(600), ["the DON did not answer"]);
    // it is asked for the second time
    assert.deepEqual(await after(60), ["the DON did not answer"]);
    assert.equal(world.chain.calls().length, 2);
    world.chain.don = { state: "attested" };
    world.chain.answer();
    assert.deepEqual(await after(1), []);
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

  it("tells of how many meters nothing came for an hour", async () => {
    const [quiet, late] = [await world.newMeter(), await world.newMeter()];
    assert.equal((await metrics())["wattwitness_silent_meters"], 2);
    await world.upload(quiet.device);
    await world.live(late, START + 200);
    world.now = START + 100 + 3601;
    // a while later: every meter is not asked each time
    const { oracle, chain } = world;
    await world.app.close();
    world.app = buildApp({ oracle, chain, logger: silent });
    assert.equal((await metrics())["wattwitness_silent_meters"], 1);
  });

  it("tells when the newest block was made", async () => {
    const { block, timestamp } = await world.chain.newest();
    const told = await metrics();
    assert.equal(told["wattwitness_chain_block"], block);
    assert.equal(told["wattwitness_chain_block_timestamp_seconds"], timestamp);
  });

  it("tells what it spent, what it has, and how the DON answers", async () => {
    const meter = await world.newMeter();
    await world.live(meter, START + 200);
    world.chain.don = undefined;
    const { operator } = world.chain.has;
    world.chain.has = { operator, subscription: { id: 7n, balance: 25n * 10n ** 17n, needed: 1n } };
    const before = await metrics();
    assert.equal(before["wattwitness_operator_balance_ether"], 1);
    assert.ok(Number.isNaN(before["wattwitness_subscription_balance_link"]));
    assert.ok(Number.isNaN(before["wattwitness_don_answer_age_seconds"]));
    assert.equal(before['wattwitness_gas_used_total{purpose="request"}'], 0);
    await world.oracle.tick();
    world.now += 100;
    await world.oracle.tick();
    const asked = await metrics();
    assert.equal(asked["wattwitness_don_requests"], 1);
    assert.equal(asked["wattwitness_don_waiting_seconds"], 100);
    assert.equal(asked["wattwitness_subscription_balance_link"], 2.5);
    assert.equal(asked['wattwitness_gas_used_total{purpose="request"}'], 100_000);
    assert.equal(asked['wattwitness_fees_ether_total{purpose="request"}'], 0.001);
    world.chain.don = { state: "attested" };
    world.chain.answer();
    // taken back, and in a block again, it is not paid for twice
    for (let i = 0; i < 3; i++) await world.oracle.tick();
    world.chain.reorganise(1);
    for (let i = 0; i < 3; i++) await world.oracle.tick();
    world.now += 30;
    const settled = await metrics();
    assert.equal(settled["wattwitness_don_requests"], 0);
    assert.equal(settled["wattwitness_don_waiting_seconds"], 0);
    assert.equal(settled["wattwitness_don_answer_age_seconds"], 30);
    assert.equal(settled['wattwitness_gas_used_total{purpose="settle"}'], 100_000);
    assert.equal(settled['wattwitness_fees_ether_total{purpose="settle"}'], 0.001);
  });

  it("keeps the counts of two oracles apart", async () => {
    const other = await newWorld();
    await other.app.inject("/nowhere");
    assert.equal((await metrics())['wattwitness_refusals_total{rule="unknown route"}'], undefined);
    await other.app.close();
  });
});
