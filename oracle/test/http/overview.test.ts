import assert from "node:assert/strict";
import { energyOf, toHex } from "../../../protocol/index.ts";
import { buildApp } from "../../http/app.ts";
import { newMeter, newWorld, removeDirectories, START, silent, type World } from "../support.ts";

const DAY = 86_400;

describe("the overview", () => {
  let world: World;
  beforeEach(async () => {
    world = await newWorld({ confirmations: 1 });
  });
  afterEach(async () => {
    await world.app.close();
    await removeDirectories();
  });
  const ask = async (zone = "UTC") => (await world.app.inject(`/api/v1/overview?time_zone=${zone}`)).json();

  it("refuses what is no time zone", async () => {
    assert.equal((await ask("Atlantis")).rule, "malformed");
  });

  it("tells from which block on the chain is to be read", async () => {
    assert.equal((await ask()).from_block, 0);
    const later = await newWorld({ fromBlock: 3 });
    assert.equal((await later.app.inject("/api/v1/overview")).json().from_block, 3);
    await later.app.close();
  });

  it("names certificates of hours and the factory of parks only where the deployment has them", async () => {
    const named = async (app: World["app"]) => {
      const answer = (await app.inject("/api/v1/overview")).json();
      return [answer.hourly_certificates, answer.park_factory];
    };
    assert.deepEqual(await named(world.app), [null, null]);
    const [hourlyCertificates, parkFactory] = [`0x${"01".repeat(20)}`, `0x${"02".repeat(20)}`];
    const { oracle, chain } = world;
    const app = buildApp({ oracle, chain, logger: silent, hourlyCertificates, parkFactory });
    assert.deepEqual(await named(app), [hourlyCertificates, parkFactory]);
    await app.close();
  });

  it("knows nothing of a meter's energy before its first reading", async () => {
    const meter = newMeter();
    meter.advance(START + 100);
    await world.register(meter.device);
    const [glance] = (await ask()).meters;
    assert.deepEqual([glance.last, glance.epoch, glance.today_mwh, glance.total_mwh], [null, null, null, null]);
    assert.deepEqual([glance.minted_mwh, glance.stored], ["0", 0]);
  });

  it("tells energy of today, this month and in all, in the zone that is asked for", async () => {
    const meter = await world.newMeter();
    await world.live(meter, START + 2 * DAY);
    const energyAt = (time: number) =>
      energyOf(
        meter.device.readings.findLast(
          (reading) => new DataView(reading.buffer, reading.byteOffset).getUint32(0) <= time,
        ) as Uint8Array,
      );
    const { readings } = meter.device;
    for (const zone of ["UTC", "Pacific/Auckland"]) {
      const { now, day, meters } = await ask(zone);
      assert.equal(now, START + 2 * DAY);
      assert.ok(day.start <= now && now < day.end, zone);
      const [glance] = meters;
      assert.equal(glance.today_mwh, String(meter.device.energy - energyAt(day.start)), zone);
      assert.equal(glance.total_mwh, String(meter.device.energy - energyOf(readings[0] as Uint8Array)));
      assert.equal(glance.last, toHex(readings.at(-1) as Uint8Array));
      assert.equal(glance.size, readings.length);
    }
  });

  it("forgets no reading of yesterday that comes today", async () => {
    const meter = await world.newMeter();
    await world.live(meter, START + 3600);
    world.now = START + 2 * DAY;
    const before = (await ask()).meters[0];
    assert.equal(before.today_mwh, "0");
    meter.advance(START + 2 * DAY);
    await world.upload(meter.device);
    const { day, meters } = await ask();
    const index = meter.device.readings.findLastIndex(
      (reading) => new DataView(reading.buffer, reading.byteOffset).getUint32(0) <= day.start,
    );
    assert.equal(
      meters[0].today_mwh,
      String(meter.device.energy - energyOf(meter.device.readings[index] as Uint8Array)),
    );
  });

  it("tells what was minted, once it is on chain", async () => {
    const meter = await world.newMeter();
    await world.live(meter, START + 3600);
    for (let i = 0; i < 4; i++) await world.oracle.tick();
    const [glance] = (await ask()).meters;
    assert.equal(glance.minted_mwh, String(world.chain.minted(glance.key_id)));
    assert.notEqual(glance.minted_mwh, "0");
    assert.equal(glance.settled.size, meter.device.size);
  });
});
