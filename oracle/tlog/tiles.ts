/**
 * Paths of a log's tiles (c2sp.org/tlog-tiles), below the log's own:
 *
 *   tile/<level>/<index>[.p/<width>]      hashes; 256 where no width is named
 *   tile/entries/<index>[.p/<width>]      readings, each after its length
 */
import { TILE_WIDTH } from "../store/log-state.ts";
import { tileName } from "../store/tile-names.ts";

/** Hashes of a level from 0 on, or readings. */
export type TileKind = number | "entries";

/** The first `width` of a tile. */
export type TileSpan = { kind: TileKind; index: number; width: number };

/** tlog-tiles, "Merkle Tree" and "Log entries" */
export function tilePath({ kind, index, width }: TileSpan): string {
  const path = `tile/${kind}/${tileName(index)}`;
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

const LEVEL = /^(\d|[1-5]\d|6[0-3])$/;
const NAME = /^((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;
/** Groups of an index that a log can have: it has fewer than 2^40 readings. */
const MAX_INDEX = 2 ** 32;

/** Level and what comes after it, both as they stand in a path; nothing where it is not exactly as `tilePath` writes it. */
export function parseTilePath(level: string, name: string): TileSpan | undefined {
  if (level !== "entries" && !LEVEL.test(level)) return undefined;
  const [, groups = "", widthText] = NAME.exec(name) ?? [];
  const index = Number(groups.replaceAll(/[x/]/g, ""));
  const width = widthText === undefined ? TILE_WIDTH : Number(widthText);
  if (groups === "" || index >= MAX_INDEX || tileName(index) !== groups) return undefined;
  if (widthText !== undefined && width >= TILE_WIDTH) return undefined;
  return { kind: level === "entries" ? level : Number(level), index, width };
}

/** tlog-tiles, "Partial Tiles": the tiles and bundles of a log of `size`, full ones only as far as they are new since `from`. */
export function tilesBetween(from: number, size: number): TileSpan[] {
  const spans: TileSpan[] = [];
  const add = (kind: TileKind, before: number, count: number) => {
    for (let index = Math.floor(before / TILE_WIDTH); index < Math.floor(count / TILE_WIDTH); index++) {
      spans.push({ kind, index, width: TILE_WIDTH });
    }
    const width = count % TILE_WIDTH;
    if (width > 0 && count > before) spans.push({ kind, index: Math.floor(count / TILE_WIDTH), width });
  };
  add("entries", from, size);
  for (let [level, before, count] = [0, from, size]; count > 0; level++) {
    add(level, before, count);
    [before, count] = [Math.floor(before / TILE_WIDTH), Math.floor(count / TILE_WIDTH)];
  }
  return spans;
}
