import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Hex, zeroHash } from "viem";
import {
  bent,
  createMeter,
  deployFixture,
  dice,
  type Fixture,
  headOf,
  produce,
  START,
  signHead,
  type TestMeter,
  unattestedItem,
} from "../../contracts/test/fixture.ts";
import { createLog, frontier, toHex, verifyInclusion } from "../../protocol/index.ts";
import { type Notice, placeOf, watch } from "../index.ts";
import { contradictionOf, grown, NO_READINGS, rootOver } from "../watch/story.ts";
import { put, putTiles } from "./world.ts";

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

describe("what a monitor says of a settlement of another story than the one that it saw", function () {
  this.timeout(60_000);
  /** from which reading on the copy tells another story */
  const TOLD_OTHERWISE = 150;
  let fixture: Fixture;
  let folder: string;
  let [roof, barn]: TestMeter[] = [];
  before(async () => {
    fixture = await deployFixture("default", 0);
    [roof, barn] = [createMeter(fixture.place, 1), createMeter(fixture.place, 2)];
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-watching-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Its readings and its newest head, as an oracle publishes them. */
  async function published(meter: TestMeter, size: number): Promise<void> {
    await putTiles(folder, meter, 1, [0], size);
    const head = headOf(meter, size);
    const base64 = (...bytes: Uint8Array[]) => Buffer.concat(bytes).toString("base64");
    const signature = base64(new Uint8Array(4), head.reading, signHead(meter, head));
    const note = ["roof.example", size, base64(head.root), "", `— roof.example ${signature}`, ""].join("\n");
    await put(folder, `tlog/${meter.id}/1/checkpoint`, Buffer.from(note));
  }

  /** The same key, in a device that was copied. */
  function copyOf({ place, privateKey, ...meter }: TestMeter): TestMeter {
    const readings = meter
      .readingsOf()
      .map((each, i) => (i < TOLD_OTHERWISE ? each : bent(each, { voltage: 231_000 })));
    return createMeter(place, privateKey[0] as number, readings);
  }

  async function look(): Promise<[is: Notice["is"], rule: Notice["rule"], object: string][]> {
    const { notices } = await watch({
      ...{ chain: { request: ({ method, params }) => fixture.request(method, params as unknown[]) }, now: START },
      ...{ registry: fixture.deployment.registry.toLowerCase() as Hex, places: [placeOf(folder)] },
      state: join(folder, "seen"),
    });
    return notices.map(({ is, rule, object }) => [is, rule, object]);
  }

  it("is an alarm, whether a bribed attestor vouched for it or the device's key alone, for as long as it is settled", async () => {
    const [one, other] = [roof, barn] as [TestMeter, TestMeter];
    for (const meter of [one, other]) {
      await fixture.register(meter);
      await published(meter, 300);
    }
    await fixture.at(START + 4000);
    // up to where the stories part there is one
    await fixture.settleAttested({ meter: copyOf(one), to: TOLD_OTHERWISE });
    assert.deepEqual(await look(), []);
    await fixture.settleAttested({ meter: copyOf(one), to: 200, settled: TOLD_OTHERWISE });
    const alarmOf = ({ id }: TestMeter) => ["alarm", "settled another log", `tlog/${id}/1`];
    for (const _ of [1, 2]) assert.deepEqual(await look(), [alarmOf(one)]);
    await fixture.settle(zeroHash, [unattestedItem({ meter: copyOf(other), to: 200 })]);
    assert.deepEqual(await look(), [alarmOf(one), alarmOf(other)]);
    // who looks for the first time sees the contradiction, too
    await rm(join(folder, "seen"), { recursive: true });
    assert.deepEqual(await look(), [alarmOf(one), alarmOf(other)]);
  });
});
