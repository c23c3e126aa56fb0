import assert from "node:assert/strict";
import { dice, produce } from "../../contracts/test/fixture.ts";
import { createLog, frontier, toHex, verifyInclusion } from "../../protocol/index.ts";
import { contradictionOf, grown, NO_READINGS, rootOver } from "../watch/story.ts";

const READINGS = produce({ count: 700 });
const packed = (from: number, to: number) => new Uint8Array(Buffer.concat(READINGS.slice(from, to)));

describe("a log that is watched", () => {
  it("leads from any size to any other, with the protocol's root and frontier", () => {
    const roll = dice(7);
    for (let i = 0; i < 40; i++) {
      let seen = NO_READINGS;
      for (let size = 1 + roll(80); size <= READINGS.length; size += 1 + roll(300)) {
        seen = grown(seen, packed(seen.size, size));
        const log = createLog(READINGS.slice(0, size));
        const hashes = Buffer.concat(frontier(log.range, size));
        assert.deepEqual(seen, { size, root: toHex(log.root()), frontier: toHex(hashes) });
        assert.equal(rootOver(packed(0, size)), seen.root);
      }
    }
  });

  it("is contradicted by a story that differs in one reading, proven in both; not by one that is shorter", () => {
    const key = `0x${"ab".repeat(64)}` as const;
    const head = (readings: Uint8Array) => ({
      ...{ size: readings.length / 32, root: rootOver(readings), reading: toHex(readings.subarray(-32)) },
      signature: key,
    });
    const story = (readings: Uint8Array) => ({ head: head(readings), readings });
    const [long, short] = [story(packed(0, 700)), story(packed(0, 301))];
    assert.equal(contradictionOf(key, 1, long, short), undefined);
    const bent = packed(0, 301);
    bent[32 * 299 + 5] = (bent[32 * 299 + 5] as number) ^ 1;
    const found = contradictionOf(key, 1, long, story(bent));
    assert.deepEqual([found?.first.size, found?.second.size, found?.one.index], [301n, 700n, 299n]);
    for (const [placed, told] of [
      [found?.one, found?.first],
      [found?.other, found?.second],
    ] as const) {
      const bytes = (hex = "0x") => Buffer.from(hex.slice(2), "hex");
      const proof = (placed?.proof ?? []).map(bytes);
      assert.ok(verifyInclusion(bytes(placed?.reading), 299, Number(told?.size), proof, bytes(told?.root)).ok);
    }
  });
});
