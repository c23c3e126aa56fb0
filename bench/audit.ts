/**
 * How long an audit takes: `npm run bench:audit [-- --json]`. Real contracts on a local chain settle a year of one meter at
 * ten seconds in 52 weekly batches, and a day of 1,000 meters at sixty seconds in 1,000 settlements; another process then
 * audits each by RPC and a folder, as anybody would, and a third does nothing but the hashes that no audit can do without, on
 * as many threads.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import Table from "cli-table3";
import type { Hex } from "viem";
import { native } from "../auditor/evidence/native.ts";
import { audit, placeOf } from "../auditor/index.ts";
import { rpc } from "../verification/index.ts";

const CAPACITY = 5000; // W
const UNITS = { year: "a year of one meter at 10 s", fleet: "a day of 1,000 meters at 60 s" } as const;
type World = keyof typeof UNITS;
type Told = Record<string, number>;
const RUNS = 5;

type Run = {
  world: string;
  readings: number;
  settlements: number;
  batches: number;
  seconds: number;
  peak_mb: number;
  readings_per_second: number;
  hashes_alone_seconds: number;
  ratio_to_hashes_alone: number;
};

const { values } = parseArgs({
  options: { json: { type: "boolean" }, audit: { type: "string" }, hashes: { type: "string" } },
});
async function main(): Promise<void> {
  const runs: Run[] = [];
  for (const world of Object.keys(UNITS) as World[]) runs.push(await measured(world));
  const table = new Table({ head: ["", ...runs.map(({ world }) => world)], style: { head: [], border: [] } });
  const row = (name: string, of: (run: Run) => string) => table.push([name, ...runs.map(of)]);
  row(
    "readings",
    ({ readings, settlements, batches }) => `${readings} in ${settlements} settlements, ${batches} batches`,
  );
  row("audited, process and all", ({ seconds }) => `median ${seconds.toFixed(1)} s of ${RUNS} runs`);
  row("readings per second", (run) => String(run.readings_per_second));
  row(`hashes alone, ${availableParallelism()} threads`, (run) => `${run.hashes_alone_seconds.toFixed(1)} s`);
  row("auditing takes", (run) => `${run.ratio_to_hashes_alone.toFixed(2)} times that`);
  row("peak memory", ({ peak_mb }) => `${peak_mb.toFixed(0)} MB`);
  console.log(table.toString());
  if (values.json) console.log(JSON.stringify(runs));
}

async function measured(world: World): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), "wattwitness-bench-"));
  try {
    const { url, registry, close } = await (world === "year" ? year(folder) : fleet(folder));
    try {
      const [audits, floors]: [Told[], Told[]] = [[], []];
      // one after the other, so that whatever else the machine does falls on both
      for (let i = 0; i < RUNS; i++) {
        const told = await inProcess("--audit", JSON.stringify({ url, registry, folder }));
        audits.push(told);
        floors.push(await inProcess("--hashes", String(told["readings"])));
      }
      const { readings = 0, settlements = 0, batches = 0 } = audits[0] as Told;
      const median = (of: Told[]) =>
        of.map((told) => told["seconds"] as number).sort((a, b) => a - b)[of.length >> 1] as number;
      const [seconds, alone] = [median(audits), median(floors)];
      return {
        ...{ world: UNITS[world], readings, settlements, batches, seconds },
        peak_mb: Math.max(...audits.map((told) => told["peak_mb"] as number)),
        readings_per_second: Math.round(readings / seconds),
        ...{ hashes_alone_seconds: alone, ratio_to_hashes_alone: seconds / alone },
      };
    } finally {
      await close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** This file again, in a process of its own: its clock begins before anything is loaded. */
async function inProcess(...args: string[]): Promise<Told> {
  const started = performance.now();
  const child = spawn(process.execPath, [import.meta.filename, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const out: Buffer[] = [];
  child.stdout.on("data", (data: Buffer) => out.push(data));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${args[0]} ended with ${code}`);
  const told = JSON.parse(Buffer.concat(out).toString()) as Told;
  return args[0] === "--audit" ? { ...told, seconds: (performance.now() - started) / 1000 } : told;
}

/* WHAT IS MEASURED */

async function auditing({ url, registry, folder }: { url: string; registry: Hex; folder: string }): Promise<void> {
  const { verdict, findings, figures } = await audit({ chain: rpc(url, 60_000), registry, places: [placeOf(folder)] });
  if (verdict !== "verified") throw new Error(JSON.stringify(findings.slice(0, 3)));
  const { readings, settlements, batches } = figures;
  // maxRSS is at least that of the process which began this one
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(await readFile("/proc/self/status", "utf8"))?.[1];
  console.log(JSON.stringify({ readings, settlements, batches, peak_mb: (Number(kilobytes) * 1024) / 1e6 }));
}

/** A leaf and a node for each reading, packed a thousand at a time. */
function hashReadings(count: number): void {
  const some = new Uint8Array(32 * 1024);
  for (let done = 0; done < count; done += 1024) {
    let row = native.leaves(some);
    while (row.length > 32) row = native.nodes(row);
  }
}

async function hashing(readings: number): Promise<void> {
  const threads = availableParallelism();
  const started = performance.now();
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL(import.meta.url), { workerData: readings / threads }),
  );
  await Promise.all(workers.map((worker) => once(worker, "exit")));
  console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000 }));
}

/* WHAT IS AUDITED */

type Audited = { url: string; registry: Hex; close(): Promise<void> };

/** Contracts and a chain are only loaded where they are made. */
const tools = async () => ({
  ...(await import("../contracts/test/fixture.ts")),
  ...(await import("../contracts/settlement.ts")),
  ...(await import("../protocol/index.ts")),
});
type Tools = Awaited<ReturnType<typeof tools>>;
type Fixture = Awaited<ReturnType<Tools["deployFixture"]>>;

/** The chain that is in this process, to be asked by another. */
async function served(fixture: Fixture): Promise<Audited> {
  const server = createServer(async (request, response) => {
    const { id, method, params } = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const answer = await fixture.request(method, params).then(
      (result) => ({ result }),
      (error: Error & { code?: number }) => ({ error: { code: error.code ?? -32000, message: error.message } }),
    );
    response.setHeader("content-type", "application/json").end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    registry: fixture.deployment.registry.toLowerCase() as Hex,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

/** A sunny day over and over: mW at a time of day, and mWh so far. */
function* sunny({ encodeReading, START }: Tools, interval: number, count: number): Generator<Uint8Array> {
  let energy = 0n;
  for (let i = 0; i < count; i++) {
    const timestamp = START + i * interval;
    const hour = (timestamp / 3600) % 24;
    const power = BigInt(Math.round(Math.max(0, Math.sin(((hour - 6) / 12) * Math.PI)) * CAPACITY * 900));
    if (i > 0) energy += (power * BigInt(interval)) / 3600n;
    yield encodeReading({ timestamp, energy, power, source: 0x10, conditions: 0 });
  }
}

const put = async (folder: string, digest: Hex, batch: Uint8Array) => {
  await mkdir(join(folder, "batches"), { recursive: true });
  await writeFile(join(folder, "batches", digest), batch);
};

async function year(folder: string): Promise<Audited> {
  const all = await tools();
  const { attestationLeaf, attestationRoot, batchDigest, createLog, createMeter, deployFixture, encodeBatch } = all;
  const { encodeHead, frontier, fromHex, headHash, settlementItem, START, sign, timestampOf, toHex } = all;
  const fixture = await deployFixture();
  const [week, weeks] = [7 * 8640, 52];
  const readings = [...sunny(all, 10, 1 + weeks * week)];
  const meter = createMeter(fixture.place, 1, readings.slice(0, 1));
  await fixture.register(meter);
  const log = createLog(readings);
  for (let i = 0; i < weeks; i++) {
    const [settledSize, size] = [1 + i * week, 1 + (i + 1) * week];
    const head = { epoch: 1, size, reading: readings[size - 1] as Uint8Array, root: log.root(size) };
    const statement = encodeHead(meter.headDomain, head);
    const signature = sign(statement, meter.privateKey);
    const from = settledSize - 1;
    const leaf = attestationLeaf({
      keyId: fromHex(meter.id),
      epoch: 1,
      from,
      capacity: CAPACITY,
      headHash: headHash(statement),
    });
    const segment = {
      ...{ publicKey: meter.publicKey, epoch: 1, from, capacity: CAPACITY, signature },
      ...{ frontier: frontier(log.range, from), readings: readings.slice(from, size) },
    };
    const batch = encodeBatch({ domain: meter.headDomain, segments: [segment] });
    await put(folder, toHex(batchDigest(batch)), batch);
    await fixture.at(START + size * 10);
    const attestation = toHex(attestationRoot([leaf]));
    await fixture.attest(attestation);
    const item = settlementItem({
      ...{ publicKey: meter.publicKey, head, signature, settledSize, capacity: CAPACITY, range: log.range },
      settledTimestamp: timestampOf(readings[settledSize - 1] as Uint8Array),
      firstReading: undefined,
      attested: { from, leaves: [leaf], index: 0 },
    });
    await fixture.settle(attestation, [item]);
  }
  return served(fixture);
}

const METERS = 1000;
/** Meters in a batch, and settled at once. */
const TOGETHER = 40;

async function fleet(folder: string): Promise<Audited> {
  const all = await tools();
  const { attestedItems, batchDigest, createMeter, deployFixture, encodeBatch, keyIdOf, publicKeyOf } = all;
  const { segmentOf, START, toHex } = all;
  const fixture = await deployFixture();
  const readings = [...sunny(all, 60, 1 + 1440)];
  const meters = Array.from({ length: METERS }, (_, i) => {
    const privateKey = new Uint8Array(32).fill(1);
    new DataView(privateKey.buffer).setUint32(0, i + 1);
    const publicKey = publicKeyOf(privateKey);
    const id = toHex(keyIdOf(publicKey));
    return { ...createMeter(fixture.place, 1, readings), privateKey, publicKey, id };
  });
  for (const meter of meters) await fixture.register(meter);
  await fixture.at(START + 86_400);
  for (let i = 0; i < METERS; i += TOGETHER) {
    const parts = meters.slice(i, i + TOGETHER).map((meter) => ({ meter, to: readings.length }));
    const batch = encodeBatch({ domain: (meters[0] as (typeof meters)[0]).headDomain, segments: parts.map(segmentOf) });
    await put(folder, toHex(batchDigest(batch)), batch);
    const { attestation, items } = attestedItems(parts);
    await fixture.attest(attestation);
    await fixture.settle(attestation, items);
  }
  return served(fixture);
}

if (!isMainThread) {
  hashReadings(workerData as number);
  parentPort?.postMessage("done");
} else if (values.audit !== undefined) await auditing(JSON.parse(values.audit));
else if (values.hashes !== undefined) await hashing(Number(values.hashes));
else await main();
