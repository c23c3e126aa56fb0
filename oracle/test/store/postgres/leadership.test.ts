import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import type { Store } from "../../../store/store.ts";
import { createTerms } from "../../../store/terms.ts";
import { describeWithServer } from "./server.ts";

const PROCESS = fileURLToPath(new URL("leading-process.ts", import.meta.url));
/** ms in which another takes over */
const TAKEOVER = 30_000;

async function untilLeading(store: Store): Promise<void> {
  for (const end = Date.now() + TAKEOVER; !(await store.leads()); await delay(50)) {
    assert.ok(Date.now() < end, "nobody took over");
  }
}

/** Ends the session that leads, as the loss of its connection would. */
async function cutLeader(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rowCount } = await client.query(
    "select pg_terminate_backend(pid, 5000) from pg_locks where locktype = 'advisory' and granted",
  );
  await client.end();
  assert.equal(rowCount, 1);
}

describeWithServer("of the oracles on a database", (server) => {
  let url: string;
  let first: Store;
  let second: Store;
  beforeEach(async () => {
    url = await server().newStoreDatabase();
    [first, second] = [await server().openStore(url), await server().openStore(url)];
  });

  it("none leads while the database is down", async () => {
    await server().crash();
    try {
      assert.equal(await first.leads(), false);
    } finally {
      await server().start();
    }
    assert.equal(await first.leads(), true);
  });

  it("exactly one leads, however many ask at once", async () => {
    const more = await Promise.all(Array.from({ length: 4 }, () => server().openStore(url)));
    const stores = [first, second, ...more];
    const before = await Promise.all(stores.map((store) => store.leads()));
    assert.equal(before.filter(Boolean).length, 1);
    assert.deepEqual(await Promise.all(stores.map((store) => store.leads())), before);
  });

  it("one on another database leads that", async () => {
    const other = await server().openStore(await server().newStoreDatabase());
    assert.deepEqual([await first.leads(), await other.leads()], [true, true]);
  });

  it("another takes over from one that closes", async () => {
    assert.equal(await first.leads(), true);
    assert.equal(await second.leads(), false);
    await first.close();
    await untilLeading(second);
    first = await server().openStore(url);
  });

  it("another takes over from a process that is killed, within 30 s", async () => {
    const child = spawn(process.execPath, [PROCESS, url], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit");
    try {
      const [said] = await once(child.stdout, "data");
      assert.equal(String(said), "true\n");
      assert.equal(await second.leads(), false);
    } finally {
      child.kill("SIGKILL");
      await ended;
    }
    await untilLeading(second);
  });

  it("one whose connection is lost leads no more, and another does", async () => {
    assert.equal(await first.leads(), true);
    await cutLeader(url);
    assert.equal(await second.leads(), true);
    assert.equal(await first.leads(), false);
    assert.equal(await first.leads(), false);
  });

  it("one whose connection was lost is told so before it leads again", async () => {
    assert.equal(await first.leads(), true);
    await cutLeader(url);
    assert.equal(await first.leads(), false);
    assert.equal(await first.leads(), true);
  });

  it("one that led writes no record and no document once another leads", async () => {
    const led = await createTerms(first).now();
    const records = await led.store.records<{ n: number }>("jobs");
    const document = await led.store.document("schedule", { n: 0 });
    await records.put("a", { n: 1 });
    await cutLeader(url);
    assert.equal(await second.leads(), true);
    await assert.rejects(records.put("a", { n: 2 }), /leads no more/);
    await assert.rejects(records.remove("a"), /leads no more/);
    await assert.rejects(
      document.update((data) => {
        data.n = 1;
      }),
      /leads no more/,
    );
    assert.deepEqual(await (await second.records("jobs")).all(), [{ n: 1 }]);
    assert.deepEqual((await second.document("schedule", { n: 7 })).data, { n: 7 });
  });

  it("one that leads again begins a new term, and its old one writes no more", async () => {
    const terms = createTerms(first);
    const old = await terms.now();
    assert.equal(await terms.now(), old);
    const records = await old.store.records<{ n: number }>("jobs");
    await cutLeader(url);
    await assert.rejects(records.put("a", { n: 1 }), /leads no more/);
    const again = await terms.now();
    assert.equal(again.leads, true);
    assert.notEqual(again, old);
    await assert.rejects(records.put("a", { n: 2 }), /leads no more/);
    assert.deepEqual(await (await second.records("jobs")).all(), []);
  });

  it("one that does not lead sees what it writes itself, and the others do not", async () => {
    const stored = await first.records<{ n: number }>("meters");
    await stored.put("a", { n: 1 });
    await stored.put("b", { n: 1 });
    assert.equal(await first.leads(), true);
    const term = await createTerms(second).now();
    assert.equal(term.leads, false);
    const records = await term.store.records<{ n: number }>("meters");
    await records.put("b", { n: 2 });
    await records.put("c", { n: 2 });
    await records.remove("a");
    const seen = await term.store.records<{ n: number }>("meters");
    assert.deepEqual((await seen.ids()).sort(), ["b", "c"]);
    assert.deepEqual(await seen.get("b"), { n: 2 });
    assert.equal(await seen.get("a"), undefined);
    assert.deepEqual(await stored.ids(), ["a", "b"]);
    assert.deepEqual(await stored.get("b"), { n: 1 });
  });

  it("one that does not lead begins anew with what is stored after ten minutes", async () => {
    assert.equal(await first.leads(), true);
    let now = 0;
    const terms = createTerms(second, () => now);
    const term = await terms.now();
    now = 599;
    assert.equal(await terms.now(), term);
    now = 600;
    assert.notEqual(await terms.now(), term);
  });
});
