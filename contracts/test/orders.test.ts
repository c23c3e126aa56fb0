/** Epochs settled in any order, and whatever chip and attestor sign: what must hold all the same. */
import assert from "node:assert/strict";
import { encodeReading, energyOf, type Head, timestampOf } from "../../protocol/index.ts";
import {
  attestedItems,
  bent,
  CAPACITY,
  createMeter,
  deployFixture,
  dice,
  type Fixture,
  headOf,
  produce,
  SOURCE,
  START,
  signHead,
  UNITS,
} from "./fixture.ts";

/** mWh that `seconds` s of full power make. */
const atMost = (seconds: number): bigint => (BigInt(CAPACITY) * 1000n * BigInt(seconds)) / 3600n;

describe("epochs, in any order", () => {
  let chain: Fixture;
  beforeEach(async () => {
    chain = await deployFixture();
    await chain.at(START + 6000);
  });

  /** Readings of an epoch, the first at START + `time`. */
  const later = (energy: bigint, time: number, count: number) =>
    produce({ count, from: { timestamp: START + time, energy } });
  const minted = async () => (await chain.supply()) / UNITS;

  for (let seed = 1; seed <= 6; seed++) {
    it(`mint the same in whatever order they are settled: what the register rose, story ${seed}`, async () => {
      const roll = dice(seed);
      const device = createMeter(chain.place, 100 + seed, []);
      const all: Uint8Array[] = [];
      let [time, energy] = [6000, BigInt(roll(3) * 1000)];
      const epochs = [1, 2, 3, 4];
      for (const epoch of epochs) {
        const readings = later(energy, time, 5 + roll(20));
        device.begin(epoch, readings);
        all.push(...readings);
        time += readings.length * 10 + 10 * roll(30);
        energy = roll(2) === 0 ? BigInt(roll(200_000)) : energyOf(readings.at(-1) as Uint8Array) + BigInt(roll(5000));
      }
      await chain.register(device);
      await chain.at(START + time + 60);
      const before = await minted();

      const settle = async (epoch: number, to: number) => {
        const part = await chain.partOf(device, epoch, to);
        if (to > (part.settled as number)) await chain.settleAttested(part);
      };
      for (let step = 0; step < 12; step++) {
        const epoch = epochs[roll(epochs.length)] as number;
        await settle(epoch, 1 + roll(device.readingsOf(epoch).length));
      }
      // a head that added nothing may do so after another one
      for (let was = -1n; was !== (await minted()); ) {
        was = await minted();
        for (const epoch of epochs) await settle(epoch, device.readingsOf(epoch).length);
      }

      const rises = all.slice(1).map((reading, i) => energyOf(reading) - energyOf(all[i] as Uint8Array));
      const rise = rises.filter((each) => each > 0n).reduce((sum, each) => sum + each, 0n);
      assert.equal((await minted()) - before, rise);
    });
  }

  it("never mint more than capacity x time, whatever chip and attestor sign", async function () {
    this.timeout(120_000);
    const roll = dice(12_345);
    const outcomes = { Settled: 0, Skipped: 0, refused: 0, rests: 0 };
    let [device, seed, now] = [
      await chain.registered(createMeter(chain.place, 50, later(0n, 5990, 1))),
      50,
      START + 6060,
    ];
    const [meterId, supply] = [device.id, await minted()];
    for (let step = 0; step < 300; step++) {
      now += 12 + roll(400);
      await chain.at(now);
      if (roll(60) === 0) {
        const next = createMeter(chain.place, ++seed, later(BigInt(roll(1000)), now - START, 1));
        await chain.rotate(meterId, device, next);
        device = next;
      }
      const epoch = 1 + roll(12);
      const latest = await chain.latestOf(device);
      const grown = [...(device.readingsOf(epoch) ?? [])].slice(0, Number((await chain.logOf(device, epoch))[0]));
      const part = await chain.partOf(device, epoch, 0);
      const isRest = epoch < latest.epoch;
      const base = Math.max(isRest ? (part.settledTimestamp as number) : latest.timestamp, START);
      for (let count = 1 + roll(3); count > 0; count--) {
        const timestamp = roll(3) === 0 && !isRest ? now + 300 - roll(3000) : base + roll(500) - 50;
        const possible = atMost(Math.max(0, timestamp - base));
        const energy =
          roll(4) === 0 ? BigInt(roll(100_000)) : latest.energy + (possible * BigInt(80 + roll(40))) / 100n;
        grown.push(encodeReading({ timestamp, energy, power: 0n, source: SOURCE, conditions: 0 }));
      }
      const liar = { ...device, readingsOf: () => grown };
      const lie: Partial<Head> =
        roll(6) === 0
          ? { reading: bent(grown.at(-1) as Uint8Array, { energy: latest.energy + BigInt(roll(1_000_000)) }) }
          : {};
      const signature = signHead(device, { ...headOf(liar, grown.length, epoch), ...lie });
      const { attestation, items } = attestedItems([{ ...part, to: grown.length, meter: liar, head: lie, signature }]);
      await chain.attest(attestation);
      const receipt = await chain.settle(attestation, items).catch(() => undefined);
      const outcome = receipt ? (chain.toldBy(receipt).at(-1) as "Settled" | "Skipped") : "refused";
      outcomes[outcome] += 1;
      if (outcome === "Settled") {
        device.begin(epoch, grown);
        if (epoch < latest.epoch) outcomes.rests += 1;
      }
      const end = (await chain.latestOf(device)).timestamp;
      const most = atMost(end - timestampOf(later(0n, 5990, 1)[0] as Uint8Array));
      assert.ok((await minted()) - supply <= most, `${(await minted()) - supply} mWh, above ${most}, at step ${step}`);
    }
    for (const [outcome, count] of Object.entries(outcomes)) assert.ok(count > 3, `${outcome}: only ${count}`);
  });
});
