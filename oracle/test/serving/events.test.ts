import assert from "node:assert/strict";
import { toHex } from "../../../protocol/index.ts";
import { createEvents, type OracleEvent } from "../../serving/events.ts";
import { newWorld, postOf, removeDirectories, START, type World } from "../support.ts";

const numbers = (events: readonly OracleEvent[]) => events.map(({ data }) => data["n"]);

describe("events", () => {
  it("go on after the last that was seen", () => {
    const events = createEvents({ kept: 3, run: "a" });
    for (let n = 1; n <= 3; n++) events.publish("reading", { n });
    assert.deepEqual(events.since(undefined), { events: [], complete: true });
    const { events: missed, complete } = events.since("a-1");
    assert.deepEqual([numbers(missed), complete], [[2, 3], true]);
    assert.deepEqual(events.since("a-3"), { events: [], complete: true });
  });

  it("say where something is gone: pushed out, of another run, or never told", () => {
    const events = createEvents({ kept: 3, run: "a" });
    for (let n = 1; n <= 5; n++) events.publish("reading", { n });
    assert.equal(events.since("a-2").complete, true);
    for (const id of ["a-1", "b-4", "a-6", "a-", "a-x", "a--1", "", "5"]) {
      const { events: missed, complete } = events.since(id);
      assert.deepEqual([numbers(missed), complete], [[3, 4, 5], false], id);
    }
  });

  it("reach nobody who stopped listening", () => {
    const events = createEvents();
    const heard: OracleEvent[] = [];
    const stop = events.subscribe((event) => heard.push(event));
    events.publish("reading", { n: 1 });
    stop();
    events.publish("reading", { n: 2 });
    assert.deepEqual(numbers(heard), [1]);
  });

  describe("of an oracle", () => {
    let world: World;
    let heard: OracleEvent[];
    beforeEach(async () => {
      world = await newWorld({ confirmations: 1 });
      heard = [];
      world.oracle.events.subscribe((event) => heard.push(event));
    });
    afterEach(async () => {
      await world.app.close();
      await removeDirectories();
    });
    const kinds = () => heard.map(({ kind }) => kind);

    it("tell of refusals by rule, and of readings once", async () => {
      const meter = await world.newMeter();
      heard.length = 0;
      const { device } = meter;
      await world.post(postOf(device, [...device.readings]));
      assert.deepEqual([kinds(), heard[0]?.data["rule"]], [["refusal"], "bad signature"]);
      const post = device.nextPost();
      assert.ok(post);
      await world.post(post);
      await world.post(post);
      assert.deepEqual(kinds(), ["refusal", "reading"]);
      const { size, count, reading } = heard[1]?.data ?? {};
      assert.deepEqual([size, count, reading], [10, 10, toHex(device.readings[9] as Uint8Array)]);
    });

    it("tell of an attestation and of its settlement, each once", async () => {
      const meter = await world.newMeter();
      await world.live(meter, START + 600);
      heard.length = 0;
      for (let i = 0; i < 4; i++) await world.oracle.tick();
      assert.deepEqual(kinds().sort(), ["attestation", "settlement"]);
      const settlement = heard.find(({ kind }) => kind === "settlement")?.data;
      const [, mark] = await world.oracle.follower.marksOf(toHex(meter.device.keyId), 1);
      assert.deepEqual(
        [settlement?.["from_size"], settlement?.["size"], settlement?.["transaction"], settlement?.["produced_mwh"]],
        [10, 60, mark?.transaction, mark?.produced],
      );
      assert.equal(heard.find(({ kind }) => kind === "attestation")?.data["root"], mark?.attestation);
    });
  });
});
