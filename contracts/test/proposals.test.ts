import assert from "node:assert/strict";
import { getAddress, type Hex, zeroAddress } from "viem";
import { ROLES } from "../deploy.ts";
import {
  bent,
  CAPACITY,
  CHANGE,
  createMeter,
  deployFixture,
  type Fixture,
  produce,
  refuses,
  SKIP_REASONS,
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

      it("falls with its proposer's role, and not with a delay on it", async () => {
        const { admin } = chain;
        await propose();
        await chain.manage("grantRole", [ROLES.registrar, admin.account.address, 3600]);
        await wait(change, 1);
        const snapshot = await chain.request("evm_snapshot");
        await execute();
        await chain.request("evm_revert", [snapshot]);
        await chain.manage("revokeRole", [ROLES.registrar, admin.account.address]);
        await refuses(execute(), "ProposerRevoked", [meter.id, change, getAddress(admin.account.address)]);
      });

      it("waits anew when it is made again", async () => {
        await propose();
        await wait(change, 1, -10);
        await propose();
        await chain.at(START + 6000 + DELAY + 60);
        await refuses(execute(), "ProposalNotDue");
      });

      it("is cancelled by the owner, whom he named or a registrar, and nobody else", async () => {
        await refuses(cancel(change), "ProposalUnknown", [meter.id, change]);
        await chain.registryCall("setWatcher", [meter.id, chain.guardian.account.address], chain.owner);
        for (const by of [chain.owner, chain.guardian, chain.admin]) {
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

  describe("of a meter that a contract holds,", () => {
    /** some contract that knows nothing of meters */
    const vault = () => chain.deployment.token;
    const watcherOf = async () => ((await chain.registryView("meterOf", meter.id)) as { watcher: Hex }).watcher;
    const watch = (by = chain.owner) =>
      chain.registryCall("setWatcher", [meter.id, chain.guardian.account.address], by);

    it("is cancelled by whom the owner named before, and by the owner who put it there no more", async () => {
      const by = getAddress(chain.stranger.account.address);
      await refuses(watch(chain.stranger), "CallerNotOwner", [by, meter.id]);
      await watch();
      await transfer(vault());
      await chain.registryCall("proposeOwner", [meter.id, chain.stranger.account.address]);
      await refuses(cancel(CHANGE.Owner), "AccessManagedUnauthorized");
      await cancel(CHANGE.Owner, chain.guardian);
      assert.deepEqual((await chain.eventsOf("WatcherChanged")).at(-1), {
        meter: meter.id,
        watcher: getAddress(chain.guardian.account.address),
      });
    });

    it("and by him no more once an account without code has it", async () => {
      await watch();
      assert.equal(await watcherOf(), getAddress(chain.guardian.account.address));
      await transfer(chain.attestor.account.address);
      assert.equal(await watcherOf(), zeroAddress);
    });
  });

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

    it("does not end with a transfer that somebody makes whom the owner once approved", async () => {
      const { owner, guardian } = chain;
      await chain.registryCall("setApprovalForAll", [guardian.account.address, true], owner);
      await propose();
      await chain.registryCall(
        "transferFrom",
        [owner.account.address, owner.account.address, BigInt(meter.id)],
        guardian,
      );
      await wait(CHANGE.Owner, 1);
      await chain.registryCall("recoverOwner", [meter.id]);
      assert.equal(await ownerOf(), getAddress(chain.stranger.account.address));
    });

    it("is not executed against who bought the meter meanwhile, on a market that was approved", async () => {
      const { owner, guardian, attestor } = chain;
      await chain.registryCall("setApprovalForAll", [guardian.account.address, true], owner);
      await propose();
      const sale = [owner.account.address, attestor.account.address, BigInt(meter.id)];
      await chain.registryCall("transferFrom", sale, guardian);
      await wait(CHANGE.Owner, 1);
      const args = [meter.id, getAddress(attestor.account.address), getAddress(owner.account.address)];
      await refuses(chain.registryCall("recoverOwner", [meter.id]), "OwnerChanged", args);
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
    const bound = () =>
      chain.publicClient.readContract({ ...chain.wattWitness, functionName: "boundOf", args: [meter.id] });
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

    it("holds for what is measured after it: the days before are held against the old one", async () => {
      const [first] = meter.readingsOf();
      const at = (time: number, energy: bigint) => bent(first as Uint8Array, { timestamp: START + time, energy });
      const possible = (watts: number, time: number) => (BigInt(watts) * 1000n * BigInt(time)) / 3600n;
      await chain.registryCall("proposeCapacity", [meter.id, 10 * CAPACITY]);
      await wait(CHANGE.Capacity, 1);
      await chain.registryCall("raiseCapacity", [meter.id], chain.stranger);
      const { timestamp } = await chain.publicClient.getBlock();
      const [raised, day] = [Number(timestamp) - START, 24 * 3600];
      const most = possible(CAPACITY, raised) + possible(10 * CAPACITY, day);
      const story = (energy: bigint) =>
        createMeter(chain.place, 1, [...meter.readingsOf().slice(0, 1), at(raised + day, energy)]);
      await chain.at(START + raised + day);
      assert.ok((await bound()) >= most);
      const settle = (energy: bigint) => chain.settleAttested({ meter: story(energy), to: 2, capacity: 10 * CAPACITY });
      await settle(most + 1n);
      assert.equal((await chain.eventsOf("Skipped"))[0]?.["reason"], SKIP_REASONS.CapacityChanged);
      assert.equal(await chain.supply(), 0n);
      const possible10 = possible(10 * CAPACITY, raised + day);
      await refuses(settle(possible10 + 1n), "BeyondCapacity", [meter.id, possible10 + 1n, possible10]);
      await settle(most);
      assert.equal(await chain.supply(), most * UNITS);
      assert.equal((await chain.termsOf(meter)).raised, false);
    });

    it("holds for what is measured after it in every epoch, also once something later is settled", async () => {
      const possible = (watts: number, time: number) => (BigInt(watts) * 1000n * BigInt(time)) / 3600n;
      await chain.settleAttested({ meter, to: 200 });
      const since = START + 1990;
      await chain.registryCall("proposeCapacity", [meter.id, 10 * CAPACITY]);
      await wait(CHANGE.Capacity, 1);
      await chain.registryCall("raiseCapacity", [meter.id]);
      const raisedAt = Number((await chain.publicClient.getBlock()).timestamp);
      const [hour, day] = [3600, 24 * 3600];
      const part = { meter, settled: 0, settledTimestamp: since, capacity: 10 * CAPACITY };
      const begin = (epoch: number, timestamp: number) =>
        meter.begin(epoch, produce({ count: 2, from: { timestamp, energy: 0n } }));
      begin(2, raisedAt + hour);
      begin(3, raisedAt + day);
      await chain.at(raisedAt + 2 * day);
      await chain.settleAttested({ ...part, epoch: 3, to: 2 });
      assert.equal((await chain.termsOf(meter)).raised, false);
      const most = (later: number) =>
        possible(10 * CAPACITY, raisedAt + later - since) - possible(9 * CAPACITY, raisedAt - since);
      assert.equal((await chain.gapOf(meter, 1)).room, most(day));
      await chain.settleAttested({ ...part, epoch: 2, to: 2 });
      assert.equal((await chain.gapOf(meter, 1)).room, most(hour));
    });

    it("of two, holds all that is measured before the second against the first capacity", async () => {
      for (const capacity of [2 * CAPACITY, 10 * CAPACITY]) {
        await chain.registryCall("proposeCapacity", [meter.id, capacity]);
        await wait(CHANGE.Capacity, 1);
        await chain.registryCall("raiseCapacity", [meter.id]);
      }
      const { timestamp } = await chain.publicClient.getBlock();
      assert.equal(await bound(), (BigInt(CAPACITY) * 1000n * (timestamp - BigInt(START))) / 3600n);
    });

    it("is over, too, for a key that is rotated in after it", async () => {
      await chain.registryCall("proposeCapacity", [meter.id, 2 * CAPACITY]);
      await wait(CHANGE.Capacity, 1);
      await chain.registryCall("raiseCapacity", [meter.id]);
      const timestamp = Number((await chain.publicClient.getBlock()).timestamp);
      const next = createMeter(chain.place, 2, produce({ count: 1, from: { timestamp } }));
      await chain.rotate(meter.id, meter, next);
      const { capacity, raised } = await chain.termsOf(next);
      assert.deepEqual([capacity, raised], [2 * CAPACITY, false]);
    });

    it("is over once something later is settled, and not by what is earlier", async () => {
      await chain.registryCall("proposeCapacity", [meter.id, 2 * CAPACITY]);
      await wait(CHANGE.Capacity, 1);
      await chain.registryCall("raiseCapacity", [meter.id]);
      await chain.settleAttested({ meter, to: 300, capacity: 2 * CAPACITY });
      assert.equal((await chain.termsOf(meter)).raised, true);
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
    assert.equal((await chain.termsOf(meter)).raised, false);
    // 3.6 kW were produced
    await refuses(chain.settleAttested({ meter, to: 100, capacity: 3000 }), "BeyondCapacity");
  });
});
