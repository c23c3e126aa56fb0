import assert from "node:assert/strict";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, type Hex } from "viem";
import { attestationLeaf, attestationRoot, fromHex, toHex } from "../../protocol/index.ts";
import { refusalsFirst, title, vectors } from "../../protocol/test/load-vectors.ts";
import { headParts, publicKeyParts, signatureParts } from "../settlement.ts";
import { type Libraries, NETWORKS, openLibraries } from "./fixture.ts";

const sha256Of = (bytes: string): Hex => toHex(sha256(fromHex(bytes)));

describe("contracts, against the protocol's vectors", () => {
  let call: Libraries;
  before(async () => {
    call = await openLibraries("default");
  });

  it("read the fields of every reading", async () => {
    for (const { name, bytes, fields } of vectors.reading) {
      if (!fields) continue;
      const { timestamp, energy, source, conditions } = fields;
      assert.deepEqual(await call("readingFields", bytes), [timestamp, BigInt(energy), source, conditions], name);
    }
  });

  it("make the domains", async () => {
    const { chainId, registry, headDomain, claimDomain, rotateDomain } = vectors.place;
    assert.equal(await call("domain", "head", chainId, registry), headDomain);
    assert.equal(await call("domain", "claim", chainId, registry), claimDomain);
    assert.equal(await call("domain", "rotate", chainId, registry), rotateDomain);
  });

  it("make the key ids", async () => {
    for (const { publicKey, keyId } of vectors.keys) {
      assert.equal(await call("keyId", publicKeyParts(fromHex(publicKey))), keyId);
    }
  });

  it("make the hash of every head", async () => {
    for (const { name, domain, bytes, headHash, failure } of vectors.head) {
      if (failure === "wrong length" || failure === "wrong domain") continue;
      const head = fromHex(bytes);
      const view = new DataView(head.buffer);
      const [epoch, size] = [view.getUint32(32), Number(view.getBigUint64(36))];
      const parts = headParts({ epoch, size, reading: head.subarray(44, 76), root: head.subarray(76) });
      assert.equal(await call("headHash", domain, parts), headHash, name);
    }
  });

  it("make the hash of every claim", async () => {
    for (const { name, bytes, meter, keyId, owner, headHash } of vectors.claim) {
      const hash = await call("claimHash", vectors.place.claimDomain, meter, keyId, owner, headHash);
      assert.equal(hash, toHex(sha256(fromHex(bytes))), name);
    }
  });

  it("make the hash of every rotation", async () => {
    for (const { name, bytes, meter, newKeyId } of vectors.rotation) {
      const hash = await call("rotationHash", vectors.place.rotateDomain, meter, newKeyId);
      assert.equal(hash, toHex(sha256(fromHex(bytes))), name);
    }
  });

  describe("inclusion proofs", () => {
    for (const vector of refusalsFirst(vectors.inclusion)) {
      // a size is bounded where it enters the contract, not in the library
      if (vector.size === 2 ** 40) continue;
      it(title(vector), async () => {
        const { reading, index, size, proof, root, failure } = vector;
        assert.equal(await call("verifyInclusion", reading, BigInt(index), BigInt(size), proof, root), !failure);
      });
    }
  });

  describe("consistency proofs", () => {
    for (const vector of refusalsFirst(vectors.consistency)) {
      it(title(vector), async () => {
        const { from, to, fromRoot, toRoot, proof, failure } = vector;
        assert.equal(await call("verifyConsistency", BigInt(from), BigInt(to), fromRoot, toRoot, proof), !failure);
      });
    }
  });

  it("find a segment that begins at any reading below 2^40", async () => {
    for (const from of [2 ** 32 - 1, 2 ** 32, 2 ** 33 + 5, 2 ** 40 - 2]) {
      const segment = { epoch: 7, from, capacity: 5000 };
      const [keyId, headHash] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
      const root = toHex(attestationRoot([attestationLeaf({ ...segment, keyId, headHash })]));
      const found = (at: number) =>
        call("verifySegment", toHex(keyId), 7, BigInt(at), 5000, toHex(headHash), 0n, 1n, [], root);
      assert.equal(await found(from), true, `${from}`);
      assert.equal(await found(from % 2 ** 32), from < 2 ** 32, `${from}, cut to 32 bits`);
    }
  });

  it("find every segment of every good batch under its attestation root, and nowhere else", async () => {
    for (const { name, root, segments = [] } of vectors.batch) {
      for (const [i, { keyId, epoch, from, capacity, headHash, proof }] of segments.entries()) {
        const inside = (watts: number) =>
          call(
            "verifySegment",
            keyId,
            epoch,
            BigInt(from),
            watts,
            headHash,
            BigInt(i),
            BigInt(segments.length),
            proof,
            root,
          );
        assert.equal(await inside(capacity), true, `${name}, segment ${i}`);
        assert.equal(await inside(capacity + 1), false, `${name}, segment ${i} with another capacity`);
      }
    }
  });
});

for (const [network, where] of NETWORKS) {
  describe(`signatures on ${where}`, () => {
    let call: Libraries;
    before(async () => {
      call = await openLibraries(network);
    });

    const isSigned = (hash: Hex, signature: Uint8Array, key: Uint8Array) =>
      call("isSigned", hash, signatureParts(signature), publicKeyParts(key));

    it(network === "prague" ? "are checked in Solidity" : "are checked by the precompile", async () => {
      // a head of size 1, as 0x100 answers it: the input of EIP-7951 in, 1 or nothing out
      const vector = vectors.head[0];
      assert.ok(vector);
      const input = concat([sha256Of(vector.bytes), vector.signature as Hex, vector.publicKey as Hex]);
      assert.equal(await call.precompile(input), network === "prague" ? undefined : `0x${"1".padStart(64, "0")}`);
    });

    const signed = [...vectors.head, ...vectors.claim, ...vectors.rotation];
    for (const vector of refusalsFirst(signed)) {
      const { bytes, signature, publicKey, failure } = vector;
      const bySignature = failure === undefined || ["high s", "bad key", "bad signature"].includes(failure);
      if (!bySignature) continue;
      it(title(vector), async () => {
        assert.equal(await isSigned(sha256Of(bytes), fromHex(signature), fromHex(publicKey)), !failure);
      });
    }
  });
}
