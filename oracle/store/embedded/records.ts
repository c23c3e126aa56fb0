/** A directory of small durable JSON files, one a record, read when asked for. */
import { unlink } from "node:fs/promises";
import { Low } from "lowdb";
import type { Records } from "../store.ts";
import { jsonFile, jsonPath, makeDirectory, namesIn, syncDirectory } from "./durable.ts";

/** Names the caller makes sure of: an id is never what came from outside unchecked. */
const SAFE_ID = /^[\w-]+$/;

/** Files that are being added: the folder is this process's alone. */
const adding = new Set<string>();

export async function openRecords<T extends object>(directory: string): Promise<Records<T>> {
  await makeDirectory(directory);

  const file = (id: string) => {
    if (!SAFE_ID.test(id)) throw new RangeError(`"${id}" cannot name a record`);
    return jsonFile<T>(jsonPath(directory, id));
  };
  const ids = async () => (await namesIn(directory)).map((name) => name.replace(/\.json$/, ""));
  const get = async (id: string) => (await file(id).read()) ?? undefined;

  const put = (id: string, record: T) => new Low(file(id), record).write();

  return {
    ids,
    get,
    all: async () => (await Promise.all((await ids()).map(get))).filter((record) => record !== undefined),
    put,
    async add(id, record) {
      const path = jsonPath(directory, id);
      if (adding.has(path)) return false;
      adding.add(path);
      try {
        if (await get(id)) return false;
        await put(id, record);
        return true;
      } finally {
        adding.delete(path);
      }
    },
    async remove(id) {
      await unlink(jsonPath(directory, id));
      await syncDirectory(directory);
    },
  };
}
