/**
 * Full tiles and bundles, read when asked for. Each is checked against the level above it, up to what is in memory of the
 * log: what is damaged is never used.
 */
import { equal, HASH_LENGTH, type Hash } from "../../../protocol/index.ts";
import { hashLeaves, rootOf } from "../hashing.ts";
import { fullTilesOf, type LogState, TILE_LENGTH, TILE_WIDTH } from "../log-state.ts";
import { type Packed, partOf } from "../packed.ts";
import type { Tiles } from "../stored-log.ts";
import type { Database } from "./database.ts";
import { damaged, keyBytes, nameOf } from "./names.ts";

/** Tiles and bundles kept in memory. */
const REMEMBERED = 1024;

const TILE = "select hashes from tiles where key_id = $1 and epoch = $2 and level = $3 and index = $4";
/** The tile above knows when a bundle begins, and so in which part of the table it is. */
const BUNDLE = `
  select readings from bundles where key_id = $1 and epoch = $2 and index = $3 and time = (
    select times[($3::bigint % ${TILE_WIDTH}) + 1] from tiles
    where key_id = $1 and epoch = $2 and level = 1 and index = $3::bigint / ${TILE_WIDTH}
  )`;

export function openTiles({ ask }: Pick<Database, "ask">): Tiles {
  const remembered = new Map<string, Buffer>();

  async function remembering(name: string, load: () => Promise<Buffer>): Promise<Buffer> {
    const known = remembered.get(name);
    if (known) remembered.delete(name);
    const loaded = known ?? (await load());
    remembered.set(name, loaded);
    if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value as string);
    return loaded;
  }

  /** Level 0 is made of the readings. */
  const hashes: Tiles["hashes"] = async (log, level, index) =>
    level === 0
      ? remembering(`${nameOf(log)}/0/${index}`, async () => hashLeaves(await readings(log, index)))
      : remembering(`${nameOf(log)}/${level}/${index}`, () => loadTile(log, level, index));

  async function loadTile(log: LogState, level: number, index: number): Promise<Buffer> {
    const [row] = await ask<{ hashes: Buffer }>("tile", TILE, [keyBytes(log.keyId), log.epoch, level, index]);
    const what = `the hashes of tile ${index} at level ${level}`;
    if (!row) throw damaged(what, log, "they are missing");
    if (row.hashes.length !== TILE_LENGTH || !equal(rootOf(row.hashes), await hashIn(log, level + 1, index))) {
      throw damaged(what, log, "they are not those that were written");
    }
    return row.hashes;
  }

  /** One hash of a level from 1 on, from a full tile or the row that is not full. */
  async function hashIn(log: LogState, level: number, index: number): Promise<Hash> {
    const tile = Math.floor(index / TILE_WIDTH);
    const isFull = tile < fullTilesOf(log.size, level);
    const row = isFull ? await hashes(log, level, tile) : (log.rows[level - 1] as Packed).bytes;
    return partOf(row, index % TILE_WIDTH, HASH_LENGTH);
  }

  const readings: Tiles["readings"] = (log, index) =>
    remembering(`${nameOf(log)}/${index}`, async () => {
      const [row] = await ask<{ readings: Buffer }>("bundle", BUNDLE, [keyBytes(log.keyId), log.epoch, index]);
      const [first, last] = [index * TILE_WIDTH, (index + 1) * TILE_WIDTH - 1];
      const what = `readings ${first} to ${last}`;
      if (!row) throw damaged(what, log, "they are missing, as where their year was detached");
      const isRight =
        row.readings.length === TILE_LENGTH && equal(rootOf(hashLeaves(row.readings)), await hashIn(log, 1, index));
      if (!isRight) throw damaged(what, log, "they are not those that were signed");
      return row.readings;
    });

  return { hashes, readings };
}
