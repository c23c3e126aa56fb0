import assert from "node:assert/strict";
import { p256 } from "@noble/curves/nist.js";
import fc from "fast-check";
import { type Claimed, verifyClaim } from "../application.ts";
import { BATCH_LIMIT, decodeBatch, encodeBatch, type Segment, verifyBatch } from "../batch.ts";
import { concat, equal, fromHex, toHex } from "../bytes.ts";
import {
  completeSubtrees,
  consistencyProof,
  createLog,
  frontier,
  inclusionProof,
  leafHash,
  rootFromFrontier,
  verifyConsistency,
  verifyInclusion,
} from "../log.ts";
import { checkReadings, decodeReading, encodeReading, type Reading } from "../reading.ts";
import { keyIdOf, normaliseS, ORDER, verify } from "../signature.ts";
import { generatePrivateKey, publicKeyOf, sign, signersOf } from "../signing.ts";
import { decodeHead, domain, encodeClaim, encodeHead, headHash } from "../statement.ts";

const PLACE = { chainId: 31337, registry: "0x5fbdb2315678afecb367f032d93f642f64180aa3" };
const HEAD_DOMAIN = domain("head", PLACE);

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const measured = (max: number, min = 0) => fc.option(fc.integer({ min, max }), { nil: undefined });
const reading: fc.Arbitrary<Reading> = fc.record(
  {
    timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
    energy: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    power: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    voltage: measured(0xffff_fffe),
    current: measured(0xffff_fffe),
    temperature: measured(0x7fff, -0x7fff),
    source: fc.integer({ min: 0, max: 0x1f }),
    conditions: fc.integer({ min: 0, max: 0x0f }),
  },
  { noNullPrototype: true },
);
const leaves = (max: number) => fc.array(bytes(32), { minLength: 1, maxLength: max });
const below = (limit: number) => fc.nat({ max: limit - 1 });

function flipBit(input: Uint8Array, bit: number): Uint8Array {
  const output = input.slice();
  output[bit >> 3] = (output[bit >> 3] as number) ^ (1 << (bit & 7));
  return output;
}

describe("protocol laws", () => {
  it("decoding what was encoded gives the reading back", () => {
    fc.assert(
      fc.property(reading, (r) => {
        const decoded = decodeReading(encodeReading(r));
        assert.ok(decoded.ok);
        assert.deepEqual(decoded.value, r);
      }),
    );
  });

  it("encoding what was decoded gives the bytes back", () => {
    fc.assert(
      fc.property(bytes(32), (input) => {
        const decoded = decodeReading(input);
        if (decoded.ok) assert.deepEqual(encodeReading(decoded.value), input);
        else assert.equal(decoded.failure, "reserved bits");
      }),
    );
  });

  it("a value that its field cannot hold is never encoded", () => {
    const honest: Reading = { timestamp: 1, energy: 1n, power: 1n, source: 1, conditions: 0 };
    const wrong: Partial<Reading>[] = [
      { timestamp: -1 },
      { timestamp: 2 ** 32 },
      { timestamp: 1.5 },
      { energy: -1n },
      { energy: 2n ** 64n },
      { power: 2n ** 63n },
      { voltage: 0xffff_ffff },
      { current: -1 },
      { temperature: -0x8000 },
      { source: 0x20 },
      { conditions: 0x10 },
    ];
    for (const change of wrong)
      assert.throws(() => encodeReading({ ...honest, ...change }), RangeError, Object.keys(change)[0]);
  });

  it("every reading of every log is provable, and with any bit changed it is not", () => {
    fc.assert(
      fc.property(leaves(70), fc.nat(), fc.nat(), (list, at, bit) => {
        const index = at % list.length;
        const log = createLog(list);
        const proof = inclusionProof(log.range, index, list.length);
        const leaf = list[index] as Uint8Array;
        assert.ok(verifyInclusion(leaf, index, list.length, proof, log.root()).ok);
        assert.ok(!verifyInclusion(flipBit(leaf, bit % 256), index, list.length, proof, log.root()).ok);
        assert.ok(!verifyInclusion(leaf, index, list.length, proof, flipBit(log.root(), bit % 256)).ok);
        for (let i = 0; i < proof.length; i++) {
          const changed = proof.map((hash, j) => (i === j ? flipBit(hash, bit % 256) : hash));
          assert.ok(!verifyInclusion(leaf, index, list.length, changed, log.root()).ok);
        }
      }),
    );
  });

  it("every growth of every log is provable, and with any bit changed it is not", () => {
    fc.assert(
      fc.property(leaves(70), fc.nat(), fc.nat(), (list, at, bit) => {
        fc.pre(list.length > 1);
        const from = 1 + (at % (list.length - 1));
        const log = createLog(list);
        const proof = consistencyProof(log.range, from, list.length);
        assert.ok(verifyConsistency(from, list.length, log.root(from), log.root(), proof).ok);
        assert.ok(!verifyConsistency(from, list.length, flipBit(log.root(from), bit % 256), log.root(), proof).ok);
        assert.ok(!verifyConsistency(from, list.length, log.root(from), flipBit(log.root(), bit % 256), proof).ok);
        for (let i = 0; i < proof.length; i++) {
          const changed = proof.map((hash, j) => (i === j ? flipBit(hash, bit % 256) : hash));
          assert.ok(!verifyConsistency(from, list.length, log.root(from), log.root(), changed).ok);
        }
      }),
    );
  });

  it("a log grown one reading at a time has, at every size, the root of the definition", () => {
    fc.assert(
      fc.property(leaves(40), (list) => {
        const whole = createLog(list);
        for (let size = 1; size <= list.length; size++) {
          assert.deepEqual(createLog(list.slice(0, size)).root(), whole.root(size));
        }
      }),
    );
  });

  it("a frontier and what follows make the root of the whole", () => {
    fc.assert(
      fc.property(leaves(70), fc.nat(), (list, at) => {
        const from = at % list.length;
        const log = createLog(list);
        const root = rootFromFrontier(from, frontier(log.range, from), list.slice(from).map(leafHash));
        assert.deepEqual(root, log.root());
      }),
    );
  });

  it("the complete subtrees of a size are as many as it has bits, and cover it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 - 1 }), (size) => {
        const subtrees = completeSubtrees(size);
        assert.equal(subtrees.length, [...size.toString(2)].filter((bit) => bit === "1").length);
        let covered = 0;
        for (const [start, end] of subtrees) {
          assert.equal(start, covered);
          assert.equal(start % (end - start), 0);
          covered = end;
        }
        assert.equal(covered, size);
      }),
    );
  });

  it("a head survives its bytes, and every bit of it is signed", async () => {
    const privateKey = generatePrivateKey();
    const head = { epoch: 3, size: 77, reading: new Uint8Array(32).fill(5), root: new Uint8Array(32).fill(9) };
    const statement = encodeHead(HEAD_DOMAIN, head);
    const decoded = decodeHead(HEAD_DOMAIN, statement);
    assert.ok(decoded.ok);
    assert.deepEqual(decoded.value, head);
    const signature = sign(statement, privateKey);
    assert.ok((await verify(statement, signature, publicKeyOf(privateKey))).ok);
    for (let bit = 0; bit < statement.length * 8; bit++) {
      assert.ok(!(await verify(flipBit(statement, bit), signature, publicKeyOf(privateKey))).ok, `bit ${bit}`);
    }
    for (let bit = 0; bit < 512; bit++) {
      assert.ok(
        !(await verify(statement, flipBit(signature, bit), publicKeyOf(privateKey))).ok,
        `signature bit ${bit}`,
      );
    }
  });

  it("of the two forms of a signature one is accepted, and normalising makes it", async () => {
    const privateKey = generatePrivateKey();
    const statement = encodeHead(HEAD_DOMAIN, {
      epoch: 0,
      size: 1,
      reading: new Uint8Array(32),
      root: new Uint8Array(32),
    });
    const low = sign(statement, privateKey);
    const s = BigInt(toHex(low.subarray(32)));
    const high = concat(low.subarray(0, 32), fromHex((ORDER - s).toString(16).padStart(64, "0")));
    assert.deepEqual(await verify(statement, high, publicKeyOf(privateKey)), { ok: false, failure: "high s" });
    assert.deepEqual(normaliseS(high), low);
    assert.deepEqual(normaliseS(low), low);
  });

  it("a batch survives its bytes, and every bit of its readings counts", async () => {
    const privateKey = generatePrivateKey();
    const list = Array.from({ length: 9 }, (_, i) =>
      encodeReading({ timestamp: 1000 + i * 60, energy: BigInt(i) * 50n, power: 3000n, source: 0x10, conditions: 0 }),
    );
    const log = createLog(list);
    const head = { epoch: 1, size: 9, reading: list[8] as Uint8Array, root: log.root() };
    const segment: Segment = {
      publicKey: publicKeyOf(privateKey),
      epoch: 1,
      from: 3,
      capacity: 5000,
      frontier: frontier(log.range, 3),
      readings: list.slice(3),
      signature: sign(encodeHead(HEAD_DOMAIN, head), privateKey),
    };
    const batch = encodeBatch({ domain: HEAD_DOMAIN, segments: [segment] });
    const decoded = decodeBatch(batch);
    assert.ok(decoded.ok);
    assert.deepEqual(decoded.value, { domain: HEAD_DOMAIN, segments: [segment] });
    const verified = await verifyBatch(batch);
    assert.ok(verified.ok && equal(verified.value.segments[0]?.keyId as Uint8Array, keyIdOf(segment.publicKey)));

    const capacityBits = new Set(Array.from({ length: 32 }, (_, i) => (38 + 76) * 8 + i));
    for (let bit = 0; bit < batch.length * 8; bit++) {
      const changed = await verifyBatch(flipBit(batch, bit));
      // the capacity is not the device's to sign: the contract holds it against the registered one
      if (capacityBits.has(bit)) continue;
      assert.ok(!changed.ok, `bit ${bit}`);
    }
  }).timeout(30_000);

  it("a batch over the limit is refused before anything else is read", async () => {
    const over = new Uint8Array(BATCH_LIMIT + 1);
    assert.deepEqual(await verifyBatch(over), { ok: false, failure: "too large" });
    assert.deepEqual(await verifyBatch(over.subarray(1)), { ok: false, failure: "wrong magic" });
    assert.deepEqual(await verifyBatch(new Uint8Array(100), 99), { ok: false, failure: "too large" });
  });

  it("the rules between readings hold whatever the readings", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ elapsed: fc.integer({ min: 1, max: 7200 }), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
          { minLength: 1, maxLength: 50 },
        ),
        fc.integer({ min: 1, max: 100_000 }),
        (steps, capacity) => {
          let timestamp = 1000;
          let energy = 0n;
          const list = [{ timestamp, energy }];
          for (const { elapsed, share } of steps) {
            timestamp += elapsed;
            energy += BigInt(Math.floor((share * capacity * 1000 * elapsed) / 3600));
            list.push({ timestamp, energy });
          }
          const encoded = list.map((r) => encodeReading({ ...r, power: 0n, source: 0, conditions: 0 }));
          assert.ok(checkReadings(encoded, capacity).ok);
          assert.ok(!checkReadings([...encoded].reverse(), capacity).ok);
        },
      ),
    );
  });

  it("the order written here is the curve's", () => {
    assert.equal(ORDER, p256.Point.Fn.ORDER);
  });

  it("a signature leads to its key, and over another statement to others", async () => {
    const statement = fc.uint8Array({ minLength: 1, maxLength: 200 });
    const property = fc.asyncProperty(statement, below(8), async (signed, bit) => {
      const privateKey = generatePrivateKey();
      const [signature, key] = [sign(signed, privateKey), toHex(publicKeyOf(privateKey))];
      assert.ok(signersOf(signed, signature).map(toHex).includes(key));
      assert.ok(!signersOf(flipBit(signed, bit), signature).map(toHex).includes(key));
      for (const each of signersOf(signed, signature)) assert.ok((await verify(signed, signature, each)).ok);
    });
    await fc.assert(property, { numRuns: 20 });
    assert.deepEqual(signersOf(Uint8Array.of(1), new Uint8Array(64)), []);
    assert.deepEqual(signersOf(Uint8Array.of(1), new Uint8Array(63)), []);
  });

  it("the key id of a key is that of no other", () => {
    fc.assert(
      fc.property(bytes(64), below(512), (key, bit) => {
        assert.notDeepEqual(keyIdOf(key), keyIdOf(flipBit(key, bit)));
      }),
    );
  });
});

describe("a claim", () => {
  const privateKey = new Uint8Array(32).fill(9);
  const publicKey = publicKeyOf(privateKey);
  const head = { epoch: 1, size: 1, reading: new Uint8Array(32), root: leafHash(new Uint8Array(32)) };
  const owner = `0x${"ab".repeat(20)}`;
  const keyId = keyIdOf(publicKey);
  const statement = encodeClaim(domain("claim", PLACE), {
    ...{ meter: keyId, keyId, owner, headHash: headHash(encodeHead(HEAD_DOMAIN, head)) },
  });
  const claimed: Claimed = {
    ...{ publicKey: toHex(publicKey), owner, claim: toHex(sign(statement, privateKey)) },
    baseline: { ...head, reading: toHex(head.reading), root: toHex(head.root) },
  };

  it("is of one key, owner, baseline and place, and of no other", async () => {
    assert.ok((await verifyClaim(claimed, PLACE)).ok);
    const other = new Uint8Array(32).fill(8);
    for (const [what, changed, place] of [
      ["key", { ...claimed, publicKey: toHex(publicKeyOf(other)) }, PLACE],
      ["owner", { ...claimed, owner: `0x${"ac".repeat(20)}` }, PLACE],
      ["size", { ...claimed, baseline: { ...claimed.baseline, size: 2 } }, PLACE],
      ["epoch", { ...claimed, baseline: { ...claimed.baseline, epoch: 2 } }, PLACE],
      ["root", { ...claimed, baseline: { ...claimed.baseline, root: toHex(other) } }, PLACE],
      ["reading", { ...claimed, baseline: { ...claimed.baseline, reading: toHex(other) } }, PLACE],
      ["chain", claimed, { ...PLACE, chainId: 1 }],
      ["registry", claimed, { ...PLACE, registry: owner }],
    ] as const) {
      assert.deepEqual(await verifyClaim(changed, place), { ok: false, failure: "bad signature" }, what);
    }
  });

  it("is of the meter that the key is to succeed at, and of no other", async () => {
    const [meter, another] = [new Uint8Array(32).fill(7), new Uint8Array(32).fill(6)];
    const succeeding = encodeClaim(domain("claim", PLACE), {
      ...{ meter, keyId, owner, headHash: headHash(encodeHead(HEAD_DOMAIN, head)) },
    });
    const application = { ...claimed, claim: toHex(sign(succeeding, privateKey)) };
    assert.ok((await verifyClaim(application, PLACE, meter)).ok);
    for (const other of [another, keyId, undefined]) assert.ok(!(await verifyClaim(application, PLACE, other)).ok);
    assert.ok(!(await verifyClaim(claimed, PLACE, meter)).ok);
  });
});
