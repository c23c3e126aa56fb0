/**
 * Copies a store to another: `npm run oracle:copy -- --from data --to database`. Run again it goes on where it ended. No
 * oracle may run on the other store meanwhile.
 */
import { readDatabaseUrl } from "../config.ts";
import { openEmbeddedStore } from "../store/embedded/store.ts";
import { openPostgresStore } from "../store/postgres/store.ts";
import type { Store } from "../store/store.ts";
import { copyStore } from "./copying.ts";
import { createLogger, doing, end, openFolder, run, saysWhenStopped, type Told } from "./program.ts";
import { createProgress, readingsIn } from "./progress.ts";

const HELP = `Copies all that an oracle keeps to another store.

  npm run oracle:copy -- --from STORE --to STORE

  STORE     a folder, or "database": the one at WATTWITNESS_DATABASE_URL

Run again it goes on where it ended. Ends with 0 where all was copied, else with 1.`;

type Environment = Record<string, string | undefined>;

export async function copy(options: { from?: string; to?: string }, environment: Environment): Promise<Told> {
  if (!options.from || !options.to || options.from === options.to) end(HELP);
  const logger = createLogger();
  saysWhenStopped("Run the same again, and it goes on where it ended.");

  async function openDatabase(): Promise<Store> {
    const setting = readDatabaseUrl(environment);
    if (!setting.ok) return end(setting.problem);
    const opening = await openPostgresStore(setting.url, logger);
    return opening.ok ? opening.store : end(opening.problem);
  }

  /** One that is copied to may be new. */
  async function openNew(directory: string): Promise<Store> {
    const opening = await openEmbeddedStore(directory, logger);
    return opening.ok ? opening.store : end(opening.problem);
  }

  const from = options.from === "database" ? await openDatabase() : await openFolder(options.from, logger);
  const to = options.to === "database" ? await openDatabase() : await openNew(options.to);
  const close = async () => {
    await from.close();
    await to.close();
  };
  const progress = createProgress(await doing(readingsIn(from), close));
  const copying = await doing(copyStore(from, to, progress.show).finally(progress.end), close);
  await close();
  const { logs, readings, batches, records } = copying.copied;
  return {
    text: `Copied ${readings} readings of ${logs} logs, ${batches} batches and ${records} records.`,
    data: copying.copied,
    ...(!copying.ok && { problem: copying.problem }),
  };
}

if (import.meta.main) await run(HELP, ["from", "to"], copy);
