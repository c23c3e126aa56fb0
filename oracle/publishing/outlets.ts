/** The outlets that the settings name. */
import type { Config } from "../config.ts";
import { makeDirectory } from "../store/embedded/durable.ts";
import { folderOutlet } from "./folder.ts";
import type { Outlet } from "./outlet.ts";
import { s3Outlet } from "./s3.ts";

export type Opening = { ok: true; outlets: Outlet[] } | { ok: false; problem: string };

/** A problem is a sentence: the folder cannot be made. */
export async function openOutlets({ directory, s3 }: NonNullable<Config["publishing"]>): Promise<Opening> {
  const outlets: Outlet[] = [];
  if (directory !== undefined) {
    try {
      await makeDirectory(directory);
    } catch (error) {
      return { ok: false, problem: `WATTWITNESS_PUBLISH_DIR cannot be used: ${(error as Error).message}.` };
    }
    outlets.push(folderOutlet("WATTWITNESS_PUBLISH_DIR", directory));
  }
  if (s3) outlets.push(s3Outlet("WATTWITNESS_PUBLISH_S3_URL", s3));
  return { ok: true, outlets };
}
