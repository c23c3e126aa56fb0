/**
 * Files that survive a crash. A file is written beside its name, synced, renamed over it, and the directory synced: after
 * any interruption it holds what was written before or what was written last, never a part.
 */
import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Adapter } from "lowdb";

const UNFINISHED = ".unfinished";

/** The write under way for each path: writes to one file take turns. */
const writing = new Map<string, Promise<void>>();

/** Resolves once `content` is durable. */
export function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const turn = (writing.get(path) ?? Promise.resolve()).catch(() => {}).then(() => replace(path, content));
  writing.set(path, turn);
  const forget = () => {
    if (writing.get(path) === turn) writing.delete(path);
  };
  turn.then(forget, forget);
  return turn;
}

async function replace(path: string, content: string | Uint8Array): Promise<void> {
  const unfinished = path + UNFINISHED;
  const file = await open(unfinished, "w");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  await syncDirectory(dirname(path));
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Makes a directory, and those above it, durably. */
export async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; ; made = dirname(made)) {
    await syncDirectory(dirname(made));
    if (made === first) return;
  }
}

/** The content of a file, or nothing where there is none. */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Names in a directory without what a crash left unfinished; none where there is no directory. */
export async function namesIn(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => !name.endsWith(UNFINISHED));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** lowdb's adapter for one durable JSON file. */
export const jsonFile = <T>(path: string): Adapter<T> => ({
  async read() {
    const content = await readIfThere(path);
    return content ? (JSON.parse(Buffer.from(content).toString()) as T) : null;
  },
  write: (data) => writeDurably(path, JSON.stringify(data)),
});

export const jsonPath = (directory: string, name: string): string => join(directory, `${name}.json`);
