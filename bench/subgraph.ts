/**
 * How fast the subgraph is: `npm run bench:subgraph [-- --json] [-- --quick]`. Real contracts on anvil, real signatures,
 * proofs and attestations of 100 meters, all on the chain before graph-node and PostgreSQL begin with nothing.
 *
 * - Indexing: from the first answer of GraphQL to the one that knows the last block; what comes before is the start. Of
 *   what no indexer can do without, beside it, from the same run: reading the same events and the blocks that they are in
 *   from the same chain, in as few requests as graph-node may make, and inserting the rows that came of them into empty
 *   copies of the same tables of the same PostgreSQL, with their indexes.
 * - Latency: from sending a transaction to the first answer that has its settlement, when everything before is indexed.
 *   Transactions are spread evenly over the polling interval, so that a poller that takes no time would need half of it.
 *   graph-node takes 500 ms more: it hears of a block from PostgreSQL, and waits so long whether there is another.
 * - Long intervals: one settlement of a meter that was silent for so long, from sending it until its block is indexed.
 */
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { type Hex, numberToHex } from "viem";
import type { Wallet } from "../contracts/deploy.ts";
import { type SettlementItem, settlementItem } from "../contracts/settlement.ts";
import {
  CAPACITY,
  createMeter,
  deployOn,
  POWER,
  produce,
  START,
  STEP,
  type TestMeter,
} from "../contracts/test/fixture.ts";
import { type GraphNode, startGraphNode } from "../demo/indexer/graph-node.ts";
import { whyNoIndexer } from "../demo/indexer/platform.ts";
import { startPostgres } from "../demo/indexer/postgres.ts";
import { createEnding, createStops, type Stops, temporaryFolder } from "../demo/processes/stop.ts";
import {
  attestationLeaf,
  attestationRoot,
  createLog,
  encodeHead,
  fromHex,
  type Head,
  headHash,
  sign,
  timestampOf,
  toHex,
} from "../protocol/index.ts";
import { buildSubgraph } from "../subgraph/build.ts";
import { networkOf } from "../subgraph/networks.ts";
import { startAnvil, whyNoAnvil } from "../test/anvil.ts";

const HELP = `How fast the subgraph is indexed and answers, beside what no indexer can do without.

  npm run bench:subgraph          in about five minutes on two cores

  --quick               1,000 settlements at most, and one silent year
  --json                the figures as one JSON object on the last line, too
  --help                this text`;

const METERS = 100;
const HOUR = 3600;
const DAY = 24 * HOUR;
/** days: by the hour, and by the day only */
const SILENCES = { "one year": 365, "ten years": 3_653 };
/** s between two readings */
const READING_EVERY = 300;
const NETWORK = "bench";
/** ms between two looks of the indexer at the chain: of the tests, and of npm run indexer */
const [POLL_FAST, POLL_DEFAULT] = [100, 500];
/** ms between two questions whether a settlement is there */
const ASK_EVERY = 5;
/** ms that graph-node may take for a chain, or for one block */
const PATIENCE = 400_000;
/** Blocks that graph-node asks for the events of at once, at most, and blocks that it asks for at once. */
const [RANGE, AT_ONCE] = [2000, 10];

type Shape = {
  title: string;
  /** meters */
  perTransaction: number;
  perBlock: number;
  /** s that each settlement covers */
  span: number;
  settlements: number;
};

/** A full batch of the oracle has a day of seven meters at ten seconds; it settles once a day. */
const SHAPES = {
  batches: { title: "10 × 10 a block", perTransaction: 10, perBlock: 100, span: HOUR, settlements: 10_000 },
  single: { title: "1 a block", perTransaction: 1, perBlock: 1, span: HOUR, settlements: 2_000 },
  whole: { title: "1 × 100 a block", perTransaction: 100, perBlock: 100, span: HOUR, settlements: 2_000 },
  daily: { title: "10 × 10, a day each", perTransaction: 10, perBlock: 100, span: DAY, settlements: 2_000 },
} satisfies Record<string, Shape>;

const stops = createStops();
const ending = createEnding(stops);

const began = performance.now();
const secondsSince = (time: number): number => (performance.now() - time) / 1000;
const say = (what: string) => console.error(`${secondsSince(began).toFixed(1).padStart(6)} s  ${what}`);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { quick: { type: "boolean" }, json: { type: "boolean" }, help: { type: "boolean" } },
  });
  if (values.help) return console.log(HELP);
  const problem = whyNoIndexer() ?? whyNoAnvil();
  if (problem) return console.log(problem);
  const most = values.quick ? 1_000 : Number.POSITIVE_INFINITY;
  const samples = values.quick ? 10 : 30;

  const indexing: Indexing[] = [];
  const latency: Latency[] = [];
  const long: Long[] = [];
  type Then = (world: World, node: GraphNode, postgresUrl: string) => Promise<void>;
  const onChain = async (shape: Shape, pollEvery: number, then: Then) => {
    const own = createStops();
    stops.add(own.stopAll);
    const settlements = Math.min(shape.settlements, most);
    say(`${shape.title}: ${count(settlements)} settlements`);
    const world = await prepare({ ...shape, settlements }, own);
    const { figures, node, postgresUrl } = await index(world, pollEvery, own);
    indexing.push({ ...figures, title: shape.title });
    await then(world, node, postgresUrl);
    await own.stopAll();
  };
  const answer = (pollEvery: number) => async (world: World, node: GraphNode) => {
    say(`${samples} settlements, one at a time, polled every ${pollEvery} ms`);
    latency.push({ pollEvery, ...(await latencies(world, node, pollEvery, samples)) });
  };
  await onChain(SHAPES.batches, POLL_DEFAULT, answer(POLL_DEFAULT));
  await onChain(SHAPES.single, POLL_FAST, answer(POLL_FAST));
  await onChain(SHAPES.whole, POLL_DEFAULT, async () => {});
  await onChain(SHAPES.daily, POLL_FAST, async (world, node, postgresUrl) => {
    for (const [silence, days] of Object.entries(SILENCES).slice(0, values.quick ? 1 : 2)) {
      say(`a meter settles after ${silence}`);
      long.push({ silence, ...(await settleAfter(world, node, postgresUrl, days)) });
    }
  });

  print(indexing, latency, long);
  if (values.json) console.log(JSON.stringify({ indexing, latency, long }));
}

// THE CHAIN

/** A chain on which all meters have settled as often. */
type World = Awaited<ReturnType<typeof prepare>>;

async function prepare({ perTransaction, perBlock, span, settlements }: Shape, own: Stops) {
  const { request, rpcUrl, publicClient, ...rest } = await startAnvil(own);
  const chain = await deployOn({ request, publicClient, ...rest });
  const { attestor, stranger, wattWitness } = chain;
  const write = (by: Wallet, functionName: string, args: readonly unknown[], gas: bigint): Promise<Hex> =>
    by.writeContract({ ...wattWitness, functionName, args, gas, account: by.account, chain: null } as never);
  const attest = (root: Hex) => write(attestor, "attest", [root], 100_000n);
  const settle = (root: Hex, items: SettlementItem[]) =>
    write(stranger, "settle", [root, items], 150_000n * BigInt(items.length));

  const rounds = settlements / METERS;
  const step = span / READING_EVERY;
  const readings = produce({ count: 1 + rounds * step + HOUR / READING_EVERY, interval: READING_EVERY, power: POWER });
  const log = createLog(readings);
  const meters = Array.from({ length: METERS }, (_, i) => createMeter(chain.place, i + 1, readings.slice(0, 1)));
  for (const meter of meters) await chain.register(meter);

  await request("evm_setAutomine", [false]);
  for (let round = 0; round < rounds; round++) {
    const settled = 1 + round * step;
    const { attestation, items } = itemsOf(meters, { readings, log }, settled, settled + step);
    await attest(attestation);
    await request("evm_setNextBlockTimestamp", [START + (round + 1) * span]);
    for (let i = 0; i < METERS; i += perTransaction) {
      await settle(attestation, items.slice(i, i + perTransaction));
      if ((i + perTransaction) % perBlock === 0) await request("evm_mine");
    }
  }
  await request("evm_setAutomine", [true]);
  const last = await publicClient.getBlockNumber();
  const settled = 1 + rounds * step;
  return { ...chain, rpcUrl, attest, settle, meters, readings, log, settled, settlements, last };
}

/** What settles meters, whose logs are the same, from `settled` readings to `size`, and the root that attests to it. */
function itemsOf(
  meters: TestMeter[],
  { readings, log }: Pick<World, "readings" | "log">,
  settled: number,
  size: number,
): { attestation: Hex; items: SettlementItem[] } {
  const head: Head = { epoch: 1, size, reading: readings[size - 1] as Uint8Array, root: log.root(size) };
  const from = settled - 1;
  const leaves = meters.map(({ id, headDomain }) => {
    const hash = headHash(encodeHead(headDomain, head));
    return attestationLeaf({ keyId: fromHex(id), epoch: 1, from, capacity: CAPACITY, headHash: hash });
  });
  const items = meters.map(({ publicKey, privateKey, headDomain }, index) =>
    settlementItem({
      publicKey,
      head,
      signature: sign(encodeHead(headDomain, head), privateKey),
      settledSize: settled,
      settledTimestamp: timestampOf(readings[from] as Uint8Array),
      capacity: CAPACITY,
      range: log.range,
      firstReading: readings[0],
      attested: { from, leaves, index },
    }),
  );
  return { attestation: toHex(attestationRoot(leaves)), items };
}

// INDEXING

type Indexing = Awaited<ReturnType<typeof index>>["figures"] & { title: string };

async function index(world: World, pollEvery: number, own: Stops) {
  const manifest = await manifestOf(world);
  const reading = await readChain(world);
  const folder = await temporaryFolder(own, "bench");
  const postgresUrl = await startPostgres(folder, own);

  say("graph-node starts");
  const started = performance.now();
  const log = join(folder, "graph-node.log");
  const options = { manifest, network: NETWORK, rpcUrl: world.rpcUrl, postgresUrl, pollEvery, log };
  const node = await startGraphNode(options, own);
  const start = secondsSince(started);
  const answered = performance.now();
  const { _meta } = await dataOf<{ _meta: { block: { number: number } } }>(node, "{ _meta { block { number } } }");
  await node.indexed(world.last, PATIENCE);
  const seconds = secondsSince(answered);

  const { protocol } = await dataOf<{ protocol: { settlementCount: number } }>(
    node,
    '{ protocol(id: "wattwitness") { settlementCount } }',
  );
  if (protocol.settlementCount !== world.settlements) {
    throw new Error(`${protocol.settlementCount} settlements were indexed, and ${world.settlements} were made`);
  }
  // what was indexed when it answered first is not what it was timed for
  const { events } = reading;
  const share = events.filter(({ blockNumber }) => Number(blockNumber) > _meta.block.number).length / events.length;
  say(`indexed in ${seconds.toFixed(1)} s after a start of ${start.toFixed(1)} s`);
  const rows = await insertAgain(postgresUrl);
  const blocks = Number(world.last) - world.deployment.fromBlock + 1;
  const rate = (amount: number): number => (amount * share) / seconds;
  const figures = {
    ...{ settlements: world.settlements, events: events.length, blocks, rows: rows.count, start, seconds },
    settlements_per_second: rate(world.settlements),
    events_per_second: rate(events.length),
    blocks_per_second: rate(blocks),
    reading_seconds: reading.seconds,
    ratio_to_reading: seconds / share / reading.seconds,
    inserting_seconds: rows.seconds,
    ratio_to_inserting: seconds / share / rows.seconds,
  };
  return { figures, node, postgresUrl };
}

let built: { network: string; manifest: string } | undefined;

/** Built once: the same transactions deploy to the same addresses. */
async function manifestOf({ deployment, attestor }: World): Promise<string> {
  // no DON is asked: the attestor is an account
  const network = networkOf(deployment, attestor.account.address);
  const key = JSON.stringify(network);
  if (built?.network !== key) built = { network: key, manifest: await buildSubgraph(NETWORK, network) };
  return built.manifest;
}

/** All events, and every block that has one, with its transactions. */
async function readChain({ rpcUrl, last, deployment }: World) {
  const request = (method: string, params: unknown[]) => post(rpcUrl, { jsonrpc: "2.0", id: 1, method, params });
  const started = performance.now();
  const address = [deployment.registry, deployment.wattWitness, deployment.token];
  const events: { blockHash: Hex; blockNumber: Hex }[] = [];
  for (let from = deployment.fromBlock; from <= Number(last); from += RANGE) {
    const [fromBlock, toBlock] = [numberToHex(from), numberToHex(Math.min(from + RANGE - 1, Number(last)))];
    events.push(...((await request("eth_getLogs", [{ fromBlock, toBlock, address }])) as typeof events));
  }
  const hashes = [...new Set(events.map(({ blockHash }) => blockHash))];
  for (let i = 0; i < hashes.length; i += AT_ONCE) {
    await Promise.all(hashes.slice(i, i + AT_ONCE).map((hash) => request("eth_getBlockByHash", [hash, true])));
  }
  return { events, seconds: secondsSince(started) };
}

/** viem takes no answer of more than 10 MB. */
async function post(url: string, body: unknown): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } };
  if (error) throw new Error(`the chain: ${error.message}`);
  return result;
}

/** Copies what graph-node wrote into tables that are made like its own. */
async function insertAgain(postgresUrl: string): Promise<{ count: number; seconds: number }> {
  const { ask, close } = await connect(postgresUrl);
  const tables = await ask("select relname from pg_class where relnamespace = 'sgd1'::regnamespace and relkind = 'r'");
  await ask("create schema again");
  let seconds = 0;
  let rows = 0;
  for (const [table] of tables) {
    await ask(`create table again."${table}" (like sgd1."${table}" including all)`);
    const started = performance.now();
    await ask(`insert into again."${table}" select * from sgd1."${table}"`);
    seconds += secondsSince(started);
    rows += Number((await ask(`select count(*) from again."${table}"`))[0]?.[0]);
  }
  close();
  return { count: rows, seconds };
}

/** PostgreSQL's protocol, as much of it as a user needs whom nobody asks for a password: questions, and rows of text. */
async function connect(postgresUrl: string) {
  const { hostname, port, username, pathname } = new URL(postgresUrl);
  const socket = createConnection(Number(port), hostname);
  const texts = (...values: string[]): Buffer => Buffer.from(values.map((value) => `${value}\0`).join(""));
  const message = (type: string, body: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(4 + body.length);
    return Buffer.concat([Buffer.from(type), length, body]);
  };

  let received = Buffer.alloc(0);
  let rows: string[][] = [];
  let problem: string | undefined;
  let done: { resolve: (rows: string[][]) => void; reject: (error: Error) => void } | undefined;
  socket.on("error", (error) => done?.reject(error));
  socket.on("data", (data) => {
    received = Buffer.concat([received, data]);
    for (; received.length >= 5; received = received.subarray(1 + received.readUInt32BE(1))) {
      const size = 1 + received.readUInt32BE(1);
      if (received.length < size) return;
      const [type, body] = [String.fromCharCode(received[0] as number), received.subarray(5, size)];
      if (type === "D") rows.push(columnsOf(body));
      if (type === "E") problem = /\0M([^\0]*)/.exec(body.toString())?.[1];
      if (type !== "Z") continue;
      if (problem) done?.reject(new Error(`PostgreSQL: ${problem}`));
      else done?.resolve(rows);
    }
  });
  const send = (bytes: Buffer) =>
    new Promise<string[][]>((resolve, reject) => {
      [rows, problem, done] = [[], undefined, { resolve, reject }];
      socket.write(bytes);
    });
  // version 3.0, and no type
  const version = Buffer.from([0, 3, 0, 0]);
  await send(message("", Buffer.concat([version, texts("user", username, "database", pathname.slice(1), "")])));
  return { ask: (sql: string) => send(message("Q", texts(sql))), close: () => socket.destroy() };
}

function columnsOf(body: Buffer): string[] {
  const columns: string[] = [];
  for (let at = 2; at < body.length; ) {
    const size = Math.max(body.readInt32BE(at), 0);
    columns.push(body.toString("utf8", at + 4, at + 4 + size));
    at += 4 + size;
  }
  return columns;
}

// ANSWERING

type Latency = Awaited<ReturnType<typeof latencies>> & { pollEvery: number };

async function latencies(world: World, node: GraphNode, pollEvery: number, samples: number) {
  const { attest, settle, publicClient, meters, settled, readings } = world;
  const size = settled + HOUR / READING_EVERY;
  const { attestation, items } = itemsOf(meters.slice(0, samples), world, settled, size);
  await world.at(timestampOf(readings[size - 1] as Uint8Array));
  const hash = await attest(attestation);
  await node.indexed((await publicClient.waitForTransactionReceipt({ hash })).blockNumber);

  const times: number[] = [];
  for (const [i, item] of items.entries()) {
    await delay((i / samples) * pollEvery);
    const sent = performance.now();
    const transaction = await settle(attestation, [item]);
    while (!(await isAnswered(node, transaction))) {
      if (secondsSince(sent) > PATIENCE / 1000) throw new Error(`the settlement of ${transaction} was never answered`);
      await delay(ASK_EVERY);
    }
    times.push(performance.now() - sent);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.ceil(share * times.length) - 1] as number;
  return { samples, min: at(0.001), median: at(0.5), p95: at(0.95), max: at(1) };
}

async function isAnswered(node: GraphNode, transaction: Hex): Promise<boolean> {
  const query = `{ settlements(where: { transaction: "${transaction}" }) { id } }`;
  return (await dataOf<{ settlements: unknown[] }>(node, query)).settlements.length > 0;
}

async function dataOf<T>(node: GraphNode, query: string): Promise<T> {
  const { data, errors } = await node.ask(query);
  if (errors) throw new Error(`GraphQL: ${errors[0]?.message}`);
  return data as T;
}

type Long = Awaited<ReturnType<typeof settleAfter>> & { silence: string };

/** How long it takes until it is indexed that a meter settled `days` after all others, and what was written of it. */
async function settleAfter(world: World, node: GraphNode, postgresUrl: string, days: number) {
  const { attest, settle, publicClient, settled } = world;
  const before = world.readings.slice(0, settled);
  const timestamp = timestampOf(before[settled - 1] as Uint8Array) + days * DAY;
  const energy = (BigInt(timestamp - START) / 10n) * STEP;
  const readings = [...before, ...produce({ count: 1, from: { timestamp, energy } })];
  // each time another
  const meter = world.meters[days % METERS] as TestMeter;
  const { attestation, items } = itemsOf([meter], { readings, log: createLog(readings) }, settled, settled + 1);
  await world.at(timestamp);
  await publicClient.waitForTransactionReceipt({ hash: await attest(attestation) });
  await node.indexed(await publicClient.getBlockNumber());
  const { ask, close } = await connect(postgresUrl);
  const written = async () =>
    Number(
      (await ask("select (select count(*) from sgd1.meter_hour) + (select count(*) from sgd1.meter_day)"))[0]?.[0],
    );
  const old = await written();

  const started = performance.now();
  const hash = await settle(attestation, items);
  const { blockNumber } = await publicClient.waitForTransactionReceipt({ hash });
  await node.indexed(blockNumber, PATIENCE);
  const seconds = secondsSince(started);
  if (!(await isAnswered(node, hash))) throw new Error(`the settlement of ${days} days was not made`);
  const periods = (await written()) - old;
  close();
  return { days, seconds, periods };
}

// FIGURES

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function print(indexing: Indexing[], latency: Latency[], long: Long[]): void {
  const style = { head: [], border: [] };
  const s = (seconds: number): string => `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const times = (ratio: number): string => `${ratio.toFixed(1)} times`;

  const rates = new Table({ style, head: ["indexing", ...indexing.map(({ title }) => title)] });
  const row = (name: string, tell: (figures: Indexing) => string) => rates.push([name, ...indexing.map(tell)]);
  row("settlements", (f) => count(f.settlements));
  row("blocks, events", (f) => `${count(f.blocks)}, ${count(f.events)}`);
  row("graph-node's start", (f) => s(f.start));
  row("everything indexed after", (f) => s(f.seconds));
  row("settlements per second", (f) => count(f.settlements_per_second));
  row("events per second", (f) => count(f.events_per_second));
  row("blocks per second", (f) => f.blocks_per_second.toFixed(1));
  row("reading blocks and events alone", (f) => s(f.reading_seconds));
  row("indexing takes", (f) => times(f.ratio_to_reading));
  row("inserting the rows alone", (f) => `${s(f.inserting_seconds)} for ${count(f.rows)}`);
  row("indexing takes", (f) => times(f.ratio_to_inserting));
  console.log(rates.toString());

  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  const head = ["transaction to answer", "median", "minimum", "95 %", "maximum", "half the interval"];
  const answers = new Table({ style, head });
  for (const { pollEvery, samples, min, median, p95, max } of latency) {
    const half = pollEvery / 2;
    answers.push([
      `${samples}, polled every ${ms(pollEvery)}`,
      ...[median, min, p95, max].map(ms),
      `${ms(half)}: the median is ${times(median / half)} that`,
    ]);
  }
  console.log(answers.toString());
  for (const { silence, seconds, periods } of long) {
    const rate = `${count(periods / seconds)} per second`;
    console.log(
      `A settlement after ${silence} is indexed in ${s(seconds)}: ${count(periods)} hours and days, ${rate}.`,
    );
  }
}

try {
  await main();
  await ending.end(0);
} catch (error) {
  if (!ending.hasBegun()) console.error((error as Error).message);
  await ending.end(1);
}
