/** Where a node keeps everything, and where it publishes: looked at without writing. */
import { access, constants, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Config } from "../../../oracle/config.ts";
import { holderOf } from "../../../oracle/store/embedded/lock.ts";
import { firstLine } from "../../problem.ts";
import { type Finding, judged, well, wrong } from "./finding.ts";

/** ms */
const PATIENCE = 5000;

export async function store(config: Config): Promise<Finding[]> {
  if (config.databaseUrl !== undefined) return [await database(config.databaseUrl)];
  const { dataDirectory } = config;
  const unusable = await whyNotWritable(dataDirectory);
  if (unusable) return [wrong("store", unusable, "mend WATTWITNESS_DATA_DIR, or the folder's rights")];
  const pid = await holderOf(dataDirectory);
  if (pid === undefined) return [well("store", `the folder ${dataDirectory}`)];
  const own = `http://${config.host}:${config.port}/health`;
  const reason = `the folder ${dataDirectory} is in use by process ${pid}, and no node with this registry answers at ${own}`;
  return [
    judged(
      "store",
      (await isThisNode(own, config)) ? undefined : reason,
      `the folder ${dataDirectory}, in use by the node at ${own}`,
      `end process ${pid}, or name another WATTWITNESS_DATA_DIR`,
    ),
  ];
}

async function isThisNode(url: string, { registry }: Config): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    const told = (await response.json()) as { registry?: string };
    return told.registry?.toLowerCase() === registry.toLowerCase();
  } catch {
    return false;
  }
}

/** A database's client is several hundred modules: loaded where there is one. */
async function database(url: string): Promise<Finding> {
  const { DATABASE, openDatabase, shown, whyNotDurable, whyNotMigrated } = await import(
    "../../../oracle/store/postgres/database.ts"
  );
  const opened = openDatabase(url, () => {});
  try {
    const why = (await whyNotMigrated(opened)) ?? (await whyNotDurable(opened));
    return judged("store", why, "the database, with all its tables", "do that, and look again");
  } catch (error) {
    const reason = `${DATABASE} does not answer: ${shown((error as Error).cause ?? error, url)}`;
    return wrong("store", reason, "does it run, and is that URL its own?");
  } finally {
    await opened.close().catch(firstLine);
  }
}

export async function publisher({ publishing }: Config): Promise<Finding[]> {
  if (publishing?.directory === undefined) return [];
  const { directory } = publishing;
  const why = await whyNotWritable(directory);
  return [judged("publisher", why, `the folder ${directory}`, "mend WATTWITNESS_PUBLISH_DIR, or the folder's rights")];
}

/** A folder that is not there yet is made in the nearest one above it. */
async function whyNotWritable(folder: string): Promise<string | undefined> {
  try {
    if (!(await stat(folder)).isDirectory()) return `${folder} is no folder`;
    await access(folder, constants.W_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const above = dirname(resolve(folder));
    if (code === "ENOENT" && above !== folder) return whyNotWritable(above);
    return `${folder} cannot be written (${code})`;
  }
}
