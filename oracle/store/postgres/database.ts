/** Connections to the database, and what its failures mean. */
import { Kysely, PostgresDialect } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import pg from "pg";
import { StoreUnavailable } from "../store.ts";
import { MIGRATIONS } from "./migrations.ts";

/** Connections of one oracle, beside the one that leads. */
const CONNECTIONS = 8;
/** ms until a connection must be there */
const CONNECT_PATIENCE = 5000;
/** ms after which the database gives a statement up, and after which nothing is expected of it any more */
const [STATEMENT_PATIENCE, ANSWER_PATIENCE] = [20_000, 30_000];

export const DATABASE = "The database at WATTWITNESS_DATABASE_URL";

export type Tables = {
  batches: { digest: Buffer; bytes: Buffer };
  records: { collection: string; id: string; record: unknown };
  documents: { name: string; content: unknown };
  kysely_migration: { name: string };
};

export type Database = {
  kysely: Kysely<Tables>;
  /** Runs a statement that is planned once per connection. Its name is its own. */
  ask<R extends object>(name: string, text: string, values: readonly unknown[]): Promise<R[]>;
  close(): Promise<void>;
};

export const clientOptions = (url: string): pg.ClientConfig => ({
  connectionString: url,
  connectionTimeoutMillis: CONNECT_PATIENCE,
  statement_timeout: STATEMENT_PATIENCE,
  query_timeout: ANSWER_PATIENCE,
  keepAlive: true,
  application_name: "wattwitness",
});

/** Connects when asked first. `warn` is told of connections that break while nobody waits for them. */
export function openDatabase(url: string, warn: (message: string) => void): Database {
  const pool = new pg.Pool({ ...clientOptions(url), max: CONNECTIONS });
  pool.on("error", (error) => warn(`A connection to the database broke: ${shown(error, url)}`));
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    kysely,
    async ask(name, text, values) {
      try {
        return (await pool.query({ name, text, values: values as unknown[] })).rows;
      } catch (error) {
        throw asFailure(error, url);
      }
    },
    close: () => kysely.destroy(),
  };
}

/** Classes of SQLSTATE that pass: connection, read-only, rollback, resources, operator, system. */
const PASSING = /^(08|25|40|53|57|58)/;

/** The error as a store's: what the database will do again later is StoreUnavailable. Anything else is as it was. */
export function asFailure(error: unknown, url: string): unknown {
  if (error instanceof StoreUnavailable) return error;
  if (error instanceof pg.DatabaseError && !PASSING.test(error.code ?? "")) return error;
  return new StoreUnavailable(`${DATABASE} does not answer: ${shown(error, url)}`, { cause: error });
}

/** An error in words, without what the URL keeps secret. */
export function shown(error: unknown, url: string): string {
  const { message, errors } = error as AggregateError;
  const text = message || (errors?.[0] as Error | undefined)?.message || String((error as { code?: string }).code);
  return secretsIn(url).reduce((rest, secret) => rest.replaceAll(secret, "…"), text.split("\n")[0] as string);
}

function secretsIn(url: string): string[] {
  const password = URL.canParse(url) ? new URL(url).password : "";
  const plain = password.includes("%") ? decodeURIComponent(password) : password;
  return [url, password, plain].filter((secret) => secret !== "");
}

const migratorOf = (kysely: Kysely<Tables>, migrations: Record<string, Migration>): Migrator =>
  new Migrator({ db: kysely, provider: { getMigrations: async () => migrations } });

/** Brings a database to where this oracle wants it. Returns the steps that it took. Throws where it cannot. */
export async function migrate(database: Database, migrations = MIGRATIONS): Promise<string[]> {
  const { error, results = [] } = await migratorOf(database.kysely, migrations).migrateToLatest();
  if (error) throw error;
  return results.map(({ migrationName }) => migrationName);
}

/** What to do before this oracle can use the database, in a sentence; undefined where there is nothing to do. */
export async function whyNotMigrated(
  { kysely }: Pick<Database, "kysely">,
  migrations = MIGRATIONS,
): Promise<string | undefined> {
  const steps = await migratorOf(kysely, migrations).getMigrations();
  const missing = steps.filter(({ executedAt }) => executedAt === undefined);
  const taken =
    missing.length < steps.length ? await kysely.selectFrom("kysely_migration").select("name").execute() : [];
  const unknown = taken.map(({ name }) => name).filter((name) => !(name in migrations));
  if (unknown.length > 0) return `${DATABASE} is of a newer oracle, which took the step ${unknown[0]}: run that one.`;
  if (missing.length === 0) return undefined;
  const behind = missing.length === steps.length ? "is empty" : `lacks the step ${missing[0]?.name}`;
  return `${DATABASE} ${behind}: run npm run oracle:migrate or wattwitness node migrate, and start again.`;
}

/** The document that is written to find out whether that can be done. */
export const WRITTEN = "written";

/** Why nothing can be written now, for anybody to read; undefined where it can. */
export async function whyNotWritable({ ask }: Pick<Database, "ask">, url: string): Promise<string | undefined> {
  const text = `
    insert into documents (name, content) values ($1, '{}')
    on conflict (name) do update set content = excluded.content`;
  try {
    await ask("written", text, [WRITTEN]);
    return undefined;
  } catch (failure) {
    const error = failure instanceof StoreUnavailable ? failure.cause : failure;
    if (error instanceof pg.DatabaseError) return `the database cannot be written: ${shown(error, url)}`;
    // where it is is nobody's business
    return `the database does not answer: ${(error as NodeJS.ErrnoException).code ?? "no answer in time"}`;
  }
}

/** Why what is committed may be lost nevertheless, in a sentence; undefined where it is durable. */
export async function whyNotDurable({ ask }: Pick<Database, "ask">): Promise<string | undefined> {
  const text = "select name from pg_settings where name in ('fsync', 'synchronous_commit') and setting = 'off'";
  const [off] = await ask<{ name: string }>("durable", text, []);
  return off && `${DATABASE} has ${off.name} off, and might lose what was answered for: turn it on.`;
}
