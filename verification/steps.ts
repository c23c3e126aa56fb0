/** What a verification says: one step after another, each with what was computed and what it should have been. */
import { type Failure, toHex } from "../protocol/index.ts";

/** In the order in which they are judged: what the proof says by itself, then what the chain says of it. */
export const STEPS = [
  /** the 32 bytes are a reading */
  "reading",
  /** its leaf hash: RFC 9162 §2.1.1 */
  "leaf",
  /** the inclusion proof leads to the root under the signature: RFC 9162 §2.1.3.2 */
  "root",
  /** the public key hashes to the key id */
  "key",
  /** the device signed the head, for this chain and registry: ECDSA on P-256, low s */
  "signature",
  /** the node that answers for the chain is of this chain, and the contracts are there */
  "chain",
  /** the key is a meter's, and the reading from within the key's interval */
  "meter",
  /** the reading is part of a log that the contract settled */
  "settled",
  /** the settlement that the proof names happened as it says; only where one is named */
  "settlement",
] as const;

export type StepName = (typeof STEPS)[number];

export type State = "holds" | "refuted" | "unknown";

/** Why a step does not hold. Beside these the protocol's own words. */
export const RULES = [
  /** what it rests on does not hold */
  "rests on another",
  /** of the key step: neither the proof nor the chain says the public key */
  "no public key",
  "wrong key",
  /** the proof is for another chain or registry */
  "other place",
  /** the head ends with another reading than the one proven at its last index */
  "other last reading",
  /** no chain was asked */
  "no chain",
  "unreachable",
  /** it answers with an error */
  "refuses",
  /** its answer is none to the question */
  "nonsense",
  "wrong chain",
  "no contract",
  "other contract",
  /** its answers cannot all be true */
  "contradicts itself",
  "unknown key",
  "outside interval",
  "not settled",
  /** the contract settled more since: the proof is of an earlier settlement, or of none */
  "settled further",
  "other root",
  "no such settlement",
  "other settlement",
  /** of two readings: they are not of one key and epoch */
  "other log",
] as const;

export type Rule = (typeof RULES)[number] | Failure;

/** Those by which no proof fails that could be parsed: they are of batches and posts. */
type Elsewhere =
  | "wrong length"
  | "wrong magic"
  | "too large"
  | "no segments"
  | "count zero"
  | "truncated"
  | "trailing bytes"
  | "beyond capacity"
  | "size not forward";
/** The rules that a verification says. */
export type ProofRule = Exclude<Rule, Elsewhere>;

/** Why, as a word that a program can look up and a sentence that a person can read. */
export type Why = { rule: Rule; says: string };

/** Texts, numbers and truths only, so that a step is JSON. */
export type Facts = { readonly [name: string]: string | number | boolean | readonly string[] };

export type Step = {
  name: StepName;
  state: State;
  /** absent where it holds */
  why?: Why;
  /** `0x…`, or what else is compared in this step */
  computed?: string;
  expected?: string;
  facts: Facts;
};

export type Verdict =
  | { is: "verified" }
  /** by the first step that is refuted */
  | { is: "refuted"; step: StepName; why: Why }
  /** for want of these: steps that are unknown of themselves, and why the first is */
  | { is: "cannot tell"; missing: StepName[]; why: Why };

/** What a step compares and found. */
type Found = { computed?: Uint8Array | string; expected?: Uint8Array | string; facts?: Facts };

const written = (value: Uint8Array | string): string => (typeof value === "string" ? value : toHex(value));

function step(name: StepName, state: State, { computed, expected, facts = {} }: Found, why?: Why): Step {
  return {
    ...{ name, state, facts },
    ...(why && { why }),
    ...(computed !== undefined && { computed: written(computed) }),
    ...(expected !== undefined && { expected: written(expected) }),
  };
}

export const holds = (name: StepName, found: Found = {}): Step => step(name, "holds", found);
export const refuted = (name: StepName, why: Why, found: Found = {}): Step => step(name, "refuted", found, why);
export const unknown = (name: StepName, why: Why, found: Found = {}): Step => step(name, "unknown", found, why);

/** The step `name` as unknown, if one of those that it rests on does not hold. */
export function unfounded(name: StepName, ...grounds: readonly Step[]): Step | undefined {
  const ground = grounds.find(({ state }) => state !== "holds");
  const says = `It rests on “${ground?.name}”, which is ${ground?.state}.`;
  return ground && unknown(name, { rule: "rests on another", says });
}

/** Verified only if every step holds. */
export function verdictOf(steps: readonly Step[]): Verdict {
  const first = steps.find(({ state }) => state === "refuted");
  if (first) return { is: "refuted", step: first.name, why: first.why as Why };
  const missing = steps.filter(({ state, why }) => state === "unknown" && why?.rule !== "rests on another");
  if (missing[0]) return { is: "cannot tell", missing: missing.map(({ name }) => name), why: missing[0].why as Why };
  return { is: "verified" };
}
