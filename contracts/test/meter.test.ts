import assert from "node:assert/strict";
import { getAddress, zeroAddress } from "viem";
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
    for (const name of ["meterOf", "keyOf", "keyCountOf", "payoutOf", "detailsOf"]) {
      await refuses(chain.registryView(name, unknown), "MeterUnknown", [unknown]);
    }
    await refuses(chain.registryView("keysOf", unknown, 0n, 1n), "MeterUnknown", [unknown]);
    await refuses(chain.registryView("tokenURI", 7n), "MeterUnknown");
    await refuses(chain.registryCall("tellProduction", [[meter.id, unknown]]), "MeterUnknown", [unknown]);
  });

  it("is answered at once: owner, key, terms, production and last settlement", async () => {
    await chain.settleAttested({ meter, to: 300 });
    const { settledAt } = await chain.latestOf(meter);
    const owner = getAddress(chain.owner.account.address);
    assert.deepEqual(await chain.registryView("meterOf", meter.id), {
      owner,
      payout: owner,
      watcher: zeroAddress,
      keyId: meter.id,
      keyCount: 1n,
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
    assert.equal(await ask("unattestedFrom", meter.id), BigInt(START + 30 * DAY));
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

    it("name, capacity, source, status and key", async () => {
      const { name, attributes } = await metadata();
      assert.equal(name, `WattWitness meter ${meter.id}`);
      assert.deepEqual(attributes, [
        { trait_type: "capacity", value: CAPACITY, unit: "W" },
        { trait_type: "source", value: SOURCE },
        { trait_type: "status", value: "active" },
        { trait_type: "key", value: meter.id },
        { trait_type: "keys", value: 1 },
        { trait_type: "produced", value: 0, unit: "mWh" },
        { display_type: "date", trait_type: "produced until", value: 0 },
      ]);
    });

    const image = async () => {
      const [prefix, data] = (await metadata()).image.split(",");
      assert.equal(prefix, "data:image/svg+xml;base64");
      return Buffer.from(data, "base64").toString();
    };

    it("an image of capacity, status and kWh produced", async () => {
      const before = await image();
      for (const text of [`${meter.id.slice(0, 10)}…`, ">5.0 kW<", ">active<", ">0.0 kWh<", ">not told yet<"]) {
        assert.ok(before.includes(text), text);
      }
      await chain.settleAttested({ meter, to: 600 });
      await chain.registryCall("tellProduction", [[meter.id]], chain.stranger);
      const after = await image();
      for (const text of [">5.9 kWh<", ">as told on 2026-03-20<"]) assert.ok(after.includes(text), text);
    });

    for (const [text, time] of [
      ["2026-12-31", Date.UTC(2026, 11, 31, 23, 59, 59)],
      ["2027-01-01", Date.UTC(2027, 0, 1)],
      ["2028-02-29", Date.UTC(2028, 1, 29)],
      ["2028-03-01", Date.UTC(2028, 2, 1)],
      ["2100-02-28", Date.UTC(2100, 1, 28)],
      ["2100-03-01", Date.UTC(2100, 2, 1)],
    ] as const) {
      it(`the day on which its production was told, like ${text}`, async () => {
        await chain.at(time / 1000 - 1);
        await chain.registryCall("tellProduction", [[meter.id]]);
        assert.ok((await image()).includes(`>as told on ${text}<`));
      });
    }

    it("with what it produced under all its keys, as it was last told", async () => {
      const producedIn = async () =>
        (await metadata()).attributes.find((item: { trait_type: string }) => item.trait_type === "produced").value;
      await chain.settleAttested({ meter, to: 300 });
      const next = createMeter(chain.place, 2, produce({ count: 200, from: { timestamp: START + 6000 } }));
      await chain.rotate(meter.id, meter, next);
      await chain.at(START + 9000);
      await chain.settleAttested({ meter: next, to: 100 });
      assert.equal(await producedIn(), 0);
      const receipt = await chain.registryCall("tellProduction", [[meter.id, meter.id]]);
      assert.deepEqual(chain.toldBy(receipt), ["MetadataUpdate", "MetadataUpdate"]);
      assert.equal(BigInt(await producedIn()), (299n + 99n) * STEP);
    });

    it("which changes with an event of ERC-4906, and never without", async () => {
      const seen = async (...changes: (() => Promise<unknown>)[]) => {
        for (const change of changes) {
          const [uri, events] = [await metadata(), (await chain.eventsOf("MetadataUpdate")).length];
          await change();
          const told = (await chain.eventsOf("MetadataUpdate")).length - events;
          assert.equal(told, JSON.stringify(uri) === JSON.stringify(await metadata()) ? 0 : 1, String(change));
        }
      };
      const next = createMeter(chain.place, 2, produce({ count: 2, from: { timestamp: START + 6000 } }));
      const { owner, stranger } = chain;
      await seen(
        () => chain.settleAttested({ meter, to: 300 }),
        () => chain.registryCall("tellProduction", [[meter.id]]),
        () => chain.registryCall("lowerCapacity", [meter.id, CAPACITY - 1000]),
        () => chain.registryCall("setPayout", [meter.id, stranger.account.address], owner),
        () => chain.rotate(meter.id, meter, next),
        () => chain.registryCall("decommission", [meter.id]),
      );
    });

    it("which its interface says: ERC-165, ERC-721, its metadata and ERC-4906, and no other", async () => {
      for (const id of ["0x01ffc9a7", "0x80ac58cd", "0x5b5e139f", "0x49064906"]) {
        assert.equal(await chain.registryView("supportsInterface", id), true, id);
      }
      assert.equal(await chain.registryView("supportsInterface", "0xffffffff"), false);
    });

    it("of the whole registry and of the token, by ERC-7572", async () => {
      const read = { ...chain.token, functionName: "contractURI" } as const;
      for (const [uri, symbol] of [
        [(await chain.registryView("contractURI")) as string, "METER"],
        [await chain.publicClient.readContract(read), "kWh"],
      ] as const) {
        const [prefix, data] = uri.split(",") as [string, string];
        assert.equal(prefix, "data:application/json;base64");
        const { name, symbol: told, description } = JSON.parse(Buffer.from(data, "base64").toString());
        assert.equal(told, symbol);
        assert.ok(name && description);
      }
    });

    it("told as frozen by nobody but WattWitness", async () => {
      const by = getAddress(chain.admin.account.address);
      await refuses(chain.registryCall("tellFrozen", [meter.id]), "CallerNotWattWitness", [by]);
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

    it("and costs no more with forty keys than with two, and neither does the meter", async () => {
      const cost = (functionName: string, args: unknown[]) => {
        const call = { ...chain.registry, functionName, args, account: chain.owner.account } as never;
        return chain.publicClient.estimateContractGas(call);
      };
      const costs: bigint[][] = [];
      let old = meter;
      for (let i = 2; i <= 40; i++) {
        const time = START + 6000 + i * 10;
        await chain.at(time);
        const next = createMeter(chain.place, 100 + i, produce({ count: 1, from: { timestamp: time } }));
        await chain.rotate(meter.id, old, next);
        old = next;
        if (i === 2 || i === 40)
          costs.push([await cost("meterOf", [meter.id]), await cost("tokenURI", [BigInt(meter.id)])]);
      }
      const [[meterOf = 0n, tokenURI = 0n] = [], [meterOfForty = 0n, tokenURIOfForty = 0n] = []] = costs;
      assert.ok(meterOfForty < meterOf + 1000n, `${meterOf}, ${meterOfForty}`);
      assert.ok(tokenURIOfForty < tokenURI + 1000n, `${tokenURI}, ${tokenURIOfForty}`);
      const page = (await chain.registryView("keysOf", meter.id, 38n, 10n)) as { keyId: string }[];
      assert.deepEqual(
        page.map(({ keyId }) => keyId),
        [createMeter(chain.place, 139).id, createMeter(chain.place, 140).id],
      );
      assert.deepEqual(await chain.registryView("keysOf", meter.id, 40n, 1n), []);
      assert.equal(await chain.registryView("keyCountOf", meter.id), 40n);
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
        one: { index: 0n, reading: ZERO, proof: [] },
        other: { index: 0n, reading: ZERO, proof: [] },
      };
      await chain.send({ ...chain.wattWitness, functionName: "proveEquivocation", args: [proof] });
      assert.equal(await statusIn(), "frozen");
      await chain.registryCall("decommission", [meter.id]);
      assert.equal(await statusIn(), "decommissioned");
    });
  });
});
