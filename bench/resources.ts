/**
 * What a node takes of its machine: `npm run bench:resources [-- --json]`. The oracle is bench/oracle's, a process of its own
 * and whole but for its chain; each meter posts one reading every ten seconds, spread evenly, on connections that are kept.
 */
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { createEnding, createStops, temporaryFolder } from "../demo/processes/stop.ts";
import { type Connection, connectTo } from "./oracle/connection.ts";
import { requestsOf } from "./oracle/meters.ts";
import { bytesIn, end, type Node, startNode, usageOf } from "./oracle/process.ts";

const METERS = [1, 100, 10_000];
/** s between a meter's readings, and how many times each posts */
const [INTERVAL, ROUNDS] = [10, 2];
/** connections at once; a meter keeps to one of them */
const CONNECTIONS = 256;
/** of a meter, at one reading in ten seconds */
const READINGS_A_DAY = 86_400 / INTERVAL;
/** meters of which a whole day is posted, reading by reading, to see what it takes on disk */
const MEASURED = 4;

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const stops = createStops();
const ending = createEnding(stops);
const say = (text: string) => console.error(text);

type Figures = { meters: number; peak_rss_mb: number; cpu_share: number; open_files: number };

const openFiles = ({ child }: Node): number => readdirSync(`/proc/${child.pid}/fd`).length;

async function post(line: Connection, request: Buffer): Promise<void> {
  const status = await line.send(request);
  if (status !== 200) throw new Error(`the oracle answered ${status}`);
}

type Running = { node: Node; lines: readonly Connection[]; requests: readonly Buffer[][]; directory: string };

/** Starts an oracle of so many meters, each of which has signed so many posts, and ends it when `use` has ended. */
async function withNode<T>(meters: number, posts: number, use: (running: Running) => Promise<T>): Promise<T> {
  const directory = await temporaryFolder(stops, "resources");
  // it gets ready by itself, while this process signs
  const starting = startNode({ directory, meters });
  const requests = Array.from({ length: meters }, (_, meter) => requestsOf(meter, posts, 1));
  const node = await starting;
  const count = Math.min(meters, CONNECTIONS);
  const lines = await Promise.all(Array.from({ length: count }, () => connectTo(node.report.port)));
  try {
    return await use({ node, lines, requests, directory });
  } finally {
    for (const line of lines) line.end();
    if (node.child.exitCode === null) await end(node);
  }
}

function measure(meters: number): Promise<Figures> {
  say(`${meters} meters: signing`);
  return withNode(meters, ROUNDS, async ({ node, lines, requests }) => {
    say(`${meters} meters: posting for ${INTERVAL * ROUNDS} s`);
    const before = usageOf(node);
    const started = performance.now();
    /** Every meter has its moment in an interval, the same in each. */
    const postAll = async (line: Connection, at: number) => {
      for (let round = 0; round < ROUNDS; round++) {
        for (let meter = at; meter < meters; meter += lines.length) {
          const due = started + (round + meter / meters) * INTERVAL * 1000;
          await delay(Math.max(0, due - performance.now()));
          await post(line, requests[meter]?.[round] as Buffer);
        }
      }
    };
    await Promise.all(lines.map(postAll));
    await delay(Math.max(0, started + INTERVAL * ROUNDS * 1000 - performance.now()));
    const seconds = (performance.now() - started) / 1000;
    const { peak, cpu } = usageOf(node);
    return { meters, peak_rss_mb: peak, cpu_share: (cpu - before.cpu) / seconds, open_files: openFiles(node) };
  });
}

/** Bytes of a reading, once it is settled; what a folder takes beside is among them. */
function bytesPerReading(): Promise<number> {
  say(`a day of ${MEASURED} meters: signing`);
  return withNode(MEASURED, READINGS_A_DAY, async ({ node, lines, requests, directory }) => {
    say(`a day of ${MEASURED} meters: posting`);
    await Promise.all(
      lines.map(async (line, meter) => {
        for (const request of requests[meter] as Buffer[]) await post(line, request);
      }),
    );
    node.child.send("settle");
    await once(node.child, "message");
    for (const line of lines) line.end();
    await end(node);
    return (await bytesIn(directory)) / (MEASURED * READINGS_A_DAY);
  });
}

try {
  const bytes = await bytesPerReading();
  const measured: Figures[] = [];
  for (const meters of METERS) measured.push(await measure(meters));

  const table = new Table({
    head: ["meters", "memory MB", "% of a core", "open files", "disk a day MB"],
    style: { head: [], border: [] },
    colAligns: ["right", "right", "right", "right", "right"],
  });
  for (const { meters, peak_rss_mb, cpu_share, open_files } of measured) {
    const disk = (meters * READINGS_A_DAY * bytes) / 1e6;
    const figures = [peak_rss_mb.toFixed(0), (cpu_share * 100).toFixed(1), open_files, disk.toFixed(1)];
    table.push([meters.toLocaleString("en"), ...figures]);
  }
  console.log(table.toString());
  console.log(`A reading takes ${bytes.toFixed(1)} bytes once it is settled, a meter's day ${READINGS_A_DAY} of them.`);
  if (values.json) {
    const rounded = measured.map((figures) => ({
      ...figures,
      disk_bytes_a_day: figures.meters * READINGS_A_DAY * bytes,
    }));
    console.log(JSON.stringify({ bytes_per_reading: bytes, measured: rounded }));
  }
  await ending.end(0);
} catch (error) {
  if (!ending.hasBegun()) console.error((error as Error).message);
  await ending.end(1);
}
