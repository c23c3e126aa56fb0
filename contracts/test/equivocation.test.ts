import assert from "node:assert/strict";
import { p256 } from "@noble/curves/nist.js";
import { type Hex, zeroHash } from "viem";
import { encodeHead, type Head, sign } from "../../protocol/index.ts";
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

  type Proof = Parameters<typeof proofOf>[0];
  /** Of the head that `meter` signed at `size`, and the one that `liar` signed at `laterSize`. */
  const proofOf = ({
    size = 200,
    laterSize = 400,
    first = headOf(meter, size),
    second = headOf(liar, laterSize),
    device = meter,
    secondSignature = signHead(liar, second),
    rewritten = placed(liar, size - 1, Math.max(size, laterSize)),
  }: {
    size?: number;
    laterSize?: number;
    first?: Head;
    second?: Head;
    device?: TestMeter;
    secondSignature?: Uint8Array;
    rewritten?: { reading: Hex; proof: Hex[] };
  }) => ({
    key: publicKeyParts(device.publicKey),
    first: headParts(first),
    firstSignature: signatureParts(signHead(device, first)),
    second: headParts(second),
    secondSignature: signatureParts(secondSignature),
    reading: rewritten.reading,
    proof: rewritten.proof,
  });
  const prove = (options: Proof = {}, by = chain.stranger) =>
    chain.send({ ...chain.wattWitness, functionName: "proveEquivocation", args: [proofOf(options)] }, by);
  const sameSize = { size: 200, laterSize: 200, rewritten: { reading: zeroHash, proof: [] } };

  describe("is not proven", () => {
    it("of a key that was never registered", async () => {
      const other = createMeter(chain.place, 2);
      await refuses(prove({ device: other }), "KeyUnknown", [other.id]);
    });

    it("by one head, signed twice with another nonce", async () => {
      const head = headOf(meter, 200);
      const again = signatureOfOtherNonce(meter, head);
      assert.notDeepEqual(again, signHead(meter, head));
      await refuses(prove({ ...sameSize, second: head, secondSignature: again }), "HeadsEqual");
    });

    it("by two heads of a log that only grew", async () => {
      const honest = { second: headOf(meter, 400), rewritten: placed(meter, 199, 400) };
      await refuses(prove(honest), "ReadingsEqual", [meter.id, 199n]);
    });

    it("by a reading that the later log does not have there", async () => {
      await refuses(prove({ rewritten: placed(liar, 200, 400) }), "ReadingNotProven", [meter.id, 1, 199n]);
      await refuses(prove({ rewritten: { ...placed(liar, 199, 400), proof: [] } }), "ReadingNotProven");
      const elsewhere = { second: headOf(meter, 400), rewritten: placed(liar, 199, 400) };
      await refuses(prove(elsewhere), "ReadingNotProven");
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

  for (const [name, options] of [
    ["two heads of the same size", sameSize],
    ["a later log that has another reading where the earlier head ends", {}],
  ] as const) {
    it(`is proven by ${name}, by anyone: the meter is frozen`, async () => {
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
      await prove();
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
