import assert from "node:assert/strict";
import { BaseError, ContractFunctionRevertedError, concatHex, type Hex, slice } from "viem";
import { functionsAttestorAbi } from "../contracts/abi.ts";
import { settlementItem } from "../contracts/settlement.ts";
import type { Meter } from "../meter/meter.ts";
import { upload } from "../meter/upload.ts";
import {
  attestationLeaf,
  attestationRoot,
  type Batch,
  batchDigest,
  createLog,
  domain,
  encodeBatch,
  encodeHead,
  frontier,
  type Head,
  headHash,
  sign,
  timestampOf,
  toHex,
} from "../protocol/index.ts";
import { CAPACITY, createSystem, createTestMeter, placedReading, type System } from "./support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const HOUR = 3600;

describe("tampering at every hop", function () {
  this.timeout(120_000);
  let system: System;
  let meter: Meter;
  beforeEach(async () => {
    system = await createSystem(START);
    meter = createTestMeter(system, { powerAt: () => 3_000_000n, start: START });
    meter.advance(START + 60);
    await system.register(meter.device);
    meter.advance(START + HOUR);
    await system.at(START + HOUR);
  });
  afterEach(() => system.close());

  const flipped = (hex: string): Hex => `0x${hex.slice(2, -1)}${hex.endsWith("0") ? "1" : "0"}`;

  it("between meter and oracle is refused by the oracle, and loses nothing", async () => {
    const { device } = meter;
    const outcome = await upload(
      device,
      async (post) => {
        const readings = post.readings.map((reading, i) =>
          i === 7 ? (`${reading.slice(0, 30)}f${reading.slice(31)}` as Hex) : reading,
        );
        const { status, body } = await system.send({ ...post, readings });
        assert.equal(status, 422);
        assert.match((body as { rule: string }).rule, /bad signature/);
        return { status: 503, body };
      },
      () => meter.now,
    );
    assert.equal(outcome?.outcome, "later");
    await system.upload(device);
    await system.settled(device);
    assert.equal((await system.latestOf(device)).size, device.size);
  });

  it("between oracle and DON is refused by every node, and settles once the bytes are right again", async () => {
    const { device } = meter;
    system.mirror.tamper = (bytes) => Buffer.from(bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte)));
    await system.upload(device);
    await until(async () => {
      await system.at(meter.now + 1);
      return system.oracle.settlement?.jobs().some(({ reason }) => reason?.includes("no batch")) ?? false;
    });
    assert.equal(await system.supply(), 0n);
    system.mirror.tamper = (bytes) => bytes;
    await system.settled(device);
    assert.ok((await system.supply()) > 0n);
  });

  /** What an operator makes of the device's readings; the head over them is signed by the device only if it is honest. */
  function forged(readings: Uint8Array[], privateKey: Uint8Array) {
    const { device } = meter;
    const log = createLog(readings);
    const head: Head = { epoch: 1, size: log.size, reading: readings.at(-1) as Uint8Array, root: log.root() };
    const headDomain = domain("head", system.place);
    const statement = encodeHead(headDomain, head);
    const signature = sign(statement, privateKey);
    const batch: Batch = {
      domain: headDomain,
      segments: [
        {
          publicKey: device.publicKey,
          epoch: 1,
          from: 0,
          capacity: CAPACITY,
          frontier: frontier(log.range, 0),
          readings,
          signature,
        },
      ],
    };
    const leaf = attestationLeaf({
      keyId: device.keyId,
      epoch: 1,
      from: 0,
      capacity: CAPACITY,
      headHash: headHash(statement),
    });
    const item = settlementItem({
      publicKey: device.publicKey,
      head,
      signature,
      settledSize: 1,
      settledTimestamp: timestampOf(device.readings[0] as Uint8Array),
      capacity: CAPACITY,
      range: log.range,
      firstReading: undefined,
      attested: { from: 0, leaves: [leaf], index: 0 },
    });
    const bytes = encodeBatch(batch);
    return { bytes, digest: toHex(batchDigest(bytes)), root: toHex(attestationRoot([leaf])), item };
  }

  /** Has the conspirator ask the DON about a batch, and tells what came of it. */
  async function attested({
    bytes,
    digest,
    root,
  }: ReturnType<typeof forged>): Promise<{ attested: boolean; reason: string }> {
    const { conspirator, chain, attestor, mirror } = system;
    mirror.tamper = () => Buffer.from(bytes);
    const { wallet, subscriptionId } = conspirator;
    const contract = { address: attestor, abi: functionsAttestorAbi } as const;
    const args = [digest, root, [mirror.url], subscriptionId] as const;
    const call = { ...contract, functionName: "request", args, account: wallet.account, chain: wallet.chain } as const;
    const hash = await wallet.writeContract(call);
    const { blockNumber: fromBlock } = await chain.publicClient.waitForTransactionReceipt({ hash });
    let answer: { attested: boolean; reason: string } | undefined;
    await until(async () => {
      const events = await chain.publicClient.getContractEvents({ ...contract, fromBlock, strict: true });
      for (const { eventName, args } of events) {
        if (!("root" in args) || args.root !== root) continue;
        if (eventName === "AttestationConfirmed") answer = { attested: true, reason: "" };
        if (eventName === "AttestationRefused") answer = { attested: false, reason: args.reason };
      }
      return answer !== undefined;
    });
    return answer as { attested: boolean; reason: string };
  }

  const settle = (item: ReturnType<typeof settlementItem>, root: Hex) =>
    system.chain.publicClient.simulateContract({
      ...system.onWattWitness,
      functionName: "settle",
      args: [root, [item]],
      account: system.conspirator.wallet.account,
    });

  const changed = () =>
    meter.device.readings.map((reading, i) =>
      i === 30 ? Uint8Array.of(...reading.slice(0, 19), 1, ...reading.slice(20)) : reading,
    );

  it("by an operator who alters a reading is refused by the DON", async () => {
    const answer = await attested(forged(changed(), new Uint8Array(32).fill(66)));
    assert.deepEqual(answer, { attested: false, reason: "bad signature" });
  });

  it("by an operator who drops a reading is refused by the DON", async () => {
    const readings = meter.device.readings.filter((_, i) => i !== 30);
    const answer = await attested(forged(readings, new Uint8Array(32).fill(66)));
    assert.deepEqual(answer, { attested: false, reason: "bad signature" });
  });

  it("by one lying node of four changes nothing", async () => {
    system.don.behave(2, "liar");
    await system.upload(meter.device);
    await system.settled(meter.device);
    assert.ok((await system.supply()) > 0n);
  });

  it("by one dead node of four changes nothing", async () => {
    system.don.behave(0, "down");
    await system.upload(meter.device);
    await system.settled(meter.device);
    assert.ok((await system.supply()) > 0n);
  });

  it("by operator and all four nodes together is refused by the contract", async () => {
    const forgery = forged(changed(), new Uint8Array(32).fill(66));
    for (const [node] of system.don.behaviours().entries()) system.don.behave(node, "liar", forgery.root);
    assert.deepEqual(await attested(forgery), { attested: true, reason: "" });
    await reverts(settle(forgery.item, forgery.root), "SignatureInvalid");
    assert.equal(await system.supply(), 0n);
  });

  it("with the call to the contract is refused by the contract", async () => {
    const honest = forged([...meter.device.readings], new Uint8Array(32).fill(1));
    assert.deepEqual(await attested(honest), { attested: true, reason: "" });
    const { item, root } = honest;
    await reverts(
      settle({ ...item, head: { ...item.head, reading: flipped(item.head.reading) } }, root),
      "ConditionsBlock|SignatureInvalid",
    );
    await reverts(settle({ ...item, head: { ...item.head, root: flipped(item.head.root) } }, root), "SignatureInvalid");
    await reverts(settle({ ...item, growth: item.growth.map(flipped) }, root), "LogInconsistent");
    const ofTwoSegments = concatHex([slice(item.basis, 0, 28), "0x00000002"]);
    await reverts(settle({ ...item, basis: ofTwoSegments }, root), "SegmentNotAttested");
    await reverts(settle(item, flipped(root)), "AttestationUnknown");
    await settle(item, root);
  });

  it("with a proof is noticed by the contract", async () => {
    await system.upload(meter.device);
    await system.settled(meter.device);
    const placed = placedReading(meter.device.readings, meter.device.size)(12);
    assert.equal(await system.verifyReading(meter.device, 1, placed), true);
    assert.equal(await system.verifyReading(meter.device, 1, { ...placed, reading: flipped(placed.reading) }), false);
    assert.equal(await system.verifyReading(meter.device, 1, { ...placed, proof: placed.proof.map(flipped) }), false);
    assert.equal(await system.verifyReading(meter.device, 1, { ...placed, index: 13n }), false);
  });
});

async function reverts(call: Promise<unknown>, error: string): Promise<void> {
  const thrown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(thrown instanceof BaseError, `was not refused, but expected ${error}`);
  const revert = thrown.walk((cause) => cause instanceof ContractFunctionRevertedError);
  assert.ok(revert instanceof ContractFunctionRevertedError, thrown.message);
  assert.match(revert.data?.errorName ?? "", new RegExp(`^(${error})$`));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("did not happen within 30 s");
}
