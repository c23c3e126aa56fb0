import assert from "node:assert/strict";
import type { Meter } from "../../../meter/meter.ts";
import { decodeReading, toHex } from "../../../protocol/index.ts";
import { tellByMqtt } from "../../publishing/mqtt.ts";
import { newMeter, newWorld, PLACE, removeDirectories, type World } from "../support.ts";
import { type Broker, listenTo, startBroker } from "./broker.ts";

const BASE = `wattwitness/${PLACE.chainId}/${PLACE.registry}`;

describe("MQTT", () => {
  let world: World;
  let meter: Meter;
  let keyId: string;
  let broker: Broker;
  let home: Awaited<ReturnType<typeof listenTo>>;
  let warnings: string[];
  const ends: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    world = await newWorld({ confirmations: 1 });
    meter = await world.newMeter();
    keyId = toHex(meter.device.keyId);
    warnings = [];
    broker = await startBroker();
    home = await listenTo(broker.port);
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    await home.close();
    await broker.close();
    await removeDirectories();
  });

  function tell(url = `mqtt://127.0.0.1:${broker.port}`): () => Promise<void> {
    const logger = { info() {}, warn: (values: object) => warnings.push(JSON.stringify(values)) };
    const end = tellByMqtt({
      ...{ url, oracle: world.oracle, place: PLACE, logger: logger as never },
      ...{ reconnectEvery: 20, lookEvery: 20 },
    });
    ends.push(end);
    return end;
  }

  async function produce(seconds: number): Promise<void> {
    world.now += seconds;
    meter.advance(world.now);
    await world.upload(meter.device);
  }

  const state = () => `${BASE}/${keyId}`;
  const stateUntil = async (isRight: (state: ReturnType<typeof JSON.parse>) => boolean) =>
    JSON.parse(await home.until(state(), (text) => isRight(JSON.parse(text))));

  it("is told nothing secret where it is refused, and says so once", async () => {
    const guarded = await startBroker(0, "right");
    tell(`mqtt://me:wrong@127.0.0.1:${guarded.port}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(warnings.length, 1);
    assert.ok(!warnings[0]?.includes("wrong"));
    tell(`mqtt://me:right@127.0.0.1:${guarded.port}`);
    const inside = await listenTo(guarded.port, { username: "me", password: "right" });
    await inside.until(`${BASE}/status`, (text) => text === "online");
    await inside.close();
    await Promise.all(ends.splice(0).map((end) => end()));
    await guarded.close();
  });

  it("shows a meter's sensors to Home Assistant without being asked", async () => {
    tell();
    const topic = `homeassistant/device/wattwitness_${keyId}/config`;
    const { device, origin, availability_topic, state_topic, components } = JSON.parse(
      await home.until(topic, () => true),
    );
    assert.deepEqual(device.identifiers, [`wattwitness_${keyId}`]);
    assert.equal(device.name, `Meter ${keyId.slice(0, 10)}`);
    assert.equal(origin.name, "WattWitness");
    assert.equal(availability_topic, `${BASE}/status`);
    assert.equal(state_topic, state());
    assert.deepEqual(Object.keys(components), ["power", "energy", "minted", "state", "read_at"]);
    const ids = new Set<string>();
    for (const [name, { platform, unique_id, value_template }] of Object.entries<Record<string, string>>(components)) {
      assert.equal(platform, "sensor");
      assert.ok(value_template?.includes(`value_json.${name} `));
      ids.add(unique_id as string);
    }
    assert.equal(ids.size, 5);
    const { device_class, state_class, unit_of_measurement } = components.energy;
    assert.deepEqual([device_class, state_class, unit_of_measurement], ["energy", "total_increasing", "kWh"]);
    assert.equal(components.power.unit_of_measurement, "W");
  });

  it("shows power, energy, tokens and state, as they become", async () => {
    tell();
    assert.deepEqual(await stateUntil(() => true), { minted: 0, state: "active" });
    await produce(600);
    const last = decodeReading(meter.device.readings.at(-1) as Uint8Array);
    assert.ok(last.ok);
    const { power, energy, timestamp } = last.value;
    const read = await stateUntil(({ energy }) => energy !== undefined);
    assert.equal(read.power, Number(power) / 1000);
    assert.equal(read.energy, Number(energy) / 1_000_000);
    assert.equal(read.read_at, new Date(timestamp * 1000).toISOString());
    assert.equal(read.minted, 0);
    await world.oracle.tick();
    const { minted } = await stateUntil(({ minted }) => minted > 0);
    assert.equal(minted, Number(world.chain.minted(keyId as `0x${string}`)) / 1_000_000);
    world.chain.act({ keyId: keyId as `0x${string}`, act: "freeze" });
    await world.oracle.tick();
    await stateUntil(({ state }) => state === "frozen");
  });

  it("shows a meter as one device, whichever key it has", async () => {
    await produce(600);
    await world.oracle.tick();
    const successor = newMeter(() => 2_000_000n);
    successor.advance(world.now);
    await world.rotate(meter.device, successor.device);
    world.now += 600;
    successor.advance(world.now);
    await world.upload(successor.device);
    tell();
    const { power, minted, state } = await stateUntil(({ power }) => power !== undefined);
    assert.equal(power, 2000);
    assert.equal(state, "active");
    assert.ok(minted > 0);
    assert.equal([...home.heard.keys()].filter((topic) => topic.startsWith("homeassistant/")).length, 1);
  });

  it("tells nothing twice that did not change", async () => {
    tell();
    await home.until(state(), () => true);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(home.log.filter(([topic]) => topic === state()).length, 1);
  });

  it("is told what there is after it was away, whatever it forgot", async () => {
    tell();
    await home.until(`${BASE}/status`, (text) => text === "online");
    await home.close();
    const { port } = broker;
    await broker.close();
    await produce(600);
    broker = await startBroker(port);
    home = await listenTo(port);
    await stateUntil(({ power }) => power !== undefined);
    await home.until(`${BASE}/status`, (text) => text === "online");
    assert.equal(warnings.length, 1);
  });

  it("says by a last will that the oracle is away, and that it is back", async () => {
    tell();
    await home.until(`${BASE}/status`, (text) => text === "online");
    broker.cut(1);
    await home.until(`${BASE}/status`, (text) => text === "offline");
    await home.until(`${BASE}/status`, (text) => text === "online");
  });

  it("keeps what it is told for who comes later, and knows when the oracle ended", async () => {
    const end = tell();
    await home.until(state(), () => true);
    await home.close();
    home = await listenTo(broker.port);
    await home.until(state(), () => true);
    await home.until(`${BASE}/status`, (text) => text === "online");
    await end();
    await home.until(`${BASE}/status`, (text) => text === "offline");
    ends.length = 0;
    assert.deepEqual(warnings, []);
  });
});
