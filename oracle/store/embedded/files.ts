/**
 * The files that logs fill. A file is written when it is full, and made durable later, with those that were written about
 * the same time: until then the journal has all that is in it. What could not be written is read from memory, and written
 * with the next attempt to make it durable.
 */
import { close, fsync, mkdirSync, open, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { readIfThere, syncDirectory, UNFINISHED } from "./durable.ts";

const io = { open: promisify(open), sync: promisify(fsync), close: promisify(close) };

/** Files synced at once: one less than the threads that do it, so that the journal waits for none. */
const SYNCED_AT_ONCE = 3;
const DIRECTORIES_REMEMBERED = 10_000;

/** Paths are below the root. */
export type Files = {
  put(path: string, bytes: Uint8Array): void;
  /** As `put`, for what may have been written before a crash. */
  restore(path: string, bytes: Uint8Array): void;
  read(path: string): Promise<Uint8Array | undefined>;
  /** Ends a batch: the number of what was put since the last one ended. */
  endBatch(): number;
  /** Resolves once all that was put in a batch and those before it is durable, or throws: it can be called again. */
  durable(batch: number): Promise<void>;
};

export function openFiles(root: string): Files {
  /** what is not durable, by path, in the order of batches */
  const unsynced = new Map<string, number>();
  /** what could not be written */
  const unwritten = new Map<string, Uint8Array>();
  /** directories that are there, and those whose own names are not durable */
  const known = new Set<string>();
  const made = new Set<string>();
  let batch = 0;
  let turn: Promise<void> = Promise.resolve();

  function write(path: string, bytes: Uint8Array): void {
    const directory = dirname(path);
    if (!known.has(directory)) {
      if (mkdirSync(join(root, directory), { recursive: true }) !== undefined) {
        for (let above = directory; above !== "."; above = dirname(above)) made.add(above);
      }
      if (known.size > DIRECTORIES_REMEMBERED) known.clear();
      known.add(directory);
    }
    writeFileSync(join(root, path) + UNFINISHED, bytes);
    renameSync(join(root, path) + UNFINISHED, join(root, path));
  }

  function put(path: string, bytes: Uint8Array): void {
    try {
      write(path, bytes);
      unwritten.delete(path);
    } catch {
      // said where it is to be durable: the journal has it until then
      unwritten.set(path, new Uint8Array(bytes));
    }
    isUnsynced(path);
  }

  function isUnsynced(path: string): void {
    unsynced.delete(path);
    unsynced.set(path, batch);
  }

  function* ofBatches(last: number): Generator<string> {
    for (const [path, of] of unsynced) {
      if (of > last) return;
      yield path;
    }
  }

  async function sync(path: string): Promise<void> {
    const missing = unwritten.get(path);
    if (missing) {
      write(path, missing);
      unwritten.delete(path);
    }
    const file = await io.open(join(root, path), "r+");
    try {
      await io.sync(file);
    } finally {
      await io.close(file);
    }
  }

  async function syncAll(last: number): Promise<void> {
    const paths = [...ofBatches(last)];
    let next = 0;
    const syncSome = async () => {
      while (next < paths.length) await sync(paths[next++] as string);
    };
    await Promise.all(Array.from({ length: SYNCED_AT_ONCE }, syncSome));
    const directories = new Set(paths.map(dirname));
    for (const directory of directories) {
      if (made.has(directory)) directories.add(dirname(directory));
      await syncDirectory(join(root, directory));
    }
    for (const directory of directories) made.delete(directory);
    for (const path of paths) if ((unsynced.get(path) as number) <= last) unsynced.delete(path);
  }

  return {
    put,
    restore(path, bytes) {
      if (holds(join(root, path), bytes)) isUnsynced(path);
      else put(path, bytes);
    },
    read: async (path) => unwritten.get(path) ?? (await readIfThere(join(root, path))),
    endBatch: () => batch++,
    durable(last) {
      turn = turn.catch(() => {}).then(() => syncAll(last));
      return turn;
    },
  };
}

function holds(path: string, bytes: Uint8Array): boolean {
  try {
    return readFileSync(path).equals(bytes);
  } catch {
    return false;
  }
}
