/**
 * Copies a store to another: `npm run oracle:copy -- --from data --to database`. Run again it goes on where it ended. No
 * oracle may run on the other store meanwhile.
 */
import { parseArgs } from "node:util";
import pino from "pino";
import { openEmbeddedStore } from "../store/embedded/store.ts";
import { openPostgresStore } from "../store/postgres/store.ts";
import type { Store } from "../store/store.ts";
import { copyStore } from "./copying.ts";
import { keysOf } from "./verifying.ts";

const HELP = `Copies all that an oracle keeps to another store.

  npm run oracle:copy -- --from STORE --to STORE

  STORE     a folder, or "database": the one at WATTWITNESS_DATABASE_URL`;

const WIDTH = 40;
/** Readings after which progress is shown, where nobody watches. */
const STEP = 1_000_000;

function end(problem: string): never {
  console.error(problem);
  process.exit(1);
}

const { values } = parseArgs({ options: { from: { type: "string" }, to: { type: "string" } } });
if (!values.from || !values.to || values.from === values.to) end(HELP);
const logger = pino({ level: "warn" }, pino.destination(2));

async function open(name: string): Promise<Store> {
  const url = process.env["WATTWITNESS_DATABASE_URL"];
  if (name === "database" && !url) end("WATTWITNESS_DATABASE_URL is missing: it must be a URL: postgres://…");
  const opening =
    name === "database" ? await openPostgresStore(url as string, logger) : await openEmbeddedStore(name, logger);
  return opening.ok ? opening.store : end(opening.problem);
}

const from = await open(values.from);
const to = await open(values.to);
let total = 0;
for await (const keyId of keysOf(from)) for (const { size } of await from.logs.of(keyId)) total += size;
let shown = 0;
const copying = await copyStore(from, to, progress).finally(async () => {
  await from.close();
  await to.close();
});
if (process.stderr.isTTY) process.stderr.write("\n");
const { logs, readings, batches, records } = copying.copied;
console.log(`Copied ${readings} readings of ${logs} logs, ${batches} batches and ${records} records.`);
if (!copying.ok) end(copying.problem);

function progress(done: number): void {
  const isWatched = process.stderr.isTTY;
  if (done < total && done - shown < (isWatched ? 10_000 : STEP)) return;
  shown = done;
  const share = Math.min(1, done / total);
  const bar = "█".repeat(Math.floor(share * WIDTH)).padEnd(WIDTH, "░");
  const text = `${Math.floor(100 * share)} % of ${total} readings`;
  process.stderr.write(isWatched ? `\r${bar} ${text}` : `${text}\n`);
}
