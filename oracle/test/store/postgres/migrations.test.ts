import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { migrate, openDatabase, whyNotMigrated } from "../../../store/postgres/database.ts";
import { MIGRATIONS } from "../../../store/postgres/migrations.ts";
import { openPostgresStore } from "../../../store/postgres/store.ts";
import { silent } from "../../support.ts";
import { describeWithServer, PASSWORD } from "./server.ts";

const COMMAND = fileURLToPath(new URL("../../../commands/migrate.ts", import.meta.url));

async function problemOf(url: string): Promise<string> {
  const opening = await openPostgresStore(url, silent);
  if (!opening.ok) return opening.problem;
  await opening.store.close();
  return "";
}

async function runMigrate(url: string): Promise<{ code: number; text: string }> {
  const child = spawn(process.execPath, [COMMAND], {
    env: { WATTWITNESS_DATABASE_URL: url },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const output of [child.stdout, child.stderr]) {
    output.on("data", (data) => {
      text += data;
    });
  }
  const [code] = await once(child, "close");
  return { code, text };
}

const query = async (url: string, text: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(text).finally(() => client.end());
};

describeWithServer("a database", (server) => {
  it("that does not answer is told of in a sentence, without its password", async () => {
    const url = new URL(await server().newDatabase());
    url.port = "1";
    for (const said of [await problemOf(url.href), (await runMigrate(url.href)).text]) {
      assert.match(said, /^The database at WATTWITNESS_DATABASE_URL .*ECONNREFUSED 127\.0\.0\.1:1\.?\n?$/);
      assert.ok(!said.includes(PASSWORD), said);
    }
  });

  it("that is not there is told of in a sentence", async () => {
    const url = new URL(await server().newDatabase());
    url.pathname = "/nowhere";
    assert.match(await problemOf(url.href), /^The database at WATTWITNESS_DATABASE_URL cannot be used: .*"nowhere"/);
  });

  it("that is empty is refused, with what to do", async () => {
    assert.equal(
      await problemOf(await server().newDatabase()),
      "The database at WATTWITNESS_DATABASE_URL is empty: run npm run oracle:migrate or wattwitness node migrate, and start again.",
    );
  });

  it("that is behind is refused, with what to do", async () => {
    const database = openDatabase(await server().newDatabase(), assert.fail);
    const [first] = Object.entries(MIGRATIONS);
    assert.ok(first);
    assert.deepEqual(await migrate(database, Object.fromEntries([first])), [first[0]]);
    assert.match((await whyNotMigrated(database)) ?? "", /lacks the step 0002-.*: run npm run oracle:migrate/);
    await database.close();
  });

  it("that a newer oracle has changed is refused, and left as it is", async () => {
    const url = await server().newStoreDatabase();
    await query(url, "insert into kysely_migration (name, timestamp) values ('9999-later', '2030')");
    assert.match(await problemOf(url), /is of a newer oracle, which took the step 9999-later: run that one\.$/);
    const { code, text } = await runMigrate(url);
    assert.equal(code, 1);
    assert.match(text, /is of a newer oracle/);
  });

  it("that answers before a commit is durable is refused", async () => {
    const url = await server().newStoreDatabase();
    await query(url, `alter database ${new URL(url).pathname.slice(1)} set synchronous_commit = off`);
    assert.match(
      await problemOf(url),
      /has synchronous_commit off, and might lose what was answered for: turn it on\.$/,
    );
  });

  it("without a URL is not migrated", async () => {
    assert.deepEqual(await runMigrate("mysql://somewhere"), {
      code: 1,
      text: "WATTWITNESS_DATABASE_URL must be a URL: postgres://… or postgresql://…\n",
    });
  });

  it("is migrated by the command, once", async () => {
    const url = await server().newDatabase();
    assert.deepEqual(await runMigrate(url), {
      code: 0,
      text: `Took the steps ${Object.keys(MIGRATIONS).join(", ")}.\n`,
    });
    assert.deepEqual(await runMigrate(url), { code: 0, text: "The database is as it should be.\n" });
    assert.equal(await problemOf(url), "");
  });
});
