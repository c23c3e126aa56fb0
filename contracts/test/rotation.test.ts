import assert from "node:assert/strict";
import { getAddress, type Hex } from "viem";
import { domain, encodeRotation, fromHex, sign } from "../../protocol/index.ts";
import { ROLES } from "../deploy.ts";
import { headParts, publicKeyParts, signatureParts } from "../settlement.ts";
import {
  CHANGE,
  claimOf,
  createMeter,
  deployFixture,
  type Fixture,
  headOf,
  newKeyOf,
  placed,
  produce,
  refuses,
  registrationOf,
  rotationOf,
  SKIP_REASONS,
  START,
  STATUS,
  STEP,
  signHead,
  type TestMeter,
  UNITS,
  unattestedItem,
  ZERO,
} from "./fixture.ts";

const DAY = 24 * 3600;
/** s into the meter's log, when the old key has settled 300 readings and the new one begins */
const ROTATION = 5000;

describe("a meter's key", () => {
  let chain: Fixture;
  let old: TestMeter;
  let next: TestMeter;
  let meter: Hex;
  beforeEach(async () => {
    chain = await deployFixture();
    old = await chain.registered(createMeter(chain.place, 1));
    meter = old.id;
    await chain.at(START + ROTATION);
    await chain.settleAttested({ meter: old, to: 300 });
    next = createMeter(chain.place, 2, produce({ count: 600, from: { timestamp: START + ROTATION } }));
  });

  describe("is not rotated", () => {
    it("by anybody but the meter's owner", async () => {
      const newKey = newKeyOf(next, meter, chain.stranger.account.address);
      const by = getAddress(chain.stranger.account.address);
      await refuses(chain.rotate(meter, old, next, { newKey }, chain.stranger), "CallerNotOwner", [by, meter]);
      await refuses(chain.rotate(next.id, old, next), "CallerNotOwner");
    });

    it("once the meter is decommissioned", async () => {
      await chain.registryCall("decommission", [meter]);
      await refuses(chain.rotate(meter, old, next), "MeterIsDecommissioned", [meter]);
    });

    describe("without a rotation that", () => {
      const rotations: [string, () => ReturnType<typeof rotationOf>][] = [
        ["the old key signed", () => rotationOf(next, meter, next.id)],
        ["names the new key", () => rotationOf(old, meter, old.id)],
        ["names this meter", () => rotationOf(old, next.id, next.id)],
        ["is for this chain", () => rotationOf({ ...old, place: { ...old.place, chainId: 1 } }, meter, next.id)],
        [
          "is for this registry",
          () => rotationOf({ ...old, place: { ...old.place, registry: chain.deployment.token } }, meter, next.id),
        ],
        [
          "is no other kind of statement",
          () => {
            const statement = encodeRotation(domain("head", old.place), {
              meter: fromHex(meter),
              newKeyId: fromHex(next.id),
            });
            return signatureParts(sign(statement, old.privateKey));
          },
        ],
      ];
      for (const [name, rotation] of rotations) {
        it(name, async () => {
          const call = chain.rotate(meter, old, next, { rotation: rotation() });
          await refuses(call, "RotationInvalid", [meter, old.id, next.id]);
        });
      }
    });

    it("on the word of another key than the current one", async () => {
      const key = publicKeyParts(next.publicKey);
      const call = chain.rotate(meter, old, next, { key, rotation: rotationOf(next, meter, next.id) });
      await refuses(call, "RotationInvalid", [meter, old.id, next.id]);
    });

    it("without the new key's claim to this meter, for this owner", async () => {
      const owner = chain.owner.account.address;
      const newKey = newKeyOf(next, meter, owner);
      const claims = [
        claimOf(next, { owner }),
        claimOf(next, { meter, owner: chain.stranger.account.address }),
        claimOf(next, { meter, owner, size: 2 }),
        claimOf(old, { meter, owner }),
      ];
      for (const claim of claims) {
        await refuses(chain.rotate(meter, old, next, { newKey: { ...newKey, claim } }), "ClaimInvalid");
      }
    });

    it("to a key that was used before, here or elsewhere", async () => {
      await refuses(chain.rotate(meter, old, { ...old, readingsOf: next.readingsOf }, {}), "KeyAlreadyUsed", [old.id]);
      const other = await chain.registered(createMeter(chain.place, 3, next.readingsOf()));
      await refuses(chain.rotate(meter, old, other), "KeyAlreadyUsed", [other.id]);
    });

    it("to a baseline that is not later than the last settled reading", async () => {
      const early = createMeter(chain.place, 2, produce({ count: 1, from: { timestamp: START + 2990 } }));
      const args = [early.id, START + 2990, START + 2990];
      await refuses(chain.rotate(meter, old, early), "TimeNotForward", args);
    });

    it("while whoever still has the old chip settles ahead of the clock, where that is always allowed, until he is shown to tell two stories", async () => {
      chain = await deployFixture("default", 0);
      const ahead = (i: number) =>
        produce({ count: 1, from: { timestamp: START + 1000 + i * 240 + 299, energy: BigInt(i) } });
      const thief = createMeter(chain.place, 1, [...produce({ count: 1 }), ...[0, 1, 2, 3].flatMap(ahead)]);
      await chain.registered(thief);
      const settle = async (i: number) => {
        await chain.at(START + 1000 + i * 240);
        const settledTimestamp = i === 0 ? START : START + 1000 + (i - 1) * 240 + 299;
        await chain.settle(ZERO, [unattestedItem({ meter: thief, to: i + 2, settled: i + 1, settledTimestamp })]);
      };
      const rotate = async (i: number) => {
        const timestamp = START + 1000 + i * 240 + 200;
        await chain.at(timestamp);
        return chain.rotate(
          thief.id,
          thief,
          createMeter(chain.place, 50 + i, produce({ count: 1, from: { timestamp } })),
        );
      };
      for (const i of [0, 1]) {
        await settle(i);
        await refuses(rotate(i), "TimeNotForward");
      }
      // the owner's own head of the log, from before
      const honest = createMeter(chain.place, 1, produce({ count: 2 }));
      const heads = [headOf(honest, 2), headOf(thief, 2)] as const;
      const [first, second] = heads.map(headParts);
      const [firstSignature, secondSignature] = heads.map((head) => signatureParts(signHead(thief, head)));
      const nothing = { index: 0n, reading: ZERO, proof: [] };
      const proof = { key: publicKeyParts(thief.publicKey), first, firstSignature, second, secondSignature };
      const args = [{ ...proof, one: nothing, other: nothing }];
      await chain.send({ ...chain.wattWitness, functionName: "proveEquivocation", args });
      await settle(2);
      await rotate(3);
    });

    it("to a baseline that is more than an hour old", async () => {
      await chain.at(START + ROTATION + 3601);
      await refuses(chain.rotate(meter, old, next), "BaselineTooOld");
    });
  });

  it("is told to be the meter's before the old one ends, and then begins", async () => {
    assert.deepEqual(chain.toldBy(await chain.rotate(meter, old, next)), [
      "KeyRotated",
      "Ended",
      "Begun",
      "MetadataUpdate",
    ]);
  });

  it("is never that of a second meter", async () => {
    await chain.rotate(meter, old, next);
    await refuses(chain.register(next), "KeyAlreadyUsed", [next.id]);
    assert.equal(await chain.registryView("meterOfKey", next.id), meter);
    assert.equal(await chain.registryView("meterOfKey", old.id), meter);
    assert.equal(await chain.registryView("meterOfKey", createMeter(chain.place, 9).id), ZERO);
  });

  describe("that was rotated in", () => {
    beforeEach(async () => {
      await chain.rotate(meter, old, next);
      await chain.at(START + 11_000);
    });

    it("is the meter's, on the same terms", async () => {
      assert.equal(await chain.registryView("keyOf", meter), next.id);
      const { since, ...terms } = await chain.termsOf(next);
      const { since: _, ...before } = await chain.termsOf(old);
      assert.deepEqual(terms, { ...before, status: STATUS.Active, rotatedIn: true });
      assert.equal(since, START + ROTATION);
      const [rotated] = await chain.eventsOf("KeyRotated");
      assert.deepEqual(rotated, { meter, keyId: next.id, previousKeyId: old.id, ...publicKeyParts(next.publicKey) });
    });

    it("mints from its own baseline on", async () => {
      const supply = await chain.supply();
      await chain.settleAttested({ meter: next, to: 600 });
      assert.equal((await chain.supply()) - supply, 599n * STEP * UNITS);
      const { meter: of, keyId } = (await chain.eventsOf("Settled")).at(-1) ?? {};
      assert.deepEqual([of, keyId], [meter, next.id]);
    });

    it("makes every moment that of one key", async () => {
      assert.deepEqual(await chain.intervalOf(old), [START, START + ROTATION]);
      assert.deepEqual(await chain.intervalOf(next), [START + ROTATION, 0]);
      assert.deepEqual(await chain.registryView("keysOf", meter, 0n, 9n), [
        { keyId: old.id, since: START, until: START + ROTATION },
        { keyId: next.id, since: START + ROTATION, until: 0 },
      ]);
      const [ended] = await chain.eventsOf("Ended");
      assert.deepEqual(ended, { keyId: old.id, status: STATUS.Superseded, until: START + ROTATION });
    });

    it("pays the payout address, and then whoever buys the meter", async () => {
      const { admin, owner, stranger } = chain;
      await chain.registryCall("setPayout", [meter, admin.account.address], owner);
      await chain.settleAttested({ meter: next, to: 100 });
      await chain.registryCall("transferFrom", [owner.account.address, stranger.account.address, BigInt(meter)], owner);
      await chain.settleAttested({ meter: next, to: 200, settled: 100 });
      assert.equal(await chain.balanceOf(admin.account.address), 99n * STEP * UNITS);
      assert.equal(await chain.balanceOf(stranger.account.address), 100n * STEP * UNITS);
    });

    it("can be rotated again, and only by itself", async () => {
      const third = createMeter(chain.place, 3, produce({ count: 2, from: { timestamp: START + 11_000 } }));
      await refuses(chain.rotate(meter, old, third), "RotationInvalid", [meter, next.id, third.id]);
      await chain.rotate(meter, next, third);
      assert.equal(await chain.registryView("keyOf", meter), third.id);
      assert.equal(await chain.registryView("keyCountOf", meter), 3n);
    });

    describe("leaves the old key", () => {
      it("to have its later heads skipped, whatever their epoch, also without attestation, and nothing of them kept", async () => {
        old.begin(2, produce({ count: 100, from: { timestamp: START + 4000, energy: 400n * STEP } }));
        const [supply, latest, log] = [await chain.supply(), await chain.latestOf(old), await chain.logOf(old, 1)];
        await chain.settleAttested({ meter: old, to: 400, settled: 300 });
        await chain.settleAttested({ meter: old, epoch: 2, to: 100, settled: 0 });
        await chain.settle(ZERO, [unattestedItem({ meter: old, to: 600, settled: 300 })]);
        const skipped = await chain.eventsOf("Skipped");
        assert.deepEqual(
          skipped.map(({ reason }) => reason),
          Array(3).fill(SKIP_REASONS.Superseded),
        );
        assert.equal(await chain.supply(), supply);
        assert.deepEqual(await chain.latestOf(old), latest);
        assert.deepEqual(await chain.logOf(old, 1), log);
        assert.deepEqual(await chain.logOf(old, 2), [0n, ZERO]);
      });

      it("with what it signed provable, up to the moment at which it ended", async () => {
        const verify = (index: number) => {
          const head = headOf(old, 600);
          const signature = signatureParts(signHead(old, head));
          const args = [publicKeyParts(old.publicKey), headParts(head), signature, placed(old, index, 600)] as const;
          return chain.publicClient.readContract({ ...chain.wattWitness, functionName: "verifySigned", args });
        };
        assert.equal(await verify(250), true);
        assert.equal(await verify(ROTATION / 10 - 1), true);
        assert.equal(await verify(ROTATION / 10), false);
      });

      it("with its settled readings provable, which never expires", async () => {
        const args = [old.id, 1, placed(old, 299, 300)] as const;
        const call = { ...chain.wattWitness, functionName: "verifyReading", args } as const;
        assert.equal(await chain.publicClient.readContract(call), true);
      });

      it("out of a batch in which both settle: it is skipped, the new one mints", async () => {
        const supply = await chain.supply();
        await chain.settleAttested({ meter: old, to: 400, settled: 300 }, { meter: next, to: 200 });
        assert.equal((await chain.supply()) - supply, 199n * STEP * UNITS);
        assert.equal((await chain.logOf(old, 1))[0], 300n);
      });
    });
  });

  it("takes proofs of what was not settled with it, where it is rotated to a baseline of before", async () => {
    const head = headOf(old, 500);
    const signed = [publicKeyParts(old.publicKey), headParts(head), signatureParts(signHead(old, head))] as const;
    const args = [...signed, placed(old, 450, 500)] as const;
    const verify = () => chain.publicClient.readContract({ ...chain.wattWitness, functionName: "verifySigned", args });
    assert.equal(await verify(), true);
    const early = createMeter(chain.place, 2, produce({ count: 2, from: { timestamp: START + 3500 } }));
    await chain.rotate(meter, old, early);
    assert.equal(await verify(), false);
  });

  it("counts from its baseline: what the device signed before is not the meter's", async () => {
    const registered = createMeter(chain.place, 5, produce({ count: 600, from: { timestamp: START + 2000 } }));
    await chain.registryCall("register", [registrationOf(registered, chain.owner.account.address, 100)]);
    const verify = (index: number) =>
      chain.publicClient.readContract({
        ...chain.wattWitness,
        functionName: "verifyReading",
        args: [registered.id, 1, placed(registered, index, 100)],
      });
    assert.equal(await verify(98), false);
    assert.equal(await verify(99), true);
  });

  describe("of a dead chip", () => {
    const DUE = START + ROTATION + 14 * DAY;
    /** The new chip, begun when the proposal is due. */
    const replacement = (timestamp = DUE + 600) =>
      createMeter(chain.place, 2, produce({ count: 10, from: { timestamp, energy: 0n } }));
    const replace = (device: TestMeter, by = chain.stranger) =>
      chain.registryCall("replaceKey", [meter, newKeyOf(device, meter, chain.owner.account.address)], by);
    const propose = (keyId: Hex = next.id, by = chain.admin) => chain.registryCall("proposeKey", [meter, keyId], by);

    it("is not replaced without a proposal, or by anybody but a registrar", async () => {
      await refuses(replace(next), "ProposalUnknown", [meter, CHANGE.Key]);
      await refuses(propose(next.id, chain.owner), "AccessManagedUnauthorized");
      await refuses(chain.registryCall("proposeKey", [next.id, next.id]), "MeterUnknown", [next.id]);
      await refuses(replaceOf(next.id), "MeterUnknown", [next.id]);
    });

    const replaceOf = (of: Hex) =>
      chain.registryCall("replaceKey", [of, newKeyOf(next, of, chain.owner.account.address)]);

    it("is not replaced before fourteen days are over", async () => {
      await propose();
      const { proposedAt } = (await chain.registryView("proposalOf", meter, CHANGE.Key)) as { proposedAt: bigint };
      const due = Number(proposedAt) + 14 * DAY;
      const device = replacement(due - 600);
      await chain.at(due - 2);
      await refuses(replace(device), "ProposalNotDue", [meter, CHANGE.Key, BigInt(due)]);
      await chain.at(due);
      await replace(device);
    });

    it("is not replaced once the proposal is void", async () => {
      await propose();
      await chain.at(DUE + 14 * DAY + 60);
      await refuses(replace(replacement(DUE + 14 * DAY)), "ProposalExpired");
    });

    it("is not replaced where the owner cancelled it", async () => {
      await propose();
      await chain.registryCall("cancelProposal", [meter, CHANGE.Key], chain.owner);
      await chain.at(DUE + 600);
      await refuses(replace(replacement()), "ProposalUnknown", [meter, CHANGE.Key]);
    });

    it("is not replaced where it settled since: it is not dead", async () => {
      await propose();
      await chain.at(START + 6000);
      await chain.settleAttested({ meter: old, to: 600, settled: 300 });
      await chain.at(DUE + 600);
      await refuses(replace(replacement()), "KeyStillMeasures", [meter, old.id, START + 5990]);
    });

    it("is not replaced where it measured in the very second of the proposal", async () => {
      await chain.at(START + 5989);
      await propose();
      const { proposedAt } = (await chain.registryView("proposalOf", meter, CHANGE.Key)) as { proposedAt: bigint };
      assert.equal(proposedAt, BigInt(START + 5990));
      await chain.settleAttested({ meter: old, to: 599, settled: 300 });
      const snapshot = await chain.request("evm_snapshot");
      await chain.at(DUE + 1600);
      await replace(replacement(DUE + 1600));
      await chain.request("evm_revert", [snapshot]);
      await chain.settleAttested({ meter: old, to: 600, settled: 599 });
      await chain.at(DUE + 1600);
      await refuses(replace(replacement(DUE + 1600)), "KeyStillMeasures");
    });

    it("is replaced though what it measured before is settled meanwhile, and mints it all the same", async () => {
      await chain.at(START + 6000);
      await propose();
      for (const to of [400, 500, 600]) await chain.settleAttested({ meter: old, to, settled: to - 100 });
      await chain.at(DUE + 1600);
      await replace(replacement(DUE + 1600));
      assert.equal(await chain.registryView("keyOf", meter), next.id);
      assert.equal(await chain.supply(), 599n * STEP * UNITS);
    });

    it("is not proposed where it is some meter's already, or was", async () => {
      const other = await chain.registered(createMeter(chain.place, 3, next.readingsOf()));
      await refuses(propose(other.id), "KeyOfMeter", [other.id, other.id]);
      await refuses(propose(old.id), "KeyOfMeter", [old.id, meter]);
      await chain.rotate(meter, old, next);
      await refuses(propose(next.id), "KeyOfMeter", [next.id, meter]);
      await refuses(propose(old.id), "KeyOfMeter", [old.id, meter]);
    });

    it("is replaced by a registrar's own key where he lowered the capacity, so that the meter cannot settle, unless the owner cancels it", async () => {
      await propose();
      await chain.registryCall("lowerCapacity", [meter, 1]);
      await chain.at(START + 6000);
      const settling = chain.settleAttested({ meter: old, to: 600, settled: 300, capacity: 1 });
      await refuses(settling, "BeyondCapacity");
      const snapshot = await chain.request("evm_snapshot");
      await chain.at(DUE + 600);
      await replace(replacement());
      await chain.request("evm_revert", [snapshot]);
      await chain.registryCall("cancelProposal", [meter, CHANGE.Key], chain.owner);
      await chain.at(DUE + 600);
      await refuses(replace(replacement()), "ProposalUnknown");
    });

    it("is not replaced where its proposer is no registrar any more", async () => {
      await propose();
      await chain.manage("revokeRole", [ROLES.registrar, chain.admin.account.address]);
      await chain.at(DUE + 600);
      const by = getAddress(chain.admin.account.address);
      await refuses(replace(replacement()), "ProposerRevoked", [meter, CHANGE.Key, by]);
    });

    it("is not replaced by another key than was proposed", async () => {
      await propose(createMeter(chain.place, 3).id);
      await chain.at(DUE + 600);
      await refuses(replace(replacement()), "KeyNotProposed", [meter, next.id, createMeter(chain.place, 3).id]);
    });

    it("is not replaced without the new key's claim for the owner", async () => {
      await propose();
      await chain.at(DUE + 600);
      const device = replacement();
      const newKey = newKeyOf(device, meter, chain.stranger.account.address);
      await refuses(chain.registryCall("replaceKey", [meter, newKey], chain.stranger), "ClaimInvalid");
    });

    it("is not replaced in a meter that was decommissioned", async () => {
      await propose();
      await chain.registryCall("decommission", [meter]);
      await chain.at(DUE + 600);
      await refuses(replace(replacement()), "MeterIsDecommissioned", [meter]);
    });

    it("is not replaced twice by one proposal", async () => {
      await propose();
      await chain.at(DUE + 600);
      await replace(replacement());
      await refuses(replace(replacement()), "ProposalUnknown");
    });

    it("is replaced by anyone, fourteen days after the registrar proposed it", async () => {
      await propose();
      const [proposed] = await chain.eventsOf("Proposed");
      assert.equal(proposed?.["value"], BigInt(next.id));
      await chain.at(DUE + 600);
      const receipt = await replace(replacement());
      assert.deepEqual(chain.toldBy(receipt), ["ProposalExecuted", "KeyRotated", "Ended", "Begun", "MetadataUpdate"]);
      assert.equal(await chain.registryView("keyOf", meter), next.id);
      assert.equal((await chain.termsOf(old)).status, STATUS.Superseded);
      assert.equal((await chain.eventsOf("ProposalExecuted"))[0]?.["value"], BigInt(next.id));
    });
  });
});
