/**
 * A log's full tiles as files, laid out as C2SP tlog-tiles: below the log's folder
 *
 *   tile/<level>/<index>    256 hashes; those of level L + 1 are the roots of the tiles of level L
 *   tile/entries/<index>    256 readings, each as length u16 (32) ‖ reading
 *
 * A file that is read is checked against the level above it, up to what the journal says: what is damaged is never used.
 */
import { join } from "node:path";
import { equal, HASH_LENGTH, type Hash } from "../../../protocol/index.ts";
import { decodeBundle, ENTRY_LENGTH } from "../bundles.ts";
import { hashLeaves, rootOf } from "../hashing.ts";
import { fullTilesOf, type LogState, TILE_LENGTH, TILE_WIDTH } from "../log-state.ts";
import { partOf } from "../packed.ts";
import { StoreDamaged } from "../store.ts";
import type { Tiles } from "../stored-log.ts";
import { tileName } from "../tile-names.ts";
import type { Files } from "./files.ts";

/** Tiles and bundles kept in memory. */
const REMEMBERED = 512;

export const logFolder = ({ keyId, epoch }: LogState): string => join(keyId, String(epoch));
export const tilePath = (log: LogState, level: number, index: number): string =>
  join(logFolder(log), "tile", String(level), tileName(index));
export const bundlePath = (log: LogState, index: number): string =>
  join(logFolder(log), "tile", "entries", tileName(index));

export function openTiles(root: string, files: Files): Tiles {
  const remembered = new Map<string, Buffer>();

  async function load(
    log: LogState,
    path: string,
    [start, end]: [number, number],
    decode: (file: Uint8Array) => Buffer | string | Promise<Buffer | string>,
  ): Promise<Buffer> {
    const known = remembered.get(path);
    if (known) remembered.delete(path);
    const file = known ? undefined : await files.read(path);
    const loaded = known ?? (file ? await decode(file) : "it is missing");
    if (typeof loaded === "string") throw damaged(join(root, path), log, start, end, loaded);
    remembered.set(path, loaded);
    if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value as string);
    return loaded;
  }

  const hashes: Tiles["hashes"] = (log, level, index) => {
    const width = TILE_WIDTH ** (level + 1);
    return load(log, tilePath(log, level, index), [index * width, (index + 1) * width], async (file) => {
      if (file.length !== TILE_LENGTH) return `it has ${file.length} bytes instead of ${TILE_LENGTH}`;
      const isRight = equal(rootOf(file), await hashIn(log, level + 1, index));
      return isRight ? Buffer.from(file) : "its hashes are not those that were written";
    });
  };

  /** One hash of a level, from a full tile or the row that is not full. */
  async function hashIn(log: LogState, level: number, index: number): Promise<Hash> {
    const tile = Math.floor(index / TILE_WIDTH);
    const position = index % TILE_WIDTH;
    if (tile < fullTilesOf(log.size, level)) return partOf(await hashes(log, level, tile), position, HASH_LENGTH);
    return partOf(log.rows[level - 1]?.bytes as Buffer, position, HASH_LENGTH);
  }

  const readings: Tiles["readings"] = (log, index) =>
    load(log, bundlePath(log, index), [index * TILE_WIDTH, (index + 1) * TILE_WIDTH], async (file) => {
      const length = TILE_WIDTH * ENTRY_LENGTH;
      if (file.length !== length) return `it has ${file.length} bytes instead of ${length}`;
      const packed = decodeBundle(file);
      if (!packed) return "an entry has another length than a reading's";
      const isRight = hashLeaves(packed).equals(await hashes(log, 0, index));
      return isRight ? packed : "its readings are not those that were signed";
    });

  return { hashes, readings };
}

/** `start` to `end` (exclusive) are the readings that the file is about. */
export const damaged = (path: string, log: LogState, start: number, end: number, why: string): StoreDamaged =>
  new StoreDamaged(
    `${path} is damaged: ${why}. It is about readings ${start} to ${end - 1} of key ${log.keyId} in epoch ${log.epoch}.`,
  );
