import assert from "node:assert/strict";
import type { Registration } from "../../../meter/device.ts";
import type { Meter } from "../../../meter/meter.ts";
import { toHex } from "../../../protocol/index.ts";
import { type Application, createRegistrations } from "../../accepting/registrations.ts";
import {
  CAPACITY,
  newMeter,
  newWorld,
  OWNER,
  openStore,
  PLACE,
  removeDirectories,
  START,
  temporaryDirectory,
  type World,
} from "../support.ts";

const WEEK = 7 * 24 * 3600;

describe("the oracle, given a registration", () => {
  let world: World;
  let meter: Meter;
  let registration: Registration;
  beforeEach(async () => {
    world = await newWorld();
    meter = newMeter();
    meter.advance(START + 100);
    world.now = START + 100;
    registration = apply(meter);
  });
  afterEach(removeDirectories);

  const apply = ({ device }: Meter) =>
    device.registration({ owner: OWNER, capacity: CAPACITY, details: new Uint8Array(32) });

  async function send(payload: object) {
    const response = await world.app.inject({ method: "POST", url: "/registrations", payload });
    return { status: response.statusCode, body: response.json() };
  }
  const list = async () => (await world.app.inject({ url: "/registrations" })).json().registrations;

  async function assertRefused(payload: object, status: number, rule: string): Promise<void> {
    const answer = await send(payload);
    assert.equal(answer.body.rule, rule, JSON.stringify(answer.body));
    assert.equal(answer.status, status);
    assert.deepEqual(await list(), []);
  }

  it("refuses one that is not as described", async () => {
    await assertRefused({ ...registration, owner: "me" }, 400, "malformed");
    await assertRefused({ ...registration, extra: 1 }, 400, "malformed");
    await assertRefused({ ...registration, baseline: { ...registration.baseline, extra: 1 } }, 400, "malformed");
  });

  it("refuses a key that is registered", async () => {
    await world.register(meter.device);
    await assertRefused(registration, 409, "key already used");
  });

  it("refuses a capacity of 0 W", async () => {
    await assertRefused({ ...registration, capacity: 0 }, 422, "capacity zero");
  });

  it("refuses a source with a reserved bit", async () => {
    await assertRefused({ ...registration, source: 0x20 }, 422, "reserved bits");
  });

  it("refuses a baseline of no size", async () => {
    const baseline = { ...registration.baseline, size: 0 };
    await assertRefused({ ...registration, baseline }, 422, "size out of range");
  });

  it("refuses a claim for another owner, another baseline, or by another key", async () => {
    await assertRefused({ ...registration, owner: `0x${"cd".repeat(20)}` }, 422, "bad signature");
    const baseline = { ...registration.baseline, epoch: 2 };
    await assertRefused({ ...registration, baseline }, 422, "bad signature");
    const { publicKey } = newMeter().device;
    await assertRefused({ ...registration, publicKey: toHex(publicKey) }, 422, "bad signature");
  });

  it("refuses a key that is no point of the curve", async () => {
    await assertRefused({ ...registration, publicKey: `0x${"01".repeat(64)}` }, 422, "bad key");
  });

  it("refuses a head's signature in a claim's place", async () => {
    await assertRefused({ ...registration, claim: toHex(meter.device.head().signature) }, 422, "bad signature");
  });

  it("refuses a baseline more than five minutes ahead, and one more than a week old", async () => {
    world.now = START + 100 - 301;
    await assertRefused(registration, 425, "time ahead");
    world.now = START + 100 + WEEK + 1;
    await assertRefused(registration, 422, "baseline too old");
    world.now = START + 100 + WEEK;
    assert.equal((await send(registration)).status, 200);
  });

  it("refuses a baseline whose enclosure was opened", async () => {
    meter.device.tamper();
    meter.advance(START + 110);
    await assertRefused(apply(meter), 422, "conditions block");
  });

  it("refuses a baseline of another channel", async () => {
    await assertRefused({ ...registration, source: 1 }, 422, "source mismatch");
  });

  it("refuses an application older than the one that waits", async () => {
    meter.advance(START + 110);
    const newer = apply(meter);
    assert.equal((await send(newer)).status, 200);
    const answer = await send(registration);
    assert.equal(answer.body.rule, "time not forward");
    assert.equal((await list())[0].baseline.size, newer.baseline.size);
  });

  it("keeps one for the registrar, also over a crash, until the chain knows the key", async () => {
    const { status, body } = await send(registration);
    assert.equal(status, 200);
    const expected = { keyId: toHex(meter.device.keyId), ...registration, status: "pending" };
    assert.deepEqual(body, expected);
    await world.restart();
    assert.deepEqual(await list(), [expected]);
    await world.register(meter.device);
    assert.deepEqual(await list(), [{ ...expected, status: "registered" }]);
  });

  it("keeps a thousand, and is not crowded out by those that one address makes up", async () => {
    const applications = await openStore(await temporaryDirectory()).then((store) =>
      store.records<Application>("waiting"),
    );
    const given = { records: applications, place: PLACE, isKnown: () => false, now: () => world.now };
    let registrations = createRegistrations(given);
    const made = { ...registration, keyId: "", from: "192.0.2.66" };
    for (let i = 0; i < 1000; i++) {
      const keyId = toHex(Buffer.alloc(32, i.toString(16).padStart(64, "0"), "hex"));
      await applications.put(keyId, { ...made, keyId });
    }
    const other = newMeter();
    other.advance(START + 100);
    const refused = await registrations.apply(apply(other), "192.0.2.66");
    assert.deepEqual(refused.ok ? "kept" : refused.refusal.body.rule, "too many registrations");
    registrations = createRegistrations(given);
    for (const { ok } of [
      await registrations.apply(registration, "192.0.2.1"),
      await registrations.apply(apply(other), "192.0.2.1"),
    ]) {
      assert.equal(ok, true);
    }
    const ids = await applications.ids();
    assert.equal(ids.length, 1000);
    assert.ok(ids.includes(toHex(meter.device.keyId)) && ids.includes(toHex(other.device.keyId)));
    assert.ok((await registrations.list()).every((listed) => !("from" in listed)));
  });

  it("forgets one that can no longer be registered", async () => {
    await send(registration);
    world.now += WEEK;
    await world.oracle.tick();
    assert.equal((await list()).length, 1);
    world.now += 1;
    await world.oracle.tick();
    assert.deepEqual(await list(), []);
  });
});
