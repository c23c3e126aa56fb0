/**
 * The files that logs fill: written behind the journal, which has all that is in them until `flush` has made them durable.
 * What is not written yet is read from memory.
 */
import { close, fsync, open, rename, statSync, write } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { makeDirectory, readIfThere, syncDirectory, UNFINISHED } from "./durable.ts";

const io = {
  open: promisify(open),
  write: promisify(write),
  sync: promisify(fsync),
  close: promisify(close),
  rename: promisify(rename),
};

/** Directories written to at once: one less than the threads that do it, so that the journal waits for none. */
const WRITERS = 3;
const DIRECTORIES_REMEMBERED = 10_000;

/** Paths are below the root. */
export type Files = {
  put(path: string, bytes: Uint8Array): void;
  /** As `put`, for what may have been written before a crash. */
  restore(path: string, bytes: Uint8Array): void;
  read(path: string): Promise<Uint8Array | undefined>;
  /** Resolves once all that was put is durable. Throws where it cannot be; it is tried again with the next flush. */
  flush(): Promise<void>;
};

export function openFiles(root: string): Files {
  /** by directory, by path */
  const pending = new Map<string, Map<string, Uint8Array>>();
  const made = new Set<string>();
  const unsynced = new Set<string>();
  const taken = new Set<string>();
  const writers = new Set<Promise<void>>();
  let failure: unknown;

  function put(path: string, bytes: Uint8Array): void {
    const directory = dirname(path);
    const files = pending.get(directory) ?? new Map<string, Uint8Array>();
    files.set(path, bytes);
    pending.set(directory, files);
    start();
  }

  function start(): void {
    if (failure || writers.size >= WRITERS) return;
    const directory = pending.keys().find((name) => !taken.has(name));
    if (directory === undefined) return;
    taken.add(directory);
    const writer = writeAll(directory)
      .catch((error) => {
        failure = error;
      })
      .then(() => {
        taken.delete(directory);
        writers.delete(writer);
        start();
      });
    writers.add(writer);
    start();
  }

  async function writeAll(directory: string): Promise<void> {
    const files = pending.get(directory) as Map<string, Uint8Array>;
    if (!made.has(directory)) {
      await makeDirectory(join(root, directory));
      if (made.size > DIRECTORIES_REMEMBERED) made.clear();
      made.add(directory);
    }
    const batch = [...files];
    for (const [path, bytes] of batch) await replace(join(root, path), bytes);
    await syncDirectory(join(root, directory));
    for (const [path, bytes] of batch) if (files.get(path) === bytes) files.delete(path);
    if (files.size === 0) pending.delete(directory);
  }

  async function syncRestored(): Promise<void> {
    for (const directory of unsynced) {
      for (let above = directory; ; above = dirname(above)) {
        await syncDirectory(join(root, above));
        if (above === ".") break;
      }
      unsynced.delete(directory);
    }
  }

  return {
    put,
    restore(path, bytes) {
      if (statSync(join(root, path), { throwIfNoEntry: false })?.size === bytes.length) unsynced.add(dirname(path));
      else put(path, bytes);
    },
    async read(path) {
      return pending.get(dirname(path))?.get(path) ?? (await readIfThere(join(root, path)));
    },
    async flush() {
      failure = undefined;
      for (start(); writers.size > 0; ) await Promise.all(writers);
      if (failure) throw failure;
      await syncRestored();
    },
  };
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const file = await io.open(path + UNFINISHED, "w");
  try {
    const { bytesWritten } = await io.write(file, bytes, 0, bytes.length, 0);
    if (bytesWritten !== bytes.length) throw new Error(`only ${bytesWritten} bytes of ${path} could be written`);
    await io.sync(file);
  } finally {
    await io.close(file);
  }
  await io.rename(path + UNFINISHED, path);
}
