/** The store in a folder: the default, for one oracle. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Low } from "lowdb";
import type { Store } from "../store.ts";
import { openBatches } from "./batches.ts";
import { jsonFile, jsonPath } from "./durable.ts";
import { lockDirectory } from "./lock.ts";
import { openLogs } from "./logs.ts";
import { openRecords } from "./records.ts";

export type Opening = { ok: true; store: Store } | { ok: false; problem: string };

/** Takes the folder for this process; another that has it is the problem that is told. */
export async function openEmbeddedStore(directory: string): Promise<Opening> {
  const lock = await lockDirectory(directory);
  if (!lock.ok) {
    return {
      ok: false,
      problem: `Another oracle (process ${lock.pid}) keeps its data in ${directory}: end it, or choose another WATTWITNESS_DATA_DIR. If that process is no oracle, delete ${lock.file}.`,
    };
  }
  const store: Store = {
    logs: await openLogs(join(directory, "logs")),
    batches: await openBatches(join(directory, "batches")),
    records: (name) => openRecords(join(directory, name)),
    async document(name, initial) {
      const document = new Low(jsonFile<typeof initial>(jsonPath(directory, name)), initial);
      await document.read();
      return document;
    },
    leads: async () => true,
    close: () => rm(lock.file, { force: true }),
  };
  return { ok: true, store };
}
