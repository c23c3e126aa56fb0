/** Brings the database at WATTWITNESS_DATABASE_URL to where this oracle wants it: `npm run oracle:migrate`. */
import { readDatabaseUrl } from "../config.ts";
import { DATABASE, migrate, openDatabase, shown, whyNotMigrated } from "../store/postgres/database.ts";
import { end, run, type Told } from "./program.ts";

const HELP = `Makes the tables of an oracle in the database at WATTWITNESS_DATABASE_URL, or brings them to where this oracle
wants them. What was done already is not done again.

  npm run oracle:migrate

Ends with 0 where the database is as it should be, else with 1.`;

export async function migrateDatabase(
  _options: object,
  environment: Record<string, string | undefined>,
): Promise<Told> {
  const setting = readDatabaseUrl(environment);
  if (!setting.ok) end(setting.problem);
  const { url } = setting;
  const database = openDatabase(url, console.warn);
  try {
    // a newer oracle's database is told of as such, and left as it is
    const problem = await whyNotMigrated(database);
    if (problem?.includes("newer")) throw new Error(problem);
    const steps = await migrate(database);
    return {
      text: steps.length === 0 ? "The database is as it should be." : `Took the steps ${steps.join(", ")}.`,
      data: { steps },
    };
  } catch (error) {
    return end(`${DATABASE} could not be migrated: ${shown(error, url)}`);
  } finally {
    await database.close();
  }
}

if (import.meta.main) await run(HELP, [], migrateDatabase);
