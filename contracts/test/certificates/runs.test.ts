import assert from "node:assert/strict";
import type { Hex, TransactionReceipt } from "viem";
import { type Run, runsOf, type SettledLog } from "../../certificates.ts";
import { createMeter, placed, produce, START, type TestMeter } from "../fixture.ts";
import { deployParks, type Parks } from "../parks/fixture.ts";
import { at, certificatesOf, HOUR, HOURLY, metersOf, PER_HOUR, PER_QUARTER, QUARTER, quarters } from "./fixture.ts";

/** What is settled of a log; `asked`: the readings that somebody asked for. */
function logOf(meter: TestMeter, size: number, epoch = 1, since = START, asked: number[] = []): SettledLog {
  const readings = meter.readingsOf(epoch);
  return {
    ...{ keyId: meter.id, epoch, size, since },
    reading: async (index) => {
      asked.push(index);
      return readings[index] as Uint8Array;
    },
    proof: async (index) => placed(meter, index, size, epoch).proof as readonly Hex[],
  };
}

const indicesOf = (runs: readonly Run[]) => runs.map(({ readings }) => readings.map(({ index }) => Number(index)));

describe("the runs that prove hours", () => {
  let chain: Parks;
  let certificates: ReturnType<typeof certificatesOf>;
  let settled: ReturnType<typeof metersOf>["settled"];
  let settledNext: ReturnType<typeof metersOf>["settledNext"];
  beforeEach(async () => {
    chain = await deployParks();
    certificates = certificatesOf(chain);
    ({ settled, settledNext } = metersOf(chain));
    await certificates.approve();
  });

  const hours = (logs: readonly SettledLog[], from: number, to: number) =>
    runsOf(logs, START + from * HOUR, START + to * HOUR);
  const issue = (meter: TestMeter, runs: readonly Run[]) => certificates.issue(meter.id, runs as never);
  /** What is issued: hours from and to, and mWh. */
  const issued = (receipt: TransactionReceipt) => certificates.issuedBy(receipt);

  describe("are none", () => {
    it("of no log, of an hour without two boundaries, of one before or after the log", async () => {
      const meter = createMeter(chain.place, 1, at([0, 2, 5, 6]));
      const logs = [logOf(meter, 4)];
      assert.deepEqual(await hours([], 0, 4), []);
      for (const [from, to] of [
        [0, 0],
        [0, 1],
        [1, 2],
        [-3, -1],
        [5, 9],
      ] as const)
        assert.deepEqual(await hours(logs, from, to), []);
    });

    it("where the clock was in doubt at the one boundary", async () => {
      const meter = createMeter(chain.place, 1, at([0, { quarter: 4, conditions: 1 }]));
      assert.deepEqual(await hours([logOf(meter, 2)], 0, 1), []);
    });

    it("of what the key signed before it counted", async () => {
      const meter = createMeter(chain.place, 1, at(quarters(0, 8)));
      assert.deepEqual(await hours([logOf(meter, 9, 1, START + QUARTER)], 0, 1), []);
    });
  });

  it("are the readings at full hours, and few others are asked for", async () => {
    const size = 4 * PER_HOUR + 9;
    const meter = await settled(produce({ count: size }));
    const asked: number[] = [];
    const runs = await hours([logOf(meter, size, 1, START, asked)], 1, 3);
    assert.deepEqual(indicesOf(runs), [[360, 720, 1080]]);
    assert.ok(asked.length < 80, `${asked.length} readings were asked for`);
    assert.deepEqual(issued(await issue(meter, runs)), [
      [1, 2, HOURLY],
      [2, 3, HOURLY],
    ]);
  });

  it("begin and end with full hours that there are", async () => {
    const meter = await settled(at([0, 3, 5, 8, 12, 13]));
    const runs = await hours([logOf(meter, 6)], 1, 4);
    assert.deepEqual(indicesOf(runs), [[3, 4]]);
    assert.equal(issued(await issue(meter, runs)).length, 1);
  });

  it("have the two readings beside each full hour that is missing", async () => {
    const meter = await settled(at([0, 1, 2, 3, 5, 6, 7, 9, 12, 16]));
    const runs = await hours([logOf(meter, 10)], 0, 4);
    assert.deepEqual(indicesOf(runs), [[0, 3, 4, 6, 7, 8, 9]]);
    assert.deepEqual(issued(await issue(meter, runs)), [
      [0, 3, 12n * PER_QUARTER],
      [3, 4, 4n * PER_QUARTER],
    ]);
  });

  it("show a reading whose clock is in doubt", async () => {
    const meter = await settled(at([0, 1, 2, 3, { quarter: 4, conditions: 1 }, 5, 6, 7, 8]));
    const runs = await hours([logOf(meter, 9)], 0, 2);
    assert.deepEqual(issued(await issue(meter, runs)), [[0, 2, 8n * PER_QUARTER]]);
  });

  describe("where a log ends, have its last reading and the next one's first", () => {
    it("what the register rose between them counts", async () => {
      const meter = await settled(at(quarters(0, 5)));
      await settledNext(meter, 2, at(quarters(7, 8)), START + 5 * QUARTER);
      const runs = await hours([logOf(meter, 6), logOf(meter, 2, 2)], 0, 2);
      assert.deepEqual(indicesOf(runs), [
        [0, 4, 5],
        [0, 1],
      ]);
      assert.deepEqual(issued(await issue(meter, runs)), [
        [0, 1, 4n * PER_QUARTER],
        [1, 2, 4n * PER_QUARTER],
      ]);
    });

    it("a full hour between the two is missing", async () => {
      const meter = await settled(at(quarters(0, 3)));
      await settledNext(meter, 2, at(quarters(5, 8)), START + 3 * QUARTER);
      const runs = await hours([logOf(meter, 4), logOf(meter, 4, 2)], 0, 2);
      assert.deepEqual(issued(await issue(meter, runs)), [[0, 2, 8n * PER_QUARTER]]);
    });

    it("over three logs, the one between with no boundary", async () => {
      const meter = await settled(at(quarters(0, 3)));
      await settledNext(meter, 2, at([5, 6]), START + 3 * QUARTER);
      await settledNext(meter, 4, at([7, 8]), START + 6 * QUARTER);
      const runs = await hours([logOf(meter, 4), logOf(meter, 2, 2), logOf(meter, 2, 4)], 0, 2);
      assert.deepEqual(issued(await issue(meter, runs)), [[0, 2, 8n * PER_QUARTER]]);
    });

    it("over keys, from the next key's baseline on", async () => {
      const meter = await chain.registered(createMeter(chain.place, 1, at(quarters(0, 3))));
      await chain.at(START + 3 * QUARTER + 60);
      await chain.settleAttested({ meter, to: 4 });
      const device = createMeter(chain.place, 2, at(quarters(5, 8)));
      await chain.at(START + 5 * QUARTER + 60);
      await chain.rotate(meter.id, meter, device);
      await chain.at(START + 24 * HOUR);
      await chain.settleAttested({ meter: device, to: 4 });
      const runs = await hours([logOf(meter, 4), logOf(device, 4, 1, START + 5 * QUARTER)], 0, 2);
      assert.deepEqual(issued(await issue(meter, runs)), [[0, 2, 6n * PER_QUARTER]]);
    });
  });
});
