import assert from "node:assert/strict";
import type { Hex } from "viem";
import {
  createMeter,
  deployFixture,
  type Fixture,
  placed,
  produce,
  refuses,
  START,
  STATUS,
  STEP,
  type TestMeter,
} from "./fixture.ts";

describe("the lens", () => {
  let chain: Fixture;
  let meter: TestMeter;
  let next: TestMeter;
  /** Epoch 1 of 300 readings, epoch 2 of 200 whose register went on, then another key with 100. */
  before(async () => {
    chain = await deployFixture();
    meter = await chain.registered(createMeter(chain.place, 1, produce({ count: 300 })));
    meter.begin(2, produce({ count: 200, from: { timestamp: START + 3500, energy: 340n * STEP } }));
    meter.begin(3, produce({ count: 50, from: { timestamp: START + 6000, energy: 7n } }));
    next = createMeter(chain.place, 2, produce({ count: 100, from: { timestamp: START + 7000, energy: 9n * STEP } }));
    await chain.at(START + 7000);
    for (const [epoch, to] of [
      [1, 300],
      [2, 200],
      [3, 50],
    ] as const) {
      await chain.settleAttested(await chain.partOf(meter, epoch, to));
    }
    await chain.rotate(meter.id, meter, next);
    await chain.at(START + 8000);
    await chain.settleAttested({ meter: next, to: 100 });
  });

  const metersOf = (...meters: Hex[]) =>
    chain.publicClient.readContract({ ...chain.lens, functionName: "metersOf", args: [meters] });
  const energyOf = (spans: ReturnType<typeof span>[], of: Hex = meter.id) =>
    chain.publicClient.readContract({ ...chain.lens, functionName: "energyOf", args: [of, spans] });
  const SIZES = new Map([
    [1, 300],
    [2, 200],
    [3, 50],
  ]);
  const span = (device: TestMeter, epoch: number, start: number, end: number) => {
    const size = device === next ? 100 : (SIZES.get(epoch) as number);
    const at = (index: number) => placed(device, index, size, epoch);
    return { keyId: device.id, epoch, start: at(start), end: at(end) };
  };

  it("answers for many meters at once, and with nothing for what is none", async () => {
    const unknown = createMeter(chain.place, 9).id;
    // a key that is not its meter's first is no meter
    const [known, none, key] = await metersOf(meter.id, unknown, next.id);
    assert.deepEqual(known, (await chain.registryView("meterOf", meter.id)) as unknown);
    assert.equal(known?.status, STATUS.Active);
    assert.deepEqual([none?.status, key?.status], [STATUS.None, STATUS.None]);
  });

  describe("energy between two times", () => {
    it("is refused without a span", () => refuses(energyOf([]), "NoSpans"));

    it("is refused of another meter's key", async () => {
      const other = createMeter(chain.place, 9).id;
      await refuses(energyOf([span(meter, 1, 0, 9)], other), "KeyOfAnother", [meter.id, other]);
    });

    it("is refused where time goes backward, between spans or in one", async () => {
      const spans = [span(meter, 1, 100, 200), span(meter, 1, 199, 250)];
      await refuses(energyOf(spans), "TimeBackward", [1n, START + 1990, START + 2000]);
      await refuses(energyOf([span(meter, 1, 20, 10)]), "TimeBackward", [0n, START + 100, START + 200]);
    });

    it("is refused of a reading that is not part of its log", async () => {
      const lie = {
        ...span(meter, 1, 0, 9),
        end: { ...placed(meter, 9, 300), reading: placed(meter, 8, 300).reading },
      };
      await refuses(energyOf([lie]), "ReadingNotProven", [meter.id, 1, 9n]);
    });

    it("is what was produced, within one log", async () => {
      assert.deepEqual(await energyOf([span(meter, 1, 100, 200)]), [100n * STEP, START + 1000, START + 2000]);
    });

    it("goes over epochs, with what the register counted between them, and nothing where it was lost", async () => {
      const spans = [span(meter, 1, 250, 299), span(meter, 2, 0, 199), span(meter, 3, 0, 49)];
      const within = 49n + 199n + 49n;
      assert.deepEqual(await energyOf(spans), [(within + 41n) * STEP, START + 2500, START + 6490]);
    });

    it("goes over keys, and counts nothing between them", async () => {
      const spans = [span(meter, 3, 9, 49), span(next, 1, 0, 99)];
      assert.deepEqual(await energyOf(spans), [(40n + 99n) * STEP, START + 6090, START + 7990]);
      // also where the next key's register stands higher
      const higher = [span(meter, 3, 0, 5), span(next, 1, 20, 99)];
      assert.equal((await energyOf(higher))[0], (5n + 79n) * STEP);
    });

    it("is all that was minted, from a meter's baseline to its last reading", async () => {
      const spans = [span(meter, 1, 0, 299), span(meter, 2, 0, 199), span(meter, 3, 0, 49), span(next, 1, 0, 99)];
      const [energy] = await energyOf(spans);
      assert.equal(energy * 10n ** 12n, await chain.supply());
    });
  });
});
