/** The heads of a log, from bundles and from memory, and what is forgotten of them. */
import { headsIn, headsWith } from "../heads.ts";
import { fullTilesOf, type LogState, pruneTail, TILE_WIDTH, tailReading } from "../log-state.ts";
import { contentOf, partOf } from "../packed.ts";
import type { StoredHead } from "../store.ts";
import type { StoredHeads, Tiles } from "../stored-log.ts";
import type { Database } from "./database.ts";
import { keyBytes } from "./names.ts";

/** Bundles whose heads are taken at once: 16 kB each where every post had one reading. */
const PAGE = 64;

const PAGE_OF_HEADS = `
  select index, time, heads from bundles
  where key_id = $1 and epoch = $2 and index >= $3 and index < $4 and heads <> '' order by index limit ${PAGE}`;
const KEEP_HEADS = `
  update bundles set heads = $5 where key_id = $1 and epoch = $2 and index = $3 and time = $4`;
const SIZE = "select size from logs where key_id = $1 and epoch = $2";
const PRUNE_TAIL = `
  update tails set signature = null
  where key_id = $1 and epoch = $2 and size < $3 and size < $4 and size <> all($5::bigint[]) and signature is not null`;

type Row = { index: string; time: string; heads: Buffer };

export function openHeads({ ask }: Pick<Database, "ask">, tiles: Tiles): StoredHeads {
  /** Bundles `from` to `to` (exclusive) that have heads. */
  async function* bundles(
    log: LogState,
    from: number,
    to: number,
  ): AsyncGenerator<{ index: number } & Omit<Row, "index">> {
    for (let next = from; ; ) {
      const rows = await ask<Row>("heads", PAGE_OF_HEADS, [keyBytes(log.keyId), log.epoch, next, to]);
      for (const row of rows) yield { ...row, index: Number(row.index) };
      if (rows.length < PAGE) return;
      next = Number(rows.at(-1)?.index) + 1;
    }
  }

  const sizeAt = (tile: number, position: number) => tile * TILE_WIDTH + position + 1;

  /** As far as the log goes in memory, tail included: it may grow meanwhile. */
  async function after(log: LogState, size: number): Promise<StoredHead[]> {
    const full = fullTilesOf(log.size, 0);
    const inTail = headsIn(contentOf(log.heads)).map(({ position, signature }) => ({
      size: sizeAt(full, position),
      reading: tailReading(log, position),
      signature,
    }));
    const heads: StoredHead[] = [];
    for await (const { index, heads: packed } of bundles(log, Math.floor(size / TILE_WIDTH), full)) {
      const wanted = headsIn(packed).filter(({ position }) => sizeAt(index, position) > size);
      if (wanted.length === 0) continue;
      const readings = await tiles.readings(log, index);
      for (const { position, signature } of wanted) {
        heads.push({ size: sizeAt(index, position), reading: partOf(readings, position), signature });
      }
    }
    return [...heads, ...inTail.filter((head) => head.size > size)];
  }

  async function prune(log: LogState, settledSize: number, kept: readonly number[]): Promise<void> {
    const name = [keyBytes(log.keyId), log.epoch];
    const [row] = await ask<{ size: string }>("size", SIZE, name);
    // another oracle may have appended: the newest head is the stored log's
    const newest = Number(row?.size ?? 0);
    const keeps = new Set(kept);
    const isWanted = (size: number) => size >= settledSize || size >= newest || keeps.has(size);
    for await (const { index, time, heads } of bundles(log, 0, Math.ceil(settledSize / TILE_WIDTH))) {
      const left = headsWith(heads, (position) => isWanted(sizeAt(index, position)));
      if (left.length < heads.length) await ask("keep heads", KEEP_HEADS, [...name, index, time, left]);
    }
    await ask("prune tail", PRUNE_TAIL, [...name, settledSize, newest, [...keeps]]);
    pruneTail(log, isWanted);
  }

  return { after, prune };
}
