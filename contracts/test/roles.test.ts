import assert from "node:assert/strict";
import { type Abi, encodeFunctionData, getAddress, type Hex, toFunctionSelector } from "viem";
import { grant, NOTICE, ROLES } from "../deploy.ts";
import { headParts } from "../settlement.ts";
import { artifact, createMeter, deployFixture, type Fixture, headOf, refuses, START, ZERO } from "./fixture.ts";

/** s that an AccessManager lets pass before a delay of its holds */
const SETUP = 5 * 24 * 3600;

const root = `0x${"11".repeat(32)}` as const;

describe("roles", () => {
  let chain: Fixture;
  beforeEach(async () => {
    chain = await deployFixture();
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

  it("let nobody but the registry change what WattWitness knows of a key", async () => {
    const meter = await chain.registered(createMeter(chain.place, 1));
    const { send, wattWitness, admin } = chain;
    const by = getAddress(admin.account.address);
    const baseline = headParts(headOf(meter, 1));
    const calls: [string, unknown[]][] = [
      ["begin", [createMeter(chain.place, 2).id, by, 1, 0, baseline]],
      ["succeed", [meter.id, createMeter(chain.place, 2).id, baseline]],
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
    /** What the manager is told, by an administrator who has no other role. */
    const manage = async (functionName: string, args: unknown[]) => {
      const { abi } = await artifact("Authority");
      return chain.send({ address: chain.deployment.authority, abi, functionName, args }, administrator);
    };
    const hasRole = async (role: bigint, account: Hex): Promise<boolean> => {
      const { abi } = await artifact("Authority");
      const args = [role, account];
      const call = { address: chain.deployment.authority, abi, functionName: "hasRole", args };
      return ((await chain.publicClient.readContract(call)) as [boolean, number])[0];
    };
    beforeEach(async () => {
      administrator = chain.wallets[6] as Fixture["admin"];
      await grant(chain.deployer, chain.deployment.authority, ROLES.administrator, administrator.account.address);
      await chain.at(START + SETUP + 60);
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
        await chain.at(START + SETUP + NOTICE + 120);
        assert.equal(await hasRole(role, account), true);
      });
    }

    it("let him revoke a role at once, also one that has not begun", async () => {
      const { attestor, stranger } = chain;
      await manage("revokeRole", [ROLES.attestor, attestor.account.address]);
      await refuses(chain.attest(root), "AccessManagedUnauthorized");
      await manage("grantRole", [ROLES.attestor, stranger.account.address, 0]);
      await manage("revokeRole", [ROLES.attestor, stranger.account.address]);
      await chain.at(START + SETUP + NOTICE + 120);
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
