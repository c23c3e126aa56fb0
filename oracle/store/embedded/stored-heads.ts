/** The heads of a log, from their files and from memory, and what is forgotten of them. */
import { readdir, unlink } from "node:fs/promises";
import { join, relative } from "node:path";
import { decodeHeads, encodeHeads, headsIn, headsWith } from "../heads.ts";
import { fullTilesOf, type LogState, pruneTail, TILE_WIDTH, tailReading } from "../log-state.ts";
import { contentOf, partOf } from "../packed.ts";
import type { StoredHead } from "../store.ts";
import type { StoredHeads, Tiles } from "../stored-log.ts";
import { tileName } from "../tile-names.ts";
import { isUnfinished, writeDurably } from "./durable.ts";
import type { Files } from "./files.ts";
import { damaged, logFolder } from "./tiles.ts";

export const headsPath = (log: LogState, tile: number): string => join(logFolder(log), "heads", tileName(tile));

export function openHeads(root: string, files: Files, tiles: Tiles): StoredHeads {
  async function packedIn(log: LogState, tile: number): Promise<Uint8Array | undefined> {
    const file = await files.read(headsPath(log, tile));
    if (!file) return undefined;
    const packed = decodeHeads(file);
    if (packed) return packed;
    const path = join(root, headsPath(log, tile));
    throw damaged(path, log, tile * TILE_WIDTH, (tile + 1) * TILE_WIDTH, "its heads are not those that were written");
  }

  /** Reads no bundle of which no head is wanted. */
  async function inTile(log: LogState, tile: number, after: number): Promise<StoredHead[]> {
    const sizeAt = (position: number) => tile * TILE_WIDTH + position + 1;
    if (tile >= fullTilesOf(log.size, 0)) {
      return headsIn(contentOf(log.heads))
        .filter(({ position }) => sizeAt(position) > after)
        .map(({ position, signature }) => ({ size: sizeAt(position), reading: tailReading(log, position), signature }));
    }
    const packed = await packedIn(log, tile);
    const heads = packed ? headsIn(packed).filter(({ position }) => sizeAt(position) > after) : [];
    if (heads.length === 0) return [];
    const readings = await tiles.readings(log, tile);
    return heads.map(({ position, signature }) => ({
      size: sizeAt(position),
      reading: partOf(readings, position),
      signature,
    }));
  }

  async function after(log: LogState, size: number): Promise<StoredHead[]> {
    const heads: StoredHead[] = [];
    for (let tile = Math.floor(size / TILE_WIDTH); tile * TILE_WIDTH < log.size; tile++) {
      heads.push(...(await inTile(log, tile, size)));
    }
    return heads;
  }

  async function prune(log: LogState, settledSize: number, kept: readonly number[]): Promise<void> {
    const keeps = new Set(kept);
    const isWanted = (size: number) => size >= settledSize || size === log.size || keeps.has(size);
    await files.durable(files.endBatch());
    for (const tile of await tilesIn(join(root, logFolder(log), "heads"))) {
      if (tile * TILE_WIDTH >= settledSize) continue;
      const packed = await packedIn(log, tile);
      if (!packed) continue;
      const left = headsWith(packed, (position) => isWanted(tile * TILE_WIDTH + position + 1));
      const path = join(root, headsPath(log, tile));
      if (left.length === packed.length) continue;
      if (left.length > 0) await writeDurably(path, encodeHeads(left));
      else await unlink(path);
    }
    pruneTail(log, isWanted);
  }

  return { after, prune };
}

/** Tiles of which a folder has a file, from names as `x001/234`. */
async function tilesIn(folder: string): Promise<number[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isFile() && !isUnfinished(entry.name))
    .map((entry) => Number(relative(folder, join(entry.parentPath, entry.name)).replace(/\D/g, "")));
}
