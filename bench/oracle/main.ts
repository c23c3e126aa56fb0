/**
 * What an oracle takes from meters, all on this machine, what sends included: `npm run bench:oracle [-- --json]`.
 * Beside it, how many P-256 signatures openssl verifies on one core in the same run: no oracle can do with less than one a
 * post. The oracle is a process of its own, whole but for its chain, which is one in memory; requests are signed before.
 */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { type Connection, connectTo } from "./connection.ts";
import { requestsOf } from "./meters.ts";
import type { NodeOptions, NodeReport } from "./node.ts";

const HELP = `What an oracle takes from meters, and what openssl verifies on one core in the same run.

  npm run bench:oracle

  --posts N       single posts a run (30000)
  --readings N    readings of the catch-up, 1000 a post (1000000)
  --open N        readings of the log that is opened (10000000)
  --only NAME     one of single, many, catch-up, open
  --json          the figures as one JSON object on the last line, too
  --help          this text`;

const { values } = parseArgs({
  options: {
    posts: { type: "string", default: "30000" },
    readings: { type: "string", default: "1000000" },
    open: { type: "string", default: "10000000" },
    only: { type: "string" },
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
/** as `npm run oracle` runs it */
const HEAP = ["--max-old-space-size=160", "--max-semi-space-size=16"];

const say = (text: string) => console.error(text);
const median = (sorted: readonly number[], share: number): number =>
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

type Node = { child: ChildProcess; report: NodeReport };

async function startNode(options: NodeOptions): Promise<Node> {
  const child = fork(new URL("node.ts", import.meta.url), [JSON.stringify(options)], { execArgv: HEAP });
  const [report] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => Promise.reject(new Error("the oracle ended"))),
  ])) as [NodeReport];
  return { child, report };
}

/** MB that it ever held, and s of processor. */
function usageOf({ child }: Node): { peak: number; cpu: number } {
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1024;
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return { peak, cpu: (Number(fields[11]) + Number(fields[12])) / 100 };
}

async function end({ child }: Node): Promise<void> {
  child.send("close");
  await once(child, "exit");
}

async function bytesIn(directory: string): Promise<number> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const sizes = files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)));
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
}

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
async function run(what: string, { meters, connections, posts, perPost }: Load): Promise<Figures> {
  say(`${what}: signing ${posts} posts of ${perPost}`);
  const each = Math.ceil(posts / meters);
  const requests = Array.from({ length: meters }, (_, meter) => requestsOf(meter, each, perPost));
  const directory = await mkdtemp(join(tmpdir(), "wattwitness-bench-"));
  const node = await startNode({ directory, meters });
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
    const first = Math.max(1, Math.floor(each * WARM_UP));
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
      p50_ms: median(took, 0.5),
      p99_ms: median(took, 0.99),
      cpu_share: (cpu - before.cpu) / seconds,
      peak_rss_mb: peak,
      bytes_per_reading: (await bytesIn(directory)) / (each * meters * perPost),
    };
  } finally {
    for (const line of lines) line.end();
    node.child.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

const isAsked = (name: string) => values.only === undefined || values.only === name;
const verifies = opensslVerifies();
say(`openssl verifies ${verifies} signatures a second on one core`);
const rows: [string, Figures][] = [];
const posts = Number(values.posts);
if (isAsked("single")) {
  rows.push(["single posts, 64 meters", await run("single", { meters: 64, connections: 64, posts, perPost: 1 })]);
}
if (isAsked("many")) {
  rows.push(["single posts, 1000 meters", await run("many", { meters: 1000, connections: 256, posts, perPost: 1 })]);
}
if (isAsked("catch-up")) {
  const load = { meters: 64, connections: 64, posts: Number(values.readings) / PER_POST, perPost: PER_POST };
  rows.push(["catch-up, 1000 a post", await run("catch-up", load)]);
}
const table = new Table({
  head: ["", "posts/s", "of openssl", "readings/s", "p50 ms", "p99 ms", "cores", "peak MB", "bytes/reading"],
  style: { head: [], border: [] },
});
for (const [name, f] of rows) {
  table.push([
    name,
    f.posts_per_second,
    (f.posts_per_second / verifies).toFixed(2),
    f.readings_per_second,
    f.p50_ms.toFixed(1),
    f.p99_ms.toFixed(1),
    f.cpu_share.toFixed(2),
    f.peak_rss_mb.toFixed(0),
    f.bytes_per_reading.toFixed(2),
  ]);
}
console.log(table.toString());
