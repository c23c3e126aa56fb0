/** Two heads of one log that a device signed and that cannot both be honest, as WattWitness.proveEquivocation takes them. */
import { type Hex, zeroHash } from "viem";
import { completeSubtrees, fromHex, type Hash, inclusionProof, toHex } from "../../protocol/index.ts";
import type { Equivocation } from "../chain/calldata.ts";
import { rootOf } from "../evidence/hashing.ts";
import { native } from "../evidence/native.ts";
import type { Prefix, SeenHead } from "./state.ts";

const HASH = 32;
const NOTHING = new Uint8Array();

/** A head with the readings that lead to it, packed. */
export type Story = { head: SeenHead; readings: Uint8Array };

/** Undefined where one story goes on with the other. */
export function contradictionOf(publicKey: Hex, epoch: number, one: Story, other: Story): Equivocation | undefined {
  const [first, second] = [one, other].sort((a, b) => a.head.size - b.head.size) as [Story, Story];
  const index = differenceIn(first.readings, second.readings);
  return index === undefined
    ? undefined
    : equivocationOf(publicKey, epoch, [first.head, second.head], [placedIn(first, index), placedIn(second, index)]);
}

/** Two heads of one size need no more than themselves. */
export const bareEquivocationOf = (publicKey: Hex, epoch: number, one: SeenHead, other: SeenHead): Equivocation =>
  equivocationOf(publicKey, epoch, [one, other], [EMPTY, EMPTY]);

type Placed = Equivocation["one"];
const EMPTY: Placed = { index: 0n, reading: zeroHash, proof: [] };

function equivocationOf(
  publicKey: Hex,
  epoch: number,
  [first, second]: readonly [SeenHead, SeenHead],
  [one, other]: readonly [Placed, Placed],
): Equivocation {
  const headOf = ({ size, reading, root }: SeenHead) => ({ epoch, size: BigInt(size), reading, root });
  const [x, y] = halves(publicKey);
  const [[r, s], [r2, s2]] = [halves(first.signature), halves(second.signature)];
  return {
    ...{ key: { x, y }, first: headOf(first), firstSignature: { r, s } },
    ...{ second: headOf(second), secondSignature: { r: r2, s: s2 }, one, other },
  };
}

const halves = (hex: Hex): [Hex, Hex] => [hex.slice(0, 66) as Hex, `0x${hex.slice(66)}`];

function differenceIn(one: Uint8Array, other: Uint8Array): number | undefined {
  const count = Math.min(one.length, other.length) / HASH;
  for (let i = 0; i < count; i++) {
    if (Buffer.compare(readingAt(one, i), readingAt(other, i)) !== 0) return i;
  }
  return undefined;
}

const readingAt = (readings: Uint8Array, index: number): Uint8Array =>
  readings.subarray(HASH * index, HASH * (index + 1));

/** In memory of their own: what hashes uses its own again. */
const leavesOf = (readings: Uint8Array): Uint8Array => Uint8Array.from(native.leaves(readings));

function placedIn({ head, readings }: Story, index: number): Placed {
  const leaves = leavesOf(readings);
  const range = (start: number, end: number): Hash =>
    rootOf(native, 0, NOTHING, leaves.slice(HASH * start, HASH * end));
  const proof = inclusionProof(range, index, head.size).map(toHex);
  return { index: BigInt(index), reading: toHex(readingAt(readings, index)), proof };
}

/* A LOG THAT GROWS */

/** The root over all readings, packed. */
export const rootOver = (readings: Uint8Array): Hex => toHex(rootOf(native, 0, NOTHING, leavesOf(readings)));

export const NO_READINGS: Prefix = { size: 0, root: "0x", frontier: "0x" };

/** A log once it has `more`, which is not nothing. */
export function grown({ size, frontier }: Prefix, more: Uint8Array): Prefix {
  const before = fromHex(frontier);
  const leaves = leavesOf(more);
  const known = completeSubtrees(size);
  const hashes = completeSubtrees(size + more.length / HASH).map(([start, end]) => {
    const at = known.findIndex(([from, to]) => from === start && to === end);
    if (at !== -1) return before.subarray(HASH * at, HASH * (at + 1));
    // what it has of the log before are the subtrees from its start on
    const inside = known.filter(([from]) => from >= start);
    const left = before.subarray(before.length - HASH * inside.length);
    const [from, to] = [Math.max(start, size), end].map((index) => HASH * (index - size));
    return rootOf(native, Math.max(0, size - start), left, leaves.slice(from, to));
  });
  const root = rootOf(native, size, before, leaves);
  return { size: size + more.length / HASH, root: toHex(root), frontier: toHex(Buffer.concat(hashes)) };
}
