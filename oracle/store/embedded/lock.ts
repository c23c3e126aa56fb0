/** One process per data directory: two oracles would write over each other's journal, two devices sign two stories. */
import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory } from "./durable.ts";

/** `file` gives the directory back when it is removed; where it is taken, `pid` is the process that has it. */
export type Lock = { ok: true; file: string } | { ok: false; file: string; pid: number };

const LOCK = "oracle.pid";

/** Which other process has a directory; undefined = none. */
export async function holderOf(directory: string, name = LOCK): Promise<number | undefined> {
  const pid = Number(await readFile(join(directory, name), "utf8").catch(() => ""));
  return pid !== process.pid && isRunning(pid) ? pid : undefined;
}

/** Takes a directory for this process, also from one that ended without giving it back. */
export async function lockDirectory(directory: string, name = LOCK): Promise<Lock> {
  await makeDirectory(directory);
  const file = join(directory, name);
  for (;;) {
    try {
      const handle = await open(file, "wx");
      await handle.writeFile(String(process.pid));
      await handle.close();
      return { ok: true, file };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const pid = await holderOf(directory, name);
    if (pid !== undefined) return { ok: false, file, pid };
    await rm(file, { force: true });
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // somebody else's process is a running one
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
