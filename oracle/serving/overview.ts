/** All meters at a glance: what they make now, what they made today, this month and in all, and what was minted for it. */
import { energyOf, timestampOf, toHex } from "../../protocol/index.ts";
import type { Mark, Meter } from "../chain/view.ts";
import type { Oracle } from "../oracle.ts";
import type { StoredLog } from "../store/store.ts";
import { type Bucket, bucketsOf } from "./calendar.ts";
import { type Counted, type Counter, counted, counterAt, earliestOf } from "./produced.ts";

/** Registers at the beginning of a day or month remembered at once. */
const REMEMBERED = 20_000;

/** Unix times, s; `end` is exclusive. */
type Period = { start: number; end: number };

/** Energies in mWh; undefined = nothing was read yet. */
export type MeterAtAGlance = {
  meter: Meter;
  name: string | undefined;
  bootedAt: number | undefined;
  /** its newest log */
  log: StoredLog | undefined;
  /** when its first reading was taken */
  since: number | undefined;
  /** readings here, of all its logs */
  stored: number;
  today: bigint | undefined;
  month: bigint | undefined;
  total: bigint | undefined;
  minted: bigint;
};

export type Overview = { now: number; day: Period; month: Period; meters: MeterAtAGlance[] };

export function createOverview({ store, follower, installations, now }: Oracle) {
  const registers = new Map<string, Counter>();
  /** by the meter as the chain last changed it */
  const minted = new WeakMap<Meter, Promise<bigint>>();

  async function registerAt(logs: readonly Counted[], time: number): Promise<Counter | undefined> {
    const [first] = logs;
    const last = logs.at(-1)?.log.last;
    if (!first || !last) return undefined;
    const name = `${first.log.keyId}/${time}`;
    const known = registers.get(name);
    if (known) return known;
    const found = (await counterAt(logs, time)) ?? (await earliestOf(logs));
    // until a later one is here, earlier ones may still come
    if (found && timestampOf(last) >= time) {
      if (registers.size >= REMEMBERED) registers.clear();
      registers.set(name, found);
    }
    return found;
  }

  function mintedOf(meter: Meter): Promise<bigint> {
    const known = minted.get(meter);
    if (known) return known;
    const epochs = Object.keys(meter.logs).map(Number);
    const sum = Promise.all(epochs.map((epoch) => follower.marksOf(meter.keyId, epoch))).then((marks) =>
      marks.flat().reduce((all, { produced }: Mark) => all + BigInt(produced), 0n),
    );
    minted.set(meter, sum);
    sum.catch(() => minted.delete(meter));
    return sum;
  }

  async function glanceAt(meter: Meter, day: Period, month: Period): Promise<MeterAtAGlance> {
    const stored = await store.logs.of(meter.keyId);
    const logs = await counted(stored);
    const installation = await installations.get(meter.keyId);
    const newest = logs.at(-1);
    const last = newest?.log.last;
    const energy = newest && last && energyOf(last) + newest.offset;
    const since = async (time: number) => {
      const before = await registerAt(logs, time);
      return energy === undefined || !before ? undefined : energy - before.energy;
    };
    return {
      meter,
      name: installation?.name,
      bootedAt: installation?.bootTimestamp,
      log: newest?.log,
      since: logs[0]?.first,
      stored: stored.reduce((sum, { size }) => sum + size, 0),
      today: await since(day.start),
      month: await since(month.start),
      total: await since(0),
      minted: await mintedOf(meter),
    };
  }

  return async (zone: string): Promise<Overview> => {
    const time = now();
    const [day, month] = [periodOf(bucketsOf("day", zone, time)), periodOf(bucketsOf("month", zone, time))];
    const meters: MeterAtAGlance[] = [];
    for (const meter of follower.meters()) meters.push(await glanceAt(meter, day, month));
    return { now: time, day, month, meters };
  };
}

const periodOf = (buckets: readonly Bucket[]): Period => ({
  start: (buckets[0] as Bucket).start,
  end: (buckets.at(-1) as Bucket).end,
});

/** The newest reading, as the device signed it. */
export const lastOf = (log: StoredLog | undefined): string | null => (log?.last ? toHex(log.last) : null);
