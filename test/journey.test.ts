import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Hex, zeroHash } from "viem";
import { audit, placeOf } from "../auditor/index.ts";
import { settlementItem } from "../contracts/settlement.ts";
import type { Device } from "../meter/device.ts";
import type { Meter, PowerAt } from "../meter/meter.ts";
import { readReplay } from "../meter/replay.ts";
import { sunPower } from "../meter/sun.ts";
import { upload } from "../meter/upload.ts";
import { createLog, energyOf, fromHex, timestampOf, toHex } from "../protocol/index.ts";
import { rpc } from "../verification/index.ts";
import { CAPACITY, createSystem, createTestMeter, placedReading, type System, UNITS_PER_MWH } from "./support.ts";

const NREL = fileURLToPath(new URL("../../shared/data/pv/nrel-serf-east-2022-03-18-1min.csv", import.meta.url));

const HOUR = 3600;
const DAY = 24 * HOUR;
/** 2026-03-20T05:00:00Z */
const START = 1_773_982_800;

const lisbon = sunPower({ latitude: 38.72, longitude: -9.14, capacity: 5000, seed: "journey" });

type Day = { powerAt: PowerAt; start: number; end: number; interval: number };

/** What the power, held from each interval to the next, adds up to between two moments: mWh by plain arithmetic. */
function measuredBetween({ powerAt, interval }: Day, from: number, to: number): number {
  let total = 0;
  for (let time = from; time < to; time += interval) {
    const power = Number(powerAt(time) ?? 0n);
    if (power > 0) total += power * interval;
  }
  return total / 3600;
}

/** Whoever trusts neither oracle nor DON finds everything as it should be, from a node and what the oracle serves. */
async function auditsClean({ chain, deployment, mirror }: System): Promise<void> {
  const registry = deployment.registry.toLowerCase() as Hex;
  const { findings, figures } = await audit({ chain: rpc(chain.url), registry, places: [placeOf(mirror.url)] });
  assert.deepEqual(findings, []);
  assert.equal(figures.settlements_verified, figures.settlements);
}

/** A day from the meter to the token, and every proof of it. */
function dayJourney(day: () => Promise<Day>) {
  return async () => {
    const { powerAt, start, end, interval } = await day();
    const system = await createSystem(start);
    try {
      const meter = createTestMeter(system, { powerAt, start, interval });
      const { device } = meter;
      meter.advance(start + interval);
      await system.register(device);
      const baseline = device.energy;

      for (let now = start; now < end; ) {
        now = Math.min(now + 8 * HOUR, end);
        meter.advance(now);
        await system.upload(device);
        if (device.energy > (await system.latestOf(device)).energy) await system.settled(device);
      }

      const { size, energy, root } = await system.latestOf(device);
      const last = device.readings[size - 1] as Uint8Array;
      assert.ok(energy > 5_000_000n, `only ${energy} mWh`);
      assert.equal(energy, energyOf(last));
      assert.equal(await system.supply(), (energy - baseline) * UNITS_PER_MWH);
      assert.equal(root, toHex(device.log.root(size)));

      const placed = placedReading(device.readings, size);
      for (let index = 0; index < size; index++) {
        assert.equal(await system.verifyReading(device, 1, placed(index)), true, `reading ${index}`);
      }
      for (let index = 0; index < size; index += 7) {
        const altered = fromHex(placed(index).reading);
        const byte = index % 32;
        altered[byte] = (altered[byte] as number) ^ (1 << (index % 8));
        const forged = { ...placed(index), reading: toHex(altered) };
        assert.equal(await system.verifyReading(device, 1, forged), false, `altered reading ${index}`);
      }

      const times = device.readings.map(timestampOf);
      let hours = 0;
      for (let hour = Math.ceil(start / HOUR) * HOUR; hour + HOUR <= end; hour += HOUR) {
        const [from, to] = [times.indexOf(hour), times.indexOf(hour + HOUR)];
        if (from === -1 || to === -1 || to >= size) continue;
        const proven = Number(await system.energyBetween(device, placed(from), placed(to)));
        const measured = measuredBetween({ powerAt, start, end, interval }, hour, hour + HOUR);
        // the register shows whole mWh
        assert.ok(Math.abs(proven - measured) < 1, `${new Date(hour * 1000).toISOString()}: ${proven} for ${measured}`);
        hours += 1;
      }
      assert.ok(hours >= 10, `only ${hours} hours`);
      await auditsClean(system);
    } finally {
      await system.close();
    }
  };
}

describe("the journey of a day from meter to token", function () {
  this.timeout(180_000);

  it(
    "mints a modelled day to the last unit, and proves every reading and every hour",
    dayJourney(async () => ({ powerAt: lisbon, start: START, end: START + 14 * HOUR, interval: 60 })),
  );

  const there = existsSync(NREL);
  it(
    there
      ? "mints two real days to the last unit, and proves every reading and every hour"
      : `skipped: ${NREL} is not there`,
    async function () {
      if (!there) return this.skip();
      await dayJourney(async () => {
        const result = await readReplay(NREL);
        assert.ok(result.ok);
        const { start, end, powerAt } = result.replay;
        return { powerAt, start, end, interval: 60 };
      })();
    },
  );
});

describe("a meter to which things happen", function () {
  this.timeout(120_000);
  let system: System;
  beforeEach(async () => {
    system = await createSystem(START);
  });
  afterEach(async () => {
    try {
      await auditsClean(system);
    } finally {
      await system.close();
    }
  });

  /** A meter that is registered, and has settled its first hours of sun. */
  async function producing() {
    const meter = createTestMeter(system, { powerAt: lisbon, start: START + 4 * HOUR });
    await system.at(START + 4 * HOUR);
    meter.advance(START + 4 * HOUR + 60);
    await system.register(meter.device);
    meter.advance(START + 6 * HOUR);
    await system.upload(meter.device);
    await system.settled(meter.device);
    return meter;
  }
  const settledBaseline = 0n;

  it("settles what it went on to measure after a reboot, in the same log", async () => {
    const meter = await producing();
    meter.device.reboot();
    meter.advance(START + 8 * HOUR);
    await system.upload(meter.device);
    await system.settled(meter.device);
    assert.equal(meter.device.epoch, 1);
    assert.equal(await system.supply(), (meter.device.energy - settledBaseline) * UNITS_PER_MWH);
  });

  it("settles from its new beginning when it has lost its register, and nothing twice", async () => {
    const meter = await producing();
    const before = meter.device.energy;
    meter.device.loseRegister();
    meter.advance(START + 8 * HOUR);
    const { device } = meter;
    assert.equal(device.epoch, 2);
    const began = energyOf(device.readings[0] as Uint8Array);
    assert.ok(began < before);
    await system.upload(device);
    await system.settled(device);
    assert.equal(await system.supply(), (before + device.energy - began) * UNITS_PER_MWH);
    const placed = placedReading(device.readings, device.size);
    assert.equal(await system.verifyReading(device, 2, placed(0)), true);
  });

  describe("whose new log a stranger settles before the rest of the old one, after it lost its register,", () => {
    const MONTH = 31 * DAY;

    /** Posts what a device has; the oracle settles nothing meanwhile. */
    async function post(device: Device): Promise<void> {
      await system.chain.mineAt(device.lastTimestamp);
      await system.oracle.follower.follow();
      await upload(device, system.send, () => device.lastTimestamp);
    }

    /** A meter with an hour that is not settled in its old log. */
    async function interrupted() {
      const meter = await producing();
      meter.advance(START + 7 * HOUR);
      const old = { readings: [...meter.device.readings], energy: meter.device.energy };
      await post(meter.device);
      return { meter, old };
    }

    /** Begins a new log, of which somebody else settles the first half when it is a month old. */
    async function overtake({ device, advance }: Meter): Promise<void> {
      device.loseRegister();
      advance(START + 8 * HOUR);
      await post(device);
      await system.chain.mineAt(START + MONTH);
      const half = Math.floor(device.size / 2);
      const { signature, ...head } = device.head(half);
      const item = settlementItem({
        ...{ publicKey: device.publicKey, head, signature, capacity: CAPACITY },
        ...{ settledSize: 0, settledTimestamp: (await system.latestOf(device)).timestamp },
        ...{ range: createLog(device.readings.slice(0, half)).range, firstReading: device.readings[0] },
      });
      const { wallet } = system.conspirator;
      const call = { ...system.onWattWitness, functionName: "settle", args: [zeroHash, [item]] } as const;
      const hash = await wallet.writeContract({ ...call, chain: wallet.chain });
      assert.equal((await system.chain.publicClient.waitForTransactionReceipt({ hash })).status, "success");
      assert.equal((await system.latestOf(device)).epoch, 2);
    }

    /** Everything is minted, in whatever order, and every reading of the old log is proven. */
    async function isWhole({ device }: Meter, old: { readings: Uint8Array[]; energy: bigint }) {
      const began = energyOf(device.readings[0] as Uint8Array);
      assert.equal(await system.supply(), (old.energy + device.energy - began) * UNITS_PER_MWH);
      const placed = placedReading(old.readings, old.readings.length);
      for (const index of [0, old.readings.length - 1]) {
        assert.equal(await system.verifyReading(device, 1, placed(index)), true);
      }
      const contract = { ...system.onWattWitness, eventName: "Skipped", fromBlock: 0n } as const;
      assert.deepEqual(await system.chain.publicClient.getContractEvents(contract), []);
    }

    /** The attestations under which the old log was settled: zero = none. */
    async function vouchers(): Promise<Hex[]> {
      const contract = { ...system.onWattWitness, eventName: "Settled", fromBlock: 0n, strict: true } as const;
      const settled = await system.chain.publicClient.getContractEvents(contract);
      return settled.filter(({ args }) => args.epoch === 1).map(({ args }) => args.attestation);
    }

    it("mints the rest when it is sealed next, on the device's signature alone: it is a month old", async () => {
      const { meter, old } = await interrupted();
      await overtake(meter);
      await system.settled(meter.device);
      await isWhole(meter, old);
      assert.equal((await vouchers()).at(-1), zeroHash);
    });

    it("mints the rest that was on its way, under the attestation that it was sealed for", async () => {
      const { meter, old } = await interrupted();
      system.mirror.tamper = () => Buffer.alloc(0);
      await system.at(START + 7 * HOUR + 1);
      const [job] = system.oracle.settlement?.jobs() ?? [];
      assert.deepEqual(
        job?.items.map(({ epoch, size }) => [epoch, size]),
        [[1, old.readings.length]],
      );
      await overtake(meter);
      system.mirror.tamper = (bytes) => bytes;
      await system.settled(meter.device);
      await isWhole(meter, old);
      assert.equal((await vouchers()).at(-1), job?.root);
    });
  });

  it("settles a day of silence as the gap that it is, with what its register went on to count", async () => {
    const meter = await producing();
    const [before, size] = [meter.device.energy, meter.device.size];
    meter.sleep(START + 6 * HOUR + DAY);
    meter.advance(START + 7 * HOUR + DAY);
    const { device } = meter;
    await system.upload(device);
    await system.settled(device);
    assert.ok(device.energy > before);
    assert.equal(device.size, size + 60);
    assert.equal(await system.supply(), device.energy * UNITS_PER_MWH);
    const silence =
      timestampOf(device.readings[size] as Uint8Array) - timestampOf(device.readings[size - 1] as Uint8Array);
    assert.equal(silence, DAY + 60);
  });

  it("does not settle a head whose enclosure was opened", async () => {
    const meter = await producing();
    const supply = await system.supply();
    meter.device.tamper();
    meter.advance(START + 7 * HOUR);
    await system.upload(meter.device);
    for (let i = 0; i < 5; i++) await system.at(START + 7 * HOUR + 1 + i);
    assert.equal(system.oracle.settlement?.jobs().length, 0);
    assert.equal(await system.supply(), supply);
  });
});
