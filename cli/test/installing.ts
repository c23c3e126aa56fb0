/** The package as others have it: packed, and installed into an empty folder. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { makePackage } from "../../scripts/package.ts";

const OFFLINE = /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/;

export type Installation = {
  /** whoever has it removes it */
  folder: string;
  /** what npm said */
  said: string;
  /** ms */
  took: number;
};

/** undefined = what the package depends on cannot be had here, which a line has said. */
export async function installPackage(): Promise<Installation | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "wattwitness-installed-"));
  try {
    const file = await makePackage(folder);
    await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const install = async (from: string): Promise<Installation> => {
      const start = performance.now();
      const args = ["install", file, from, "--no-audit", "--no-fund", "--foreground-scripts"];
      const { stdout, stderr } = await promisify(execFile)("npm", args, { cwd: folder });
      return { folder, said: stdout + stderr, took: performance.now() - start };
    };
    return await install("--offline").catch(() => install("--prefer-offline"));
  } catch (error) {
    await rm(folder, { recursive: true });
    if (!OFFLINE.test((error as { stderr?: string }).stderr ?? "")) throw error;
    console.log("    skipped: what the package depends on is not in npm's cache, and no registry answers");
    return undefined;
  }
}
