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
      } catch (error) {
        // the folder may have gone away: it is made again with the next attempt
        made.clear();
        throw toldOf(error);
      }
    },
    get: (path) =>
      readIfThere(join(directory, path)).catch((error) => {
        throw toldOf(error);
      }),
  };
}

/** Without the path, which is nobody's business. */
const toldOf = (error: unknown): Error => new Error((error as NodeJS.ErrnoException).code ?? "it failed");
