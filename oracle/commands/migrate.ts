/** Brings the database at WATTWITNESS_DATABASE_URL to where this oracle wants it: `npm run oracle:migrate`. */
import { DATABASE, migrate, openDatabase, shown, whyNotMigrated } from "../store/postgres/database.ts";

const url = process.env["WATTWITNESS_DATABASE_URL"] ?? "";
if (!/^postgres(ql)?:\/\/.+/.test(url)) {
  console.error("WATTWITNESS_DATABASE_URL must be a URL: postgres://… or postgresql://…");
  process.exit(1);
}
const database = openDatabase(url, console.warn);
try {
  // a newer oracle's database is told of as such, and left as it is
  const problem = await whyNotMigrated(database);
  if (problem?.includes("newer")) throw new Error(problem);
  const steps = await migrate(database);
  console.log(steps.length === 0 ? "The database is as it should be." : `Took the steps ${steps.join(", ")}.`);
} catch (error) {
  console.error(`${DATABASE} could not be migrated: ${shown(error, url)}`);
  process.exitCode = 1;
} finally {
  await database.close();
}
