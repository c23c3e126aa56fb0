/**
 * A segment from a log's tiles (c2sp.org/tlog-tiles): its readings from the entries, the frontier before them from the
 * hashes. A tile of no full 256 stands under its width, and under greater ones once the log has grown.
 *
 *   tlog/<key id>/<epoch>/tile/<level>/<index>[.p/<width>]     hashes, 32 bytes each
 *   tlog/<key id>/<epoch>/tile/entries/<index>[.p/<width>]     readings, each after its length (u16)
 *   tlog/<key id>/<epoch>/checkpoint                           the newest head: size, root, the device's signature
 */
import type { Hex } from "viem";
import { completeSubtrees } from "../../protocol/index.ts";
import type { Hasher } from "./hashing.ts";
import type { Place } from "./places.ts";

export const WIDTH = 256;
const HASH = 32;
const ENTRY = 34;
export const CHECKPOINT_LIMIT = 4096;

export type Kind = number | "entries";

export const logPath = (keyId: Hex, epoch: number): string => `tlog/${keyId}/${epoch}`;

/** An index in groups of three digits, all but the last with an `x`. */
export function tileName(index: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/\d{3}/g) as string[];
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join("/");
}

/** Below a log's path. */
export const tilePath = (kind: Kind, index: number, width: number): string =>
  `tile/${kind}/${tileName(index)}${width === WIDTH ? "" : `.p/${width}`}`;

export type Log = { place: Place; path: string; checkpoint: Checkpoint | undefined };

/** `reading`: the last one, which a device's signature has beside it */
export type Checkpoint = {
  size: number;
  root: Uint8Array;
  reading: Uint8Array | undefined;
  signature: Uint8Array | undefined;
};

export async function logIn(place: Place, keyId: Hex, epoch: number): Promise<Log> {
  const path = logPath(keyId, epoch);
  const text = await place.get(`${path}/checkpoint`, CHECKPOINT_LIMIT);
  return { place, path, checkpoint: text && checkpointIn(new TextDecoder().decode(text)) };
}

/** What it says; whose signature it is that is as long as a device's is for whoever verifies it. */
export function checkpointIn(text: string): Checkpoint | undefined {
  const [, size = "", root = "", , ...lines] = text.split("\n");
  const bytes = Buffer.from(root, "base64");
  if (!/^[1-9]\d{0,12}$/.test(size) || bytes.length !== HASH) return undefined;
  const signatures = lines.map((line) => Buffer.from(line.split(" ").at(-1) ?? "", "base64"));
  const signed = signatures.find(({ length }) => length === 4 + HASH + 64);
  const [reading, signature] = [signed?.subarray(4, 4 + HASH), signed?.subarray(4 + HASH)];
  return { size: Number(size), root: bytes, reading, signature };
}

/** The first `needed` or more of a tile. */
async function tileIn(
  { place, path, checkpoint }: Log,
  kind: Kind,
  index: number,
  needed: number,
): Promise<Uint8Array | undefined> {
  const unit = kind === "entries" ? ENTRY : HASH;
  const name = `${path}/tile/${kind}/${tileName(index)}`;
  const whole = await place.get(name, unit * WIDTH);
  if (whole?.length === unit * WIDTH) return whole;
  const newest = checkpoint && widthAt(checkpoint.size, kind, index);
  const widths = [needed, ...(newest === undefined ? [] : [newest]), ...(await place.list(`${name}.p`)).map(Number)];
  for (const width of new Set(widths)) {
    if (!(width >= needed && width < WIDTH)) continue;
    const part = await place.get(`${name}.p/${width}`, unit * width);
    if (part?.length === unit * width) return part;
  }
  return undefined;
}

/** How much of a tile a log of `size` has. */
const widthAt = (size: number, kind: Kind, index: number): number =>
  Math.floor(size / WIDTH ** (kind === "entries" ? 0 : kind)) - index * WIDTH;

/** The first `count` entries of a bundle, as they are there; undefined where they are not, or of another length. */
export async function entriesFrom(log: Log, index: number, count: number): Promise<Uint8Array | undefined> {
  const bundle = (await tileIn(log, "entries", index, count))?.subarray(0, ENTRY * count);
  for (let at = 0; bundle && at < bundle.length; at += ENTRY) {
    if (bundle[at] !== 0 || bundle[at + 1] !== HASH) return undefined;
  }
  return bundle;
}

/** Readings without their lengths, packed. */
export function readingsIn(entries: Uint8Array): Uint8Array {
  const readings = new Uint8Array((entries.length / ENTRY) * HASH);
  for (let i = 0; i * HASH < readings.length; i++) {
    readings.set(entries.subarray(ENTRY * i + 2, ENTRY * (i + 1)), HASH * i);
  }
  return readings;
}

export type FromTiles = { readings: Uint8Array; frontier: Uint8Array };

/** Readings `from` to `size`, packed, with the frontier before them; or the name of what is not there. */
export async function segmentFromTiles(
  hasher: Hasher,
  log: Log,
  from: number,
  size: number,
): Promise<FromTiles | string> {
  // no more is held than there is: a size is only what a node says
  const readings: Uint8Array[] = [];
  for (let index = Math.floor(from / WIDTH); index * WIDTH < size; index++) {
    const start = index * WIDTH;
    const bundle = await entriesFrom(log, index, Math.min(WIDTH, size - start));
    if (!bundle) return `${log.path}/${tilePath("entries", index, WIDTH)}`;
    readings.push(readingsIn(bundle).subarray(HASH * Math.max(0, from - start)));
  }
  const subtrees = completeSubtrees(from);
  const frontier = new Uint8Array(HASH * subtrees.length);
  for (const [i, [start, end]] of subtrees.entries()) {
    const level = Math.floor(Math.log2(end - start) / 8);
    const [first, count] = [start / WIDTH ** level, (end - start) / WIDTH ** level];
    const [index, offset] = [Math.floor(first / WIDTH), first % WIDTH];
    const tile = await tileIn(log, level, index, offset + count);
    if (!tile) return `${log.path}/${tilePath(level, index, WIDTH)}`;
    let row: Uint8Array = tile.subarray(HASH * offset, HASH * (offset + count));
    while (row.length > HASH) row = hasher.nodes(row);
    frontier.set(row, HASH * i);
  }
  return { readings: new Uint8Array(Buffer.concat(readings)), frontier };
}
