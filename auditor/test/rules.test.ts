import assert from "node:assert/strict";
import fc from "fast-check";
import {
  checkReadings,
  completeSubtrees,
  createLog,
  decodeBatch,
  encodeReading,
  fromHex,
  frontier,
  toHex,
  verifyBatch,
} from "../../protocol/index.ts";
import { vectors } from "../../protocol/test/load-vectors.ts";
import { rootOf } from "../evidence/hashing.ts";
import { layoutOf } from "../evidence/layout.ts";
import { native } from "../evidence/native.ts";
import { ruleOf } from "../evidence/rules.ts";
import { batchResult } from "../evidence/work.ts";

const packed = (readings: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(readings));

describe("what the auditor does faster than the protocol", () => {
  it("judges readings as the protocol does, however large their numbers", () => {
    const step = fc.record({
      elapsed: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(0, 900, 2 ** 27)),
      produced: fc.oneof(fc.bigInt(0n, 30_000n), fc.constantFrom(0n, 2n ** 41n, 2n ** 53n, 2n ** 59n)),
    });
    const capacity = fc.oneof(fc.constantFrom(1, 5000, 0xffff_ffff), fc.integer({ min: 1, max: 20_000 }));
    const start = fc.constantFrom(0n, 2n ** 32n - 5000n, 2n ** 53n);
    let [passed, refused] = [0, 0];
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), capacity, start, (steps, watts, energy) => {
        let now = { timestamp: 1_000_000, energy };
        const readings = [{ elapsed: 0, produced: 0n }, ...steps].map(({ elapsed, produced }) => {
          now = { timestamp: Math.min(0xffff_ffff, now.timestamp + elapsed), energy: now.energy + produced };
          return encodeReading({ ...now, power: 0n, source: 0, conditions: 0 });
        });
        const expected = checkReadings(readings, watts);
        assert.equal(ruleOf(packed(readings), watts, 0).failure, expected.ok ? undefined : expected.failure);
        if (expected.ok) passed += 1;
        else refused += 1;
      }),
      { numRuns: 2000 },
    );
    assert.ok(passed > 100 && refused > 100, `${passed} and ${refused}`);
  });

  it("counts gaps and conditions of what was not settled before", () => {
    const times = [0, 10, 20, 50, 60, 90];
    const readings = times.map((timestamp, i) =>
      encodeReading({ timestamp, energy: 0n, power: 0n, source: 0, conditions: i === 0 ? 1 : i === 2 ? 6 : 0 }),
    );
    const { counts } = ruleOf(packed(readings), 1, 1);
    assert.deepEqual(counts, { gaps: 2, conditions: [0, 1, 1, 0, 0] });
  });

  it("finds the root over any segment", () => {
    const leaves = Array.from({ length: 70 }, (_, i) => new Uint8Array(32).fill(i));
    for (let size = 1; size <= leaves.length; size++) {
      const log = createLog(leaves.slice(0, size));
      for (let from = 0; from < size; from++) {
        const hashes = native.leaves(packed(leaves.slice(from, size)));
        const before = packed(frontier(log.range, from));
        assert.equal(before.length, 32 * completeSubtrees(from).length);
        assert.equal(toHex(rootOf(native, from, before, hashes)), toHex(log.root()), `${from} to ${size}`);
      }
    }
  });

  it("takes batches apart and judges them as the protocol does", async () => {
    for (const { bytes: hex, name } of vectors.batch as { bytes: string; name: string }[]) {
      const bytes = fromHex(hex);
      const [decoded, layout] = [decodeBatch(bytes), layoutOf(bytes, 2_000_000)];
      assert.deepEqual(layout.ok ? undefined : layout.failure, decoded.ok ? undefined : decoded.failure, name);
      const [expected, found] = [
        await verifyBatch(bytes),
        await batchResult(native, { kind: "batch", bytes, limit: 2_000_000, before: [] }),
      ];
      const failures = found.segments.map(
        ({ rules, signature }) => rules.failure ?? (signature === "valid" ? undefined : signature),
      );
      const failure = found.failure ?? failures.find((each) => each !== undefined);
      assert.equal(failure, expected.ok ? undefined : expected.failure, name);
      if (expected.ok)
        assert.deepEqual(
          [toHex(found.digest), toHex(found.root)],
          [toHex(expected.value.digest), toHex(expected.value.root)],
        );
    }
  });
});
