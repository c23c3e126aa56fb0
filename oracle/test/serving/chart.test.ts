import assert from "node:assert/strict";
import { chartOf } from "../../serving/chart.ts";
import type { Store, StoredLog } from "../../store/store.ts";
import { openStore, readingAt, removeDirectories, temporaryDirectory } from "../support.ts";

const KEY = `0x${"0a".repeat(32)}`;
const NOON = Date.parse("2026-06-01T12:00:00Z") / 1000;
const HOUR = 3600;

describe("a chart", () => {
  let store: Store;
  beforeEach(async () => {
    store = await openStore(await temporaryDirectory());
  });
  afterEach(async () => {
    await store.close();
    await removeDirectories();
  });

  /** A log with these times and energies. */
  async function logOf(epoch: number, ...moments: [time: number, energy: bigint][]): Promise<StoredLog> {
    const log = await store.logs.open(KEY, epoch);
    const readings = moments.map(([time, energy]) => readingAt(time, energy));
    await log.append(readings, new Uint8Array(64), 0n);
    return log;
  }
  const day = (...logs: StoredLog[]) => chartOf(logs, "day", "UTC", NOON);
  const valueAt = ({ points }: Awaited<ReturnType<typeof day>>, time: number) =>
    points.find(({ timestamp }) => timestamp === time)?.value;

  it("has no value where nothing was read, and none at all of nothing", async () => {
    const empty = await day();
    assert.deepEqual([empty.points.length, empty.total], [24, 0n]);
    assert.ok(empty.points.every(({ value }) => value === undefined));
    const single = await day(await logOf(1, [NOON + 60, 500n]));
    assert.ok(single.points.every(({ value }) => value === undefined));
  });

  it("has zero where the register stood still, which is not nothing", async () => {
    const chart = await day(await logOf(1, [NOON, 500n], [NOON + 60, 500n]));
    assert.equal(valueAt(chart, NOON), 0n);
    assert.equal(valueAt(chart, NOON + HOUR), undefined);
  });

  it("counts a reading on the hour to the hour that it ends", async () => {
    const chart = await day(await logOf(1, [NOON, 100n], [NOON + HOUR, 170n], [NOON + HOUR + 60, 175n]));
    assert.equal(valueAt(chart, NOON - HOUR), undefined);
    assert.equal(valueAt(chart, NOON), 70n);
    assert.equal(valueAt(chart, NOON + HOUR), 5n);
    assert.equal(chart.total, 75n);
  });

  it("counts what an outage hid where it is read again, and leaves the hours between without a value", async () => {
    const chart = await day(await logOf(1, [NOON, 100n], [NOON + 60, 110n], [NOON + 3 * HOUR + 60, 400n]));
    assert.deepEqual(
      [0, 1, 2, 3].map((hour) => valueAt(chart, NOON + hour * HOUR)),
      [10n, undefined, undefined, 290n],
    );
    assert.equal(chart.total, 300n);
  });

  it("goes on over an epoch whose register did, and counts no loss where it did not", async () => {
    const first = await logOf(1, [NOON, 100n], [NOON + 60, 150n]);
    const went = await logOf(2, [NOON + 120, 160n], [NOON + 180, 170n]);
    const lost = await logOf(3, [NOON + HOUR + 60, 0n], [NOON + HOUR + 120, 40n]);
    const chart = await day(first, went, lost);
    assert.equal(valueAt(chart, NOON), 70n);
    assert.equal(valueAt(chart, NOON + HOUR), 40n);
    assert.equal(chart.total, 110n);
  });

  it("names the two readings that each value is the difference of, and none where there is none", async () => {
    const first = await logOf(1, [NOON, 100n], [NOON + 60, 150n], [NOON + HOUR, 160n]);
    const second = await logOf(2, [NOON + 2 * HOUR + 60, 200n], [NOON + 3 * HOUR, 230n]);
    const { points } = await day(first, second);
    assert.deepEqual(
      points.filter(({ from, to }) => from || to).map(({ timestamp, value, from, to }) => [timestamp, value, from, to]),
      [
        [NOON, 60n, { epoch: 1, index: 0 }, { epoch: 1, index: 2 }],
        [NOON + 2 * HOUR, 70n, { epoch: 1, index: 2 }, { epoch: 2, index: 1 }],
      ],
    );
  });

  it("goes on from the day before", async () => {
    const midnight = NOON - 12 * HOUR;
    const chart = await day(await logOf(1, [midnight - 60, 10n], [midnight + 60, 30n]));
    assert.equal(valueAt(chart, midnight), 20n);
  });

  it("looks at few readings however many there are", async () => {
    const log = await logOf(1, ...Array.from({ length: 5000 }, (_, i): [number, bigint] => [NOON + i, BigInt(i)]));
    let read = 0;
    const watched: StoredLog = Object.create(log, {
      readings: {
        value: async (from: number, to: number) => {
          read += to - from;
          return log.readings(from, to);
        },
      },
      countBefore: { value: log.countBefore },
    });
    assert.equal((await day(watched)).total, 4999n);
    assert.ok(read <= 30, String(read));
  });
});
