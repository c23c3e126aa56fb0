import assert from "node:assert/strict";
import fc from "fast-check";
import { clearSky, cloudCover, type Installation, sunPower } from "../sun.ts";

const GOLDEN: Installation = { latitude: 39.74, longitude: -105.17, capacity: 5000, seed: "a roof" };
const MIDSUMMER = Date.parse("2026-06-21T00:00:00Z") / 1000;
const NOON = Date.parse("2026-06-21T19:00:00Z") / 1000; // the sun is highest at Golden's longitude
const DAY = Array.from({ length: 144 }, (_, i) => MIDSUMMER + i * 600);

describe("the modelled sun", () => {
  it("gives nothing at night", () => {
    const midnight = Date.parse("2026-06-21T07:00:00Z") / 1000;
    assert.equal(sunPower(GOLDEN)(midnight), 0n);
  });

  it("is strongest at noon", () => {
    const best = DAY.reduce((a, b) => (clearSky(GOLDEN, b) > clearSky(GOLDEN, a) ? b : a));
    assert.ok(Math.abs(best - NOON) <= 1800, new Date(best * 1000).toISOString());
    assert.ok(clearSky(GOLDEN, NOON) > 0.8);
  });

  it("is weaker in winter", () => {
    const midwinter = Date.parse("2026-12-21T19:00:00Z") / 1000;
    assert.ok(clearSky(GOLDEN, midwinter) < 0.7 * clearSky(GOLDEN, NOON));
  });

  it("never gives more than the capacity or less than nothing, anywhere at any time", () => {
    fc.assert(
      fc.property(
        fc.record({
          latitude: fc.integer({ min: -90, max: 90 }),
          longitude: fc.integer({ min: -180, max: 180 }),
          capacity: fc.integer({ min: 1, max: 1_000_000 }),
          seed: fc.string(),
        }),
        fc.integer({ min: 0, max: 0xffff_ffff }),
        (installation, timestamp) => {
          const power = sunPower(installation)(timestamp) as bigint;
          assert.ok(power >= 0n && power <= BigInt(installation.capacity) * 1000n);
        },
      ),
    );
  });

  it("has the same clouds for the same seed in any order, and others for another", () => {
    const forward = DAY.map((moment) => sunPower(GOLDEN)(moment));
    const backward = DAY.toReversed().map((moment) => sunPower({ ...GOLDEN })(moment));
    assert.deepEqual(backward.toReversed(), forward);
    assert.notDeepEqual(
      DAY.map((moment) => sunPower({ ...GOLDEN, seed: "another roof" })(moment)),
      forward,
    );
  });

  it("has clouds that come and go", () => {
    const covers = DAY.map((moment) => cloudCover(GOLDEN.seed, moment));
    assert.ok(Math.max(...covers) > 0.4);
    assert.ok(Math.min(...covers) < 0.2);
  });
});
