import assert from "node:assert/strict";
import { fromHex, type Head, inclusionProof, sign, toHex } from "../../protocol/index.ts";
import { headParts, hexes, publicKeyParts, signatureParts } from "../settlement.ts";
import {
  createMeter,
  deployFixture,
  type Fixture,
  headOf,
  placed,
  produce,
  refuses,
  START,
  STEP,
  signHead,
  sparseRange,
  type TestMeter,
} from "./fixture.ts";

const SIZE = 300;

describe("proofs", () => {
  let chain: Fixture;
  let meter: TestMeter;
  before(async () => {
    chain = await deployFixture();
    meter = await chain.registered(createMeter(chain.place, 1));
    await chain.at(START + 6000);
    await chain.settleAttested({ meter, to: SIZE });
  });

  const placedAt = (index: number, size = SIZE) => placed(meter, index, size);
  const verifyReading = (place: object, keyId = meter.id, epoch = 1) =>
    chain.publicClient.readContract({
      ...chain.wattWitness,
      functionName: "verifyReading",
      args: [keyId, epoch, place as never],
    });
  const verifySigned = (
    size: number,
    index: number,
    change: { signature?: Uint8Array; head?: Partial<Head>; meter?: TestMeter } = {},
  ) => {
    const of = change.meter ?? meter;
    const head = headOf(meter, size);
    const signature = signatureParts(change.signature ?? signHead(of, head));
    const args = [
      publicKeyParts(of.publicKey),
      headParts({ ...head, ...change.head }),
      signature,
      placedAt(index, size),
    ];
    return chain.publicClient.readContract({ ...chain.wattWitness, functionName: "verifySigned", args: args as never });
  };
  const energyBetween = (start: object, end: object) =>
    chain.publicClient.readContract({
      ...chain.wattWitness,
      functionName: "energyBetween",
      args: [meter.id, 1, start, end] as never,
    });

  describe("verifyReading", () => {
    it("denies a reading with any bit changed", async () => {
      const honest = placedAt(123);
      for (let bit = 0; bit < 256; bit += 5) {
        const reading = fromHex(honest.reading);
        reading[bit >> 3] = (reading[bit >> 3] as number) ^ (1 << (bit & 7));
        assert.equal(await verifyReading({ ...honest, reading: toHex(reading) }), false, `bit ${bit}`);
      }
    });

    it("denies a reading at another index, of another key, of another epoch, and beyond what is settled", async () => {
      assert.equal(await verifyReading({ ...placedAt(123), index: 124n }), false);
      assert.equal(await verifyReading(placedAt(123), `0x${"12".repeat(32)}`), false);
      assert.equal(await verifyReading(placedAt(123), meter.id, 2), false);
      assert.equal(await verifyReading(placedAt(SIZE, 600)), false);
    });

    it("confirms every settled reading", async () => {
      for (let index = 0; index < SIZE; index++)
        assert.equal(await verifyReading(placedAt(index)), true, `reading ${index}`);
    });
  });

  describe("verifySigned", () => {
    it("denies a key that is not registered", async () => {
      assert.equal(await verifySigned(600, 450, { meter: createMeter(chain.place, 2) }), false);
    });

    it("denies a head that the device did not sign", async () => {
      const signature = signHead(meter, headOf(meter, 599));
      assert.equal(await verifySigned(600, 450, { signature }), false);
      assert.equal(await verifySigned(600, 450, { head: { size: 2 ** 40 } }), false);
      assert.equal(await verifySigned(600, 450, { head: { epoch: 2 } }), false);
    });

    it("denies a log of 2^40 readings, though the device signed it, and confirms one of one less", async () => {
      const index = 12_345;
      const reading = produce({ count: 1, from: { timestamp: START + 10 } })[0] as Uint8Array;
      const verifySize = (size: number) => {
        const range = sparseRange([index], () => reading);
        const head = { epoch: 1, size, reading, root: range(0, size) };
        const place = new DataView(new ArrayBuffer(12));
        place.setUint32(0, head.epoch);
        place.setBigUint64(4, BigInt(size));
        const bytes = new Uint8Array([...meter.headDomain, ...new Uint8Array(place.buffer), ...reading, ...head.root]);
        const proof = hexes(inclusionProof(range, index, size));
        const signature = signatureParts(sign(bytes, meter.privateKey));
        const at = { index: BigInt(index), reading: toHex(reading), proof };
        const args = [publicKeyParts(meter.publicKey), headParts(head), signature, at];
        const call = { ...chain.wattWitness, functionName: "verifySigned", args } as never;
        return chain.publicClient.readContract(call);
      };
      assert.equal(await verifySize(2 ** 40), false);
      assert.equal(await verifySize(2 ** 40 - 1), true);
    });

    it("confirms a reading under any head that the device signed, settled or not", async () => {
      assert.equal(await verifySigned(600, 450), true);
      assert.equal(await verifySigned(200, 150), true);
    });
  });

  describe("energyBetween", () => {
    it("refuses a reading that is not part of the log, naming which", async () => {
      const lie = { ...placedAt(100), reading: placedAt(101).reading };
      await refuses(energyBetween(lie, placedAt(200)), "ReadingNotProven", [meter.id, 1, 100n]);
      await refuses(energyBetween(placedAt(50), lie), "ReadingNotProven", [meter.id, 1, 100n]);
    });

    it("refuses to go backward", async () => {
      await refuses(energyBetween(placedAt(200), placedAt(100)), "EnergyBackward", [
        meter.id,
        100n * STEP,
        200n * STEP,
      ]);
    });

    it("tells what was produced between two readings, to the mWh", async () => {
      assert.equal(await energyBetween(placedAt(100), placedAt(200)), 100n * STEP);
      assert.equal(await energyBetween(placedAt(7), placedAt(7)), 0n);
    });
  });
});
