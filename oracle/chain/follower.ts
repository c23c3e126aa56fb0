/**
 * Follows the chain's events. What has enough confirmations is stored; what is newer is read again every time, so that
 * whatever a reorganisation takes away is gone at the next look, marks included.
 */
import type { Records, Store } from "../store/store.ts";
import type { Chain } from "./chain.ts";
import { applyEvent, type Mark, type Meter } from "./view.ts";

/** Blocks asked for at once: what public nodes allow. */
const BLOCK_RANGE = 5000;
/** Blocks without events after which the place is written down nevertheless. */
const CURSOR_STEP = 100;

export type KnownMark = Mark & { confirmed: boolean };

export type Follower = {
  /** the newest block, as of the last look */
  readonly newest: { block: number; timestamp: number };
  /** The chain's time, s: that of the newest block and what has passed since it was first seen. */
  now(): number;
  meterOf(keyId: string): Meter | undefined;
  meters(): Meter[];
  /** What of a log is on chain, by size. */
  marksOf(keyId: string, epoch: number): Promise<KnownMark[]>;
  /** Looks at the chain again. */
  follow(): Promise<void>;
};

export async function createFollower({
  store,
  chain,
  fromBlock,
  confirmations,
  wall = () => Math.floor(Date.now() / 1000),
}: {
  store: Store;
  chain: Chain;
  /** the first block that can hold an event */
  fromBlock: number;
  /** blocks, its own included, after which an event is taken as final */
  confirmations: number;
  /** this machine's clock, s */
  wall?: () => number;
}): Promise<Follower> {
  const meterRecords = await store.records<Meter>("meters");
  const cursor = await store.document<{ block: number }>("chain", { block: fromBlock - 1 });
  const confirmed = new Map((await meterRecords.all()).map((meter) => [meter.keyId, meter]));

  let written = cursor.data.block;
  let newest = { block: 0, timestamp: 0 };
  let seenAt = wall();
  let recent = new Map<string, Meter>();
  let recentMarks: Mark[] = [];

  const marksDirectory = (keyId: string, epoch: number): Promise<Records<Mark>> =>
    store.records(`marks/${keyId}/${epoch}`);

  /** Marks and meters first, the cursor last: after a crash the same events are taken in again, to the same end. */
  async function confirm(from: number, to: number): Promise<void> {
    const changed = new Map<string, Meter>();
    const meterOf = (keyId: string) => changed.get(keyId) ?? confirmed.get(keyId);
    for (const event of await chain.events(from, to)) {
      const mark = applyEvent(event, meterOf, (meter) => changed.set(meter.keyId, meter));
      if (mark) await (await marksDirectory(mark.keyId, mark.epoch)).put(String(mark.size), mark);
    }
    for (const [keyId, meter] of changed) {
      await meterRecords.put(keyId, meter);
      confirmed.set(keyId, meter);
    }
    cursor.data = { block: to };
    if (changed.size === 0 && to - written < CURSOR_STEP) return;
    await cursor.write();
    written = to;
  }

  return {
    get newest() {
      return newest;
    },
    now: () => newest.timestamp + Math.max(0, wall() - seenAt),
    meterOf: (keyId) => recent.get(keyId) ?? confirmed.get(keyId),
    meters: () => [...new Map([...confirmed, ...recent]).values()],

    async marksOf(keyId, epoch) {
      const stored = (await (await marksDirectory(keyId, epoch)).all()).map((mark) => ({ ...mark, confirmed: true }));
      const fresh = recentMarks
        .filter((mark) => mark.keyId === keyId && mark.epoch === epoch)
        .map((mark) => ({ ...mark, confirmed: false }));
      return [...stored, ...fresh].sort((a, b) => a.size - b.size);
    },

    async follow() {
      const now = await chain.newest();
      const final = now.block - confirmations + 1;
      while (cursor.data.block < final) {
        const from = cursor.data.block + 1;
        await confirm(from, Math.min(final, from + BLOCK_RANGE - 1));
      }
      const overlay = new Map<string, Meter>();
      const marks: Mark[] = [];
      const meterOf = (keyId: string) => overlay.get(keyId) ?? confirmed.get(keyId);
      const events = cursor.data.block < now.block ? await chain.events(cursor.data.block + 1, now.block) : [];
      for (const event of events) {
        const mark = applyEvent(event, meterOf, (meter) => overlay.set(meter.keyId, meter));
        if (mark) marks.push(mark);
      }
      if (now.block !== newest.block) seenAt = wall();
      [newest, recent, recentMarks] = [now, overlay, marks];
    },
  };
}
