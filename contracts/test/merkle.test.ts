/** The contract's RFC 9162 against the TypeScript reference: the same answer, right or tampered with. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  consistencyProof,
  createLog,
  type Hash,
  inclusionProof,
  leafHash,
  nodeHash,
  type RangeHash,
  toHex,
  verifyConsistency,
  verifyInclusion,
} from "../../protocol/index.ts";
import { hexes } from "../settlement.ts";
import { type Libraries, leafAt, openLibraries, sparseRange } from "./fixture.ts";

type Tampering = "none" | "flip" | "drop" | "add" | "swap" | "leaf" | "root" | "place";
const TAMPERINGS: Tampering[] = ["none", "flip", "drop", "add", "swap", "leaf", "root", "place"];

const flip = (hash: Hash, bit: number): Hash => {
  const changed = hash.slice();
  changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
  return changed;
};

function tamper(proof: Hash[], tampering: Tampering, at: number): Hash[] {
  const place = proof.length === 0 ? 0 : at % proof.length;
  if (tampering === "flip") return proof.map((hash, i) => (i === place ? flip(hash, at % 256) : hash));
  if (tampering === "drop") return proof.filter((_, i) => i !== place);
  if (tampering === "add") return [...proof.slice(0, place), leafAt(at), ...proof.slice(place)];
  if (tampering === "swap") return [...proof].reverse();
  return proof;
}

describe("RFC 9162 in the contracts and in the reference", function () {
  this.timeout(120_000);
  let call: Libraries;
  before(async () => {
    call = await openLibraries("default");
  });

  async function sameInclusion(range: RangeHash, index: number, size: number, tampering: Tampering, at: number) {
    const proof = tamper(inclusionProof(range, index, size), tampering, at);
    const root = tampering === "root" ? flip(range(0, size), at % 256) : range(0, size);
    const leaf = tampering === "leaf" ? leafAt(index + 1) : leafAt(index);
    const shown = tampering === "place" ? (index + 1) % size : index;
    const expected = verifyInclusion(leaf, shown, size, proof, root).ok;
    const found = await call("verifyInclusion", toHex(leaf), BigInt(shown), BigInt(size), hexes(proof), toHex(root));
    assert.equal(found, expected, `${tampering} ${index} of ${size}`);
    if (tampering === "none") assert.equal(found, true, `${index} of ${size}`);
  }

  async function sameConsistency(range: RangeHash, from: number, to: number, tampering: Tampering, at: number) {
    const proof = tamper(consistencyProof(range, from, to), tampering, at);
    const fromRoot = tampering === "leaf" ? flip(range(0, from), at % 256) : range(0, from);
    const toRoot = tampering === "root" ? flip(range(0, to), at % 256) : range(0, to);
    const shown = tampering === "place" ? Math.max(1, from - 1) : from;
    const expected = verifyConsistency(shown, to, fromRoot, toRoot, proof).ok;
    const args = [BigInt(shown), BigInt(to), toHex(fromRoot), toHex(toRoot), hexes(proof)];
    const found = await call("verifyConsistency", ...args);
    assert.equal(found, expected, `${tampering} ${from} to ${to}`);
    if (tampering === "none") assert.equal(found, true, `${from} to ${to}`);
  }

  it("find nothing beyond the end of a log, not even under a root that was made for it", async () => {
    const [leaf, sibling] = [leafAt(1), leafHash(leafAt(0))];
    const root = nodeHash(sibling, leafHash(leaf));
    for (const [index, size] of [
      [1, 1],
      [3, 3],
      [0, 0],
    ] as const) {
      const found = await call(
        "verifyInclusion",
        toHex(leaf),
        BigInt(index),
        BigInt(size),
        [toHex(sibling)],
        toHex(root),
      );
      assert.equal(found, false, `${index} of ${size}`);
      assert.equal(verifyInclusion(leaf, index, size, [sibling], root).ok, false);
    }
  });

  it("find nothing with a hash too many at the end of a proof", async () => {
    const { range } = createLog(Array.from({ length: 300 }, (_, i) => leafAt(i)));
    const more = (proof: Hash[]) => hexes([...proof, leafAt(9)]);
    const [index, from, size] = [123, 124, 300];
    const [root, fromRoot] = [toHex(range(0, size)), toHex(range(0, from))];
    const inclusion = [
      toHex(leafAt(index)),
      BigInt(index),
      BigInt(size),
      more(inclusionProof(range, index, size)),
      root,
    ];
    assert.equal(await call("verifyInclusion", ...inclusion), false);
    const growth = [BigInt(from), BigInt(size), fromRoot, root, more(consistencyProof(range, from, size))];
    assert.equal(await call("verifyConsistency", ...growth), false);
  });

  it("agree on every size up to 300", async () => {
    const { range } = createLog(Array.from({ length: 300 }, (_, i) => leafAt(i)));
    for (let size = 1; size <= 300; size++) {
      for (const tampering of ["none", TAMPERINGS[1 + (size % 7)] as Tampering] as const) {
        for (const index of new Set([0, size - 1, (size * 7) % size, Math.floor(size / 2)])) {
          await sameInclusion(range, index, size, tampering, size * 31);
        }
        for (const from of new Set([1, Math.floor(size / 2), size - 1].filter((n) => n >= 1 && n < size))) {
          await sameConsistency(range, from, size, tampering, size * 31);
        }
      }
    }
  });

  const size = fc.oneof(
    fc.integer({ min: 2, max: 2 ** 40 - 1 }),
    fc.integer({ min: 1, max: 39 }).map((bits) => 2 ** bits),
  );
  const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const tampering = fc.constantFrom(...TAMPERINGS);

  it("agree on inclusion in logs of any size below 2^40", async () => {
    await fc.assert(
      fc.asyncProperty(size, share, tampering, fc.nat(), async (of, where, how, at) => {
        const index = Math.floor(where * of);
        await sameInclusion(sparseRange([index]), index, of, how, at);
      }),
      { numRuns: 300 },
    );
  });

  it("agree on growth to any size below 2^40", async () => {
    await fc.assert(
      fc.asyncProperty(size, share, tampering, fc.nat(), async (to, where, how, at) => {
        const from = 1 + Math.floor(where * (to - 1));
        await sameConsistency(sparseRange([from - 1, from]), from, to, how, at);
      }),
      { numRuns: 300 },
    );
  });

  it("answer rightly or not at all, however little gas there is", async () => {
    const range = sparseRange([333]);
    const proof = hexes(inclusionProof(range, 333, 600));
    const root = toHex(range(0, 600));
    const answers = new Set<unknown>();
    for (let gas = 24_000n; gas < 60_000n; gas += 120n) {
      for (const index of [333, 334]) {
        const args = [toHex(leafAt(index)), 333n, 600n, proof, root];
        answers.add(
          await call.withGas(gas, "verifyInclusion", ...args).then(
            (is) => is === (index === 333),
            () => "none",
          ),
        );
      }
    }
    assert.deepEqual(answers, new Set([true, "none"]));
  });
});
