/**
 * Follows the chain's events. What has enough confirmations is stored; what is newer is kept block by block under its hash
 * and put together anew at every look, so that whatever a reorganisation takes away is gone at the next, marks included.
 *
 * Whoever answers may be one of several nodes, and behind the one that told of the newest block: no block is passed over
 * that was not seen itself, and each must be the parent of the next.
 */
import type { Logger } from "pino";
import type { Records, Store } from "../store/store.ts";
import { uptime } from "../uptime.ts";
import type { Block, Chain, ChainEvent, Hex } from "./chain.ts";
import { applyEvent, type Mark, type Meter } from "./view.ts";

/** Blocks asked for at once where they are long final. */
const BLOCK_RANGE = 5000;
/** Blocks before the newest that are asked for one by one: what nodes may not agree on yet. */
const SINGLY = 64;
/** Blocks without events after which the place is written down nevertheless. */
const CURSOR_STEP = 100;
/** Places that are remembered, to go back to where a deep reorganisation began. */
const PLACES = 64;
/** Looks in a row at a chain that moves while it is looked at. */
const LOOKS = 3;

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
  /** Looks at the chain again. Throws where it cannot be asked, or does not hold together. */
  follow(): Promise<void>;
};

/** Up to where events are stored. `hash` is missing in what an earlier version wrote. */
type Place = { block: number; hash?: Hex };
/** `places`: where it stood before, oldest first. */
type Cursor = Place & { places?: Place[] };
type Seen = Block & { events: ChainEvent[] };

export async function createFollower({
  store,
  chain,
  fromBlock,
  confirmations,
  logger,
  wall = () => Math.floor(uptime()),
}: {
  store: Store;
  chain: Chain;
  /** the first block that can hold an event */
  fromBlock: number;
  /** blocks, its own included, after which an event is taken as final */
  confirmations: number;
  logger: Logger;
  /** s that have passed on this machine, whatever its clock is set to */
  wall?: () => number;
}): Promise<Follower> {
  const meterRecords = await store.records<Meter>("meters");
  const cursor = await store.document<Cursor>("chain", { block: fromBlock - 1 });
  // a look back that was interrupted begins anew
  if (cursor.data.block < fromBlock) for (const keyId of await meterRecords.ids()) await meterRecords.remove(keyId);
  let confirmed = new Map((await meterRecords.all()).map((meter) => [meter.keyId, meter]));

  let written = cursor.data.block;
  let newest = { block: 0, timestamp: 0 };
  let seenAt = wall();
  /** from the cursor to the newest block, by hash */
  let seen = new Map<Hex, Seen>();
  let recent = new Map<string, Meter>();
  let recentMarks: Mark[] = [];

  const marksOf = (keyId: string, epoch: number): Promise<Records<Mark>> =>
    store.records<Mark>(`marks/${keyId}/${epoch}`);

  /** Stores marks and meters. Taken in again, the same events come to the same end. */
  async function take(events: readonly ChainEvent[], meters: Map<string, Meter>): Promise<number> {
    const changed = new Map<string, Meter>();
    const meterOf = (keyId: string) => changed.get(keyId) ?? meters.get(keyId);
    for (const event of events) {
      const mark = applyEvent(event, meterOf, (meter) => changed.set(meter.keyId, meter));
      if (mark) await (await marksOf(mark.keyId, mark.epoch)).put(String(mark.size), mark);
    }
    for (const [keyId, meter] of changed) {
      await meterRecords.put(keyId, meter);
      meters.set(keyId, meter);
    }
    return changed.size;
  }

  /** Meters first, the cursor last: after a crash the same events are taken in again. */
  async function confirm(place: Place, events: readonly ChainEvent[]): Promise<void> {
    const changed = await take(events, confirmed);
    cursor.data = { ...place, places: cursor.data.places ?? [] };
    if (changed === 0 && place.block - written < CURSOR_STEP) return;
    const { places = [] } = cursor.data;
    cursor.data = { ...place, places: [...places, place].slice(-PLACES) };
    await cursor.write();
    written = place.block;
  }

  /** What is long final, many blocks at once. */
  async function catchUp(until: number): Promise<void> {
    while (cursor.data.block < until) {
      const from = cursor.data.block + 1;
      const to = Math.min(until, from + BLOCK_RANGE - 1);
      const [events, last] = await Promise.all([chain.events(from, to), blockAt(to)]);
      await confirm({ block: to, hash: last.hash }, events);
    }
  }

  async function blockAt(number: number): Promise<Block> {
    const block = await chain.blockAt(number);
    if (!block) throw new Error(`the node that answers has no block ${number}: it is behind the one that told of it`);
    return block;
  }

  async function seeBlock(block: Block): Promise<Seen> {
    const known = seen.get(block.hash);
    if (known) return known;
    const events = await chain.eventsIn(block.hash);
    if (!events) throw new Error(`the node that answers does not know block ${block.block}, which another told of`);
    return { ...block, events };
  }

  /** Every block after the cursor up to `last`, or nothing where they are not of one chain: it moves. */
  async function seeUpTo(last: Block): Promise<Seen[] | undefined> {
    const numbers = Array.from({ length: Math.max(0, last.block - cursor.data.block - 1) }, (_, i) => i + 1);
    const before = await Promise.all(numbers.map((step) => blockAt(cursor.data.block + step)));
    const blocks = last.block > cursor.data.block ? [...before, last] : [];
    const first = blocks[0];
    const { hash } = cursor.data;
    if (first && hash !== undefined && first.parent !== hash) return undefined;
    if (blocks.some((block, i) => i > 0 && block.parent !== blocks[i - 1]?.hash)) return undefined;
    return Promise.all(blocks.map(seeBlock));
  }

  /** Whether an answer is older than what is known, and agrees with it: some node is behind. */
  function isBehind(now: Block): boolean {
    if (now.block >= newest.block) return false;
    return seen.has(now.hash) || now.hash === cursor.data.hash || now.block < cursor.data.block;
  }

  /** Goes back to where what is stored agrees with the chain, if it does not where it stands. */
  async function goBack(): Promise<void> {
    const { block, hash, places = [] } = cursor.data;
    if (hash === undefined || (await blockAt(block)).hash === hash) return;
    let agreed: Place = { block: fromBlock - 1 };
    for (const place of places.toReversed()) {
      if ((await chain.blockAt(place.block))?.hash !== place.hash) continue;
      agreed = place;
      break;
    }
    logger.error(
      { confirmations, stored: block, agreed: agreed.block },
      "a reorganisation went deeper than the confirmations: what is after the block that agrees is read again",
    );
    await readAgain(agreed, places);
  }

  /** A meter's state cannot be taken back event by event: all are made anew from the first block. */
  async function readAgain(agreed: Place, places: readonly Place[]): Promise<void> {
    const stale = confirmed;
    cursor.data = { block: fromBlock - 1 };
    await cursor.write();
    for (const { keyId, logs } of stale.values()) {
      for (const epoch of Object.keys(logs)) {
        const marks = await marksOf(keyId, Number(epoch));
        for (const mark of await marks.all()) if (mark.block > agreed.block) await marks.remove(String(mark.size));
      }
    }
    const meters = new Map<string, Meter>();
    for (let from = fromBlock; from <= agreed.block; from += BLOCK_RANGE) {
      await take(await chain.events(from, Math.min(agreed.block, from + BLOCK_RANGE - 1)), meters);
    }
    for (const keyId of stale.keys()) if (!meters.has(keyId)) await meterRecords.remove(keyId);
    confirmed = meters;
    seen = new Map();
    cursor.data = { ...agreed, places: places.filter(({ block }) => block <= agreed.block) };
    await cursor.write();
    written = agreed.block;
  }

  /** Whether a look came to an end: the chain did not move under it. */
  async function look(now: Block): Promise<boolean> {
    await goBack();
    const final = now.block - confirmations + 1;
    await catchUp(Math.min(final, now.block - SINGLY));
    const blocks = await seeUpTo(now);
    if (!blocks) return false;
    for (const { block, hash, events } of blocks) if (block <= final) await confirm({ block, hash }, events);
    const open = blocks.filter(({ block }) => block > final);
    const overlay = new Map<string, Meter>();
    const marks: Mark[] = [];
    const meterOf = (keyId: string) => overlay.get(keyId) ?? confirmed.get(keyId);
    for (const event of open.flatMap(({ events }) => events)) {
      const mark = applyEvent(event, meterOf, (meter) => overlay.set(meter.keyId, meter));
      if (mark) marks.push(mark);
    }
    if (now.block !== newest.block) seenAt = wall();
    seen = new Map(open.map((block) => [block.hash, block]));
    [newest, recent, recentMarks] = [now, overlay, marks];
    return true;
  }

  return {
    get newest() {
      return newest;
    },
    now: () => newest.timestamp + Math.max(0, wall() - seenAt),
    meterOf: (keyId) => recent.get(keyId) ?? confirmed.get(keyId),
    meters: () => [...new Map([...confirmed, ...recent]).values()],

    async marksOf(keyId, epoch) {
      const stored = (await (await marksOf(keyId, epoch)).all()).map((mark) => ({ ...mark, confirmed: true }));
      const fresh = recentMarks
        .filter((mark) => mark.keyId === keyId && mark.epoch === epoch)
        .map((mark) => ({ ...mark, confirmed: false }));
      return [...stored, ...fresh].sort((a, b) => a.size - b.size);
    },

    async follow() {
      for (let looks = 0; looks < LOOKS; looks++) {
        const now = await chain.newest();
        if (isBehind(now)) return;
        if (await look(now)) return;
      }
      throw new Error("the chain's blocks do not follow on one another: it moved while it was looked at");
    },
  };
}
