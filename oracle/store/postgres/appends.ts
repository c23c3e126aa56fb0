/**
 * Appends, all that wait in one statement, which is one transaction. Each is guarded by the size that it goes on from: one
 * that another oracle was faster than stores nothing, and the others of its group are stored.
 */
import { READING_LENGTH, timestampOf, toHex } from "../../../protocol/index.ts";
import { type Full, fullTilesOf, type Growth, grow, type LogState, TILE_WIDTH } from "../log-state.ts";
import { contentOf, emptyPacked, type Packed, push } from "../packed.ts";
import type { Database } from "./database.ts";
import { inGroups } from "./groups.ts";
import { keyBytes, nameOf } from "./names.ts";

/** Appends of one statement at most: its readings are 16 MB then, where each is as long as a post can be. */
const GROUP = 64;
const SMALL_GROUP = 1000;
/** Statements under way at once: while the database syncs one, the next is made. */
const AT_ONCE = 2;

/**
 * Rows are locked in the order of their key, so that no two oracles wait for one another. A log that is not there begins
 * with its first post only.
 */
const APPEND = `
  with posts as (
    select * from unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bytea[], $8::bytea[], $9::boolean[])
      as given (key_id, epoch, size, posted, bucket, last, signature, rest, fills)
  ), appended as (
    insert into logs (key_id, epoch, size, posted, bucket, last, signature)
    select key_id, epoch, size, posted, bucket, last, signature from posts
    where size = posted or exists (select from logs l where l.key_id = posts.key_id and l.epoch = posts.epoch)
    order by key_id, epoch
    on conflict (key_id, epoch) do update
      set size = excluded.size, posted = excluded.posted, bucket = excluded.bucket,
        last = excluded.last, signature = excluded.signature
      where logs.size = excluded.size - excluded.posted
    returning key_id, epoch
  ), emptied as (
    delete from tails using posts join appended using (key_id, epoch)
    where posts.fills and tails.key_id = posts.key_id and tails.epoch = posts.epoch and tails.size < posts.size
  ), followed as (
    insert into tails (key_id, epoch, size, readings, signature)
    select key_id, epoch, size, rest, signature from posts join appended using (key_id, epoch) where rest <> ''
  ), bundled as (
    insert into bundles (key_id, epoch, index, time, readings, heads)
    select key_id, epoch, index, time, readings, heads
    from unnest($10::bytea[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bytea[], $15::bytea[])
      as full_bundles (key_id, epoch, index, time, readings, heads) join appended using (key_id, epoch)
  ), tiled as (
    insert into tiles (key_id, epoch, level, index, hashes, times)
    select key_id, epoch, level, index, hashes, times::bigint[]
    from unnest($16::bytea[], $17::bigint[], $18::int[], $19::bigint[], $20::bytea[], $21::text[])
      as begun (key_id, epoch, level, index, hashes, times) join appended using (key_id, epoch)
    on conflict (key_id, epoch, level, index) do update
      set hashes = excluded.hashes, times = tiles.times || excluded.times
  )
  select key_id, epoch from appended`;

type Bundle = Extract<Full, { kind: "bundle" }>;
/** `times`: when the bundles begin of which the last hashes are, as many as are new. */
type Tile = { level: number; index: number; hashes: Uint8Array; times: number[] };
type Post = {
  state: LogState;
  key: Buffer;
  growth: Growth;
  signature: Uint8Array;
  bucket: bigint;
  /** the log as it will be, where the post fills tiles */
  grown: LogState | undefined;
  bundles: Bundle[];
  tiles: Tile[];
};

export type Appends = (state: LogState, growth: Growth, signature: Uint8Array, bucket: bigint) => Promise<boolean>;

/** Resolves once committed, with the state grown; or with false and the state as it was. */
export function openAppends({ ask }: Pick<Database, "ask">): Appends {
  const append = (most: number) =>
    inGroups<Post, boolean>(
      async (posts) => {
        const stored = await ask<{ key_id: Buffer; epoch: string }>("append", APPEND, valuesOf(posts));
        const names = new Set(
          stored.map(({ key_id, epoch }) => nameOf({ keyId: toHex(key_id), epoch: Number(epoch) })),
        );
        return posts.map(({ state }) => names.has(nameOf(state)));
      },
      { most, atOnce: AT_ONCE, nameOf: ({ state }) => nameOf(state) },
    );
  // long posts do not make short ones wait for megabytes
  const [short, long] = [append(SMALL_GROUP), append(GROUP)];

  return async (state, growth, signature, bucket) => {
    const post = postOf(state, growth, signature, bucket);
    const isStored = await (growth.readings.length < TILE_WIDTH ? short : long)(post);
    if (!isStored) return false;
    if (post.grown) Object.assign(state, post.grown);
    else grow(state, growth, signature, bucket);
    return true;
  };
}

function postOf(state: LogState, growth: Growth, signature: Uint8Array, bucket: bigint): Post {
  const post = { state, key: keyBytes(state.keyId), growth, signature, bucket };
  if (growth.tiles.length === 0) return { ...post, grown: undefined, bundles: [], tiles: [] };
  const grown = copyOf(state);
  const full = grow(grown, growth, signature, bucket);
  const bundles = full.filter((piece) => piece.kind === "bundle");
  return { ...post, grown, bundles, tiles: tilesOf(grown, full, bundles) };
}

const copyOf = (state: LogState): LogState => ({
  ...state,
  tail: copyOfPacked(state.tail),
  heads: copyOfPacked(state.heads),
  rows: state.rows.map(copyOfPacked),
});

function copyOfPacked(packed: Packed): Packed {
  const copy = emptyPacked();
  push(copy, contentOf(packed));
  return copy;
}

/** Every tile from level 1 on that has other hashes now: the full ones, and of each level what is not. */
function tilesOf(grown: LogState, full: readonly Full[], bundles: readonly Bundle[]): Tile[] {
  const timesIn = (level: number, index: number) =>
    level > 1
      ? []
      : bundles
          .filter((bundle) => Math.floor(bundle.index / TILE_WIDTH) === index)
          .map(({ readings }) => timestampOf(readings.subarray(0, READING_LENGTH)));
  const tiles: Tile[] = [];
  let isChanged = true;
  for (let level = 1; isChanged; level++) {
    const filled = full.filter((piece) => piece.kind === "tile").filter((piece) => piece.level === level);
    for (const { index, hashes } of filled) tiles.push({ level, index, hashes, times: timesIn(level, index) });
    const row = grown.rows[level - 1];
    const index = fullTilesOf(grown.size, level);
    if (row && row.length > 0) tiles.push({ level, index, hashes: contentOf(row), times: timesIn(level, index) });
    isChanged = filled.length > 0;
  }
  return tiles;
}

function valuesOf(posts: readonly Post[]): unknown[] {
  const bundles = posts.flatMap((post) => post.bundles.map((bundle) => ({ ...post, ...bundle })));
  const tiles = posts.flatMap((post) => post.tiles.map((tile) => ({ ...post, ...tile })));
  const named = (rows: readonly Pick<Post, "key" | "state">[]) => [
    rows.map(({ key }) => key),
    rows.map(({ state }) => state.epoch),
  ];
  return [
    ...named(posts),
    posts.map(({ growth }) => growth.size),
    posts.map(({ growth }) => growth.readings.length),
    posts.map(({ bucket }) => bucket),
    posts.map(({ growth }) => buffer(growth.readings.at(-1) as Uint8Array)),
    posts.map(({ signature }) => buffer(signature)),
    posts.map(({ growth }) => growth.rest),
    posts.map(({ grown }) => grown !== undefined),
    ...named(bundles),
    bundles.map(({ index }) => index),
    bundles.map(({ readings }) => timestampOf(readings.subarray(0, READING_LENGTH))),
    bundles.map(({ readings }) => buffer(readings)),
    bundles.map(({ heads }) => buffer(heads)),
    ...named(tiles),
    tiles.map(({ level }) => level),
    tiles.map(({ index }) => index),
    tiles.map(({ hashes }) => buffer(hashes)),
    tiles.map(({ times }) => `{${times.join()}}`),
  ];
}

/** pg takes a Uint8Array in an array for a list of numbers. */
const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
