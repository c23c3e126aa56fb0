/**
 * The logs, in a folder: tiles and bundles of what is full (tiles.ts), heads (heads.ts), and the journal of all the rest
 * (journal.ts). Opening them reads the journal, and of the files those that it has filled since its snapshot.
 */
import { join } from "node:path";
import { encodeBundle } from "../bundles.ts";
import { encodeHeads } from "../heads.ts";
import { emptyLog, type Full, grow, growthOf, type LogState } from "../log-state.ts";
import type { Logs, StoredLog } from "../store.ts";
import { type LogParts, storedLog } from "../stored-log.ts";
import { makeDirectory } from "./durable.ts";
import { passing } from "./failures.ts";
import { type Files, openFiles } from "./files.ts";
import { JOURNAL_LIMIT, type Journal, journalsIn, openJournal } from "./journal.ts";
import { decodeRecord, encodeAppend, encodeSnapshot } from "./log-records.ts";
import { headsPath, openHeads } from "./stored-heads.ts";
import { forgetTakenOver, takeOver } from "./takeover.ts";
import { bundlePath, openTiles, tilePath } from "./tiles.ts";

export type StoreLogger = { info(message: string): void; warn(message: string): void };

export type OpenLogs = { logs: Logs; whyBroken: Journal["whyBroken"]; close(): Promise<void> };

/** Opens all logs of a store's folder. */
export async function openLogs(
  directory: string,
  logger: StoreLogger,
  journalLimit = JOURNAL_LIMIT,
): Promise<OpenLogs> {
  const root = join(directory, "logs");
  const journals = join(directory, "journal");
  const files = openFiles(root);
  const states = indexLogs();

  const open = async () => {
    if ((await journalsIn(journals)).length === 0) {
      for await (const state of takeOver(directory, (log, full) => keepFull(files.put, log, full), logger)) {
        states.keep(state);
        await files.durable(files.endBatch());
      }
    }
    await makeDirectory(root);
    const journaled = {
      replay: (record: Buffer) => replay(states, files, record),
      snapshot: () => states.all().map(encodeSnapshot),
      endBatch: files.endBatch,
      durable: files.durable,
      warn: (message: string) => logger.warn(message),
    };
    return openJournal(journals, journaled, journalLimit);
  };
  const journal = await open().catch(async (error) => {
    // nothing is written any more once the folder is let go of
    await files.durable(files.endBatch()).catch(() => {});
    throw error;
  });
  await forgetTakenOver(directory, logger);

  const append: LogParts["append"] = async (log, readings, signature, bucket) => {
    if (log.isAppending || !states.mayAppendTo(log)) return false;
    log.isAppending = true;
    try {
      await journal.append(encodeAppend(log, readings, signature, bucket), () => {
        states.keep(log);
        keepFull(files.put, log, grow(log, growthOf(log, readings), signature, bucket));
      });
    } finally {
      log.isAppending = false;
    }
    return true;
  };
  const tiles = passing(directory, openTiles(root, files));
  const heads = passing(directory, openHeads(root, files, tiles));
  const parts: LogParts = { tiles, heads, ...passing(directory, { append }) };
  const views = new WeakMap<LogState, StoredLog>();
  const view = (log: LogState): StoredLog => {
    const known = views.get(log) ?? storedLog(log, parts);
    views.set(log, known);
    return known;
  };
  const logs: Logs = {
    keys: async (after = "", limit) =>
      states
        .keys()
        .filter((keyId) => keyId > after)
        .sort()
        .slice(0, limit),
    async get(keyId, epoch) {
      const log = states.get(keyId, epoch);
      return log && view(log);
    },
    of: async (keyId) => states.of(keyId).map(view),
    open: async (keyId, epoch) => view(states.get(keyId, epoch) ?? emptyLog(keyId, epoch)),
  };
  return { logs, whyBroken: journal.whyBroken, close: journal.close };
}

type LogIndex = ReturnType<typeof indexLogs>;

/** Logs with at least one reading, by key. */
function indexLogs() {
  const byKey = new Map<string, LogState[]>();
  const of = (keyId: string): readonly LogState[] => byKey.get(keyId) ?? [];
  const get = (keyId: string, epoch: number) => of(keyId).find((log) => log.epoch === epoch);
  return {
    of,
    get,
    all: () => [...byKey.values()].flat(),
    keys: () => [...byKey.keys()],
    keep(log: LogState): void {
      if (get(log.keyId, log.epoch)) return;
      byKey.set(
        log.keyId,
        [...of(log.keyId), log].sort((a, b) => a.epoch - b.epoch),
      );
    },
    /** Whether a log is the one that is kept under its name, or will be with its first reading. */
    mayAppendTo: (log: LogState) => (get(log.keyId, log.epoch) ?? log) === log,
  };
}

/** Takes a record of the journal. What it fills may not have reached its file before a crash. */
function replay(states: LogIndex, files: Files, bytes: Buffer): boolean {
  const record = decodeRecord(bytes);
  if (!record) return false;
  if (record.kind === "snapshot") {
    states.keep(record.state);
    return true;
  }
  const { keyId, epoch, sizeBefore, readings, signature, bucket } = record;
  const log = states.get(keyId, epoch) ?? emptyLog(keyId, epoch);
  if (log.size !== sizeBefore) return false;
  states.keep(log);
  keepFull(files.restore, log, grow(log, growthOf(log, readings), signature, bucket));
  return true;
}

function keepFull(put: Files["put"], log: LogState, full: readonly Full[]): void {
  for (const piece of full) {
    if (piece.kind === "tile") put(tilePath(log, piece.level, piece.index), piece.hashes);
    else {
      put(bundlePath(log, piece.index), encodeBundle(piece.readings));
      if (piece.heads.length > 0) put(headsPath(log, piece.index), encodeHeads(piece.heads));
    }
  }
}
