/**
 * Where an oracle keeps everything: what meters signed (logs), what was sealed (batches), and what is small and changes
 * (records and documents). Two stores do the same: embedded/ in a folder, postgres/ in a database that several oracles
 * share. Nothing that a promise here resolved for is lost, whatever happens to process or machine afterwards.
 */
import type { Low } from "lowdb";
import type { Hash } from "../../protocol/index.ts";
import type { StoredRangeHash } from "./hashes.ts";

export type Store = {
  logs: Logs;
  batches: Batches;
  /** A collection of small records, each read when asked for; `name` is of words and slashes. */
  records<T extends object>(name: string): Promise<Records<T>>;
  /** One small document, as it was written last, or `initial`. */
  document<T extends object>(name: string, initial: T): Promise<Low<T>>;
  /** Names of all records and documents that there are. */
  names(): Promise<{ records: string[]; documents: string[] }>;
  /**
   * Whether this is the oracle that follows, seals and settles; of those that share a store exactly one is. One that lost
   * the lead is told so at least once before it leads again: it must begin from what is stored then.
   */
  leads(): Promise<boolean>;
  /** Writes a little, durably: why it cannot, in words for anybody to read; nothing where it can. */
  whyNotWritable(): Promise<string | undefined>;
  /** Ends what is under way, and lets go of everything. */
  close(): Promise<void>;
};

/** What is stored is not what was written: the message is a sentence that names the file and what it should hold. */
export class StoreDamaged extends Error {
  override readonly name = "StoreDamaged";
}

/** The store cannot be used now, and may be later. Whether what was under way is stored is unknown. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}

/** A head as it was signed: `reading` is the last of its `size` readings. */
export type StoredHead = { size: number; reading: Uint8Array; signature: Uint8Array };

export type Logs = {
  /** Ids of the keys that have a log, in order: those up to `limit` that come after `after`. */
  keys(after: string | undefined, limit: number): Promise<string[]>;
  /** A log with at least one reading. */
  get(keyId: string, epoch: number): Promise<StoredLog | undefined>;
  /** Logs of a key with at least one reading, by epoch. */
  of(keyId: string): Promise<StoredLog[]>;
  /** The log, or an empty one that is kept from its first reading on. One caller per key at a time. */
  open(keyId: string, epoch: number): Promise<StoredLog>;
};

export type StoredLog = {
  /** `0x…` */
  readonly keyId: string;
  readonly epoch: number;
  /** readings stored, which is where the newest head stands; 0 before the first post */
  readonly size: number;
  readonly last: Uint8Array | undefined;
  readonly newestHead: StoredHead | undefined;
  /** mW·s in the capacity bucket after the last reading */
  readonly bucket: bigint;
  /** The root that the log would have with `readings` appended. */
  rootWith(readings: readonly Uint8Array[]): Hash;
  /**
   * Appends readings and the head over them. Resolves once durable, with false where another oracle that shares the store
   * appended first: nothing is stored then, and the log is to be opened again. On failure the log is what was stored.
   */
  append(readings: readonly Uint8Array[], signature: Uint8Array, bucket: bigint): Promise<boolean>;
  /** Readings `from` to `to` (exclusive), as far as there are. */
  readings(from: number, to: number): Promise<Uint8Array[]>;
  /** How many readings are earlier than `timestamp` (Unix time, s): the index of the first that is not. */
  countBefore(timestamp: number): Promise<number>;
  /** Heads of more than `size` readings, in order. */
  headsAfter(size: number): Promise<StoredHead[]>;
  hashOf: StoredRangeHash;
  /**
   * The first `width` hashes (1 to 256) of tile `index` of a level, as in C2SP tlog-tiles: at level L each covers 256^L
   * readings. Nothing where the log has fewer.
   */
  tile(level: number, index: number, width: number): Promise<Uint8Array | undefined>;
  /**
   * The first `width` readings (1 to 256) from `index` times 256 on, as an entry bundle of C2SP tlog-tiles: each after its
   * length, u16. Nothing where the log has fewer.
   */
  entries(index: number, width: number): Promise<Uint8Array | undefined>;
  /**
   * Forgets heads of fewer than `settledSize` readings but those of the sizes in `kept`, and never the newest. Readings
   * stay. Where it is interrupted some heads may be left, until it is called again.
   */
  prune(settledSize: number, kept: readonly number[]): Promise<void>;
};

/** Sealed batches: immutable, named by their SHA-256 digest. */
export type Batches = {
  /** Resolves with the digest, `0x…`, once durable. */
  put(bytes: Uint8Array): Promise<`0x${string}`>;
  get(digest: string): Promise<Uint8Array | undefined>;
};

export type Records<T extends object> = {
  ids(): Promise<string[]>;
  get(id: string): Promise<T | undefined>;
  all(): Promise<T[]>;
  /** Resolves once durable. */
  put(id: string, record: T): Promise<void>;
  /** As `put` where there is none of that id, or with false and nothing written. */
  add(id: string, record: T): Promise<boolean>;
  remove(id: string): Promise<void>;
};
