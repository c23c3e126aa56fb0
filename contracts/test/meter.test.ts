import assert from "node:assert/strict";
import { getAddress } from "viem";
import { headParts, publicKeyParts, signatureParts } from "../settlement.ts";
import {
  attestedItems,
  CAPACITY,
  createMeter,
  deployFixture,
  type Fixture,
  headOf,
  placed,
  produce,
  refuses,
  SKIP_REASONS,
  SOURCE,
  START,
  STATUS,
  STEP,
  signHead,
  type TestMeter,
  UNITS,
  ZERO,
} from "./fixture.ts";

const DAY = 24 * 3600;

describe("decommissioning", () => {
  let chain: Fixture;
  let meter: TestMeter;
  beforeEach(async () => {
    chain = await deployFixture();
    meter = await chain.registered(createMeter(chain.place, 1));
    await chain.at(START + 3000);
  });
  const decommission = (by = chain.owner) => chain.registryCall("decommission", [meter.id], by);

  it("is refused to everybody but the meter's owner and a registrar", async () => {
    await refuses(decommission(chain.stranger), "AccessManagedUnauthorized");
    await refuses(decommission(chain.attestor), "AccessManagedUnauthorized");
  });

  it("is refused for what is no meter in service", async () => {
    const unknown = createMeter(chain.place, 9).id;
    await refuses(chain.registryCall("decommission", [unknown]), "MeterUnknown", [unknown]);
    await decommission();
    await refuses(decommission(), "MeterIsDecommissioned", [meter.id]);
  });

  for (const by of ["owner", "admin"] as const) {
    it(`is final, by ${by === "owner" ? "the owner" : "a registrar"}: the meter's items are skipped`, async () => {
      const { attestation, items } = attestedItems([{ meter, to: 200 }]);
      await chain.attest(attestation);
      await decommission(chain[by]);
      await chain.settle(attestation, items);
      assert.equal(await chain.supply(), 0n);
      assert.equal((await chain.eventsOf("Skipped"))[0]?.["reason"], SKIP_REASONS.Decommissioned);
      const [event] = await chain.eventsOf("MeterDecommissioned");
      assert.deepEqual(event, { meter: meter.id, by: getAddress(chain[by].account.address) });
    });
  }

  it("ends the key's interval, after its last settled reading", async () => {
    await chain.settleAttested({ meter, to: 320 });
    await decommission();
    assert.deepEqual(await chain.intervalOf(meter), [START, START + 3191]);
    const args = [meter.id, 1, placed(meter, 319, 320)] as const;
    const call = { ...chain.wattWitness, functionName: "verifyReading", args } as const;
    assert.equal(await chain.publicClient.readContract(call), true);
  });

  it("ends it at the moment it happens, where that is later", async () => {
    await chain.at(START + 5000);
    const { blockNumber } = await decommission();
    const { timestamp } = await chain.publicClient.getBlock({ blockNumber });
    assert.deepEqual(await chain.intervalOf(meter), [START, Number(timestamp) + 1]);
  });

  it("leaves the token where it is, and transferable", async () => {
    await decommission();
    const { owner, stranger } = chain;
    await chain.registryCall(
      "transferFrom",
      [owner.account.address, stranger.account.address, BigInt(meter.id)],
      owner,
    );
    assert.equal(await chain.registryView("ownerOf", BigInt(meter.id)), getAddress(stranger.account.address));
  });
});

describe("what anyone may ask about a meter", () => {
  let chain: Fixture;
  let meter: TestMeter;
  beforeEach(async () => {
    chain = await deployFixture();
    meter = await chain.registered(createMeter(chain.place, 1));
    await chain.at(START + 6000);
  });
  const ask = (functionName: string, ...args: unknown[]) =>
    chain.publicClient.readContract({ ...chain.wattWitness, functionName, args } as never) as Promise<unknown>;

  it("is refused for a meter that is not registered", async () => {
    const unknown = createMeter(chain.place, 9).id;
    for (const name of ["meterOf", "keyOf", "keysOf", "payoutOf", "detailsOf"]) {
      await refuses(chain.registryView(name, unknown), "MeterUnknown", [unknown]);
    }
    await refuses(chain.registryView("tokenURI", 7n), "MeterUnknown");
  });

  it("is answered at once: owner, key, terms, production and last settlement", async () => {
    await chain.settleAttested({ meter, to: 300 });
    const { settledAt } = await chain.latestOf(meter);
    const owner = getAddress(chain.owner.account.address);
    assert.deepEqual(await chain.registryView("meterOf", meter.id), {
      owner,
      payout: owner,
      keyId: meter.id,
      status: STATUS.Active,
      capacity: CAPACITY,
      source: SOURCE,
      details: ZERO,
      produced: 299n * STEP,
      timestamp: START + 2990,
      settledAt,
    });
  });

  it("adds up what all its keys produced", async () => {
    await chain.settleAttested({ meter, to: 300 });
    const next = createMeter(chain.place, 2, produce({ count: 200, from: { timestamp: START + 6000 } }));
    await chain.rotate(meter.id, meter, next);
    await chain.at(START + 9000);
    await chain.settleAttested({ meter: next, to: 50 });
    await chain.settleAttested({ meter: next, to: 100, settled: 50 });
    const { produced, keyId } = (await chain.registryView("meterOf", meter.id)) as { produced: bigint; keyId: string };
    assert.equal(produced, (299n + 99n) * STEP);
    assert.equal(produced * UNITS, await chain.supply());
    assert.equal(keyId, next.id);
  });

  it("includes the bound that applies now", async () => {
    await chain.settleAttested({ meter, to: 300 });
    const { timestamp } = await chain.publicClient.getBlock();
    const elapsed = timestamp - BigInt(START + 2990);
    assert.equal(await ask("boundOf", meter.id), (BigInt(CAPACITY) * 1000n * elapsed) / 3600n);
    await chain.registryCall("decommission", [meter.id]);
    assert.equal(await ask("boundOf", meter.id), 0n);
    assert.equal(await ask("boundOf", createMeter(chain.place, 9).id), 0n);
  });

  it("includes no bound yet where the last reading is ahead of the block", async () => {
    const ahead = createMeter(chain.place, 2, produce({ count: 2, from: { timestamp: START + 6200 } }));
    await chain.registered(ahead);
    assert.equal(await ask("boundOf", ahead.id), 0n);
  });

  it("includes when it may settle without attestation", async () => {
    const { settledAt } = await chain.latestOf(meter);
    assert.equal(await ask("unattestedFrom", meter.id), BigInt(settledAt + 30 * DAY));
  });

  describe("includes its metadata, on chain", () => {
    const metadata = async () => {
      const uri = (await chain.registryView("tokenURI", BigInt(meter.id))) as string;
      const [prefix, data] = uri.split(",") as [string, string];
      assert.equal(prefix, "data:application/json;base64");
      return JSON.parse(Buffer.from(data, "base64").toString());
    };
    const statusIn = async () =>
      (await metadata()).attributes.find((item: { trait_type: string }) => item.trait_type === "status").value;

    it("name, capacity, source, status and keys", async () => {
      const { name, attributes, keys } = await metadata();
      assert.equal(name, `WattWitness meter ${meter.id}`);
      assert.deepEqual(attributes, [
        { trait_type: "capacity", value: CAPACITY, unit: "W" },
        { trait_type: "source", value: SOURCE },
        { trait_type: "status", value: "active" },
        { trait_type: "keys", value: 1 },
      ]);
      assert.deepEqual(keys, [{ keyId: meter.id, since: START, until: null }]);
    });

    it("what a buyer should know", async () => {
      const { description } = await metadata();
      for (const words of [
        "before a sale is the seller's",
        "anyone can settle first",
        "marketplace",
        "a key of his own",
      ]) {
        assert.ok(description.includes(words), words);
      }
    });

    it("with the whole history of its keys", async () => {
      const next = createMeter(chain.place, 2, produce({ count: 2, from: { timestamp: START + 6000 } }));
      await chain.rotate(meter.id, meter, next);
      assert.deepEqual((await metadata()).keys, [
        { keyId: meter.id, since: START, until: START + 6000 },
        { keyId: next.id, since: START + 6000, until: null },
      ]);
    });

    it("with what became of it", async () => {
      const first = headOf(meter, 100);
      const second = { ...first, root: new Uint8Array(32) };
      const proof = {
        key: publicKeyParts(meter.publicKey),
        first: headParts(first),
        firstSignature: signatureParts(signHead(meter, first)),
        second: headParts(second),
        secondSignature: signatureParts(signHead(meter, second)),
        reading: ZERO,
        proof: [],
      };
      await chain.send({ ...chain.wattWitness, functionName: "proveEquivocation", args: [proof] });
      assert.equal(await statusIn(), "frozen");
      await chain.registryCall("decommission", [meter.id]);
      assert.equal(await statusIn(), "decommissioned");
    });
  });
});
