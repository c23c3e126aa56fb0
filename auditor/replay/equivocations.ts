/** Equivocations: the two heads of the event, with the signatures and readings that were sent, contradict each other. */
import type { Hex } from "viem";
import {
  concat,
  domain,
  encodeHead,
  equal,
  fromHex,
  type Head,
  headHash,
  type Place,
  verify,
  verifyInclusion,
} from "../../protocol/index.ts";
import { type Equivocation, equivocationsIn, type PlacedReading, sentIn } from "../chain/calldata.ts";
import type { ChainEvent } from "../chain/events.ts";
import type { History } from "../chain/history.ts";
import { type Finding, missing, refuted } from "../finding.ts";
import type { Replay } from "./replay.ts";

type Told = (ChainEvent & { eventName: "Equivocated" })["args"];

export async function checkEquivocations(history: History, { keys }: Replay): Promise<Finding[]> {
  const { chainId, registry, wattWitness } = history.deployment;
  const findings: Finding[] = [];
  for (const event of history.events) {
    if (event.eventName !== "Equivocated") continue;
    const { block, transaction, index, args } = event;
    const where = { block, transaction, index };
    const publicKey = keys.get(args.keyId)?.publicKey;
    const sent = await sentIn(history.chain, transaction);
    if (!sent.ok || !publicKey) {
      findings.push(missing("no equivocation", args.keyId, sent.ok ? "its key is unknown" : sent.why.says, where));
      continue;
    }
    const proven = equivocationsIn(sent.value.input).find((each) => isOf(each, args, publicKey));
    const problem = proven ? await whyNot({ chainId, registry }, proven, fromHex(publicKey)) : "not what was sent";
    // through another contract nobody can read what was sent, and the contract has checked it
    if (problem && (proven || sent.value.to === wattWitness)) {
      findings.push(refuted("equivocation", args.keyId, "two heads that contradict each other", problem, where));
    }
  }
  return findings;
}

function isOf({ key, first, second }: Equivocation, told: Told, publicKey: Hex): boolean {
  const sent = [first.epoch, first.size, first.reading, first.root, second.size, second.reading, second.root];
  const { epoch, firstSize, firstReading, firstRoot, secondSize, secondReading, secondRoot } = told;
  const said = [epoch, firstSize, firstReading, firstRoot, secondSize, secondReading, secondRoot];
  return (
    `${key.x}${key.y.slice(2)}`.toLowerCase() === publicKey && sent.join().toLowerCase() === said.join().toLowerCase()
  );
}

/** Undefined where it is one: see WattWitness.proveEquivocation. */
export async function whyNot(
  place: Place,
  equivocation: Equivocation,
  publicKey: Uint8Array,
): Promise<string | undefined> {
  const heads = [headOf(equivocation.first), headOf(equivocation.second)] as const;
  const [first, second] = heads.map((head) => encodeHead(domain("head", place), head)) as [Uint8Array, Uint8Array];
  for (const [head, { r, s }] of [
    [first, equivocation.firstSignature],
    [second, equivocation.secondSignature],
  ] as const) {
    const signed = await verify(head, concat(fromHex(r), fromHex(s)), publicKey);
    if (!signed.ok) return signed.failure;
  }
  if (heads[0].size === heads[1].size && !equal(headHash(first), headHash(second))) return undefined;
  const { one, other } = equivocation;
  if (one.index !== other.index || one.reading === other.reading) return "the same reading in both";
  return says(heads[0], one) && says(heads[1], other) ? undefined : "a reading that is not proven";
}

const headOf = ({ epoch, size, reading, root }: Equivocation["first"]): Head => ({
  ...{ epoch, size: Number(size), reading: fromHex(reading), root: fromHex(root) },
});

function says({ size, reading, root }: Head, { index, reading: placed, proof }: PlacedReading): boolean {
  const at = Number(index);
  if (at === size - 1 && equal(fromHex(placed), reading)) return true;
  return verifyInclusion(fromHex(placed), at, size, proof.map(fromHex), root).ok;
}
