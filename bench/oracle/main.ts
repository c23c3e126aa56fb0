/**
 * What an oracle takes from meters, all on this machine, what sends included: `npm run bench:oracle [-- --json]`.
 * Beside it, how many P-256 signatures openssl verifies on one core in the same run: no oracle can do with less than one a
 * post. The oracle is a process of its own, whole but for its chain, which is one in memory; requests are signed before.
 */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import pg from "pg";
import { createEnding, createStops, temporaryFolder } from "../../demo/processes/stop.ts";
import { openEmbeddedStore } from "../../oracle/store/embedded/store.ts";
import { createServer, type Server } from "../../oracle/test/store/postgres/server.ts";
import { type Connection, connectTo } from "./connection.ts";
import { readingsOf, requestsOf } from "./meters.ts";
import { bytesIn, end, startNode, usageOf } from "./process.ts";

const HELP = `What an oracle takes from meters, and what openssl verifies on one core in the same run.

  npm run bench:oracle

  --store NAME    embedded or postgres alone
  --only NAME     single, many, catch-up or open alone
  --posts N       single posts a run (30000)
  --readings N    readings of the catch-up, 1000 a post (1000000)
  --open N        readings of the store that is opened (10000000)
  --json          the figures as one JSON object on the last line, too
  --help          this text`;

const { values } = parseArgs({
  options: {
    store: { type: "string" },
    only: { type: "string" },
    posts: { type: "string", default: "30000" },
    readings: { type: "string", default: "1000000" },
    open: { type: "string", default: "10000000" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const PER_POST = 1000;
const WARM_UP = 0.1;

const say = (text: string) => console.error(text);
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.floor(sorted.length * share)] as number;

/** Verifications a second of one core. */
function opensslVerifies(): number {
  const told = execFileSync("openssl", ["speed", "-seconds", "3", "-mr", "ecdsap256"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  // +F4:<n>:256:<seconds a signature>:<seconds a verification>
  const seconds = /^\+F4:.*:([\d.]+)$/m.exec(told)?.[1];
  if (!seconds) throw new Error(`openssl speed said: ${told}`);
  const value = Number(seconds);
  return Math.round(value < 1 ? 1 / value : value);
}

/** Where an oracle keeps what is measured. */
type Place = {
  options: { directory: string } | { databaseUrl: string };
  bytes(): Promise<number>;
};
type NewPlace = () => Promise<Place>;

const stops = createStops();
const ending = createEnding(stops);

/** Removed with all others at the end: for minutes after files were deleted ext4 takes ten times as long to create one. */
async function newFolder(): Promise<Place> {
  const directory = await temporaryFolder(stops, "bench");
  return { options: { directory }, bytes: () => bytesIn(directory) };
}

const newDatabaseOf = (server: Server) => async (): Promise<Place> => {
  const databaseUrl = await server.newStoreDatabase();
  return {
    options: { databaseUrl },
    async bytes() {
      const client = new pg.Client({ connectionString: databaseUrl });
      await client.connect();
      // as vacuum would leave it some time
      await client.query("vacuum full");
      const { rows } = await client.query("select pg_database_size(current_database())::int8 as bytes");
      await client.end();
      return Number(rows[0].bytes);
    },
  };
};

type Load = { meters: number; connections: number; posts: number; perPost: number };
type Figures = {
  posts_per_second: number;
  readings_per_second: number;
  p50_ms: number;
  p99_ms: number;
  cpu_share: number;
  peak_rss_mb: number;
  bytes_per_reading: number;
};

/** Posts all; every connection has meters of its own, whose posts are in order. */
async function run(what: string, newPlace: NewPlace, { meters, connections, posts, perPost }: Load): Promise<Figures> {
  say(`${what}: signing ${posts} posts of ${perPost}`);
  const each = Math.ceil(posts / meters);
  const requests = Array.from({ length: meters }, (_, meter) => requestsOf(meter, each, perPost));
  const place = await newPlace();
  const node = await startNode({ ...place.options, meters });
  const lines = await Promise.all(Array.from({ length: connections }, () => connectTo(node.report.port)));
  try {
    say(`${what}: posting`);
    const postAll = async (from: number, to: number): Promise<number[]> => {
      const took: number[] = [];
      const post = async (line: Connection, at: number) => {
        for (let i = from; i < to; i++) {
          for (let meter = at; meter < meters; meter += connections) {
            const started = performance.now();
            const status = await line.send(requests[meter]?.[i] as Buffer);
            if (status !== 200) throw new Error(`the oracle answered ${status}`);
            took.push(performance.now() - started);
          }
        }
      };
      await Promise.all(lines.map(post));
      return took.sort((a, b) => a - b);
    };
    const first = Math.floor(each * WARM_UP);
    await postAll(0, first);
    const before = usageOf(node);
    const started = performance.now();
    const took = await postAll(first, each);
    const seconds = (performance.now() - started) / 1000;
    const { peak, cpu } = usageOf(node);
    const perSecond = took.length / seconds;
    node.child.send("settle");
    await once(node.child, "message");
    for (const line of lines) line.end();
    await end(node);
    return {
      posts_per_second: Math.round(perSecond),
      readings_per_second: Math.round(perSecond * perPost),
      p50_ms: quantile(took, 0.5),
      p99_ms: quantile(took, 0.99),
      cpu_share: (cpu - before.cpu) / seconds,
      peak_rss_mb: peak,
      bytes_per_reading: (await place.bytes()) / (each * meters * perPost),
    };
  } finally {
    for (const line of lines) line.end();
    node.child.kill();
  }
}

/** Opens a store that has so many readings of ten meters, and was closed. */
async function open(newPlace: NewPlace, readings: number): Promise<{ seconds: number; rss_mb: number }> {
  const place = await newPlace();
  if (!("directory" in place.options)) throw new Error("a database is not opened");
  say(`open: storing ${readings} readings`);
  const opened = await openEmbeddedStore(place.options.directory, { info() {}, warn: say });
  if (!opened.ok) throw new Error(opened.problem);
  const { logs, close } = opened.store;
  const meters = 10;
  await Promise.all(
    Array.from({ length: meters }, async (_, meter) => {
      const log = await logs.open(`0x${String(meter).padStart(64, "0")}`, 1);
      while (log.size < readings / meters) await log.append(readingsOf(log.size, PER_POST), new Uint8Array(64), 0n);
    }),
  );
  await close();
  const node = await startNode({ ...place.options, meters: 0 });
  await end(node);
  return { seconds: node.report.openedIn, rss_mb: node.report.rss / 1e6 };
}

const SINGLE = { meters: 64, connections: 64, posts: Number(values.posts), perPost: 1 };
const MANY = { meters: 1000, connections: 256, posts: Number(values.posts), perPost: 1 };
const CATCH_UP = { meters: 64, connections: 64, posts: Number(values.readings) / PER_POST, perPost: PER_POST };

const isAsked = (name: string) => values.only === undefined || values.only === name;
const verifies = opensslVerifies();
say(`openssl verifies ${verifies} signatures a second on one core`);

async function measure(store: string, newPlace: NewPlace) {
  const runOf = (name: string, load: Load) => (isAsked(name) ? run(`${store}, ${name}`, newPlace, load) : undefined);
  const single = await runOf("single", SINGLE);
  const many = await runOf("many", MANY);
  const catchUp = await runOf("catch-up", CATCH_UP);
  const opened = store === "embedded" && isAsked("open") ? await open(newPlace, Number(values.open)) : undefined;
  return { single, many, catchUp, opened };
}
type Measured = Awaited<ReturnType<typeof measure>>;

const measured: Record<string, Measured> = {};
try {
  if (values.store !== "postgres") measured["embedded"] = await measure("embedded", newFolder);
  if (values.store !== "embedded") {
    const server = await createServer();
    stops.add(server.remove);
    measured["postgres"] = await measure("postgres", newDatabaseOf(server));
  }
} catch (error) {
  if (!ending.hasBegun()) console.error((error as Error).message);
  await ending.end(1);
}

const table = new Table({
  head: ["", "posts/s", "of openssl", "readings/s", "p50 ms", "p99 ms", "cores", "peak MB", "bytes/reading"],
  style: { head: [], border: [] },
});
const ratioOf = ({ posts_per_second }: Figures) => posts_per_second / verifies;
for (const [store, { single, many, catchUp, opened }] of Object.entries(measured)) {
  for (const [name, f] of Object.entries({ "64 meters": single, "1000 meters": many, "1000 a post": catchUp })) {
    if (!f) continue;
    table.push([
      `${store}, ${name}`,
      f.posts_per_second,
      ratioOf(f).toFixed(2),
      f.readings_per_second,
      f.p50_ms.toFixed(1),
      f.p99_ms.toFixed(1),
      f.cpu_share.toFixed(2),
      f.peak_rss_mb.toFixed(0),
      f.bytes_per_reading.toFixed(1),
    ]);
  }
  if (!opened) continue;
  const text = `${store}: ${values.open} readings open in ${opened.seconds.toFixed(2)} s and ${opened.rss_mb.toFixed(0)} MB`;
  table.push([{ colSpan: 9, content: text }]);
}
console.log(table.toString());

/** What was not measured is null. */
const figuresOf = ({ single, many, catchUp, opened }: Measured) => {
  const told = (f: Figures | undefined) =>
    f ? { per_second: f.posts_per_second, p99_ms: f.p99_ms, ratio: ratioOf(f) } : null;
  const all = [single, many, catchUp].filter((f) => f !== undefined);
  return {
    single: told(single),
    many: told(many),
    catch_up: catchUp ? { readings_per_second: catchUp.readings_per_second, p99_ms: catchUp.p99_ms } : null,
    bytes_per_reading: catchUp?.bytes_per_reading ?? null,
    open_10m: opened ? { readings: Number(values.open), ...opened } : null,
    peak_rss_mb: all.length > 0 ? Math.max(...all.map((f) => f.peak_rss_mb)) : null,
  };
};
if (values.json) {
  const stores = Object.fromEntries(Object.entries(measured).map(([store, all]) => [store, figuresOf(all)]));
  console.log(JSON.stringify({ openssl_verifies_per_second: verifies, ...stores }));
}
await ending.end(0);
