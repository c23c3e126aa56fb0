import assert from "node:assert/strict";
import { attestationLeaf, attestationRoot } from "../attestation.ts";
import { decodeBatch, encodeBatch, type VerifiedSegment, verifyBatch } from "../batch.ts";
import { equal, fromHex, toHex } from "../bytes.ts";
import { createLog, frontier, leafHash, rootFromFrontier, verifyConsistency, verifyInclusion } from "../log.ts";
import { decodeReading, encodeReading, type Reading } from "../reading.ts";
import type { Result } from "../result.ts";
import { keyIdOf, verify } from "../signature.ts";
import { publicKeyOf } from "../signing.ts";
import { decodeHead, encodeClaim, encodeHead, encodeRotation, headHash } from "../statement.ts";
import { refusalsFirst, title, vectors } from "./load-vectors.ts";

/** A case with a failure is refused with that very word, one without is accepted. */
const outcome = (result: Result<unknown>) => (result.ok ? undefined : result.failure);

const readings = vectors.readings.map(fromHex);
const log = createLog(readings);
const domains = {
  head: fromHex(vectors.place.headDomain),
  claim: fromHex(vectors.place.claimDomain),
  rotate: fromHex(vectors.place.rotateDomain),
};

describe("protocol vectors", () => {
  describe("readings", () => {
    for (const vector of refusalsFirst(vectors.reading)) {
      it(title(vector), () => {
        const decoded = decodeReading(fromHex(vector.bytes));
        assert.equal(outcome(decoded), vector.failure);
        const { fields } = vector;
        if (!decoded.ok || !fields) return;
        const expected: Reading = {
          ...fields,
          energy: BigInt(fields.energy),
          power: BigInt(fields.power),
          voltage: fields.voltage ?? undefined,
          current: fields.current ?? undefined,
          temperature: fields.temperature ?? undefined,
        };
        assert.deepEqual(decoded.value, expected);
        assert.equal(toHex(encodeReading(expected)), vector.bytes);
      });
    }
  });

  describe("logs", () => {
    it(`has root and frontier of ${vectors.log.length} sizes`, () => {
      for (const { size, root, frontier: expected } of vectors.log) {
        assert.equal(toHex(log.root(size)), root, `root of ${size}`);
        assert.deepEqual(frontier(log.range, size).map(toHex), expected, `frontier of ${size}`);
      }
    });

    it("makes the same root from the frontier before any reading and the readings after it", () => {
      for (const { size, frontier: hashes } of vectors.log.slice(0, 301)) {
        const from = rootFromFrontier(size, hashes.map(fromHex), readings.slice(size, 301).map(leafHash));
        assert.equal(toHex(from), toHex(log.root(301)), `from ${size}`);
      }
    });
  });

  describe("inclusion proofs", () => {
    for (const vector of refusalsFirst(vectors.inclusion)) {
      it(title(vector), () => {
        const { index, size, reading, proof, root } = vector;
        const result = verifyInclusion(fromHex(reading), index, size, proof.map(fromHex), fromHex(root));
        assert.equal(outcome(result), vector.failure);
      });
    }
  });

  describe("consistency proofs", () => {
    for (const vector of refusalsFirst(vectors.consistency)) {
      it(title(vector), () => {
        const { from, to, fromRoot, toRoot, proof } = vector;
        const result = verifyConsistency(from, to, fromHex(fromRoot), fromHex(toRoot), proof.map(fromHex));
        assert.equal(outcome(result), vector.failure);
      });
    }
  });

  describe("heads", () => {
    for (const vector of refusalsFirst(vectors.head)) {
      it(title(vector), async () => {
        const bytes = fromHex(vector.bytes);
        const head = decodeHead(domains.head, bytes);
        const result = head.ok ? await verify(bytes, fromHex(vector.signature), fromHex(vector.publicKey)) : head;
        assert.equal(outcome(result), vector.failure);
        assert.equal(toHex(headHash(bytes)), vector.headHash);
        if (head.ok) assert.equal(toHex(encodeHead(domains.head, head.value)), vector.bytes);
      });
    }
  });

  describe("claims", () => {
    for (const vector of refusalsFirst(vectors.claim)) {
      it(title(vector), async () => {
        const [meter, keyId, hash] = [vector.meter, vector.keyId, vector.headHash].map(fromHex) as [
          Uint8Array,
          Uint8Array,
          Uint8Array,
        ];
        const bytes = encodeClaim(domains.claim, { meter, keyId, owner: vector.owner, headHash: hash });
        assert.equal(toHex(bytes), vector.bytes);
        assert.equal(
          outcome(await verify(bytes, fromHex(vector.signature), fromHex(vector.publicKey))),
          vector.failure,
        );
      });
    }
  });

  describe("rotations", () => {
    for (const vector of refusalsFirst(vectors.rotation)) {
      it(title(vector), async () => {
        const rotation = { meter: fromHex(vector.meter), newKeyId: fromHex(vector.newKeyId) };
        const bytes = encodeRotation(domains.rotate, rotation);
        assert.equal(toHex(bytes), vector.bytes);
        assert.equal(
          outcome(await verify(bytes, fromHex(vector.signature), fromHex(vector.publicKey))),
          vector.failure,
        );
      });
    }
  });

  describe("batches", () => {
    for (const vector of refusalsFirst(vectors.batch)) {
      it(title(vector), async () => {
        const bytes = fromHex(vector.bytes);
        const result = await verifyBatch(bytes);
        assert.equal(outcome(result), vector.failure);
        if (!result.ok) return;
        const { root, segments } = vector;
        assert.ok(root && segments);
        assert.equal(toHex(result.value.root), root);
        assert.equal(toHex(result.value.digest), vector.digest);
        for (const [i, segment] of segments.entries()) {
          const verified: VerifiedSegment | undefined = result.value.segments[i];
          assert.ok(verified);
          assert.equal(toHex(verified.headHash), segment.headHash);
          const leaf = attestationLeaf(verified);
          const inside = verifyInclusion(leaf, i, segments.length, segment.proof.map(fromHex), fromHex(root));
          assert.equal(outcome(inside), undefined);
        }
        const decoded = decodeBatch(bytes);
        assert.ok(decoded.ok && equal(encodeBatch(decoded.value), bytes));
        assert.equal(toHex(attestationRoot(result.value.segments.map(attestationLeaf))), root);
      });
    }
  });

  it("are made with the keys that they name", () => {
    for (const { privateKey, publicKey, keyId } of vectors.keys) {
      assert.equal(toHex(publicKeyOf(fromHex(privateKey))), publicKey);
      assert.equal(toHex(keyIdOf(fromHex(publicKey))), keyId);
    }
  });
});
