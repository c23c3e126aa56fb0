/**
 * Files that survive a crash. A file is written beside its name, synced, renamed over it, and the directory synced: after
 * any interruption it holds what was written before or what was written last, never a part.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import type { Adapter } from "lowdb";
import { StoreDamaged } from "../store.ts";

export const UNFINISHED = ".unfinished";

export const isUnfinished = (name: string): boolean => name.endsWith(UNFINISHED);

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
  } catch (error) {
    // it may have taken the last room
    await unlink(unfinished).catch(() => {});
    throw error;
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

/** Copies a file from byte `start` on, durably. */
export async function copyPart(path: string, start: number, copy: string): Promise<void> {
  await pipeline(createReadStream(path, { start }), createWriteStream(copy, { flush: true }));
  await syncDirectory(dirname(copy));
}

const isFinished = (name: string): boolean => !isUnfinished(name);

/** Names in a directory, without what a crash left unfinished unless that is wanted; none where there is no directory. */
export async function namesIn(path: string, wanted = isFinished): Promise<string[]> {
  try {
    return (await readdir(path)).filter(wanted);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** A JSON text with its CRC-32 on a line of its own. */
const withSum = (text: string): string => `${text}\n${crc32(text).toString(16).padStart(8, "0")}\n`;

/** lowdb's adapter for one durable JSON file. One that an earlier version wrote is one line, without a sum. */
export const jsonFile = <T>(path: string): Adapter<T> => ({
  async read() {
    const content = await readIfThere(path);
    if (!content) return null;
    const text = Buffer.from(content).toString();
    const end = text.indexOf("\n");
    const json = end === -1 ? text : text.slice(0, end);
    if (end !== -1 && text !== withSum(json)) throw new StoreDamaged(`${path} is damaged: its sum is another.`);
    try {
      return JSON.parse(json) as T;
    } catch (error) {
      throw new StoreDamaged(`${path} is damaged: ${(error as Error).message}.`);
    }
  },
  write: (data) => writeDurably(path, withSum(JSON.stringify(data))),
});

export const jsonPath = (directory: string, name: string): string => join(directory, `${name}.json`);
