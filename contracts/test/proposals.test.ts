import assert from "node:assert/strict";
import { getAddress, type Hex, zeroAddress } from "viem";
import {
  CAPACITY,
  CHANGE,
  createMeter,
  deployFixture,
  type Fixture,
  produce,
  refuses,
  START,
  STEP,
  type TestMeter,
  UNITS,
} from "./fixture.ts";

const DAY = 24 * 3600;
const DELAY = 14 * DAY;

describe("a registrar's proposal", () => {
  let chain: Fixture;
  let meter: TestMeter;
  beforeEach(async () => {
    chain = await deployFixture();
    meter = await chain.registered(createMeter(chain.place, 1));
    await chain.at(START + 6000);
  });

  const ownerOf = () => chain.registryView("ownerOf", BigInt(meter.id)) as Promise<Hex>;
  const transfer = (to: Hex, by = chain.owner) =>
    chain.registryCall("transferFrom", [by.account.address, to, BigInt(meter.id)], by);
  const cancel = (change: number, by = chain.owner) => chain.registryCall("cancelProposal", [meter.id, change], by);
  /** Lets the chain come to `delays` delays after the meter's proposal. */
  const wait = async (change: number, delays: number, seconds = 0) => {
    const { proposedAt } = (await chain.registryView("proposalOf", meter.id, change)) as { proposedAt: bigint };
    await chain.at(Number(proposedAt) + delays * DELAY + seconds);
  };

  const proposals = [
    { name: "of another owner", change: CHANGE.Owner, propose: "proposeOwner", execute: "recoverOwner" },
    { name: "of a greater capacity", change: CHANGE.Capacity, propose: "proposeCapacity", execute: "raiseCapacity" },
  ] as const;
  for (const { name, change, propose: proposing, execute: executing } of proposals) {
    describe(name, () => {
      const value = () => (change === CHANGE.Owner ? chain.stranger.account.address : 2 * CAPACITY);
      const propose = (by = chain.admin) => chain.registryCall(proposing, [meter.id, value()], by);
      const execute = (by = chain.stranger) => chain.registryCall(executing, [meter.id], by);

      it("is not made by anybody but a registrar, nor of what is no meter in service", async () => {
        await refuses(propose(chain.owner), "AccessManagedUnauthorized");
        const unknown = createMeter(chain.place, 9).id;
        await refuses(chain.registryCall(proposing, [unknown, value()]), "MeterUnknown", [unknown]);
        await refuses(chain.registryCall(executing, [unknown]), "MeterUnknown", [unknown]);
        await propose();
        await chain.registryCall("decommission", [meter.id]);
        await refuses(propose(), "MeterIsDecommissioned", [meter.id]);
        await wait(change, 1);
        await refuses(execute(), "MeterIsDecommissioned", [meter.id]);
      });

      it("is not executed where there is none", async () => {
        await refuses(execute(), "ProposalUnknown", [meter.id, change]);
      });

      it("is not executed a second too early, then by anyone, and once", async () => {
        await propose();
        await wait(change, 1, -1);
        await refuses(execute(), "ProposalNotDue");
        await wait(change, 1);
        await execute();
        await refuses(execute(), "ProposalUnknown");
        assert.equal((await chain.eventsOf("ProposalExecuted")).length, 1);
      });

      it("is void after as long again", async () => {
        await propose();
        await wait(change, 2);
        await refuses(execute(), "ProposalExpired");
      });

      it("waits anew when it is made again", async () => {
        await propose();
        await wait(change, 1, -10);
        await propose();
        await chain.at(START + 6000 + DELAY + 60);
        await refuses(execute(), "ProposalNotDue");
      });

      it("is cancelled by the owner or a registrar, and nobody else", async () => {
        await refuses(cancel(change), "ProposalUnknown", [meter.id, change]);
        for (const by of [chain.owner, chain.admin]) {
          await propose();
          await refuses(cancel(change, chain.stranger), "AccessManagedUnauthorized");
          await cancel(change, by);
          await refuses(execute(), "ProposalUnknown");
        }
        const [first] = await chain.eventsOf("ProposalCancelled");
        assert.deepEqual(first, { meter: meter.id, change, by: getAddress(chain.owner.account.address) });
      });

      it("is public from the beginning", async () => {
        await propose();
        const [event] = await chain.eventsOf("Proposed");
        const { proposedAt } = (await chain.registryView("proposalOf", meter.id, change)) as { proposedAt: bigint };
        const number = BigInt(value());
        assert.deepEqual(event, { meter: meter.id, change, value: number, executableAt: proposedAt + BigInt(DELAY) });
      });
    });
  }

  describe("of another owner", () => {
    const propose = () => chain.registryCall("proposeOwner", [meter.id, chain.stranger.account.address]);

    it("is not of nobody", async () => {
      await refuses(chain.registryCall("proposeOwner", [meter.id, zeroAddress]), "OwnerInvalid");
    });

    it("gives the meter and what it produces to who was proposed", async () => {
      await propose();
      await wait(CHANGE.Owner, 1);
      await chain.registryCall("recoverOwner", [meter.id], chain.stranger);
      const recovered = getAddress(chain.stranger.account.address);
      assert.equal(await ownerOf(), recovered);
      await chain.settleAttested({ meter, to: 100 });
      assert.equal(await chain.balanceOf(recovered), 99n * STEP * UNITS);
    });

    it("gives him what the meter produces under the key that it has by then", async () => {
      await propose();
      const next = createMeter(chain.place, 2, produce({ count: 100, from: { timestamp: START + 6000 } }));
      await chain.rotate(meter.id, meter, next);
      await wait(CHANGE.Owner, 1);
      await chain.registryCall("recoverOwner", [meter.id]);
      await chain.settleAttested({ meter: next, to: 100 });
      assert.equal(await chain.balanceOf(chain.stranger.account.address), 99n * STEP * UNITS);
    });

    it("ends with a transfer: the wallet is not lost", async () => {
      await propose();
      await transfer(chain.attestor.account.address);
      await chain.at(START + 6000 + DELAY + 60);
      await refuses(chain.registryCall("recoverOwner", [meter.id]), "ProposalUnknown");
      const [cancelled] = await chain.eventsOf("ProposalCancelled");
      assert.equal(cancelled?.["by"], getAddress(chain.owner.account.address));
    });

    it("leaves other proposals alone when the meter is transferred", async () => {
      await chain.registryCall("proposeCapacity", [meter.id, 2 * CAPACITY]);
      await transfer(chain.attestor.account.address);
      assert.equal((await chain.eventsOf("ProposalCancelled")).length, 0);
      await wait(CHANGE.Capacity, 1);
      await chain.registryCall("raiseCapacity", [meter.id]);
    });
  });

  describe("of a capacity", () => {
    const capacityOf = async () => (await chain.termsOf(meter)).capacity;

    it("is only of a greater one", async () => {
      const args = [meter.id, CAPACITY, CAPACITY];
      await refuses(chain.registryCall("proposeCapacity", [meter.id, CAPACITY]), "CapacityInvalid", args);
    });

    it("raises it when it is due, and not before", async () => {
      await chain.registryCall("proposeCapacity", [meter.id, 2 * CAPACITY]);
      assert.equal(await capacityOf(), CAPACITY);
      await wait(CHANGE.Capacity, 1);
      await chain.registryCall("raiseCapacity", [meter.id]);
      assert.equal(await capacityOf(), 2 * CAPACITY);
      assert.deepEqual(await chain.eventsOf("CapacityChanged"), [{ meter: meter.id, capacity: 2 * CAPACITY }]);
    });

    it("never lowers what was raised or registered meanwhile", async () => {
      await chain.registryCall("proposeCapacity", [meter.id, CAPACITY + 1]);
      await chain.registryCall("lowerCapacity", [meter.id, 100]);
      await wait(CHANGE.Capacity, 1);
      await chain.registryCall("raiseCapacity", [meter.id]);
      assert.equal(await capacityOf(), CAPACITY + 1);
    });
  });
});

describe("a lower capacity", () => {
  let chain: Fixture;
  let meter: TestMeter;
  beforeEach(async () => {
    chain = await deployFixture();
    meter = await chain.registered(createMeter(chain.place, 1));
    await chain.at(START + 6000);
  });
  const lower = (capacity: number, by = chain.admin) => chain.registryCall("lowerCapacity", [meter.id, capacity], by);

  it("is set by nobody but a registrar, for a meter in service", async () => {
    await refuses(lower(100, chain.owner), "AccessManagedUnauthorized");
    const unknown = createMeter(chain.place, 9).id;
    await refuses(chain.registryCall("lowerCapacity", [unknown, 1]), "MeterUnknown", [unknown]);
    await chain.registryCall("decommission", [meter.id]);
    await refuses(lower(100), "MeterIsDecommissioned", [meter.id]);
  });

  it("is lower, and not nothing", async () => {
    for (const capacity of [0, CAPACITY, CAPACITY + 1]) {
      await refuses(lower(capacity), "CapacityInvalid", [meter.id, capacity, CAPACITY]);
    }
  });

  it("holds at once", async () => {
    await lower(3000);
    assert.deepEqual(await chain.eventsOf("CapacityChanged"), [{ meter: meter.id, capacity: 3000 }]);
    // 3.6 kW were produced
    await refuses(chain.settleAttested({ meter, to: 100, capacity: 3000 }), "BeyondCapacity");
  });
});
