/**
 * What the tests of the handlers stand on: `gnd test`, graph-node's own test runner, which runs the subgraph as it is
 * indexed, in its WebAssembly and into PostgreSQL, over events that a test makes up.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import type { AbiEvent, GetEventArgs, Hex } from "viem";
import { functionsAttestorAbi, meterRegistryAbi, productionTokenAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import { GND } from "../../demo/indexer/platform.ts";
import { startPostgres } from "../../demo/indexer/postgres.ts";
import { createStops, type Stops, temporaryFolder } from "../../demo/processes/stop.ts";
import { buildSubgraph } from "../build.ts";
import { CONTRACTS, type Network } from "../networks.ts";
import { type Field, readSchema } from "./schema.ts";

export const ABIS = {
  MeterRegistry: meterRegistryAbi,
  WattWitness: wattWitnessAbi,
  ProductionToken: productionTokenAbi,
  FunctionsAttestor: functionsAttestorAbi,
} as const;
export type Contract = keyof typeof ABIS;

/** Where the contracts are: made up. */
export const ADDRESSES = {
  MeterRegistry: `0x${"01".repeat(20)}`,
  WattWitness: `0x${"02".repeat(20)}`,
  ProductionToken: `0x${"03".repeat(20)}`,
  FunctionsAttestor: `0x${"04".repeat(20)}`,
} as const;

/** What the subgraph is built for. gnd's first block is 1, and it begins with the one after the start block. */
const NETWORK = "handlers";
const network = Object.fromEntries(
  CONTRACTS.map((contract) => [contract, { address: ADDRESSES[contract], startBlock: 0 }]),
) as Network;

/** Scenarios at a time: gnd mostly waits. */
const WORKERS = Math.min(2 * availableParallelism(), 6);
/** More than any scenario makes of anything. */
const LIMIT = 1000;

export const schema = readSchema();

/* EVENTS */

export type Event = { contract: Contract; name: string; signature: string; params: Record<string, unknown> };

type Args<C extends Contract, N extends string> = GetEventArgs<
  (typeof ABIS)[C],
  N,
  { EnableUnion: false; IndexedOnly: false; Required: true }
>;
type EventName<C extends Contract> = Extract<(typeof ABIS)[C][number], { type: "event" }>["name"];

/** An event as the contract's ABI declares it, which says what it must be given. */
export function event<C extends Contract, N extends EventName<C>>(contract: C, name: N, args: Args<C, N>): Event {
  const abi = (ABIS[contract] as readonly { type: string; name?: string }[]).find(
    (item): item is AbiEvent => item.type === "event" && item.name === name,
  );
  assert.ok(abi);
  seen.add(`${contract}.${name}`);
  const inputs = abi.inputs.map((input) => `${input.type} ${input.indexed ? "indexed " : ""}${input.name}`);
  return { contract, name, signature: `${name}(${inputs.join(", ")})`, params: args as Record<string, unknown> };
}

/** The events of one transaction, in their order. */
export type Transaction = readonly Event[];
export type Block = { timestamp: number; transactions: Transaction[] };

/** The next block: what happened at this time, Unix time, s. The first has the number 1. */
export const at = (timestamp: number, ...transactions: (Event | Transaction)[]): Block => ({
  timestamp,
  transactions: transactions.map((each) => (Array.isArray(each) ? each : [each]) as Transaction),
});

/** The hash of a block's transaction, both counted from 1. */
export const hash = (block: number, transaction = 1): Hex => `0x${"00".repeat(30)}${byte(block)}${byte(transaction)}`;
const byte = (value: number): string => value.toString(16).padStart(2, "0");

/* EXPECTATIONS */

/** Of an entity: its fields, or just its id. Of a list: all that are in it, in any order. */
type Value = string | number | bigint | boolean | null | Shape | readonly (string | Shape)[];
/** The fields of an entity that are looked at, and what must be in them. */
export type Shape = { readonly [field: string]: Value };

export type Expectation = { query: string; expected: Record<string, unknown> };

/** Looks at an entity by its id, now or as it was after an earlier block; null = there is none. */
export function one(type: string, id: string, shape: Shape | null, block?: number): Expectation {
  const root = lowerFirst(type);
  const when = block === undefined ? "" : `, block: { number: ${block} }`;
  return {
    query: `{ ${root}(id: "${id}"${when}) ${select(type, shape ? [shape] : [])} }`,
    expected: { [root]: shape && answer(type, shape) },
  };
}

/** Looks at all entities of a type, or at all that have this in their fields; the shapes are of the same fields. */
export function all(type: string, shapes: readonly Shape[], where: Record<string, string | boolean> = {}): Expectation {
  const root = lowerFirst(type).replace(/([^aeiou])y$|$/, (_, letter) => (letter ? `${letter}ies` : "s"));
  const conditions = Object.entries(where).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return {
    query: `{ ${root}(first: ${LIMIT}, where: { ${conditions.join(", ")} }) ${select(type, shapes)} }`,
    expected: { [root]: shapes.map((shape) => answer(type, shape)) },
  };
}

const seen = new Set<string>();

/** What is told, `Contract.Event`, and looked at: `Type.field`, `Type.field: null`, `Enum.VALUE`. Of all that are made. */
export const looks = (): ReadonlySet<string> => seen;

function select(type: string, shapes: readonly Shape[]): string {
  const names = Object.keys(shapes[0] ?? { id: "" });
  for (const shape of shapes) assert.deepEqual(Object.keys(shape), names, `not the same fields of each ${type}`);
  const fields = names.map((name) => {
    const field = fieldOf(type, name);
    if (!schema.entities.has(field.type)) return name;
    const within = shapes.flatMap((shape) => shape[name] ?? []) as (string | Shape)[];
    return `${name}${field.list ? `(first: ${LIMIT})` : ""} ${select(field.type, within.map(shapeOf))}`;
  });
  return `{ ${fields.join(" ")} }`;
}

/** What GraphQL answers where everything is as expected. */
function answer(type: string, shape: Shape): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(shape).map(([name, value]) => [name, answerField(`${type}.${name}`, fieldOf(type, name), value)]),
  );
}

function answerField(name: string, field: Field, value: Value): unknown {
  if (value === null) seen.add(`${name}: null`);
  else if (!Array.isArray(value) || value.length !== 0) seen.add(name);
  if (schema.enums.has(field.type)) seen.add(`${field.type}.${value}`);
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((each) => answer(field.type, shapeOf(each)));
  if (schema.entities.has(field.type)) return answer(field.type, shapeOf(value as string | Shape));
  if (field.type === "BigInt") return String(value);
  return field.type === "Bytes" ? String(value).toLowerCase() : value;
}

const shapeOf = (value: string | Shape): Shape => (typeof value === "string" ? { id: value } : value);

function fieldOf(type: string, name: string): Field {
  const field = schema.entities.get(type)?.fields.get(name);
  assert.ok(field, `the schema has no ${type}.${name}`);
  return field;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/* RUNS */

/** Resolves to what gnd complains of; undefined = everything is as expected. */
export type Result = Promise<string | undefined>;

export type Runner = {
  /** Takes a scenario, before the start. What it returns runs it. */
  add: (blocks: readonly Block[], expectations: readonly Expectation[]) => () => Result;
  start: () => Promise<void>;
  stop: () => Promise<void>;
};

export function createRunner(): Runner {
  const stops = createStops();
  const stopping = new AbortController();
  const abort = () => stopping.abort();
  const scenarios: object[] = [];
  const results: Result[] = [];
  const workers: Worker[] = [];
  return {
    add(blocks, expectations) {
      assert.ok(blocks.length !== 0 && expectations.length !== 0);
      const index = scenarios.push(scenario(blocks, expectations)) - 1;
      return () => {
        // this one, and ahead of their time the next ones
        for (const [i, content] of [...scenarios.entries()].slice(index, index + WORKERS)) {
          results[i] ??= (workers[i % WORKERS] as Worker)(content);
        }
        return results[index] as Result;
      };
    },
    async start() {
      const manifest = await buildSubgraph(NETWORK, network);
      const databases = await Promise.all(Array.from({ length: WORKERS }, () => startDatabase(stops)));
      for (const database of databases) workers.push(createWorker(manifest, database, stopping.signal));
      stops.add(() => Promise.all(results));
      // also where nobody stops it
      process.once("exit", abort);
      stops.add(() => process.off("exit", abort));
      stops.add(abort);
    },
    stop: stops.stopAll,
  };
}

/** Runs scenarios one after the other. */
type Worker = (content: object) => Result;

function createWorker(manifest: string, database: Database, signal: AbortSignal): Worker {
  let turn: Result = Promise.resolve(undefined);
  return (content) => {
    turn = turn.then(() => runGnd(manifest, database, content, signal));
    return turn;
  };
}

type Database = { folder: string; url: string };

async function startDatabase(stops: Stops): Promise<Database> {
  const folder = await temporaryFolder(stops, "handlers");
  return { folder, url: await startPostgres(folder, stops) };
}

/** As gnd reads it. */
function scenario(blocks: readonly Block[], expectations: readonly Expectation[]): object {
  return {
    name: "scenario",
    blocks: blocks.map(({ timestamp, transactions }, block) => ({
      number: block + 1,
      timestamp,
      events: transactions.flatMap((events, transaction) =>
        events.map(({ contract, signature, params }) => ({
          address: ADDRESSES[contract],
          event: signature,
          params: Object.fromEntries(
            Object.entries(params).map(([name, value]) => [name, typeof value === "bigint" ? String(value) : value]),
          ),
          txHash: hash(block + 1, transaction + 1),
        })),
      ),
    })),
    assertions: expectations,
  };
}

/** A process of its own for each: where a handler fails, gnd is of no use to the next. */
async function runGnd(manifest: string, { folder, url }: Database, content: object, signal: AbortSignal): Result {
  const file = join(folder, "scenario.json");
  await writeFile(file, JSON.stringify(content));
  if (signal.aborted) return "stopped";
  const args = ["test", "--manifest", manifest, "--skip-build", "--postgres-url", url, file];
  const options = { cwd: dirname(manifest), env: { PATH: process.env["PATH"] } };
  return new Promise((resolve) => {
    const gnd = execFile(GND, args, options, (error, stdout, stderr) => {
      const told = stdout.split("\n").filter((line) => line.trim() && !/^\s*[→✔]|^Tests:/.test(line));
      resolve(error ? told.join("\n") || `${error.message}\n${stderr}` : undefined);
    });
    // asked to end, it may wait for ever
    signal.addEventListener("abort", () => gnd.kill("SIGKILL"));
  });
}
