/**
 * How long a node of the DON takes to verify a full batch: `npm run bench:don [-- --json]`.
 * A day of seven meters at ten seconds, fetched from loopback and verified in Chainlink's sandbox by the source that runs
 * in production, beside the same number of hashes alone: what no verification in this sandbox can do without.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { type Answer, runInSandbox, SERVICE_LIMITS } from "../functions-source/sandbox.ts";
import {
  BATCH_LIMIT,
  createLog,
  domain,
  encodeBatch,
  encodeHead,
  encodeReading,
  frontier,
  publicKeyOf,
  type Segment,
  sign,
  toHex,
  verifyBatch,
} from "../protocol/index.ts";

const METERS = 7;
const INTERVAL = 10; // s
const PER_DAY = 86_400 / INTERVAL;
const CAPACITY = 5000; // W
const START = 1_773_964_800; // 2026-03-20T00:00:00Z
const RUNS = 7;

const headDomain = domain("head", { chainId: 31337, registry: `0x${"77".repeat(20)}` });

/** The second day of a meter, from the last reading of the first. */
function segmentOf(meter: number): Segment {
  let energy = 0n;
  const readings = Array.from({ length: 2 * PER_DAY }, (_, i) => {
    const hour = ((i * INTERVAL) / 3600) % 24;
    const power = BigInt(Math.round(Math.max(0, Math.sin(((hour - 6) / 12) * Math.PI)) * CAPACITY * 900));
    energy += (power * BigInt(INTERVAL)) / 3600n;
    return encodeReading({ timestamp: START + i * INTERVAL, energy, power, source: 0, conditions: 0 });
  });
  const log = createLog(readings);
  const from = PER_DAY - 1;
  const privateKey = new Uint8Array(32).fill(meter + 1);
  const head = encodeHead(headDomain, {
    epoch: 1,
    size: readings.length,
    reading: readings.at(-1) as Uint8Array,
    root: log.root(),
  });
  return {
    publicKey: publicKeyOf(privateKey),
    epoch: 1,
    from,
    capacity: CAPACITY,
    frontier: frontier(log.range, from),
    readings: readings.slice(from),
    signature: sign(head, privateKey),
  };
}

/** MB that the process ever held, as far as the system tells: sampled until it ends. */
function watchMemory(pid: number): () => number | undefined {
  let peak: number | undefined;
  const sample = () => {
    try {
      const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
      if (kilobytes) peak = (Number(kilobytes) * 1024) / 1e6;
    } catch {
      // ended, or a system without /proc
    }
  };
  const timer = setInterval(sample, 5);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

type Run = { answer: Answer; seconds: number; process: number; peak: number | undefined };

/** `seconds` is told by the source's own clock in the sandbox, `process` is the whole process seen from outside. */
async function run(source: string, args: string[], bytesArgs: `0x${string}`[]): Promise<Run> {
  const timed = `const started = performance.now();\nconst answer = await (async () => {\n${source}\n})();
    console.log(performance.now() - started);\nreturn answer;`;
  let seconds = Number.NaN;
  let stop: () => number | undefined = () => undefined;
  const started = performance.now();
  const answer = await runInSandbox(
    { source: timed, args, bytesArgs },
    {
      onStart: (pid) => {
        stop = watchMemory(pid);
      },
      onConsole: (line) => {
        seconds = Number(line) / 1000;
      },
    },
  );
  return { answer, seconds, process: (performance.now() - started) / 1000, peak: stop() };
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

const batch = encodeBatch({ domain: headDomain, segments: Array.from({ length: METERS }, (_, i) => segmentOf(i)) });
const verified = await verifyBatch(batch);
if (!verified.ok) throw new Error(`the batch is wrong: ${verified.failure}`);
const readings = verified.value.segments.reduce((sum, segment) => sum + segment.readings.length, 0);

const sourceFile = new URL("../functions-source/verify-batch.js", import.meta.url);
const source = readFileSync(sourceFile, "utf8");

const hashesAlone = `
for (const length of [33, 65]) {
  for (let left = ${readings}; left > 0; left -= 128) {
    const some = [];
    for (let i = Math.min(left, 128); i > 0; i--) some.push(crypto.subtle.digest("SHA-256", new Uint8Array(length)));
    await Promise.all(some);
  }
}
return new Uint8Array(32);`;

const server = createServer((_, response) => response.end(batch));
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const asked: [string[], `0x${string}`[]] = [[url], [toHex(verified.value.digest), toHex(verified.value.root)]];

const runs: Run[] = [];
const floors: Run[] = [];
const empties: Run[] = [];
for (let i = 0; i < RUNS; i++) {
  runs.push(await run(source, ...asked));
  floors.push(await run(hashesAlone, [], []));
  empties.push(await run("return new Uint8Array(32);", [], []));
}
server.close();
for (const { answer } of runs) {
  if (!("response" in answer) || answer.response !== toHex(verified.value.root)) {
    throw new Error(`the source did not answer the root: ${JSON.stringify(answer)}`);
  }
}

const seconds = median(runs.map((r) => r.seconds));
const floor = median(floors.map((r) => r.seconds));
const peaks = runs.flatMap(({ peak }) => (peak === undefined ? [] : [peak]));
const emptyPeaks = empties.flatMap(({ peak }) => (peak === undefined ? [] : [peak]));
const figures = {
  readings,
  meters: METERS,
  batch_bytes: batch.length,
  source_bytes: Buffer.byteLength(source),
  seconds,
  seconds_min: Math.min(...runs.map((r) => r.seconds)),
  process_seconds: median(runs.map((r) => r.process)),
  process_start_seconds: median(empties.map((r) => r.process)),
  readings_per_second: Math.round(readings / seconds),
  hashes_alone_seconds: floor,
  ratio_to_hashes_alone: seconds / floor,
  peak_mb: peaks.length > 0 ? Math.max(...peaks) : null,
  empty_sandbox_mb: emptyPeaks.length > 0 ? Math.max(...emptyPeaks) : null,
};

const s = (value: number): string => `${value.toFixed(2)} s`;
const mb = (value: number | null): string => (value === null ? "not measured here" : `${value.toFixed(0)} MB`);
const table = new Table({ style: { head: [], border: [] } });
table.push(
  ["readings", `${readings} of ${METERS} meters, ${batch.length} of at most ${BATCH_LIMIT} bytes`],
  ["fetched and verified in the sandbox", `median ${s(seconds)}, best ${s(figures.seconds_min)} of ${RUNS}`],
  ["readings per second", String(figures.readings_per_second)],
  ["whole process", `${s(figures.process_seconds)}, of which starting the sandbox ${s(figures.process_start_seconds)}`],
  ["the service's limit", s(SERVICE_LIMITS.runtime / 1000)],
  [
    `${2 * readings} hashes alone, in the same sandbox`,
    `${s(floor)}: verifying takes ${figures.ratio_to_hashes_alone.toFixed(2)} times that`,
  ],
  ["peak memory of the process", `${mb(figures.peak_mb)}, of which an empty sandbox ${mb(figures.empty_sandbox_mb)}`],
  ["source", `${figures.source_bytes} bytes`],
);
console.log(table.toString());
if (parseArgs({ options: { json: { type: "boolean" } } }).values.json) console.log(JSON.stringify(figures));
