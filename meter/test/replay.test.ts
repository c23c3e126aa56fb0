import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checkReadings, generatePrivateKey } from "../../protocol/index.ts";
import { createDevice } from "../device.ts";
import { createMeter } from "../meter.ts";
import { parseReplay, type Replay, readReplay } from "../replay.ts";

/** Two real days, beside a working copy where they are at hand. */
const REAL_DAYS = fileURLToPath(new URL("../../../shared/data/pv/nrel-serf-east-2022-03-18-1min.csv", import.meta.url));

const problemOf = (text: string): string => {
  const result = parseReplay(text, "day.csv");
  return result.ok ? "no problem" : result.problem;
};

function replayOf(text: string): Replay {
  const result = parseReplay(text, "day.csv");
  assert.ok(result.ok, result.ok ? "" : result.problem);
  return result.replay;
}

describe("a replay", () => {
  it("names a file that cannot be read", async () => {
    assert.deepEqual(await readReplay("no/such/day.csv"), {
      ok: false,
      problem: "no/such/day.csv: there is no such file",
    });
  });

  it("names the file that has no rows", () => {
    assert.equal(problemOf(""), "day.csv: has no rows");
    assert.equal(problemOf("measured_on,power\n"), "day.csv: has no rows");
  });

  for (const [what, text, problem] of [
    ["a quote left open", '1,2\n"3,4', /^day\.csv:2: /],
    ["a row with too many columns", "t,p\n1,2\n3,4,5", /^day\.csv:3: expected timestamp,power but found 3 columns$/],
    ["a row with too few columns", "t,p\n1,2\n3", /^day\.csv:3: expected timestamp,power but found 1 columns$/],
    ["a timestamp without offset", "2022-03-18 04:33:00,1", /^day\.csv:1: "2022-03-18 04:33:00" is no timestamp/],
    ["a day that is none", "t,p\n2022-13-18 04:33:00Z,1", /^day\.csv:2: "2022-13-18 04:33:00Z" is no timestamp/],
    ["power that is no number", "t,p\n1,2\n\n3,12kW", /^day\.csv:4: "12kW" is no power in W$/],
    ["power left out", "1,", /^day\.csv:1: "" is no power in W$/],
    ["a row not later than the one before", "10,1\n20,1\n20,1", /^day\.csv:3: 20 is not later than the row before$/],
  ] as const) {
    it(`names the line of ${what}`, () => {
      assert.match(problemOf(text), problem);
    });
  }

  it("reads both kinds of timestamp, with a header or without", () => {
    const seconds = replayOf("1647603180,-2.7098\n1647603240,12.5\n");
    const local = replayOf("measured_on,ac_power\n2022-03-18 04:33:00-07:00,-2.7098\n2022-03-18T11:34:00Z,12.5\n");
    for (const replay of [seconds, local]) {
      assert.equal(replay.start, 1_647_603_180);
      assert.equal(replay.rows, 2);
      assert.equal(replay.powerAt(1_647_603_180), -2710n);
      assert.equal(replay.powerAt(1_647_603_240), 12_500n);
    }
  });

  it("holds a row's power until the next, for five minutes at most", () => {
    const { powerAt } = replayOf("1000,1\n1060,2\n5000,3\n");
    assert.equal(powerAt(999), undefined);
    assert.equal(powerAt(1059), 1000n);
    assert.equal(powerAt(1060), 2000n);
    assert.equal(powerAt(1360), 2000n);
    assert.equal(powerAt(1361), undefined);
    assert.equal(powerAt(5000), 3000n);
  });

  it("makes of two real days the energy that was measured", async function () {
    if (!existsSync(REAL_DAYS)) {
      console.log(`      skipped: ${REAL_DAYS} is not here`);
      this.skip();
    }
    const result = await readReplay(REAL_DAYS);
    assert.ok(result.ok);
    const { replay } = result;
    const device = createDevice({
      privateKey: generatePrivateKey(),
      epoch: 1,
      interval: 60,
      source: 0,
      place: { chainId: 31337, registry: "0x5fbdb2315678afecb367f032d93f642f64180aa3" },
      capacity: 6000,
    });
    const meter = createMeter({ device, powerAt: replay.powerAt, start: replay.start });
    meter.advance(replay.end);
    assert.ok(Math.abs(Number(device.energy) - 69_280_000) < 100_000, `${device.energy} mWh`);
    assert.ok(
      device.readings.some((reading) => reading[12] === 0xff),
      "a night's power is negative",
    );
    assert.ok(checkReadings(device.readings, 6000).ok);
  });
});
