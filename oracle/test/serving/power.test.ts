import assert from "node:assert/strict";
import type { TimeFrame } from "../../serving/calendar.ts";
import { powerOf } from "../../serving/power.ts";
import type { Store, StoredLog } from "../../store/store.ts";
import { openStore, readingAt, removeDirectories, temporaryDirectory } from "../support.ts";

const KEY = `0x${"0a".repeat(32)}`;
const NOON = Date.parse("2026-06-01T12:00:00Z") / 1000;
const QUARTER = 900;

describe("the power through a period", () => {
  let store: Store;
  beforeEach(async () => {
    store = await openStore(await temporaryDirectory());
  });
  afterEach(async () => {
    await store.close();
    await removeDirectories();
  });

  type Moment = [time: number, energy: bigint, power?: bigint];
  async function logOf(epoch: number, ...moments: Moment[]): Promise<StoredLog> {
    const log = await store.logs.open(KEY, epoch);
    const readings = moments.map(([time, energy, power = 0n]) => readingAt(time, energy, { power }));
    await log.append(readings, new Uint8Array(64), 0n);
    return log;
  }
  const curve = (frame: TimeFrame, logs: StoredLog[], zone = "UTC", time = NOON) => powerOf(logs, frame, zone, time);
  const told = ({ points }: Awaited<ReturnType<typeof curve>>) =>
    points.filter(({ power }) => power !== undefined).map(({ timestamp, power }) => [timestamp - NOON, power]);

  it("has none where nothing was read", async () => {
    const { start, end, points } = await curve("day", []);
    assert.deepEqual([end - start, points.length], [86_400, 96]);
    assert.deepEqual(told(await curve("day", [await logOf(1, [NOON, 5n])])), []);
  });

  it("is the register's rise over the time that it took, zero where it stood still", async () => {
    const log = await logOf(1, [NOON, 0n], [NOON + QUARTER, 250n], [NOON + 2 * QUARTER, 250n]);
    assert.deepEqual(told(await curve("day", [log])), [
      [0, 1000n],
      [QUARTER, 0n],
    ]);
  });

  it("makes no peak of what an outage hid: it is the mean since the reading before", async () => {
    const log = await logOf(1, [NOON, 0n], [NOON + 4 * QUARTER, 1000n]);
    assert.deepEqual(told(await curve("day", [log])), [[3 * QUARTER, 1000n]]);
  });

  it("goes on over an epoch in which the register was lost", async () => {
    const logs = [await logOf(1, [NOON, 700n], [NOON + QUARTER, 950n])];
    logs.push(await logOf(2, [NOON + QUARTER + 60, 0n], [NOON + 2 * QUARTER, 250n]));
    assert.deepEqual(told(await curve("day", logs)), [
      [0, 1000n],
      [QUARTER, 1000n],
    ]);
  });

  it("is what the readings say through an hour, and says once where some are missing", async () => {
    const log = await logOf(1, [NOON, 0n, 5n], [NOON + 10, 0n, 6n], [NOON + 20, 0n, -7n], [NOON + 60, 0n, 8n]);
    const { points } = await curve("hour", [log]);
    assert.deepEqual(
      points.map(({ timestamp, power }) => [timestamp - NOON, power]),
      [
        [0, 5n],
        [10, 6n],
        [20, -7n],
        [30, undefined],
        [60, 8n],
      ],
    );
  });

  it("has a step for each quarter of an hour of a day of 23 and of 25 hours, each hour of a week, each day of a year", async () => {
    const at = (date: string) => Date.parse(date) / 1000;
    const steps = async (frame: TimeFrame, date: string) =>
      (await curve(frame, [], "Europe/Berlin", at(date))).points.length;
    assert.equal(await steps("day", "2026-03-29T12:00:00Z"), 23 * 4);
    assert.equal(await steps("day", "2026-10-25T12:00:00Z"), 25 * 4);
    assert.equal(await steps("week", "2026-10-25T12:00:00Z"), 7 * 24 + 1);
    assert.equal(await steps("month", "2026-03-29T12:00:00Z"), 31 * 24 - 1);
    assert.equal(await steps("year", "2024-07-01T12:00:00Z"), 366);
  });
});
