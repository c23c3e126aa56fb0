/**
 * Takes over what an earlier oracle kept: `logs/<key id>/<epoch>/<chunk>.json`, 256 readings a chunk with the heads that
 * end among them. The folder is renamed to `logs-before`, written anew, and deleted once the journal is durable: whatever
 * interrupts this, the next start goes on with it.
 */
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fromHex, READING_LENGTH } from "../../../protocol/index.ts";
import { emptyLog, type Full, grow, growthOf, type LogState } from "../log-state.ts";
import { StoreDamaged } from "../store.ts";
import { jsonFile, namesIn, syncDirectory } from "./durable.ts";
import type { StoreLogger } from "./logs.ts";

const CHUNK_LENGTH = 256;

type Chunk = {
  readings: string[];
  heads: { size: number; signature: string }[];
  /** mW·s in the capacity bucket after the last head here */
  bucket: string;
};

const beforeIn = (directory: string): string => join(directory, "logs-before");

/** The logs of the earlier layout one by one, where a folder without a journal has any. */
export async function* takeOver(
  directory: string,
  keepFull: (log: LogState, full: readonly Full[]) => void,
  logger: StoreLogger,
): AsyncGenerator<LogState> {
  const before = beforeIn(directory);
  const isInterrupted = (await namesIn(before)).length > 0;
  if (!isInterrupted) {
    const logs = join(directory, "logs");
    const keys = await namesIn(logs);
    if (keys.length === 0) return;
    await requireChunks(logs, keys);
    await rename(logs, before);
    await syncDirectory(directory);
  }
  let [count, readings] = [0, 0];
  for (const keyId of await namesIn(before)) {
    for (const epoch of await namesIn(join(before, keyId))) {
      const log = await readLog(join(before, keyId, epoch), emptyLog(keyId, Number(epoch)), keepFull);
      if (log.size === 0) continue;
      [count, readings] = [count + 1, readings + log.size];
      yield log;
    }
  }
  logger.info(`Took over ${count} logs with ${readings} readings from the layout of an earlier oracle.`);
}

/** Deletes what was taken over, once it is in the journal and its files. */
export async function forgetTakenOver(directory: string, logger: StoreLogger): Promise<void> {
  if (!(await namesIn(directory)).includes("logs-before")) return;
  await rm(beforeIn(directory), { recursive: true });
  await syncDirectory(directory);
  logger.info(`Deleted ${beforeIn(directory)}, which was taken over.`);
}

/** Logs in tiles have a journal: where it is gone, nothing is made up in its place. */
async function requireChunks(logs: string, keys: readonly string[]): Promise<void> {
  for (const keyId of keys) {
    for (const epoch of await namesIn(join(logs, keyId))) {
      const names = await namesIn(join(logs, keyId, epoch));
      if (names.length === 0 || names.some((name) => name.endsWith(".json"))) continue;
      throw new StoreDamaged(`${join(logs, "..", "journal")} is missing: ${logs} has logs that it is to go on with.`);
    }
  }
}

/** A log up to its last head: what a torn post left behind has none. */
async function readLog(
  folder: string,
  log: LogState,
  keepFull: (log: LogState, full: readonly Full[]) => void,
): Promise<LogState> {
  const count = (await namesIn(folder)).filter((name) => name.endsWith(".json")).length;
  let readings: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const path = join(folder, `${index}.json`);
    const chunk = await jsonFile<Chunk>(path).read();
    if (!chunk) throw new StoreDamaged(`${path} is missing: chunks after it are there.`);
    if (!isChunk(chunk)) throw new StoreDamaged(`${path} is damaged: it is no chunk of readings and heads.`);
    let at = 0;
    for (const { size, signature } of chunk.heads) {
      const end = size - index * CHUNK_LENGTH;
      readings.push(...chunk.readings.slice(at, end).map(fromHex));
      at = end;
      if (log.size + readings.length !== size) throw new StoreDamaged(`${path} is damaged: a reading is missing.`);
      keepFull(log, grow(log, growthOf(log, readings), fromHex(signature), BigInt(chunk.bucket)));
      readings = [];
    }
    readings.push(...chunk.readings.slice(at).map(fromHex));
  }
  return log;
}

const isHex = (text: unknown, length: number): boolean =>
  typeof text === "string" && /^0x[0-9a-f]*$/.test(text) && text.length === 2 + 2 * length;

const isChunk = (chunk: Chunk): boolean =>
  Array.isArray(chunk.readings) &&
  Array.isArray(chunk.heads) &&
  /^\d+$/.test(chunk.bucket) &&
  chunk.readings.every((reading) => isHex(reading, READING_LENGTH)) &&
  chunk.heads.every(({ size, signature }) => Number.isSafeInteger(size) && isHex(signature, 64));
