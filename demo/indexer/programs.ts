/** PostgreSQL's programs from npm, and who runs them. */
import { chown, cp, readFile, stat, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { POSTGRES } from "./platform.ts";

const NATIVE = join(POSTGRES, "native");
/** PostgreSQL refuses to run as root: there, it runs as nobody. */
const NOBODY = 65_534;

export type Programs = {
  /** where initdb and postgres are */
  bin: string;
  /** for spawn */
  who: { uid?: number; gid?: number };
};

/** `folder` becomes that of whoever runs them; it is to be where anybody can get to, as the system's temporary one. */
export async function postgresPrograms(folder: string, native = NATIVE): Promise<Programs> {
  await linkLibraries();
  if (process.getuid?.() !== 0) return { bin: join(native, "bin"), who: {} };
  await chown(folder, NOBODY, NOBODY);
  const who = { uid: NOBODY, gid: NOBODY };
  if (await isOpenToAll(native)) return { bin: join(native, "bin"), who };
  const copy = join(folder, "programs");
  await cp(native, copy, { recursive: true, dereference: true });
  return { bin: join(copy, "bin"), who };
}

/** Whether anybody may pass through a directory and all above it, which a folder of root's own does not let them. */
async function isOpenToAll(directory: string): Promise<boolean> {
  if (((await stat(directory)).mode & 0o001) === 0) return false;
  return dirname(directory) === directory || isOpenToAll(dirname(directory));
}

/** The links between its libraries, which the package makes in a script that npm may not have been allowed to run. */
async function linkLibraries(): Promise<void> {
  const table = await readFile(join(NATIVE, "pg-symlinks.json"), "utf8");
  for (const { source, target } of JSON.parse(table) as { source: string; target: string }[]) {
    const to = dirname(source) === dirname(target) ? basename(source) : join(POSTGRES, source);
    await symlink(to, join(POSTGRES, target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}
