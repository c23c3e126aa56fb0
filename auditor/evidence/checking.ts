/**
 * Finds the readings of every settlement, wherever they are, and holds them against it: batch by batch, so that no more is in
 * memory than the threads work on.
 */
import { type Hex, keccak256, stringToBytes } from "viem";
import {
  BATCH_LIMIT,
  concat,
  domain,
  encodeBatch,
  equal,
  fromHex,
  type Hash,
  SIZE_LIMIT,
  toHex,
} from "../../protocol/index.ts";
import { sentIn, settleItemsIn } from "../chain/calldata.ts";
import type { History } from "../chain/history.ts";
import { type Finding, missing, refuted, verdictOf } from "../finding.ts";
import type { Replay } from "../replay/replay.ts";
import { isUnattested, type Settlement } from "../replay/settling.ts";
import { judge, objectOf } from "./judging.ts";
import { layoutOf } from "./layout.ts";
import { native } from "./native.ts";
import { batchPath, isDigest, type Place } from "./places.ts";
import type { Pool } from "./pool.ts";
import type { Counts } from "./rules.ts";
import type { HourReading, SegmentBytes, SegmentResult } from "./segment.ts";
import { type Log, logIn, segmentFromTiles } from "./tiles.ts";
import type { BatchResult } from "./work.ts";

/** What a settlement's readings were found in, and what they are. */
export type Evidence = {
  /** digest of the batch; absent = from tiles */
  batch?: Hex;
  place: string;
  /** those that were not settled before */
  readings: number;
  counts: Counts;
};

/** By `settlementId`. */
export type Verified = Map<string, Evidence>;

export type Checked = { verified: Verified; findings: Finding[] };

/** What is handed on of a settlement whose readings are verified: those at full hours, some settled before among them. */
export type OnHours = (settlement: Settlement, hours: readonly HourReading[]) => void;

export type Progress = (told: { settlements: number; readings: number }) => void;

export type Checking = {
  history: History;
  replayed: Replay;
  /** whose readings are looked for */
  settlements: readonly Settlement[];
  places: readonly Place[];
  pool: Pool;
  /** what is known already, and not looked for again */
  before?: Verified | undefined;
  onProgress?: Progress | undefined;
  onBatch?: ((bytes: Uint8Array) => Promise<void>) | undefined;
  onHours?: OnHours | undefined;
};

/** All that the readings of a settlement are held against: what was verified for one is so for ever. */
export function settlementId({ where, ...settlement }: Settlement): string {
  const text = JSON.stringify([where.transaction, where.index, settlement], (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
  return keccak256(stringToBytes(text));
}

export async function checkReadings(checking: Checking): Promise<Checked> {
  const { history, replayed, settlements, places, pool, before } = checking;
  const { chainId, registry } = history.deployment;
  const headDomain = domain("head", { chainId, registry });
  const verified: Verified = new Map();
  const findings: Finding[] = [];
  /** those that nothing was found of yet, by what a segment says of itself */
  const open = new Map<string, Settlement>();
  let readings = 0;

  for (const settlement of settlements) {
    const known = before?.get(settlementId(settlement));
    if (known) accept(settlement, known);
    else open.set(nameOf(settlement), settlement);
  }

  function accept(settlement: Settlement, evidence: Evidence): void {
    verified.set(settlementId(settlement), evidence);
    readings += evidence.readings;
    checking.onProgress?.({ settlements: verified.size, readings });
  }

  /** Whatever was found is judged once. */
  function close(settlement: Settlement, judged: Finding[], segment: SegmentResult, place: Place, batch?: Hex): void {
    open.delete(nameOf(settlement));
    findings.push(...judged);
    if (verdictOf(judged) !== "verified") return;
    accept(settlement, evidenceOf(settlement, segment, place, batch));
    checking.onHours?.(settlement, segment.hours);
  }

  /* BATCHES */

  const digests = digestsByRoot(replayed);
  const digestsOf = (settlement: Settlement): ReadonlySet<Hex> => digests.get(settlement.attestation) ?? new Set();

  /** Batches that no place has. */
  const lost = new Set<Hex>();

  async function fetched(
    digests: readonly Hex[],
  ): Promise<{ digest: Hex; bytes: Uint8Array; place: Place } | undefined> {
    for (const digest of digests) {
      for (const place of places) {
        const bytes = await place.get(batchPath(digest), BATCH_LIMIT);
        if (bytes && toHex(native.sha256(bytes)) === digest) return { digest, bytes: ownBytes(bytes), place };
      }
    }
    return undefined;
  }

  /** One of these digests; `isNamed`: a DON vouched for it, so that what it says is evidence for and against, of any other only for. */
  async function checkBatch(digests: readonly Hex[], isNamed: boolean): Promise<void> {
    const found = await fetched(digests);
    if (!found) {
      if (isNamed)
        findings.push(missing("no batch", digests.join(" or "), "no place has it", { batch: digests[0] as Hex }));
      for (const digest of isNamed ? digests : []) lost.add(digest);
      return;
    }
    const { digest, bytes, place } = found;
    const layout = layoutOf(bytes, BATCH_LIMIT);
    if (!layout.ok) {
      if (isNamed) findings.push(refuted(layout.failure, digest, "a batch", layout.failure, { batch: digest }));
      return;
    }
    const settled = layout.places.map(({ publicKey, epoch, from, count }) => {
      const keyId = toHex(native.sha256(bytes.subarray(publicKey, publicKey + 64)));
      return open.get(nameOf({ keyId, epoch, size: from + count }));
    });
    if (!isNamed && settled.every((each) => each === undefined)) return;
    await checking.onBatch?.(bytes.slice());
    const before = settled.map((each) => each?.fromSize ?? 0);
    const result = await pool.run({ kind: "batch", bytes, limit: BATCH_LIMIT, before });
    for (const [i, segment] of result.segments.entries()) {
      const settlement = settled[i];
      if (settlement && open.has(nameOf(settlement))) judgeIn(settlement, segment, result, place);
    }
  }

  function judgeIn(settlement: Settlement, segment: SegmentResult, batch: BatchResult, place: Place): void {
    const digest = toHex(batch.digest);
    const isBound = digestsOf(settlement).has(digest);
    const isAttested = !isUnattested(settlement.attestation);
    // of one that the DON did not name nothing is believed but what leads to the very roots
    if (isAttested && !isBound && (digestsOf(settlement).size > 0 || toHex(batch.root) !== settlement.attestation))
      return;
    if (!isBound && toHex(segment.root) !== settlement.root) return;
    const judged = judge(settlement, segment, { batch: digest }, toHex(batch.root));
    if (!equal(batch.domain, headDomain)) {
      judged.push(refuted("wrong domain", digest, toHex(headDomain), toHex(batch.domain), { batch: digest }));
    }
    if (!isBound && (segment.capacity !== settlement.capacity || judged.some(({ rule }) => MADE_UP.has(rule)))) return;
    close(settlement, judged, segment, place, digest);
  }

  const roots = new Set([...open.values()].map(({ attestation }) => attestation));
  const asked = [...roots].flatMap((root) => [[...(digests.get(root) ?? [])]]).filter(({ length }) => length > 0);
  await each(asked, pool.width, (some) => checkBatch(some, true));
  for (const settlement of open.values()) {
    const [digest] = digestsOf(settlement);
    if (digest === undefined || lost.has(digest)) continue;
    findings.push(refuted("not in batch", objectOf(settlement), `a segment in ${digest}`, "none", settlement.where));
  }
  const isLoose = (settlement: Settlement) => digestsOf(settlement).size === 0;
  if ([...open.values()].some(isLoose)) {
    const others = new Set([...(await listed(places)), ...[...replayed.requests.values()].map(({ digest }) => digest)]);
    await each([...others], pool.width, (digest) => checkBatch([digest], false));
  }

  /* TILES */

  async function checkTiles(settlement: Settlement): Promise<void> {
    const { keyId, epoch, fromSize, size, publicKey, capacity, root } = settlement;
    const from = Math.max(fromSize - 1, 0);
    let lacks = "no place has a batch or tiles of it";
    const isForward = size > fromSize && size < SIZE_LIMIT;
    for (const place of isForward ? places : []) {
      const log = await logIn(place, keyId, epoch);
      const found = await segmentFromTiles(native, log, from, size);
      if (typeof found === "string") {
        lacks = `no place has ${found}`;
        continue;
      }
      const signature = await signatureOf(history, settlement, log);
      const bytes = { publicKey: fromHex(publicKey), epoch, from, capacity, signature };
      const segmentBytes = { ...bytes, ...found };
      const batch = checking.onBatch && batchOf(headDomain, segmentBytes);
      const asked = { kind: "segment" as const, domain: headDomain, segment: segmentBytes, before: fromSize };
      const segment = await pool.run(asked);
      // a place may have anything: only what leads to the settled root is of this log
      if (toHex(segment.root) !== root) {
        lacks = `${place.name} has other tiles than those of the settled root`;
        continue;
      }
      if (batch) await checking.onBatch?.(batch);
      return close(settlement, judge(settlement, segment, { place: place.name }), segment, place);
    }
    findings.push(missing("no readings", objectOf(settlement), lacks, settlement.where));
  }

  await each([...open.values()].filter(isLoose), pool.width, (settlement) =>
    isUnattested(settlement.attestation)
      ? checkTiles(settlement)
      : Promise.resolve(
          findings.push(missing("no batch", objectOf(settlement), "no place has one of its attestation")),
        ),
  );
  return { verified, findings };
}

/** A batch of nothing but a segment; undefined where nobody said the signature. */
function batchOf(headDomain: Uint8Array, { signature, frontier, readings, ...segment }: SegmentBytes) {
  if (!signature) return undefined;
  const whole = { ...segment, signature, frontier: wordsOf(frontier), readings: wordsOf(readings) };
  return encodeBatch({ domain: headDomain, segments: [whole] });
}

const wordsOf = (packed: Uint8Array): Uint8Array[] =>
  Array.from({ length: packed.length / 32 }, (_, i) => packed.slice(32 * i, 32 * (i + 1)));

/** They go to a thread, and whatever shares their memory with them. */
const ownBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.length === bytes.buffer.byteLength ? new Uint8Array(bytes.buffer) : new Uint8Array(bytes);

const nameOf = ({ keyId, epoch, size }: Pick<Settlement, "keyId" | "epoch" | "size">): string =>
  `${keyId} ${epoch} ${size}`;

/** In a batch that no DON vouched for these are whatever its maker wrote, so that they say nothing of a settlement. */
const MADE_UP = new Set(["high s", "bad key", "bad signature", "wrong domain", "segment gap"]);

/** Digests of the batches that a DON vouched for, by their root. */
function digestsByRoot({ requests }: Replay): Map<Hex, Set<Hex>> {
  const digests = new Map<Hex, Set<Hex>>();
  for (const { root, digest, answer } of requests.values()) {
    if (answer === "confirmed") digests.set(root, (digests.get(root) ?? new Set()).add(digest));
  }
  return digests;
}

async function listed(places: readonly Place[]): Promise<Hex[]> {
  const names = await Promise.all(places.map((place) => place.list("batches")));
  return names.flat().filter(isDigest);
}

const evidenceOf = (settlement: Settlement, segment: SegmentResult, { name }: Place, batch?: Hex): Evidence => ({
  ...(batch && { batch }),
  ...{ place: name, readings: settlement.size - settlement.fromSize, counts: segment.counts },
});

/** Of a settlement by tiles: from the transaction that settled it, or else a checkpoint of its very head. */
async function signatureOf({ chain }: History, settlement: Settlement, { checkpoint }: Log): Promise<Hash | undefined> {
  const { epoch, size, root, publicKey, where } = settlement;
  const sent = await sentIn(chain, where.transaction as Hex);
  const item = sent.ok
    ? settleItemsIn(sent.value.input).find(({ key, head }) => {
        const own = `${key.x}${key.y.slice(2)}`.toLowerCase() === publicKey;
        return own && head.epoch === epoch && head.size === BigInt(size) && head.root.toLowerCase() === root;
      })
    : undefined;
  if (item) return concat(fromHex(item.signature.r), fromHex(item.signature.s));
  const isOfHead = checkpoint && checkpoint.size === size && toHex(checkpoint.root) === root;
  return isOfHead ? checkpoint.signature : undefined;
}

/** As many at once as there is room for. */
async function each<T>(items: readonly T[], width: number, act: (item: T) => Promise<unknown>): Promise<void> {
  const rest = items.values();
  const run = async () => {
    for (const item of rest) await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, run));
}
