/** Publishes into a folder that a static host serves: what it serves is whole at any time. */
import { dirname, join } from "node:path";
import { makeDirectory, readIfThere, writeDurably } from "../store/embedded/durable.ts";
import type { Outlet } from "./outlet.ts";

export function folderOutlet(name: string, directory: string): Outlet {
  const made = new Set<string>();

  async function makeOnce(path: string): Promise<void> {
    if (made.has(path)) return;
    await makeDirectory(path);
    made.add(path);
  }

  return {
    name,
    async put({ path, bytes }) {
      const file = join(directory, path);
      try {
        await makeOnce(dirname(file));
        await writeDurably(file, bytes);
        return undefined;
      } catch (error) {
        // the folder may have gone away: it is made again with the next attempt
        made.clear();
        return reasonIn(error);
      }
    },
    async get(path) {
      try {
        return { ok: true, bytes: await readIfThere(join(directory, path)) };
      } catch (error) {
        return { ok: false, reason: reasonIn(error) };
      }
    },
  };
}

const reasonIn = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "it failed";
