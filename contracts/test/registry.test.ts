import assert from "node:assert/strict";
import { getAddress, type Hex, zeroAddress } from "viem";
import { createLog, domain, encodeClaim, encodeHead, fromHex, headHash, sign, toHex } from "../../protocol/index.ts";
import { CAPACITY_CEILING, deploy } from "../deploy.ts";
import { headParts, signatureParts } from "../settlement.ts";
import {
  CAPACITY,
  createMeter,
  deployFixture,
  type Fixture,
  headOf,
  produce,
  refuses,
  registrationOf,
  SOURCE,
  START,
  STEP,
  type TestMeter,
  UNITS,
} from "./fixture.ts";

const HOUR = 3600;

describe("register", () => {
  let chain: Fixture;
  let meter: TestMeter;
  beforeEach(async () => {
    chain = await deployFixture();
    meter = createMeter(chain.place, 1);
  });

  const withBaseline = (change: Parameters<typeof produce>[0]) =>
    createMeter(chain.place, 1, produce({ ...change, count: 2 }));

  describe("refuses", () => {
    it("everybody but a registrar", async () => {
      await refuses(chain.register(meter, {}, chain.stranger), "AccessManagedUnauthorized");
    });

    it("before WattWitness is named", async () => {
      const { deployer, deployment, registry, admin, send } = chain;
      // a registry of its own, whose register is not yet the registrars': the administrator may call it
      const address = await deploy(deployer, "MeterRegistry", [
        deployment.authority,
        deployment.descriptor,
        CAPACITY,
        zeroAddress,
      ]);
      const call = send({
        ...registry,
        address,
        functionName: "register",
        args: [registrationOf(meter, admin.account.address)],
      });
      await refuses(call, "WattWitnessNotNamed");
    });

    it("a key that was used before", async () => {
      await chain.register(meter);
      await refuses(chain.register(meter), "KeyAlreadyUsed", [meter.id]);
    });

    it("a capacity of 0", async () => {
      await refuses(chain.register(meter, { capacity: 0 }), "CapacityZero");
    });

    it("a capacity above the deployment's ceiling, which waits as a proposal does", async () => {
      const capacity = CAPACITY_CEILING + 1;
      await refuses(chain.register(meter, { capacity }), "CapacityAboveCeiling", [capacity, CAPACITY_CEILING]);
      await chain.register(meter, { capacity: CAPACITY_CEILING });
      await chain.registryCall("proposeCapacity", [meter.id, capacity]);
      await refuses(chain.registryCall("raiseCapacity", [meter.id]), "ProposalNotDue");
    });

    it("a source with a reserved bit", async () => {
      await refuses(chain.register(meter, { source: 0x20 }), "SourceInvalid", [0x20]);
    });

    describe("a claim", () => {
      const claimOf = (change: object, kind: "claim" | "head" = "claim", place = chain.place) => {
        const keyId = fromHex(meter.id);
        const head = headHash(encodeHead(meter.headDomain, headOf(meter, 1)));
        const claim = { meter: keyId, keyId, owner: chain.owner.account.address, headHash: head, ...change };
        return signatureParts(sign(encodeClaim(domain(kind, place), claim), meter.privateKey));
      };
      const claims: [string, () => ReturnType<typeof claimOf>][] = [
        ["for another owner", () => claimOf({ owner: chain.stranger.account.address })],
        ["for another head", () => claimOf({ headHash: new Uint8Array(32) })],
        ["for another meter", () => claimOf({ meter: new Uint8Array(32) })],
        ["for another key", () => claimOf({ keyId: new Uint8Array(32) })],
        ["for another chain", () => claimOf({}, "claim", { ...chain.place, chainId: 1 })],
        ["for another registry", () => claimOf({}, "claim", { ...chain.place, registry: chain.deployment.token })],
        ["that is another kind of statement", () => claimOf({}, "head")],
      ];
      for (const [name, claim] of claims) {
        it(name, async () => {
          await refuses(chain.register(meter, { claim: claim() }), "ClaimInvalid");
        });
      }

      it("by another key", async () => {
        const other = createMeter(chain.place, 2);
        const { claim } = registrationOf(other, chain.owner.account.address);
        await refuses(chain.register(meter, { claim }), "ClaimInvalid");
      });

      it("that somebody shows for himself", async () => {
        await refuses(chain.register(meter, { owner: chain.stranger.account.address }), "ClaimInvalid");
      });

      it("shown with another baseline", async () => {
        await refuses(chain.register(meter, { baseline: headParts(headOf(meter, 2)) }), "ClaimInvalid");
      });
    });

    it("a baseline of size 0", async () => {
      const bare = { ...headOf(meter, 1), size: 0 };
      const keyId = fromHex(meter.id);
      const empty = new Uint8Array([
        ...meter.headDomain,
        0,
        0,
        0,
        1,
        ...new Uint8Array(8),
        ...bare.reading,
        ...bare.root,
      ]);
      const claim = { meter: keyId, keyId, owner: chain.owner.account.address, headHash: headHash(empty) };
      const signature = signatureParts(sign(encodeClaim(domain("claim", chain.place), claim), meter.privateKey));
      await refuses(chain.register(meter, { baseline: headParts(bare), claim: signature }), "SizeOutOfRange", [0n]);
    });

    it("a baseline more than five minutes ahead", async () => {
      meter = withBaseline({ count: 1, from: { timestamp: START + HOUR } });
      await refuses(chain.register(meter), "TimeAhead");
    });

    it("a baseline more than a week old: a registrar is a person", async () => {
      await chain.at(START + 7 * 24 * HOUR - 2);
      await chain.register(meter);
      await chain.at(START + 7 * 24 * HOUR + 1);
      await refuses(chain.register(createMeter(chain.place, 2)), "BaselineTooOld");
    });

    it("a baseline with a drifting clock", async () => {
      meter = withBaseline({ count: 1, change: { conditions: 0x01 } });
      await refuses(chain.register(meter), "ConditionsBlock", [meter.id, 0x01]);
    });

    it("a baseline from another channel", async () => {
      await refuses(chain.register(meter, { source: 0x11 }), "SourceMismatch", [meter.id, SOURCE, 0x11]);
    });
  });

  it("gives the meter to the owner that its key claims, and mints nothing", async () => {
    await chain.register(meter);
    const [owner, details] = await Promise.all([
      chain.publicClient.readContract({ ...chain.registry, functionName: "ownerOf", args: [BigInt(meter.id)] }),
      chain.publicClient.readContract({ ...chain.registry, functionName: "detailsOf", args: [meter.id] }),
    ]);
    assert.equal(owner, getAddress(chain.owner.account.address));
    assert.equal(details, registrationOf(meter, chain.owner.account.address).details);
    assert.equal(await chain.supply(), 0n);
  });

  it("has no details of a meter that is not registered", async () => {
    const call = { ...chain.registry, functionName: "detailsOf", args: [meter.id] } as const;
    await refuses(chain.publicClient.readContract(call), "MeterUnknown", [meter.id]);
  });

  it("mints from the baseline on, whenever the registrar gets to it: nobody gains or loses by that", async () => {
    const quick = await chain.registered(createMeter(chain.place, 2));
    await chain.at(START + 6 * 24 * HOUR);
    await chain.register(meter);
    for (const device of [quick, meter]) {
      const before = await chain.supply();
      await chain.settleAttested({ meter: device, to: 600 });
      assert.equal((await chain.supply()) - before, 599n * STEP * UNITS);
    }
  });

  it("begins the log at the baseline, wherever the log is by then", async () => {
    const baseline = headParts(headOf(meter, 100));
    const registration = registrationOf(meter, chain.owner.account.address, 100);
    await chain.at(START + 1000);
    await chain.register(meter, registration);
    const latest = await chain.latestOf(meter);
    assert.equal(latest.size, 100);
    assert.equal(latest.root, baseline.root);
    assert.equal(latest.energy, 99n * STEP);
    assert.equal(latest.timestamp, START + 990);
    assert.deepEqual(await chain.logOf(meter, 1), [100n, toHex(createLog(meter.readingsOf().slice(0, 100)).root())]);
  });

  it("tells everything that there is to know about the meter", async () => {
    await chain.register(meter);
    const [event] = await chain.publicClient.getContractEvents({ ...chain.registry, eventName: "MeterRegistered" });
    const { key, details } = registrationOf(meter, chain.owner.account.address);
    assert.deepEqual((event as unknown as { args: object }).args, {
      meter: meter.id,
      owner: getAddress(chain.owner.account.address),
      ...key,
      capacity: CAPACITY,
      source: SOURCE,
      details,
    });
  });

  it("tells of the meter before its key begins, and of that before the meter is anybody's", async () => {
    assert.deepEqual(chain.toldBy(await chain.register(meter)), ["MeterRegistered", "Begun", "Transfer"]);
  });
});

describe("a meter's owner", () => {
  let chain: Fixture;
  let meter: TestMeter;
  beforeEach(async () => {
    chain = await deployFixture();
    meter = await chain.registered(createMeter(chain.place, 1));
    await chain.at(START + 6000);
  });

  const setPayout = (payout: Hex, by = chain.owner) =>
    chain.send({ ...chain.registry, functionName: "setPayout", args: [meter.id, payout] }, by);
  const payout = () =>
    chain.publicClient.readContract({ ...chain.registry, functionName: "payoutOf", args: [meter.id] });
  const sell = () => {
    const args = [chain.owner.account.address, chain.stranger.account.address, BigInt(meter.id)];
    return chain.send({ ...chain.registry, functionName: "transferFrom", args }, chain.owner);
  };

  it("is the only one who says where the tokens go", async () => {
    const { admin, stranger } = chain;
    for (const by of [admin, stranger]) {
      await refuses(setPayout(by.account.address, by), "CallerNotOwner", [getAddress(by.account.address), meter.id]);
    }
  });

  it("is asked of a registered meter only", async () => {
    const call = { ...chain.registry, functionName: "payoutOf", args: [`0x${"12".repeat(32)}`] } as const;
    await refuses(chain.publicClient.readContract(call), "MeterUnknown");
  });

  it("receives what is produced, or has somebody else receive it", async () => {
    await chain.settleAttested({ meter, to: 200 });
    const { owner, admin } = chain;
    await setPayout(admin.account.address);
    assert.equal(await payout(), getAddress(admin.account.address));
    await chain.settleAttested({ meter, to: 300, settled: 200 });
    await setPayout(zeroAddress);
    assert.equal(await payout(), getAddress(owner.account.address));
    await chain.settleAttested({ meter, to: 600, settled: 300 });
    assert.equal(await chain.balanceOf(admin.account.address), 100n * STEP * UNITS);
    assert.equal(await chain.balanceOf(owner.account.address), 499n * STEP * UNITS);
  });

  it("who sells keeps what was settled before; the buyer receives what is settled after", async () => {
    await chain.settleAttested({ meter, to: 300 });
    await sell();
    await chain.settleAttested({ meter, to: 600, settled: 300 });
    assert.equal(await chain.balanceOf(chain.owner.account.address), 299n * STEP * UNITS);
    assert.equal(await chain.balanceOf(chain.stranger.account.address), 300n * STEP * UNITS);
  });

  it("is paid alike where the meter came to him by the safe way", async () => {
    const args = [chain.owner.account.address, chain.stranger.account.address, BigInt(meter.id)];
    await setPayout(chain.admin.account.address);
    await chain.registryCall("safeTransferFrom", args, chain.owner);
    assert.equal(await payout(), getAddress(chain.stranger.account.address));
  });

  it("who sells takes his payout address with him", async () => {
    await setPayout(chain.admin.account.address);
    await sell();
    assert.equal(await payout(), getAddress(chain.stranger.account.address));
    await refuses(setPayout(chain.owner.account.address), "CallerNotOwner");
  });
});
