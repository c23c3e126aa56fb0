/**
 * The database's schema, step by step. What is long lives in three tables, each with the key id first, by which they can
 * be spread over machines:
 *
 *   logs      one row a log: what a post is checked against, and updated in place by it
 *   tails     what came after the last full tile, one row a post
 *   bundles   256 readings a row, with the heads that end among them until they are pruned
 *   tiles     256 hashes a row, from level 1 on; those of level 0 are made of the readings
 */
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Bundles are kept by the year in which they begin, so that old years can be detached. */
const FIRST_YEAR = 2025;
const LAST_YEAR = 2060;

const secondsOf = (year: number): number => Date.UTC(year, 0) / 1000;

const LOGS = [
  // a post changes no indexed column: with room in its page a row is updated in place
  `create table logs (
    key_id bytea, epoch bigint,
    size bigint not null, posted bigint not null, bucket bigint not null,
    last bytea not null, signature bytea not null,
    primary key (key_id, epoch)
  ) with (fillfactor = 60)`,
  `create table tails (
    key_id bytea, epoch bigint, size bigint,
    readings bytea not null, signature bytea,
    primary key (key_id, epoch, size)
  ) with (autovacuum_vacuum_scale_factor = 0.05)`,
  `create table bundles (
    key_id bytea, epoch bigint, index bigint, time bigint,
    readings bytea not null, heads bytea not null,
    primary key (key_id, epoch, index, time)
  ) partition by range (time)`,
  "create index on bundles (key_id, epoch, index) where heads <> ''",
  // signatures and hashes cannot be compressed: it is not tried
  "alter table bundles alter heads set storage external",
  `create table tiles (
    key_id bytea, epoch bigint, level int, index bigint,
    hashes bytea not null, times bigint[] not null,
    primary key (key_id, epoch, level, index)
  )`,
  "alter table tiles alter hashes set storage external",
];

const PARTITIONS = [
  partition("before", "minvalue", secondsOf(FIRST_YEAR)),
  ...Array.from({ length: LAST_YEAR - FIRST_YEAR + 1 }, (_, i) =>
    partition(FIRST_YEAR + i, secondsOf(FIRST_YEAR + i), secondsOf(FIRST_YEAR + i + 1)),
  ),
  partition("after", secondsOf(LAST_YEAR + 1), "maxvalue"),
];

function partition(name: string | number, from: string | number, to: string | number): string {
  return `create table bundles_${name} partition of bundles for values from (${from}) to (${to})`;
}

const SMALL = [
  "create table batches (digest bytea primary key, bytes bytea not null)",
  "alter table batches alter bytes set storage external",
  `create table records (collection text collate "C", id text collate "C", record json not null, primary key (collection, id))`,
  "create table documents (name text primary key, content json not null)",
];

const running = (statements: readonly string[]): Migration => ({
  async up(db: Kysely<unknown>) {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
});

/** In the order of their names; what was released is never changed. */
export const MIGRATIONS: Record<string, Migration> = {
  "0001-logs": running([...LOGS, ...PARTITIONS]),
  "0002-batches-records-documents": running(SMALL),
};
