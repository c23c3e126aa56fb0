/**
 * Fetches again what of a data folder is damaged and somebody else has: full tiles and bundles of logs, and batches. Each
 * is checked before it takes the damaged one's place: tiles against the level above them, up to the head that the meter
 * signed, batches against their digest. What is right is left as it is.
 */
import { dirname, join } from "node:path";
import { batchDigest, encodeHead, equal, fromHex, keyIdOf, toHex, verify } from "../../protocol/index.ts";
import type { Meter } from "../chain/view.ts";
import type { Job } from "../settling/jobs.ts";
import { decodeBundle, ENTRY_LENGTH } from "../store/bundles.ts";
import { makeDirectory, writeDurably } from "../store/embedded/durable.ts";
import { hashLeaves, rootOf } from "../store/hashing.ts";
import { fullTilesOf, TILE_LENGTH, TILE_WIDTH } from "../store/log-state.ts";
import { type Store, StoreDamaged, type StoredLog } from "../store/store.ts";
import { bytesOfTile } from "../tlog/logs.ts";
import { type TileSpan, tilePath } from "../tlog/tiles.ts";
import { keysOf } from "./verifying.ts";

const BUNDLE_LENGTH = TILE_WIDTH * ENTRY_LENGTH;

/** What stands at a path of a mirror, or why it cannot be had. */
export type Mirror = (path: string) => Promise<{ ok: true; bytes: Uint8Array } | { ok: false; reason: string }>;

/** Puts a whole tile or bundle where the store keeps it, durably. */
export type PutTile = (log: StoredLog, span: TileSpan, bytes: Uint8Array) => Promise<void>;

/** `repaired`: paths of a mirror; `left`: sentences about what is still damaged, and why. */
export type Repair = { readings: number; repaired: string[]; left: string[] };

export async function repairStore({
  store,
  headDomain,
  putTile,
  mirror,
  progress = () => {},
}: {
  store: Store;
  headDomain: Uint8Array;
  putTile: PutTile;
  /** absent: it is only told what is damaged */
  mirror: Mirror | undefined;
  /** is told how many readings are behind it */
  progress?: (readings: number) => void;
}): Promise<Repair> {
  const repaired: string[] = [];
  const left = new Set<string>();
  const meters = await store.records<Meter>("meters");
  let readings = 0;
  for await (const keyId of keysOf(store)) {
    const publicKey = fromHex((await meters.get(keyId))?.publicKey ?? "0x");
    for (const log of await store.logs.of(keyId)) await repairLog(log, publicKey);
  }
  for (const name of ["jobs", "jobs-finished"]) {
    for (const digest of await (await store.records<Job>(name)).ids()) await repairBatch(digest);
  }
  return { readings, repaired, left: [...left] };

  function count(more: number): void {
    readings += more;
    progress(readings);
  }

  async function repairLog(log: StoredLog, publicKey: Uint8Array): Promise<void> {
    const before = left.size;
    for (const span of fullSpansOf(log.size)) {
      await repairTile(log, span, publicKey);
      if (span.kind === "entries") count(TILE_WIDTH);
    }
    count(log.size % TILE_WIDTH);
    // no mirror has the heads
    const damage = left.size === before ? await damageIn(log.headsAfter(0)) : undefined;
    if (damage !== undefined) left.add(`${damage} Nobody else has it.`);
  }

  async function repairTile(log: StoredLog, span: TileSpan, publicKey: Uint8Array): Promise<void> {
    // below a tile that is damaged nothing can be told
    if ((await damageIn(expectedOf(log, span))) !== undefined) return;
    const damage = await damageIn(bytesOfTile(log, span));
    if (damage === undefined) return;
    if (!(await isSigned(log, publicKey))) {
      left.add(`${damage} What is kept above it is not what the meter signed: there is nothing to check another by.`);
      return;
    }
    const path = `tlog/${log.keyId}/${log.epoch}/${tilePath(span)}`;
    const expected = await expectedOf(log, span);
    await mend(path, damage, {
      isRight: (bytes) => isTile(span, bytes, expected),
      put: (bytes) => putTile(log, span, bytes),
    });
  }

  async function repairBatch(digest: string): Promise<void> {
    const kept = store.batches.get(digest);
    const damage = (await damageIn(kept)) ?? ((await kept) ? undefined : `The batch ${digest} is missing.`);
    if (damage === undefined) return;
    await mend(`batches/${digest}`, damage, {
      isRight: (some) => toHex(batchDigest(some)) === digest,
      put: async (some) => void (await store.batches.put(some)),
    });
  }

  async function mend(
    path: string,
    damage: string,
    { isRight, put }: { isRight: (bytes: Uint8Array) => boolean; put: (bytes: Uint8Array) => Promise<void> },
  ): Promise<void> {
    if (!mirror) return void left.add(damage);
    const fetched = await mirror(path);
    if (!fetched.ok) return void left.add(`${damage} It cannot be fetched: ${fetched.reason}.`);
    if (!isRight(fetched.bytes)) return void left.add(`${damage} The mirror has something else there: it was refused.`);
    await put(fetched.bytes);
    repaired.push(path);
  }

  async function isSigned(log: StoredLog, publicKey: Uint8Array): Promise<boolean> {
    const { newestHead, epoch } = log;
    if (!newestHead || publicKey.length === 0 || toHex(keyIdOf(publicKey)) !== log.keyId) return false;
    const statement = encodeHead(headDomain, { ...newestHead, epoch, root: log.rootWith([]) });
    return (await verify(statement, newestHead.signature, publicKey)).ok;
  }
}

/** Into a store's folder, where it reads them. */
export const puttingInto =
  (directory: string): PutTile =>
  async ({ keyId, epoch }, span, bytes) => {
    const path = join(directory, "logs", keyId, String(epoch), tilePath(span));
    await makeDirectory(dirname(path));
    await writeDurably(path, bytes);
  };

/** Full tiles from the highest level down, bundles last: each comes after all that it is checked against. */
function* fullSpansOf(size: number): Generator<TileSpan> {
  let levels = 0;
  while (fullTilesOf(size, levels) > 0) levels++;
  for (let level = levels - 1; level >= 0; level--) {
    for (let index = 0; index < fullTilesOf(size, level); index++) yield { kind: level, index, width: TILE_WIDTH };
  }
  for (let index = 0; index < fullTilesOf(size, 0); index++) yield { kind: "entries", index, width: TILE_WIDTH };
}

/** What is kept above a tile says of it: of a bundle the hashes of its readings, of hashes their root. */
async function expectedOf(log: StoredLog, { kind, index }: TileSpan): Promise<Uint8Array> {
  if (kind === "entries") return (await log.tile(0, index, TILE_WIDTH)) as Uint8Array;
  const covered = TILE_WIDTH ** (kind + 1);
  return log.hashOf(index * covered, (index + 1) * covered);
}

function isTile({ kind }: TileSpan, bytes: Uint8Array, expected: Uint8Array): boolean {
  if (kind !== "entries") return bytes.length === TILE_LENGTH && equal(rootOf(bytes), expected);
  const readings = bytes.length === BUNDLE_LENGTH ? decodeBundle(bytes) : undefined;
  return readings !== undefined && hashLeaves(readings).equals(expected);
}

/** What is said of a damaged file where reading meets one. */
async function damageIn(reading: Promise<unknown>): Promise<string | undefined> {
  try {
    await reading;
    return undefined;
  } catch (error) {
    if (error instanceof StoreDamaged) return error.message;
    throw error;
  }
}
