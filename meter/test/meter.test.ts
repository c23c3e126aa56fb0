import assert from "node:assert/strict";
import fc from "fast-check";
import { checkReadings, energyOf, generatePrivateKey, timestampOf } from "../../protocol/index.ts";
import { createDevice } from "../device.ts";
import { createMeter, type Meter, type PowerAt } from "../meter.ts";
import { createRegister } from "../register.ts";
import { sunPower } from "../sun.ts";

const PLACE = { chainId: 31337, registry: "0x5fbdb2315678afecb367f032d93f642f64180aa3" };
const START = 1_773_964_800;

const meterOf = (powerAt: PowerAt, interval = 60): Meter =>
  createMeter({
    device: createDevice({ privateKey: generatePrivateKey(), epoch: 1, interval, source: 0, place: PLACE }),
    powerAt,
    start: START,
  });

describe("a meter's register", () => {
  it("loses nothing to rounding, in whatever steps power is counted", () => {
    const step = fc.tuple(fc.bigInt({ min: -1000n, max: 10_000_000n }), fc.integer({ min: 1, max: 900 }));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const register = createRegister();
        let exact = 0n; // mW·s
        for (const [power, seconds] of steps) {
          register.add(power, seconds);
          if (power > 0n) exact += power * BigInt(seconds);
          assert.equal(register.energy, exact / 3600n);
        }
      }),
    );
  });

  it("does not count negative power", () => {
    const register = createRegister();
    register.add(-2_709n, 86_400);
    assert.equal(register.energy, 0n);
  });
});

describe("a meter", () => {
  it("takes a reading at every multiple of the interval", () => {
    const meter = meterOf(() => 1_000_000n, 10);
    assert.equal(meter.advance(START + 3605), 360);
    assert.deepEqual(meter.device.readings.map(timestampOf).slice(0, 3), [START + 10, START + 20, START + 30]);
  });

  it("measures in an hour at 1 kW 1 kWh, less the interval before its first reading", () => {
    const meter = meterOf(() => 1_000_000n, 60);
    meter.advance(START + 60 + 3600);
    assert.equal(meter.device.energy, 1_000_000n);
  });

  it("takes no reading where power is not known", () => {
    const meter = meterOf((moment) => (moment < START + 600 || moment > START + 1200 ? 1000n : undefined));
    assert.equal(meter.advance(START + 1800), 9 + 10);
  });

  it("counts on while its device sleeps", () => {
    const meter = meterOf(() => 3_600_000n);
    meter.advance(START + 60);
    meter.sleep(START + 86_400);
    assert.equal(meter.device.size, 1);
    meter.advance(START + 86_400 + 60);
    assert.equal(meter.device.size, 2);
    assert.equal(meter.device.energy, 1000n * 86_400n);
  });

  it("synchronises its clock after a reboot and every hour", () => {
    const meter = meterOf(() => 1000n);
    meter.advance(START + 60);
    meter.device.reboot();
    assert.equal(meter.advance(START + 3 * 86_400), 3 * 1440 - 1);
    assert.ok(meter.device.readings.every((reading) => reading[31] === 0));
  });

  it("makes of a day of sun a log that its capacity allows", () => {
    const capacity = 5000;
    const powerAt = sunPower({ latitude: 48.2, longitude: 16.4, capacity, seed: "Vienna" });
    const meter = meterOf(powerAt);
    meter.advance(START + 86_400);
    assert.equal(meter.device.size, 1440);
    assert.ok(energyOf(meter.device.readings.at(-1) as Uint8Array) > 2_000_000n);
    assert.ok(checkReadings(meter.device.readings, capacity).ok);
  });
});
