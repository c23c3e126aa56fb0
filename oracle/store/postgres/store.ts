/** The store in a PostgreSQL database, which any number of oracles share. */
import pg from "pg";
import type { Opening } from "../embedded/store.ts";
import { StoreUnavailable } from "../store.ts";
import { asFailure, DATABASE, openDatabase, shown, whyNotDurable, whyNotMigrated, whyNotWritable } from "./database.ts";
import { openLeadership } from "./leadership.ts";
import { openLogs } from "./logs.ts";
import { namesIn, openBatches, openDocument, openRecords } from "./small.ts";

export type StoreLogger = { info(message: string): void; warn(message: string): void };

/** A problem is a sentence, without what the URL keeps secret: the database does not answer, or is not migrated. */
export async function openPostgresStore(url: string, logger: StoreLogger): Promise<Opening> {
  const warn = (message: string) => logger.warn(message);
  const database = openDatabase(url, warn);
  const whyNot = async () => (await whyNotMigrated(database)) ?? (await whyNotDurable(database));
  const problem = await whyNot().catch((error) => {
    const failure = asFailure(error, url);
    if (failure instanceof StoreUnavailable) return `${failure.message}.`;
    if (failure instanceof pg.DatabaseError) return `${DATABASE} cannot be used: ${shown(failure, url)}.`;
    throw failure;
  });
  if (problem !== undefined) {
    await database.close();
    return { ok: false, problem };
  }
  const leadership = openLeadership(url, warn);
  return {
    ok: true,
    store: {
      logs: openLogs(database),
      batches: openBatches(database),
      records: async (name) => openRecords(database, name),
      document: (name, initial) => openDocument(database, name, initial),
      names: () => namesIn(database),
      leads: leadership.leads,
      whyNotWritable: () => whyNotWritable(database, url),
      async close() {
        await leadership.close();
        await database.close();
      },
    },
  };
}
