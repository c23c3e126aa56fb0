import assert from "node:assert/strict";
import { p256 } from "@noble/curves/nist.js";
import { type Hex, zeroHash } from "viem";
import { encodeHead, type Head, sign, toHex } from "../../protocol/index.ts";
import { headParts, publicKeyParts, signatureParts } from "../settlement.ts";
import {
  attestedItems,
  createMeter,
  deployFixture,
  type Fixture,
  headOf,
  placed,
  produce,
  refuses,
  SKIP_REASONS,
  START,
  STATUS,
  STEP,
  signHead,
  type TestMeter,
  UNITS,
} from "./fixture.ts";

describe("an equivocation", () => {
  let chain: Fixture;
  let meter: TestMeter;
  /** the same device, telling another story from its reading 150 on */
  let liar: TestMeter;
  beforeEach(async () => {
    chain = await deployFixture();
    meter = await chain.registered(createMeter(chain.place, 1));
    await chain.at(START + 6000);
    await chain.settleAttested({ meter, to: 100 });
    const other = produce({ count: 600, from: { temperature: 2100 } }).slice(150);
    liar = createMeter(chain.place, 1, [...meter.readingsOf().slice(0, 150), ...other]);
  });

  type Placed = { index: bigint; reading: Hex; proof: Hex[] };
  type Proof = Parameters<typeof proofOf>[0];
  /** Of the head that `meter` signed at `size`, and the one that `liar` signed at `laterSize`. */
  const proofOf = ({
    size = 200,
    laterSize = 400,
    first = headOf(meter, size),
    second = headOf(liar, laterSize),
    device = meter,
    secondSignature = signHead(liar, second),
    index = size - 1,
    one = placed(device, index, size),
    other = placed(liar, index, Math.max(size, laterSize)),
  }: {
    size?: number;
    laterSize?: number;
    first?: Head;
    second?: Head;
    device?: TestMeter;
    secondSignature?: Uint8Array;
    index?: number;
    one?: Placed;
    other?: Placed;
  } = {}) => ({
    key: publicKeyParts(device.publicKey),
    first: headParts(first),
    firstSignature: signatureParts(signHead(device, first)),
    second: headParts(second),
    secondSignature: signatureParts(secondSignature),
    one,
    other,
  });
  const prove = (options: Proof = {}, by = chain.stranger) =>
    chain.send({ ...chain.wattWitness, functionName: "proveEquivocation", args: [proofOf(options)] }, by);
  const nothing: Placed = { index: 0n, reading: zeroHash, proof: [] };
  const sameSize = { size: 200, laterSize: 200, one: nothing, other: nothing };

  describe("is not proven", () => {
    it("of a key that was never registered", async () => {
      const other = createMeter(chain.place, 2);
      await refuses(prove({ device: other }), "KeyUnknown", [other.id]);
    });

    it("by one head, signed twice with another nonce", async () => {
      const head = headOf(meter, 200);
      const again = signatureOfOtherNonce(meter, head);
      assert.notDeepEqual(again, signHead(meter, head));
      await refuses(prove({ ...sameSize, second: head, secondSignature: again }), "ReadingsEqual", [meter.id, 0n]);
      const last = { ...nothing, index: 199n, reading: toHex(head.reading) };
      const lie = { ...last, reading: toHex(headOf(liar, 200).reading) };
      const signed = { ...sameSize, second: head, secondSignature: again };
      await refuses(prove({ ...signed, one: last, other: lie }), "ReadingNotProven", [meter.id, 1, 199n]);
      await refuses(prove({ ...signed, one: lie, other: last }), "ReadingNotProven", [meter.id, 1, 199n]);
    });

    it("by two heads of a log that only grew", async () => {
      const honest = { second: headOf(meter, 400), other: placed(meter, 199, 400) };
      await refuses(prove(honest), "ReadingsEqual", [meter.id, 199n]);
    });

    it("by readings of two places", async () => {
      await refuses(prove({ other: placed(liar, 200, 400) }), "IndicesDiffer", [meter.id, 199n, 200n]);
    });

    it("by a reading that a log does not have there, whichever of the two", async () => {
      const moved = { ...placed(liar, 200, 400), index: 199n };
      await refuses(prove({ other: moved }), "ReadingNotProven", [meter.id, 1, 199n]);
      await refuses(prove({ other: { ...placed(liar, 199, 400), proof: [] } }), "ReadingNotProven");
      const elsewhere = { second: headOf(meter, 400), other: placed(liar, 199, 400) };
      await refuses(prove(elsewhere), "ReadingNotProven");
      const last = { index: 170n, reading: toHex(headOf(meter, 200).reading), proof: [] };
      await refuses(prove({ index: 170, one: last }), "ReadingNotProven", [meter.id, 1, 170n]);
      const early = { index: 170, other: placed(liar, 170, 400) };
      await refuses(prove({ ...early, one: { ...placed(meter, 171, 200), index: 170n } }), "ReadingNotProven");
      await refuses(prove({ ...early, one: { ...placed(meter, 170, 200), proof: [] } }), "ReadingNotProven");
    });

    it("by what a head says of a reading that it does not cover", async () => {
      const beyond = { one: placed(meter, 200, 201), other: placed(liar, 200, 400) };
      await refuses(prove(beyond), "ReadingNotProven", [meter.id, 1, 200n]);
    });

    it("by heads of two epochs", async () => {
      await refuses(prove({ second: { ...headOf(liar, 400), epoch: 2 } }), "HeadsNotComparable", [meter.id]);
    });

    it("by heads in the wrong order, or of no size", async () => {
      await refuses(prove({ size: 400, laterSize: 200 }), "HeadsNotComparable");
      const empty = { ...headOf(meter, 200), size: 0 };
      const headOfSize = (size: bigint) => ({ ...proofOf({}), first: { ...headParts(empty), size } });
      const send = (proof: object) =>
        chain.send({ ...chain.wattWitness, functionName: "proveEquivocation", args: [proof] });
      await refuses(send(headOfSize(0n)), "HeadsNotComparable");
      const huge = { ...proofOf({}), second: { ...headParts(headOf(liar, 400)), size: 2n ** 40n } };
      await refuses(send(huge), "HeadsNotComparable");
    });

    it("by a head that the key did not sign, whichever of the two", async () => {
      const forged = sign(encodeHead(meter.headDomain, headOf(liar, 400)), new Uint8Array(32).fill(9));
      await refuses(prove({ secondSignature: forged }), "SignatureInvalid");
      const proof = proofOf({});
      const send = chain.send({
        ...chain.wattWitness,
        functionName: "proveEquivocation",
        args: [{ ...proof, firstSignature: proof.secondSignature }],
      });
      await refuses(send, "SignatureInvalid");
    });

    it("by what the key signed for another chain", async () => {
      const elsewhere = createMeter({ ...chain.place, chainId: 1 }, 1, liar.readingsOf());
      const second = headOf(liar, 400);
      await refuses(prove({ second, secondSignature: signHead(elsewhere, second) }), "SignatureInvalid");
    });
  });

  const lie = (of: TestMeter) => of.readingsOf()[300] as Uint8Array;
  for (const [name, evidence] of [
    ["two heads of the same size", () => sameSize],
    ["a later log that has another reading where the earlier head ends", () => ({})],
    ["the earlier head's own reading against a later log", () => ({ one: { ...placed(meter, 199, 200), proof: [] } })],
    ["another reading anywhere that both logs cover", () => ({ index: 150 })],
    [
      "two stories that part and meet again before the earlier head ends",
      () => {
        const readings = [...meter.readingsOf()];
        readings[150] = liar.readingsOf()[150] as Uint8Array;
        const forked = createMeter(chain.place, 1, readings);
        const second = headOf(forked, 400);
        const other = placed(forked, 150, 400);
        return { index: 150, second, secondSignature: signHead(forked, second), other };
      },
    ],
    [
      "one head whose reading is not the last of its log",
      () => {
        const head = { ...headOf(meter, 200), reading: lie(meter) };
        const own = { ...nothing, index: 199n, reading: toHex(head.reading) };
        return { size: 200, laterSize: 200, first: head, second: head, one: own, other: placed(meter, 199, 200) };
      },
    ],
  ] as [string, () => Proof][]) {
    it(`is proven by ${name}, by anyone: the meter is frozen`, async () => {
      const options = evidence();
      await prove(options);
      assert.equal((await chain.termsOf(meter)).status, STATUS.Frozen);
      const [event] = await chain.eventsOf("Equivocated");
      const { first, second } = proofOf(options);
      assert.deepEqual(event, {
        ...{ keyId: meter.id, frozen: true, epoch: 1 },
        ...{ firstSize: first.size, firstReading: first.reading, firstRoot: first.root },
        ...{ secondSize: second.size, secondReading: second.reading, secondRoot: second.root },
      });
    });
  }

  describe("of a meter's current key", () => {
    it("lets it mint nothing any more: its items are skipped, and the others' are not", async () => {
      const other = createMeter(chain.place, 2, produce({ count: 200, from: { timestamp: START + 5000 } }));
      await chain.registered(other);
      await chain.at(START + 8000);
      const { attestation, items } = attestedItems([
        { meter, to: 150, settled: 100 },
        { meter: other, to: 200 },
      ]);
      await chain.attest(attestation);
      const supply = await chain.supply();
      await prove();
      await chain.settle(attestation, items);
      assert.equal((await chain.supply()) - supply, 199n * STEP * UNITS);
      const [skipped] = await chain.eventsOf("Skipped");
      assert.deepEqual(skipped, { keyId: meter.id, attestation, reason: SKIP_REASONS.Frozen, epoch: 1, size: 150n });
    });

    it("is on record as often as it is shown", async () => {
      await prove();
      await prove(sameSize);
      const events = await chain.eventsOf("Equivocated");
      assert.deepEqual(
        events.map(({ frozen }) => frozen),
        [true, false],
      );
      assert.equal((await chain.termsOf(meter)).status, STATUS.Frozen);
    });

    it("ends with the owner's rotation to another key", async () => {
      await prove();
      const next = createMeter(chain.place, 2, produce({ count: 200, from: { timestamp: START + 6000 } }));
      await chain.rotate(meter.id, meter, next);
      assert.equal((await chain.termsOf(meter)).status, STATUS.Superseded);
      await chain.at(START + 9000);
      const supply = await chain.supply();
      await chain.settleAttested({ meter: next, to: 200 });
      assert.equal((await chain.supply()) - supply, 199n * STEP * UNITS);
    });

    it("changes what its metadata says, and tells it", async () => {
      const receipt = await prove();
      assert.deepEqual(chain.toldBy(receipt), ["MetadataUpdate", "Equivocated"]);
      const [update] = (await chain.eventsOf("MetadataUpdate")).slice(-1);
      assert.deepEqual(update, { _tokenId: BigInt(meter.id) });
    });

    it("leaves what was settled provable", async () => {
      await prove();
      const args = [meter.id, 1, placed(meter, 50, 100)] as const;
      const call = { ...chain.wattWitness, functionName: "verifyReading", args } as const;
      assert.equal(await chain.publicClient.readContract(call), true);
    });
  });

  describe("of a key that is over", () => {
    it("is only put on record: who kept the old chip cannot freeze the present owner", async () => {
      const next = createMeter(chain.place, 2, produce({ count: 200, from: { timestamp: START + 6000 } }));
      await chain.rotate(meter.id, meter, next);
      assert.deepEqual(chain.toldBy(await prove()), ["Equivocated"]);
      assert.equal((await chain.eventsOf("Equivocated"))[0]?.["frozen"], false);
      assert.equal((await chain.termsOf(meter)).status, STATUS.Superseded);
      assert.equal((await chain.termsOf(next)).status, STATUS.Active);
    });

    it("does not bring a decommissioned meter back", async () => {
      await chain.registryCall("decommission", [meter.id], chain.owner);
      await prove();
      assert.equal((await chain.termsOf(meter)).status, STATUS.Decommissioned);
    });
  });
});

/** A signature over the same head with a nonce of its own: both are good. */
function signatureOfOtherNonce(meter: TestMeter, head: Head): Uint8Array {
  const options = { lowS: true, extraEntropy: new Uint8Array(32).fill(7) };
  return p256.sign(encodeHead(meter.headDomain, head), meter.privateKey, options);
}
