/**
 * The journal of all logs, in files `journal/<number>`. Each begins with a snapshot of what the logs are beyond their files,
 * and goes on with what was appended since. All records that wait are one group: one write, one sync.
 *
 * When it has grown, the next is begun: a snapshot is written beside its name, synced and renamed. The old journal is kept
 * until the files that were filled meanwhile are durable, which is seen to while the next is written. A start replays all
 * journals that are there.
 */
import { close, fdatasync, ftruncate, open, rename, unlink, writev } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { StoreDamaged } from "../store.ts";
import { copyPart, isUnfinished, makeDirectory, namesIn, syncDirectory, UNFINISHED } from "./durable.ts";
import { encodeGroup, readGroups } from "./frames.ts";

// descriptors by number: a store that is let go of, as by a crash in a test, leaves nothing to collect
const io = {
  open: promisify(open),
  close: promisify(close),
  sync: promisify(fdatasync),
  truncate: promisify(ftruncate),
  rename: promisify(rename),
  unlink: promisify(unlink),
  async write(file: number, pieces: Uint8Array[], at: number): Promise<number> {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const { bytesWritten } = await promisify(writev)(file, pieces, at);
    // as where the last room went
    if (bytesWritten !== length) {
      const message = `only ${bytesWritten} of ${length} bytes could be written`;
      throw Object.assign(new Error(message), { syscall: "writev" });
    }
    return length;
  },
};

/** Bytes after which a journal is followed by the next, unless its snapshot alone is more than half of that. */
export const JOURNAL_LIMIT = 8 << 20;
/** Journals that wait for their files before no more can be appended: as many as a start can replay in seconds. */
const WAITING_LIMIT = 8;
const GROUP_LENGTH = 1 << 20;
/** The record that ends a snapshot. */
const SNAPSHOT_END = new Uint8Array();

/** What a journal is of. */
export type Journaled = {
  /** Takes a record of a journal, the first one's snapshot before all; false where it cannot be one. */
  replay(record: Buffer): boolean;
  /** Records that say all that is replayed and appended so far. */
  snapshot(): Iterable<Uint8Array>;
  /** Ends a batch of files that are in no snapshot, and makes all of it durable. */
  endBatch(): number;
  durable(batch: number): Promise<void>;
  warn(message: string): void;
};

export type Journal = {
  /** Resolves once the record is durable, after `committed` was called: in the order in which records are written. */
  append(record: Uint8Array, committed: () => void): Promise<void>;
  /** Why nothing could be appended last, in words for anybody to read; nothing where it could, or was mended since. */
  whyBroken(): string | undefined;
  /** Ends what is under way, and begins the next journal, so that the next start has only a snapshot to read. */
  close(): Promise<void>;
};

type Waiting = { record: Uint8Array; committed: () => void; resolve: () => void; reject: (error: unknown) => void };

export const journalPath = (directory: string, number: number): string =>
  join(directory, String(number).padStart(8, "0"));

export async function journalsIn(directory: string): Promise<number[]> {
  return (await namesIn(directory))
    .filter((name) => /^\d{8}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Opens the journals of a folder; where there are none, one that begins with the snapshot of what is journaled. */
export async function openJournal(directory: string, journaled: Journaled, limit = JOURNAL_LIMIT): Promise<Journal> {
  await makeDirectory(directory);
  const numbers = unbroken(await journalsIn(directory));
  let number = numbers.at(-1) ?? 0;
  let file = -1;
  let [end, groups, snapshotEnd] = [0, 0, 0];
  /** What failed, and has to be done before anything can be appended again. */
  let undone: (() => Promise<void>) | undefined;
  let broken: unknown;
  for (const found of numbers) {
    const place = { isFirst: found === numbers[0], isLast: found === number };
    ({ end, groups, snapshotEnd } = await recover(journalPath(directory, found), place, journaled));
  }
  if (number > 0) file = await io.open(journalPath(directory, number), "r+");
  else await begin();
  await tidy(directory, numbers[0] ?? number);
  let due = Math.max(limit, 2 * snapshotEnd);

  /** journals that are kept until a batch of files is durable */
  const retired: { number: number; batch: number }[] = [];
  let retiring: Promise<void> | undefined;
  const recovered = journaled.endBatch();
  for (const older of numbers.slice(0, -1)) retired.push({ number: older, batch: recovered });

  const waiting: Waiting[] = [];
  let running: Promise<void> | undefined;
  let isClosed = false;

  async function begin(): Promise<void> {
    const path = journalPath(directory, number + 1);
    const next = await io.open(path + UNFINISHED, "w");
    let [written, count] = [0, 0];
    try {
      for (const group of groupsOf(journaled.snapshot())) {
        written += await io.write(next, encodeGroup(count, group), written);
        count += 1;
      }
      await io.sync(next);
      await io.rename(path + UNFINISHED, path);
    } catch (error) {
      await io.close(next);
      // it may have taken the last room
      await io.unlink(path + UNFINISHED).catch(() => {});
      throw error;
    }
    const old = file;
    [number, file, end, groups, snapshotEnd] = [number + 1, next, written, count, written];
    if (old !== -1) await io.close(old);
    // until then it is unknown which of the two a crash would leave: nothing may be added to either
    await untilDone(() => syncDirectory(directory));
  }

  /** Does what nothing can be appended without, now or before the next append. Throws where that is not now. */
  async function untilDone(act: () => Promise<void>): Promise<void> {
    undone = act;
    try {
      await act();
    } catch (error) {
      broken = error;
      throw error;
    }
    [undone, broken] = [undefined, undefined];
  }

  async function rotate(): Promise<void> {
    if (retired.length >= WAITING_LIMIT) await retire();
    const old = number;
    try {
      if (retired.length >= WAITING_LIMIT) throw new Error("files of logs could not be made durable");
      await begin();
      retired.push({ number: old, batch: journaled.endBatch() });
      due = Math.max(limit, 2 * snapshotEnd);
    } catch (error) {
      due = 2 * end;
      journaled.warn(`The journal could not be followed by the next, it grows on: ${(error as Error).message}`);
    }
    void retire();
  }

  /** Deletes retired journals as their files become durable. Where one cannot be, they are kept until the next attempt. */
  function retire(): Promise<void> {
    retiring ??= retireAll().finally(() => {
      retiring = undefined;
    });
    return retiring;
  }

  async function retireAll(): Promise<void> {
    try {
      for (let oldest = retired[0]; oldest; oldest = retired[0]) {
        await journaled.durable(oldest.batch);
        await io.unlink(journalPath(directory, oldest.number));
        retired.shift();
      }
    } catch (error) {
      journaled.warn(`Files of logs could not be made durable, the journal has them: ${(error as Error).message}`);
    }
  }

  async function commit(group: readonly Waiting[]): Promise<void> {
    if (isClosed) throw new Error("the store is closed");
    if (undone) await untilDone(undone);
    const pieces = encodeGroup(
      groups,
      group.map(({ record }) => record),
    );
    try {
      const length = await io.write(file, pieces, end);
      await io.sync(file);
      end += length;
      groups += 1;
    } catch (error) {
      await takeBack();
      throw error;
    }
  }

  /** Removes what a failed write left. */
  async function takeBack(): Promise<void> {
    const at = end;
    await untilDone(async () => {
      await io.truncate(file, at);
      await io.sync(file);
    }).catch(() => {});
  }

  async function run(): Promise<void> {
    // what is appended in the same turn is of the same group
    await null;
    while (waiting.length > 0) {
      const group = waiting.splice(0);
      try {
        await commit(group);
      } catch (error) {
        for (const { reject } of group) reject(error);
        continue;
      }
      for (const { committed, resolve } of group) {
        committed();
        resolve();
      }
      if (end > due) await rotate();
    }
    running = undefined;
  }

  void retire();
  return {
    append: (record, committed) =>
      new Promise((resolve, reject) => {
        waiting.push({ record, committed, resolve, reject });
        running ??= run();
      }),
    whyBroken() {
      if (broken === undefined) return undefined;
      const { code, message } = broken as NodeJS.ErrnoException;
      return `the journal cannot be written: ${code ?? message}`;
    },
    async close() {
      await running;
      if (end > snapshotEnd && !undone) await rotate();
      await retiring;
      await retire();
      isClosed = true;
      broken ??= new Error("the store is closed");
      await io.close(file);
    },
  };
}

function* groupsOf(records: Iterable<Uint8Array>): Generator<Uint8Array[]> {
  let group: Uint8Array[] = [];
  let length = 0;
  for (const record of records) {
    group.push(record);
    length += record.length;
    if (length < GROUP_LENGTH) continue;
    yield group;
    [group, length] = [[], 0];
  }
  yield [...group, SNAPSHOT_END];
}

/** The journals that go on with each other up to the newest: one before a gap was to be deleted. */
const unbroken = (numbers: readonly number[]): number[] =>
  numbers.slice(numbers.findLastIndex((number, i) => number !== (numbers[i - 1] ?? Number.NaN) + 1));

/**
 * Replays a journal; the snapshot of one that is not the first says what those before it did. A torn last group of the last
 * was never answered for: it is cut off and kept beside.
 */
async function recover(
  path: string,
  { isFirst, isLast }: { isFirst: boolean; isLast: boolean },
  { replay, warn }: Journaled,
): Promise<{ end: number; groups: number; snapshotEnd: number }> {
  let snapshotEnd = 0;
  const { end, groups, fileSize, hasMore } = readGroups(path, (record, groupEnd) => {
    if (record.length === SNAPSHOT_END.length) snapshotEnd = groupEnd;
    else if ((isFirst || snapshotEnd > 0) && !replay(record)) {
      throw new StoreDamaged(`${path} is damaged: a record before byte ${groupEnd} does not follow those before it.`);
    }
  });
  if (hasMore)
    throw new StoreDamaged(`${path} is damaged at byte ${end}: whole groups of records follow what is not one.`);
  if (snapshotEnd === 0) throw new StoreDamaged(`${path} is damaged: it does not begin with a whole snapshot.`);
  if (end < fileSize && !isLast) throw new StoreDamaged(`${path} is damaged at byte ${end}: it was whole there.`);
  if (end < fileSize) {
    const cut = `${path}.cut-${end}`;
    await copyPart(path, end, cut);
    const file = await io.open(path, "r+");
    await io.truncate(file, end);
    await io.sync(file);
    await io.close(file);
    warn(
      `${path} ends with ${fileSize - end} bytes of a group that was never written to its end: they were cut off at byte ${end}, and are kept in ${cut}.`,
    );
  }
  return { end, groups, snapshotEnd };
}

/** Deletes what was replaced by those from `first` on, and what never became a journal. */
async function tidy(directory: string, first: number): Promise<void> {
  for (const number of await journalsIn(directory)) {
    if (number < first) await io.unlink(journalPath(directory, number));
  }
  for (const name of await namesIn(directory, isUnfinished)) await io.unlink(join(directory, name));
}
