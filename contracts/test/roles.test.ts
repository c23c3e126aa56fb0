import assert from "node:assert/strict";
import { type Abi, encodeFunctionData, getAddress, type Hex, toFunctionSelector, zeroAddress } from "viem";
import { closeSetup, deploy, grant, NEVER, NOTICE, ROLES } from "../deploy.ts";
import { headParts } from "../settlement.ts";
import {
  artifact,
  attestedItems,
  createMeter,
  deployFixture,
  type Fixture,
  headOf,
  refuses,
  registrationOf,
  START,
  STEP,
  UNITS,
  unattestedItem,
  ZERO,
} from "./fixture.ts";

const DAY = 24 * 3600;

const root = `0x${"11".repeat(32)}` as const;

describe("roles", () => {
  let chain: Fixture;
  beforeEach(async () => {
    chain = await deployFixture();
  });

  it("let no WattWitness be named that keeps another registry's logs", async () => {
    const { deployer, deployment, registry, send } = chain;
    const { authority, descriptor, wattWitness } = deployment;
    const other = await deploy(deployer, "MeterRegistry", [authority, descriptor, 1000, zeroAddress]);
    const call = send({ ...registry, address: other, functionName: "nameWattWitness", args: [wattWitness] });
    const named = [getAddress(wattWitness), getAddress(deployment.registry)];
    await refuses(call, "WattWitnessOfAnother", named);
  });

  it("let WattWitness be named once", async () => {
    const { registryCall, deployment } = chain;
    await refuses(registryCall("nameWattWitness", [deployment.token]), "WattWitnessAlreadyNamed");
  });

  it("let nobody but an administrator name WattWitness", async () => {
    const { registryCall, deployment, stranger } = chain;
    await refuses(registryCall("nameWattWitness", [deployment.token], stranger), "AccessManagedUnauthorized");
  });

  it("let nobody but an attestor attest, and never to nothing", async () => {
    await refuses(chain.attest(root, chain.stranger), "AccessManagedUnauthorized");
    await refuses(chain.attest(root, chain.admin), "AccessManagedUnauthorized");
    await refuses(chain.attest(ZERO), "RootZero");
  });

  it("let several attestors attest, each in his own name", async () => {
    const { attestor, stranger, deployer, deployment } = chain;
    await grant(deployer, deployment.authority, ROLES.attestor, stranger.account.address);
    await chain.attest(root);
    const other = `0x${"22".repeat(32)}` as const;
    await chain.attest(other, stranger);
    for (const [of, by] of [[root, attestor] as const, [other, stranger] as const]) {
      const call = { ...chain.wattWitness, functionName: "attestationOf", args: [of] } as const;
      assert.equal((await chain.publicClient.readContract(call))[0], getAddress(by.account.address));
    }
  });

  it("let the first who attests a root keep it: a second changes neither name nor time, and tells nothing", async () => {
    const { attestor, stranger, deployer, deployment } = chain;
    await grant(deployer, deployment.authority, ROLES.attestor, stranger.account.address);
    await chain.attest(root);
    const of = () => {
      const call = { ...chain.wattWitness, functionName: "attestationOf", args: [root] } as const;
      return chain.publicClient.readContract(call);
    };
    const first = await of();
    await chain.at(START + 1000);
    assert.deepEqual(chain.toldBy(await chain.attest(root, stranger)), []);
    assert.deepEqual(await of(), first);
    assert.equal(first[0], getAddress(attestor.account.address));
  });

  it("leave the roots of an attestor attested who is none any more: what is under way settles", async () => {
    const meter = await chain.registered(createMeter(chain.place, 1));
    await chain.at(START + 6000);
    const { attestation, items } = attestedItems([{ meter, to: 600 }]);
    await chain.attest(attestation);
    await chain.manage("revokeRole", [ROLES.attestor, chain.attestor.account.address]);
    await refuses(chain.attest(root), "AccessManagedUnauthorized");
    await chain.settle(attestation, items);
    assert.equal(await chain.supply(), 599n * STEP * UNITS);
  });

  it("let nothing settle any more, for good, where a deployment says never and no attestor is left", async () => {
    chain = await deployFixture("default", NEVER);
    const meter = await chain.registered(createMeter(chain.place, 1));
    await chain.at(START + 10 * DAY);
    await chain.manage("revokeRole", [ROLES.attestor, chain.attestor.account.address]);
    await refuses(chain.settleAttested({ meter, to: 300 }), "AccessManagedUnauthorized");
    await chain.at(START + 900 * DAY);
    await refuses(chain.settle(ZERO, [unattestedItem({ meter, to: 300 })]), "AttestationRequired");
  });

  it("let a registrar register who may do so only a day after he said it", async () => {
    const by = chain.wallets[6] as Fixture["admin"];
    await chain.manage("grantRole", [ROLES.registrar, by.account.address, DAY]);
    await closeSetup(chain.deployer, chain.deployment.authority);
    const meter = createMeter(chain.place, 5);
    const args = [registrationOf(meter, chain.owner.account.address)] as never;
    const data = encodeFunctionData({ abi: chain.registry.abi as Abi, functionName: "register", args });
    await chain.manage("schedule", [chain.registry.address, data, 0], by);
    await chain.at(START + DAY + 100);
    await chain.registryCall("register", args, by);
  });

  it("let nobody but the registry change what WattWitness knows of a key", async () => {
    const meter = await chain.registered(createMeter(chain.place, 1));
    const { send, wattWitness, admin } = chain;
    const by = getAddress(admin.account.address);
    const baseline = headParts(headOf(meter, 1));
    const calls: [string, unknown[]][] = [
      ["begin", [createMeter(chain.place, 2).id, by, 1, 0, baseline]],
      ["succeed", [meter.id, meter.id, createMeter(chain.place, 2).id, baseline]],
      ["decommission", [meter.id]],
      ["setPayee", [meter.id, by]],
      ["setCapacity", [meter.id, 1]],
    ];
    for (const [functionName, args] of calls) {
      await refuses(send({ ...wattWitness, functionName, args }), "CallerNotRegistry", [by]);
    }
  });

  it("let nobody but WattWitness mint", async () => {
    const { send, token, admin } = chain;
    const call = send({ ...token, functionName: "mint", args: [admin.account.address, 1n] });
    await refuses(call, "CallerNotMinter", [getAddress(admin.account.address)]);
  });

  describe("of an administrator", () => {
    let administrator: Fixture["admin"];
    /** What the Authority is told, by an administrator who has no other role. */
    const manage = (functionName: string, args: unknown[]) => chain.manage(functionName, args, administrator);
    const hasRole = async (role: bigint, account: Hex): Promise<boolean> => {
      const { abi } = await artifact("Authority");
      const args = [role, account];
      const call = { address: chain.deployment.authority, abi, functionName: "hasRole", args };
      return ((await chain.publicClient.readContract(call)) as [boolean, number])[0];
    };
    beforeEach(async () => {
      administrator = chain.wallets[6] as Fixture["admin"];
      await grant(chain.deployer, chain.deployment.authority, ROLES.administrator, administrator.account.address);
      await closeSetup(chain.deployer, chain.deployment.authority);
      await chain.at(START + 60);
    });

    it("let him end the setting up once, and nobody else", async () => {
      const closing = await deployFixture();
      const close = (by: Fixture["admin"]) => closing.manage("close", [], by);
      const closedAt = async () => {
        const { abi } = await artifact("Authority");
        const call = { address: closing.deployment.authority, abi, functionName: "closedAt" };
        return (await closing.publicClient.readContract(call)) as number;
      };
      await assert.rejects(close(closing.stranger), /AccessManagerUnauthorizedAccount/);
      assert.equal(await closedAt(), 0);
      await close(closing.admin);
      assert.equal(BigInt(await closedAt()), (await closing.publicClient.getBlock()).timestamp);
      await assert.rejects(close(closing.admin), /SetupIsOver/);
    });

    it("let him schedule nothing while the deployment is set up, and nothing for later than thirty days after", async () => {
      const { abi } = await artifact("Authority");
      const attest = toFunctionSelector("attest(bytes32)");
      const args = [chain.wattWitness.address, [attest], 2n ** 64n - 1n];
      const data = encodeFunctionData({ abi: abi as Abi, functionName: "setTargetFunctionRole", args });
      const open = await deployFixture();
      const late = open.wallets[6] as Fixture["admin"];
      await open.manage("grantRole", [ROLES.administrator, late.account.address, 1]);
      const early = open.manage("schedule", [open.deployment.authority, data, START + 700 * DAY], late);
      await assert.rejects(early, /SetupNotOver/);

      const { timestamp } = await chain.publicClient.getBlock();
      const schedule = (when: number) => manage("schedule", [chain.deployment.authority, data, when]);
      await assert.rejects(schedule(Number(timestamp) + 700 * DAY), /TooFarAhead/);
      await assert.rejects(schedule(Number(timestamp) + 5 * DAY - 60), /AccessManagerUnauthorizedCall/);
      await schedule(Number(timestamp) + 30 * DAY);
    });

    it("let him hand no role's administration to others, and shorten no delay", async () => {
      for (const [functionName, args] of [
        ["setRoleAdmin", [ROLES.registrar, 77n]],
        ["setRoleGuardian", [ROLES.registrar, 77n]],
        ["setGrantDelay", [ROLES.registrar, 0]],
        ["setTargetAdminDelay", [chain.deployment.registry, 0]],
      ] as const) {
        await assert.rejects(manage(functionName, [...args]), /Fixed/, functionName);
      }
    });

    it("let him do nothing with a meter", async () => {
      const meter = createMeter(chain.place, 1, createMeter(chain.place, 1).readingsOf().slice(0, 1));
      const id = meter.id;
      const { stranger } = chain;
      await refuses(chain.register(meter, {}, administrator), "AccessManagedUnauthorized");
      const calls: [string, unknown[]][] = [
        ["proposeKey", [id, id]],
        ["proposeOwner", [id, stranger.account.address]],
        ["proposeCapacity", [id, 9000]],
        ["cancelProposal", [id, 0]],
        ["lowerCapacity", [id, 1]],
        ["decommission", [id]],
        ["pause", []],
      ];
      for (const [name, args] of calls) {
        await refuses(chain.registryCall(name, args, administrator), "AccessManagedUnauthorized");
      }
    });

    for (const [name, role] of Object.entries(ROLES)) {
      it(`let him grant the role of ${name} only after five days, in the open`, async () => {
        const account = chain.stranger.account.address;
        await manage("grantRole", [role, account, 0]);
        assert.equal(await hasRole(role, account), false);
        await chain.at(START + NOTICE + 120);
        assert.equal(await hasRole(role, account), true);
      });
    }

    it("let him revoke a role at once, also one that has not begun", async () => {
      const { attestor, stranger } = chain;
      await manage("revokeRole", [ROLES.attestor, attestor.account.address]);
      await refuses(chain.attest(root), "AccessManagedUnauthorized");
      await manage("grantRole", [ROLES.attestor, stranger.account.address, 0]);
      await manage("revokeRole", [ROLES.attestor, stranger.account.address]);
      await chain.at(START + NOTICE + 120);
      await refuses(chain.attest(root, stranger), "AccessManagedUnauthorized");
    });

    it("let him open a function to others only after five days", async () => {
      const { abi } = await artifact("Authority");
      const { wattWitness, registry } = chain.deployment;
      const attest = toFunctionSelector("attest(bytes32)");
      const everybody = 2n ** 64n - 1n;
      for (const [functionName, args] of [
        ["setTargetFunctionRole", [wattWitness, [attest], everybody]],
        ["setTargetClosed", [registry, true]],
        ["updateAuthority", [registry, chain.deployment.token]],
      ] as const) {
        const data = encodeFunctionData({ abi: abi as Abi, functionName, args });
        await assert.rejects(manage(functionName, [...args]), /AccessManagerNotScheduled/);
        await manage("schedule", [chain.deployment.authority, data, 0]);
        await assert.rejects(manage(functionName, [...args]), /AccessManagerNotReady/);
      }
      await refuses(chain.attest(root, chain.stranger), "AccessManagedUnauthorized");
    });
  });

  describe("of a guardian", () => {
    let other: ReturnType<typeof createMeter>;
    beforeEach(async () => {
      other = createMeter(chain.place, 2);
    });
    const pause = (by = chain.guardian) => chain.registryCall("pause", [], by);
    const unpause = (by = chain.guardian) => chain.registryCall("unpause", [], by);

    it("are needed to pause and to go on", async () => {
      await refuses(pause(chain.stranger), "AccessManagedUnauthorized");
      await pause();
      await refuses(unpause(chain.stranger), "AccessManagedUnauthorized");
    });

    it("stop registration, until it goes on", async () => {
      await pause();
      await refuses(chain.register(other), "EnforcedPause");
      await unpause();
      await chain.register(other);
    });

    it("never stop settling, selling, paying out, rotating or proofs", async () => {
      const meter = await chain.registered(createMeter(chain.place, 1));
      await chain.at(START + 4000);
      await pause();
      await chain.settleAttested({ meter, to: 300 });
      const { owner, stranger } = chain;
      const next = createMeter(chain.place, 3, other.readingsOf().slice(390));
      await chain.rotate(meter.id, meter, next);
      await chain.registryCall("setPayout", [meter.id, stranger.account.address], owner);
      const args = [owner.account.address, stranger.account.address, BigInt(meter.id)];
      await chain.registryCall("transferFrom", args, owner);
      assert.equal(await chain.registryView("keyOf", meter.id), next.id);
    });
  });
});
