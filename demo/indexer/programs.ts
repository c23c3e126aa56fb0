/** PostgreSQL's programs from npm, and who runs them. */
import { cpSync, lchownSync, lstatSync, readdirSync } from "node:fs";
import { chown, readFile, stat, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { POSTGRES } from "./platform.ts";

/** PostgreSQL refuses to run as root: there, it runs as nobody. */
const NOBODY = 65_534;

export type Programs = {
  /** where initdb and postgres are */
  bin: string;
  /** for spawn */
  who: { uid?: number; gid?: number };
};

/**
 * `folder` becomes that of whoever runs them; it is to be where anybody can get to, as the system's temporary one. `installed`
 * is npm's package.
 */
export async function postgresPrograms(folder: string, installed = POSTGRES): Promise<Programs> {
  await linkLibraries(installed);
  const binOf = (root: string) => join(root, "native", "bin");
  if (process.getuid?.() !== 0) return { bin: binOf(installed), who: {} };
  await chown(folder, NOBODY, NOBODY);
  const who = { uid: NOBODY, gid: NOBODY };
  if (await isOpenToAll(binOf(installed))) return { bin: binOf(installed), who };
  const copy = join(folder, "programs");
  // at once, so that no folder is removed while something is copied into it
  const isNoLink = (path: string) => !lstatSync(path).isSymbolicLink();
  cpSync(join(installed, "native"), join(copy, "native"), { recursive: true, filter: isNoLink });
  // whatever mode files of ours are made in, and were installed in
  for (const name of ["", ...readdirSync(copy, { recursive: true, encoding: "utf8" })]) {
    lchownSync(join(copy, name), NOBODY, NOBODY);
  }
  await linkLibraries(copy);
  return { bin: binOf(copy), who };
}

/** Whether anybody may pass through a directory and all above it, which a folder of root's own does not let them. */
async function isOpenToAll(directory: string): Promise<boolean> {
  if (((await stat(directory)).mode & 0o001) === 0) return false;
  return dirname(directory) === directory || isOpenToAll(dirname(directory));
}

/** The links between its libraries, which the package makes in a script that npm may not have been allowed to run. */
async function linkLibraries(root: string): Promise<void> {
  const table = await readFile(join(root, "native", "pg-symlinks.json"), "utf8");
  for (const { source, target } of JSON.parse(table) as { source: string; target: string }[]) {
    await symlink(relative(dirname(target), source), join(root, target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}
