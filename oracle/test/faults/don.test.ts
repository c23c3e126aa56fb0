import assert from "node:assert/strict";
import type { Behaviour } from "../../../functions-source/local-don/index.ts";
import type { Meter } from "../../../meter/meter.ts";
import { energyOf } from "../../../protocol/index.ts";
import { createSystem, createTestMeter, type System, UNITS_PER_MWH } from "../../../test/support.ts";
import { until } from "./scene/node.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const HOUR = 3600;
/** s that the DON may take */
const PATIENCE = 900;
const NODES = 4;

describe("an oracle whose DON", function () {
  this.timeout(120_000);
  let system: System;
  let meter: Meter;
  let baseline: bigint;
  beforeEach(async () => {
    system = await createSystem(START);
    meter = createTestMeter(system, { powerAt: () => 3_000_000n, start: START });
    meter.advance(START + 60);
    baseline = energyOf(meter.device.readings.at(-1) as Uint8Array);
    await system.register(meter.device);
    meter.advance(START + HOUR);
    await system.at(START + HOUR);
  });
  afterEach(() => system.close());

  const behave = (behaviour: Behaviour) => {
    for (let node = 0; node < NODES; node++) system.don.behave(node, behaviour);
  };
  const jobs = () => system.oracle.settlement?.jobs() ?? [];

  /** Lets time pass until the oracle says so of its batch. */
  const said = (reason: RegExp, seconds: number) =>
    until(
      async () => {
        await system.at((await system.chain.time()) + seconds);
        return (system.oracle.settlement?.obstacles() ?? []).some((one) => reason.test(one));
      },
      () => `it never says so: ${JSON.stringify(jobs())}`,
    );

  async function assertSettledOnce(): Promise<void> {
    await system.settled(meter.device);
    assert.equal(await system.supply(), (meter.device.energy - baseline) * UNITS_PER_MWH);
  }

  it("is silent asks again after its patience, says so, and settles once when it answers", async () => {
    behave("down");
    await system.upload(meter.device);
    await said(/the DON did not answer/, PATIENCE / 3);
    assert.equal(await system.supply(), 0n);
    behave("honest");
    await assertSettledOnce();
  });

  it("answers with another root asks again, says so, and settles once when it tells the truth", async () => {
    behave("liar");
    await system.upload(meter.device);
    await said(/another root/, 1);
    assert.equal(await system.supply(), 0n);
    behave("honest");
    await assertSettledOnce();
  });

  it("answers too late, after it was asked again, settles once", async () => {
    // nothing is fetched until then: every node waits
    let answer = () => {};
    const isTime = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { serve } = system.mirror;
    serve(async (path) => {
      await isTime;
      return (await system.app.inject({ method: "GET", url: path })).rawPayload;
    });
    await system.upload(meter.device);
    await said(/the DON did not answer/, PATIENCE / 3);
    await until(async () => {
      await system.at((await system.chain.time()) + 10);
      return jobs().some(({ transactions }) => transactions.length > 0);
    }, "it does not ask again");
    answer();
    await assertSettledOnce();
  });
});
