/**
 * The reading that the hackathon original published as signed by its secure element. Its "signature" is SHA-256 of a
 * text, padded with zeros to 64 bytes and followed by leftover memory: anyone can make it without a key.
 */
import assert from "node:assert/strict";
import { sha256 } from "@noble/hashes/sha2.js";
import { BaseError, ContractFunctionRevertedError } from "viem";
import { meterRegistryAbi } from "../contracts/abi.ts";
import { headParts, publicKeyParts, settlementItem, signatureParts } from "../contracts/settlement.ts";
import { ACCOUNTS } from "../demo/deployment.ts";
import { runInSandbox } from "../functions-source/sandbox.ts";
import { serve, verifyBatchSource } from "../functions-source/test/helpers.ts";
import {
  attestationLeaf,
  attestationRoot,
  batchDigest,
  createLog,
  domain,
  encodeBatch,
  encodeHead,
  encodeReading,
  fromHex,
  type Head,
  headHash,
  keyIdOf,
  toHex,
  verify,
} from "../protocol/index.ts";
import { CAPACITY, createSystem, type System } from "./support.ts";

const PUBLIC_KEY = fromHex(
  "fca0c973d117630908020a530be5d137bc9e11baccf9a3d4f666cf3b56a4edaf07056e97405e803418011c7e62f255a4fb053cdd75d4abbad41b013b37d8d8c4",
);
const SIGNATURE = fromHex(
  "2F2B15C626527E957F49D2D7663A91ECCC7B8220C401598515282EA9EC6FA61000000000000000005C20FB04000000000000000000000000D020FB0000000000",
);
const TEXT = "ShellyEM power=16.6W total=21700.0Wh timestamp=1750352712";
const TIMESTAMP = 1_750_352_712;

const reading = encodeReading({
  timestamp: TIMESTAMP,
  energy: 21_700_000n,
  power: 16_600n,
  source: 0,
  conditions: 0,
});
const log = createLog([reading]);
const keyId = keyIdOf(PUBLIC_KEY);

describe("the hackathon original's published reading", function () {
  this.timeout(120_000);
  let system: System;
  let head: Head;
  let statement: Uint8Array;
  before(async () => {
    system = await createSystem(TIMESTAMP);
    head = { epoch: 0, size: 1, reading, root: log.root() };
    statement = encodeHead(domain("head", system.place), head);
  });
  after(() => system.close());

  const errorOf = async (call: Promise<unknown>): Promise<string | undefined> => {
    const thrown = await call.then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(thrown instanceof BaseError, "it was accepted");
    const revert = thrown.walk((cause) => cause instanceof ContractFunctionRevertedError);
    assert.ok(revert instanceof ContractFunctionRevertedError, thrown.message);
    return revert.data?.errorName;
  };

  it("carries a hash where a signature belongs", () => {
    const padded = new Uint8Array(64);
    padded.set(new TextEncoder().encode(TEXT));
    assert.equal(SIGNATURE.length, 64);
    assert.deepEqual(SIGNATURE.subarray(0, 32), sha256(padded));
  });

  it("is refused by the protocol, as a head and as the text that it was said to sign", async () => {
    assert.ok(!(await verify(statement, SIGNATURE, PUBLIC_KEY)).ok);
    assert.ok(!(await verify(new TextEncoder().encode(TEXT), SIGNATURE, PUBLIC_KEY)).ok);
  });

  it("is refused by the oracle, as a reading and as a registration", async () => {
    const post = { keyId: toHex(keyId), epoch: 0, size: 1, readings: [toHex(reading)], signature: toHex(SIGNATURE) };
    const posted = await system.inject("/readings", post);
    assert.equal(posted.body.rule, "unknown meter");
    const applied = await system.inject("/registrations", {
      publicKey: toHex(PUBLIC_KEY),
      owner: system.chain.wallet(ACCOUNTS.firstOwner).account.address,
      capacity: CAPACITY,
      source: 0,
      details: toHex(new Uint8Array(32)),
      baseline: { epoch: 0, size: 1, reading: toHex(reading), root: toHex(log.root()) },
      claim: toHex(SIGNATURE),
    });
    assert.equal(applied.status, 422);
    assert.match(applied.body.rule, /bad signature|bad key/);
  });

  const leaf = () => attestationLeaf({ keyId, epoch: 0, from: 0, capacity: CAPACITY, headHash: headHash(statement) });

  it("is refused by the source that every node of the DON runs", async () => {
    const batch = encodeBatch({
      domain: domain("head", system.place),
      segments: [
        {
          publicKey: PUBLIC_KEY,
          epoch: 0,
          from: 0,
          capacity: CAPACITY,
          frontier: [],
          readings: [reading],
          signature: SIGNATURE,
        },
      ],
    });
    const server = await serve((_, response) => response.end(batch));
    const answer = await runInSandbox({
      source: verifyBatchSource,
      args: [server.url("batch")],
      bytesArgs: [toHex(batchDigest(batch)), toHex(attestationRoot([leaf()]))],
    });
    await server.close();
    assert.ok("error" in answer, "the source accepted it");
    assert.match(answer.error, /^(bad signature|bad key)$/);
  });

  it("is refused by the contracts, as a registration, a settlement and a proof", async () => {
    const { publicClient } = system.chain;
    const registrar = system.chain.wallet(ACCOUNTS.registrar).account;
    const registration = {
      key: publicKeyParts(PUBLIC_KEY),
      owner: system.chain.wallet(ACCOUNTS.firstOwner).account.address,
      capacity: CAPACITY,
      source: 0,
      details: toHex(new Uint8Array(32)),
      baseline: headParts(head),
      claim: signatureParts(SIGNATURE),
    };
    const register = publicClient.simulateContract({
      address: system.deployment.registry,
      abi: meterRegistryAbi,
      functionName: "register",
      args: [registration],
      account: registrar,
    });
    assert.equal(await errorOf(register), "ClaimInvalid");

    const item = settlementItem({
      publicKey: PUBLIC_KEY,
      head,
      signature: SIGNATURE,
      settledSize: 0,
      settledTimestamp: 0,
      capacity: CAPACITY,
      range: log.range,
      firstReading: reading,
    });
    const settle = publicClient.simulateContract({
      ...system.onWattWitness,
      functionName: "settle",
      args: [toHex(new Uint8Array(32)), [item]],
      account: registrar,
    });
    assert.equal(await errorOf(settle), "KeyUnknown");

    const placed = { index: 0n, reading: toHex(reading), proof: [] };
    const signed = await publicClient.readContract({
      ...system.onWattWitness,
      functionName: "verifySigned",
      args: [registration.key, registration.baseline, registration.claim, placed],
    });
    assert.equal(signed, false);
  });
});
