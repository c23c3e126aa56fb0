/** The store in a folder: the default, for one oracle. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Low } from "lowdb";
import { type Store, StoreDamaged } from "../store.ts";
import { openBatches } from "./batches.ts";
import { jsonFile, jsonPath, namesIn, writeDurably } from "./durable.ts";
import { passing } from "./failures.ts";
import { markFormat } from "./format.ts";
import { lockDirectory } from "./lock.ts";
import { openLogs, type StoreLogger } from "./logs.ts";
import { openRecords } from "./records.ts";

export type Opening = { ok: true; store: Store } | { ok: false; problem: string };

/**
 * Takes the folder for this process. A problem is a sentence: another has it, a newer oracle wrote it, it cannot be written,
 * a file is damaged.
 */
export async function openEmbeddedStore(directory: string, logger: StoreLogger): Promise<Opening> {
  let taken: string | undefined;
  try {
    const lock = await lockDirectory(directory);
    if (!lock.ok) {
      return {
        ok: false,
        problem: `Another oracle (process ${lock.pid}) keeps its data in ${directory}: end it, or choose another WATTWITNESS_DATA_DIR. If that process is no oracle, delete ${lock.file}.`,
      };
    }
    taken = lock.file;
    const tooNew = await markFormat(directory);
    if (tooNew !== undefined) {
      await rm(lock.file, { force: true });
      return { ok: false, problem: tooNew };
    }
    return { ok: true, store: await openIn(directory, lock.file, logger) };
  } catch (error) {
    if (taken !== undefined) await rm(taken, { force: true }).catch(() => {});
    const problem = problemOf(error, directory);
    if (problem === undefined) throw error;
    return { ok: false, problem };
  }
}

async function openIn(directory: string, lockFile: string, logger: StoreLogger): Promise<Store> {
  const { logs, whyBroken, close } = await openLogs(directory, logger);
  return {
    logs,
    batches: passing(directory, await openBatches(join(directory, "batches"))),
    records: async (name) => passing(directory, await openRecords(join(directory, name))),
    async document(name, initial) {
      const file = passing(directory, jsonFile<typeof initial>(jsonPath(directory, name)));
      const document = new Low(file, initial);
      await document.read();
      return document;
    },
    names: async () => {
      const names = await namesIn(directory);
      const folders = names.filter((name) => !name.includes(".") && !OF_LOGS.has(name) && name !== "batches");
      return {
        records: (await Promise.all(folders.map((name) => recordsIn(directory, name)))).flat().sort(),
        documents: withJson(names).sort(),
      };
    },
    leads: async () => true,
    whyNotWritable: async () => whyBroken() ?? (await whyNotWritable(directory)),
    async close() {
      await close();
      await rm(lockFile, { force: true });
    },
  };
}

/** More than a file system keeps beside its names. */
const PROBE = Buffer.alloc(4096);

async function whyNotWritable(directory: string): Promise<string | undefined> {
  try {
    await writeDurably(join(directory, "oracle.written"), PROBE);
    return undefined;
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    return `the data directory cannot be written: ${code ?? name}`;
  }
}

const OF_LOGS = new Set(["journal", "logs", "logs-before"]);

const withJson = (names: readonly string[]): string[] =>
  names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));

/** Names of the records in a folder and those below it. */
async function recordsIn(directory: string, name: string): Promise<string[]> {
  const names = await namesIn(join(directory, name));
  const below = names.filter((one) => !one.includes("."));
  const found = await Promise.all(below.map((one) => recordsIn(directory, `${name}/${one}`)));
  return [...(withJson(names).length > 0 ? [name] : []), ...found.flat()];
}

/** What the operator can do something about. */
function problemOf(error: unknown, directory: string): string | undefined {
  if (error instanceof StoreDamaged) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return undefined;
  return `The data directory ${directory} cannot be used: ${message}.`;
}
