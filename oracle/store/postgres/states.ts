/**
 * Logs as the database has them now. What is remembered of a log is used only where its size is still the stored one:
 * other oracles append, too, and a log of the same size is the same log.
 */
import { HASH_LENGTH, type Hash, READING_LENGTH, toHex } from "../../../protocol/index.ts";
import { extend } from "../hashing.ts";
import { appendHead } from "../heads.ts";
import { emptyLog, type LogState, TILE_WIDTH } from "../log-state.ts";
import { emptyPacked, type Packed, partOf, push } from "../packed.ts";
import type { Database } from "./database.ts";
import { inGroups } from "./groups.ts";
import { damaged, keyBytes, type LogName, nameOf } from "./names.ts";

/** Logs remembered at once: some 25 kB each. */
const REMEMBERED = 10_000;
/** Keys or logs asked for in one statement. */
const GROUP = 1000;
const AT_ONCE = 2;
/** of tiles that a log of 2^40 readings can have begun, above those that are made of readings */
const LEVELS = 4;

/** What is looked at for every post: small, and in the primary key's order. */
const LOOK = `
  select key_id, epoch, size from logs where key_id = any($1::bytea[]) order by key_id, epoch`;

/** All that is kept of logs in memory, as one snapshot has it. */
const LOAD = `
  select l.key_id, l.epoch, l.size, l.bucket, l.last, l.signature, t.posts, t.signatures, r.levels, r.hashes
  from unnest($1::bytea[], $2::bigint[]) as asked (key_id, epoch)
  join logs l on l.key_id = asked.key_id and l.epoch = asked.epoch
  left join lateral (
    select array_agg(readings order by size) as posts, array_agg(signature order by size) as signatures
    from tails where tails.key_id = l.key_id and tails.epoch = l.epoch
  ) t on true
  left join lateral (
    select array_agg(tiles.level order by tiles.level) as levels, array_agg(hashes order by tiles.level) as hashes
    from generate_series(1, ${LEVELS}) as begun (level)
    join tiles on tiles.key_id = l.key_id and tiles.epoch = l.epoch and tiles.level = begun.level
      and tiles.index = l.size >> (8 * (begun.level + 1))
  ) r on true`;

type Looked = { key_id: Buffer; epoch: string; size: string };
type Loaded = Looked & {
  bucket: string;
  last: Buffer;
  signature: Buffer;
  posts: Buffer[] | null;
  signatures: (Buffer | null)[] | null;
  levels: number[] | null;
  hashes: Buffer[] | null;
};

export type States = {
  /** Logs of a key with at least one reading, by epoch. */
  of(keyId: string): Promise<LogState[]>;
  /** Remembers a log that has grown. */
  keep(state: LogState): void;
};

export function openStates({ ask }: Pick<Database, "ask">): States {
  const remembered = new Map<string, LogState>();

  function keep(state: LogState): void {
    const name = nameOf(state);
    remembered.delete(name);
    remembered.set(name, state);
    if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value as string);
  }

  const look = inGroups<string, (LogName & { size: number })[]>(
    async (keyIds) => {
      const byKey = new Map<string, (LogName & { size: number })[]>(keyIds.map((keyId) => [keyId, []]));
      for (const row of await ask<Looked>("look", LOOK, [keyIds.map(keyBytes)])) {
        const keyId = toHex(row.key_id);
        byKey.get(keyId)?.push({ keyId, epoch: Number(row.epoch), size: Number(row.size) });
      }
      return keyIds.map((keyId) => byKey.get(keyId) ?? []);
    },
    { most: GROUP, atOnce: AT_ONCE, nameOf: (keyId) => keyId },
  );

  const load = inGroups<LogName, LogState | undefined>(
    async (names) => {
      const values = [names.map(({ keyId }) => keyBytes(keyId)), names.map(({ epoch }) => epoch)];
      const states = (await ask<Loaded>("load", LOAD, values)).map(stateOf);
      const byName = new Map(states.map((state) => [nameOf(state), state]));
      return names.map((name) => byName.get(nameOf(name)));
    },
    { most: GROUP, atOnce: AT_ONCE, nameOf },
  );

  async function current(name: LogName & { size: number }): Promise<LogState | undefined> {
    const known = remembered.get(nameOf(name));
    const state = known?.size === name.size ? known : await load(name);
    if (state) keep(state);
    return state;
  }

  return {
    keep,
    of: async (keyId) => (await Promise.all((await look(keyId)).map(current))).filter((state) => state !== undefined),
  };
}

function stateOf(row: Loaded): LogState {
  const state = emptyLog(toHex(row.key_id), Number(row.epoch));
  state.size = Number(row.size);
  state.bucket = BigInt(row.bucket);
  state.last = new Uint8Array(row.last);
  state.signature = new Uint8Array(row.signature);
  for (const [i, readings] of (row.posts ?? []).entries()) {
    push(state.tail, readings);
    const signature = row.signatures?.[i];
    if (signature) appendHead(state.heads, state.tail.length / READING_LENGTH - 1, signature);
  }
  for (const [i, level] of (row.levels ?? []).entries()) {
    while (state.rows.length < level) state.rows.push(emptyPacked());
    push(state.rows[level - 1] as Packed, row.hashes?.[i] as Buffer);
  }
  requireWhole(state);
  state.upper = upperOf(state);
  return state;
}

/** The tail and the tiles that are not full must be as long as the size says. */
function requireWhole(state: LogState): void {
  const { size, tail, rows } = state;
  const inTail = tail.length / READING_LENGTH;
  if (inTail !== size % TILE_WIDTH) {
    throw damaged("the tails", state, `they have ${inTail} readings, and a log of ${size} needs ${size % TILE_WIDTH}`);
  }
  for (let level = 1; level <= LEVELS; level++) {
    const has = (rows[level - 1]?.length ?? 0) / HASH_LENGTH;
    const needs = Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH;
    if (has !== needs) throw damaged("the tiles", state, `level ${level} ends with ${has} hashes instead of ${needs}`);
  }
}

/** The frontier of the full tiles: of each level's row, the highest first. */
const upperOf = ({ rows }: LogState): Hash[] =>
  rows.toReversed().flatMap(({ bytes, length }) => {
    const frontier: Hash[] = [];
    for (let i = 0; i < length / HASH_LENGTH; i++) extend(frontier, i, partOf(bytes, i, HASH_LENGTH));
    return frontier;
  });
