/**
 * Copies a store to another: `npm run oracle:copy -- --from data --to database`. Run again it goes on where it ended. No
 * oracle may run on the other store meanwhile.
 */
import { parseArgs } from "node:util";
import pino from "pino";
import { readDatabaseUrl } from "../config.ts";
import { openEmbeddedStore } from "../store/embedded/store.ts";
import { openPostgresStore } from "../store/postgres/store.ts";
import type { Store } from "../store/store.ts";
import { copyStore } from "./copying.ts";
import { createProgress, readingsIn } from "./progress.ts";

const HELP = `Copies all that an oracle keeps to another store.

  npm run oracle:copy -- --from STORE --to STORE

  STORE     a folder, or "database": the one at WATTWITNESS_DATABASE_URL`;

function end(problem: string): never {
  console.error(problem);
  process.exit(1);
}

function optionsOf(args: string[]) {
  const options = { from: { type: "string" }, to: { type: "string" }, help: { type: "boolean" } } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    return end(`${(error as Error).message}\n\n${HELP}`);
  }
}

const values = optionsOf(process.argv.slice(2));
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
if (!values.from || !values.to || values.from === values.to) end(HELP);
const logger = pino({ level: "warn" }, pino.destination(2));

async function open(name: string): Promise<Store> {
  const opening = name === "database" ? await openDatabase() : await openEmbeddedStore(name, logger);
  return opening.ok ? opening.store : end(opening.problem);
}

async function openDatabase() {
  const setting = readDatabaseUrl(process.env);
  return setting.ok ? openPostgresStore(setting.url, logger) : setting;
}

const from = await open(values.from);
const to = await open(values.to);
const progress = createProgress(await readingsIn(from));
const copying = await copyStore(from, to, progress.show).finally(async () => {
  progress.end();
  await from.close();
  await to.close();
});
const { logs, readings, batches, records } = copying.copied;
console.log(`Copied ${readings} readings of ${logs} logs, ${batches} batches and ${records} records.`);
if (!copying.ok) end(copying.problem);
