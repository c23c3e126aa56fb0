import assert from "node:assert/strict";
import { zeroAddress } from "viem";
import { grant, ROLES } from "../deploy.ts";
import {
  createMeter,
  deployFixture,
  deployOn,
  type Fixture,
  produce,
  refuses,
  START,
  STATUS,
  STEP,
  type TestMeter,
  UNITS,
} from "./fixture.ts";

/** s into the old meter's log at which it has settled 300 readings, and the new deployment is there */
const NOW = 6000;

describe("a deployment that takes over from an earlier one", () => {
  let old: Fixture;
  let chain: Fixture;
  let meter: TestMeter;
  beforeEach(async () => {
    old = await deployFixture();
    meter = await old.registered(createMeter(old.place, 1));
    await old.at(START + NOW);
    await old.settleAttested({ meter, to: 300 });
    chain = await deployOn(old, undefined, { predecessor: old.deployment.registry });
  });

  /** The same chip, with what it signs for the new registry: readings from START + `time` on. */
  const moved = (time: number, seed = 1) =>
    createMeter(chain.place, seed, produce({ count: 200, from: { timestamp: START + time, energy: 500n * STEP } }));
  const grantRegistrar = () =>
    grant(old.deployer, old.deployment.authority, ROLES.registrar, chain.deployment.registry);
  const statusIn = async (fixture: Fixture) => (await fixture.termsOf(meter)).status;

  it("refuses a key that is in service there, unless it may take it down itself", async () => {
    await refuses(chain.register(moved(NOW)), "AccessManagedUnauthorized");
    assert.equal(await statusIn(old), STATUS.Active);
  });

  it("refuses a baseline that is not later than all that was settled there", async () => {
    await grantRegistrar();
    const args = [meter.id, START + 2990, START + 2990];
    await refuses(chain.register(moved(2990)), "BaselineNotLater", args);
    await old.registryCall("decommission", [meter.id], old.owner);
    await refuses(chain.register(moved(2990)), "BaselineNotLater", args);
    await chain.register(moved(2991));
  });

  it("refuses a key that another one succeeded there", async () => {
    await grantRegistrar();
    const next = createMeter(old.place, 2, produce({ count: 2, from: { timestamp: START + NOW } }));
    await old.rotate(meter.id, meter, next);
    await refuses(chain.register(moved(NOW)), "KeyNotCurrent", [meter.id, meter.id, next.id]);
  });

  it("takes a meter over in one call, and nothing is minted in both", async () => {
    await grantRegistrar();
    const device = moved(NOW);
    const before = await old.supply();
    await chain.register(device);
    assert.equal(await statusIn(old), STATUS.Decommissioned);
    assert.equal(await statusIn(chain), STATUS.Active);
    await old.at(START + 9000);
    await old.settleAttested({ meter, to: 600, settled: 300 });
    await chain.settleAttested({ meter: device, to: 200 });
    assert.equal(await old.supply(), before);
    assert.equal(await chain.supply(), 199n * STEP * UNITS);
  });

  it("takes over by its current key a meter that was rotated there", async () => {
    await grantRegistrar();
    const next = createMeter(old.place, 2, produce({ count: 2, from: { timestamp: START + NOW } }));
    await old.rotate(meter.id, meter, next);
    const device = moved(NOW + 10, 2);
    await chain.register(device);
    const { status } = (await old.registryView("meterOf", meter.id)) as { status: number };
    assert.equal(status, STATUS.Decommissioned);
    assert.equal(await chain.registryView("meterOfKey", device.id), device.id);
  });

  it("takes over what owner or registrar took down before, without any right there", async () => {
    await old.registryCall("decommission", [meter.id], old.owner);
    await chain.register(moved(NOW));
    assert.equal(await statusIn(chain), STATUS.Active);
  });

  it("registers what was never there as any other does", async () => {
    const device = createMeter(chain.place, 7, produce({ count: 2, from: { timestamp: START + NOW } }));
    await chain.register(device);
    assert.equal((await chain.termsOf(device)).status, STATUS.Active);
  });

  it("knows of no meter as long as its WattWitness is not named", async () => {
    const { deployment, publicClient, registry } = chain;
    const args = [deployment.authority, deployment.descriptor, 1000, zeroAddress];
    const address = await chain.deploy("MeterRegistry", args);
    const call = { address, abi: registry.abi, functionName: "meterOfKey", args: [meter.id] } as const;
    assert.equal(await publicClient.readContract(call), `0x${"00".repeat(32)}`);
  });
});
