import assert from "node:assert/strict";
import type { Hex } from "viem";
import { publicKeyParts, signatureParts } from "../contracts/settlement.ts";
import { ACCOUNTS } from "../demo/deployment.ts";
import type { SoftDevice } from "../demo/rotation.ts";
import type { Device, Post } from "../meter/device.ts";
import { upload } from "../meter/upload.ts";
import {
  createLog,
  domain,
  encodeHead,
  energyOf,
  fromHex,
  type Head,
  sign,
  timestampOf,
  toHex,
} from "../protocol/index.ts";
import { createSystem, createTestMeter, placedReading, type System, UNITS_PER_MWH } from "./support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const HOUR = 3600;

describe("the life of a meter", function () {
  this.timeout(120_000);
  let system: System;
  beforeEach(async () => {
    system = await createSystem(START);
  });
  afterEach(() => system.close());

  const newMeter = (seed: number, start = START) => createTestMeter(system, { powerAt: () => 3_000_000n, start, seed });
  type TestMeter = ReturnType<typeof newMeter>;

  /** A meter that is registered, and has an hour of readings that the oracle does not have yet. */
  async function registered(seed: number): Promise<TestMeter> {
    const meter = newMeter(seed);
    meter.advance(START + 60);
    await system.register(meter.device);
    meter.advance(START + HOUR);
    return meter;
  }

  async function settled(meter: TestMeter): Promise<void> {
    await system.upload(meter.device);
    await system.settled(meter.device);
  }

  /** mWh from a device's baseline, at `timestamp`, to its last reading, in units of the token */
  function producedSince({ readings, energy }: Device, timestamp: number): bigint {
    const baseline = readings.find((reading) => timestampOf(reading) === timestamp) as Uint8Array;
    return (energy - energyOf(baseline)) * UNITS_PER_MWH;
  }

  /** The key of another device, from `timestamp` on. */
  async function rotated(first: Device, from: SoftDevice, seed: number, timestamp: number): Promise<TestMeter> {
    const successor = newMeter(seed, timestamp - 300);
    successor.advance(timestamp);
    await system.at(timestamp);
    await system.rotate(first, from, successor);
    return successor;
  }

  /** Posts another story, of `size` readings, that this key signed, and shows the contract both, as the oracle kept them. */
  async function showEquivocation({ device, privateKey }: SoftDevice, size = device.size): Promise<void> {
    const { readings, epoch } = device;
    const keyId = toHex(device.keyId);
    const story = readings.slice(0, size).map((reading) => new Uint8Array(reading));
    const changed = story.at(-2) as Uint8Array;
    changed[19] = (changed[19] as number) ^ 1;
    const head: Head = { epoch, size, reading: story.at(-1) as Uint8Array, root: createLog(story).root() };
    const signature = toHex(sign(encodeHead(domain("head", system.place), head), privateKey));
    const post = { keyId, epoch, size, readings: story.slice(-2).map(toHex), signature };
    assert.deepEqual((await system.inject("/readings", post)).body.rule, "wrong reading");

    const answer = await system.app.inject({ url: `/equivocations/${keyId}/${epoch}` });
    assert.equal(answer.statusCode, 200, answer.body);
    const { equivocation, call } = answer.json();
    const { wallet } = system.conspirator;
    const account = wallet.account;
    const request = { ...system.onWattWitness, functionName: "proveEquivocation", args: [equivocation] } as const;
    await system.chain.publicClient.simulateContract({ ...request, account });
    await system.done(wallet.sendTransaction({ ...call, account, chain: wallet.chain }));
  }

  /** Whether the contract takes a reading for proven by the proof that the oracle serves under a signed head. */
  async function isProvenSigned({ keyId, publicKey }: Device, index: number): Promise<boolean> {
    const answer = await system.app.inject({ url: `/logs/${toHex(keyId)}/1/readings/${index}` });
    assert.equal(answer.statusCode, 200, answer.body);
    const { reading, signed } = answer.json<{
      reading: Hex;
      signed: { size: number; reading: Hex; root: Hex; signature: Hex; proof: Hex[] };
    }>();
    const head = { epoch: 1, size: BigInt(signed.size), reading: signed.reading, root: signed.root };
    return system.chain.publicClient.readContract({
      ...system.onWattWitness,
      functionName: "verifySigned",
      args: [
        publicKeyParts(publicKey),
        head,
        signatureParts(fromHex(signed.signature)),
        { index: BigInt(index), reading, proof: signed.proof },
      ],
    });
  }

  /** What the oracle tells of a device's key. */
  const toldOf = async ({ keyId }: Device) => {
    const answer = await system.app.inject({ url: `/meters/${toHex(keyId)}` });
    type Told = { status: string; owner: Hex; capacity: number; settlements: { size: number; attestation?: Hex }[] };
    return answer.json<Told>();
  };

  it("mints to the seller what settles before a sale, and to the buyer what settles after it", async () => {
    const meter = await registered(1);
    await settled(meter);
    const before = await system.supply();
    const buyer = await system.sell(meter.device);
    meter.advance(START + 2 * HOUR);
    await settled(meter);
    assert.equal(await system.balanceOf(ACCOUNTS.firstOwner), before);
    assert.equal(await system.balanceOf(ACCOUNTS.firstOwner + 1), (await system.supply()) - before);
    assert.equal((await toldOf(meter.device)).owner.toLowerCase(), buyer.toLowerCase());
  });

  it("mints under a new device's key to the owner, and proves what the old one signed", async () => {
    const meter = await registered(1);
    const old = meter.device;
    await settled(meter);
    const [before, settledSize] = [await system.supply(), old.size];
    const rotatedAt = START + HOUR + 600;
    meter.advance(rotatedAt + 300);
    const successor = await rotated(old, meter, 2, rotatedAt);
    const { settlements } = await toldOf(successor.device);
    assert.deepEqual(
      settlements.map(({ size }) => size),
      [successor.device.size],
      "where it begins",
    );

    // what the old device had not uploaded yet ends after the rotation, in one post
    await system.upload(old);
    successor.advance(START + 2 * HOUR);
    await settled(successor);
    assert.equal(old.acknowledged, old.size);
    assert.equal(await system.supply(), before + producedSince(successor.device, rotatedAt));
    assert.equal(await system.balanceOf(ACCOUNTS.firstOwner), await system.supply());

    assert.equal((await system.latestOf(old)).size, settledSize);
    const placed = placedReading(old.readings, settledSize);
    for (let index = 0; index < settledSize; index++) {
      assert.equal(await system.verifyReading(old, 1, placed(index)), true, `reading ${index}`);
    }
    for (const [index, reading] of old.readings.entries()) {
      const counts = timestampOf(reading) >= START + 60 && timestampOf(reading) < rotatedAt;
      assert.equal(await isProvenSigned(old, index), counts, `reading ${index}`);
    }
    assert.equal((await toldOf(old)).status, "superseded");
    meter.advance(START + 2 * HOUR);
    assert.equal((await system.send(old.nextPost() as Post)).status, 410);
  });

  it("mints nothing under a key that signed two stories, until its owner rotates to another, and stops nobody", async () => {
    const [meter, other] = [await registered(1), await registered(3)];
    await settled(meter);
    await settled(other);
    const [before, settledSize] = [await system.supply(), meter.device.size];
    await showEquivocation(meter);
    assert.equal((await toldOf(meter.device)).status, "frozen");

    for (const { device, advance } of [meter, other]) {
      advance(START + 2 * HOUR);
      assert.equal((await system.upload(device))?.outcome, "stored");
    }
    await system.settled(other.device);
    assert.equal(await system.supply(), before + producedSince(other.device, START + HOUR));
    assert.equal((await system.latestOf(meter.device)).size, settledSize);
    assert.equal(await isProvenSigned(meter.device, meter.device.size - 1), true);

    const supply = await system.supply();
    const rotatedAt = START + 2 * HOUR + 600;
    const successor = await rotated(meter.device, meter, 2, rotatedAt);
    successor.advance(START + 3 * HOUR);
    await settled(successor);
    assert.equal(await system.supply(), supply + producedSince(successor.device, rotatedAt));
  });

  it("is frozen also by another story of a log that has gone on since", async () => {
    const meter = await registered(1);
    await settled(meter);
    await showEquivocation(meter, meter.device.size - 20);
    assert.equal((await toldOf(meter.device)).status, "frozen");
  });

  it("goes on under a lower capacity, and a batch that was on its way settles without it", async () => {
    const [lowered, other] = [await registered(1), await registered(2)];
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    system.mirror.serve(async (url) => {
      await opened;
      return (await system.app.inject({ url })).rawPayload;
    });
    await system.at(START + HOUR);
    for (const { device } of [lowered, other]) await upload(device, system.send, () => START + HOUR);
    await system.at(START + HOUR + 10);
    const [job] = system.oracle.settlement?.jobs() ?? [];
    assert.deepEqual([job?.stage, job?.items.length], ["requested", 2]);
    await system.lowerCapacity(lowered.device, 4000);
    open();
    await system.settled(other.device);
    await system.settled(lowered.device);

    const { capacity, settlements: its } = await toldOf(lowered.device);
    const { settlements: others } = await toldOf(other.device);
    assert.equal(capacity, 4000);
    assert.deepEqual([its.at(-1)?.size, others.at(-1)?.size], [lowered.device.size, other.device.size]);
    assert.equal(others.at(-1)?.attestation, job?.root);
    assert.ok(its.every(({ attestation }) => attestation !== job?.root));
    const contract = { ...system.onWattWitness, eventName: "Skipped", fromBlock: 0n } as const;
    assert.deepEqual(await system.chain.publicClient.getContractEvents(contract), []);
  });
});
