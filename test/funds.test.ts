import assert from "node:assert/strict";
import { parseEther } from "viem";
import { ACCOUNTS, deployerOf } from "../demo/deployment.ts";
import { addConsumer, createSubscription, fundSubscription } from "../functions-source/local-don/chainlink.ts";
import { createViemChain } from "../oracle/chain/viem/chain.ts";
import { whyNotSubscribed } from "../oracle/chain/viem/funds.ts";
import { toHex } from "../protocol/index.ts";
import { createSystem, createTestMeter, type System } from "./support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const HOUR = 3600;
const GWEI = 1_000_000_000n;

describe("what settling is paid with", function () {
  this.timeout(120_000);
  let system: System;
  before(async () => {
    system = await createSystem(START);
  });
  after(() => system.close());

  const chainOf = () =>
    createViemChain({
      ...{ rpcUrl: system.chain.url, registry: system.deployment.registry, router: system.chainlink.router },
      ...{ wattWitness: system.deployment.wattWitness, attestor: system.attestor, maxGasPrice: 50n * GWEI },
      operatorKey: system.chain.key(ACCOUNTS.operator),
    });
  const operator = () => system.chain.wallet(ACCOUNTS.operator).account.address;
  const whyNot = (id: bigint, by = operator()) =>
    whyNotSubscribed(system.chain.publicClient, { router: system.chainlink.router, attestor: system.attestor, id }, by);

  it("is not a subscription that there is not, of somebody else, or without the attestor", async () => {
    assert.match((await whyNot(99n)) ?? "", /^The router 0x\w+ keeps no subscription 99\.$/);
    assert.match(
      (await whyNot(system.conspirator.subscriptionId)) ?? "",
      /^The subscription \d+ is of 0x\w+, and the operator is 0x/,
    );
    const empty = await createSubscription(deployerOf(system.chain, ACCOUNTS.operator), system.chainlink);
    assert.match((await whyNot(empty)) ?? "", /does not have the attestor 0x\w+ as consumer\.$/);
    const { attestor, chain } = system;
    const elsewhere = { router: attestor, attestor, id: 1n };
    assert.match(
      (await whyNotSubscribed(chain.publicClient, elsewhere, operator())) ?? "",
      /keeps no subscription 1\.$/,
    );
    assert.equal(await whyNot(system.subscriptionId), undefined);
  });

  it("waits for LINK where a request would be refused for want of it, and goes on once it is there", async () => {
    const caller = deployerOf(system.chain, ACCOUNTS.operator);
    const id = await createSubscription(caller, system.chainlink);
    await addConsumer(caller, system.chainlink, id, system.attestor);
    const chain = await chainOf();
    const root = toHex(new Uint8Array(32).fill(1));
    const call = { to: "attestor", digest: root, root, urls: ["https://a.example"], subscriptionId: id } as const;
    const { subscription } = await chain.funds(id);
    assert.equal(subscription?.balance, 0n);
    assert.ok(subscription.needed > 0n && subscription.needed < parseEther("10"), String(subscription.needed));
    const refused = await chain.sign(call, 0);
    assert.ok(!refused.ok);
    assert.deepEqual(refused, {
      ...{ ok: false, failure: "funds" },
      reason: `the subscription ${id} has too little LINK for a request: pay some in`,
    });
    const payer = deployerOf(system.chain, ACCOUNTS.chainlink);
    await fundSubscription(payer, system.chainlink, id, subscription.needed);
    assert.equal((await chain.funds(id)).subscription?.balance, subscription.needed);
    assert.equal((await chain.sign(call, 0)).ok, true);
  });

  it("is told, and what was spent of it, to the wei", async () => {
    const chain = await chainOf();
    const before = await chain.funds(system.subscriptionId);
    const meter = createTestMeter(system, { powerAt: () => 3_000_000n, start: START });
    meter.advance(START + 60);
    await system.register(meter.device);
    meter.advance(START + HOUR);
    await system.upload(meter.device);
    await system.settled(meter.device);
    const after = await chain.funds(system.subscriptionId);
    const { request, settle } = system.oracle.tally.spent();
    assert.equal(before.operator.balance - after.operator.balance, request.fee + settle.fee);
    assert.ok(request.gas > 100_000 && settle.gas > 50_000, `${request.gas}, ${settle.gas}`);
    const [had, has] = [before.subscription?.balance ?? 0n, after.subscription?.balance ?? 0n];
    assert.ok(has > 0n && has < had, `${had}, ${has}`);
    assert.ok((system.oracle.tally.answeredAt() ?? 0) > 0);
    const { body } = await system.app.inject("/metrics");
    assert.match(body, new RegExp(`^wattwitness_gas_used_total{purpose="settle"} ${settle.gas}$`, "m"));
  });
});
