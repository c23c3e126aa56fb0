/**
 * What the oracle says no with: problem details (RFC 9457), with the rule that was broken in the protocol's words and the
 * values beside it as extension members.
 */
import type { Failure } from "../../protocol/index.ts";

/** Rules of the oracle's own, beside the protocol's. */
export type Rule =
  | Failure
  | "malformed"
  | "unknown route"
  | "unknown meter"
  | "unknown log"
  | "unknown reading"
  | "unknown batch"
  | "unknown tile"
  | "unknown installation"
  | "unknown equivocation"
  | "unsupported media type"
  | "too slow"
  | "too many requests"
  | "busy"
  | "too many streams"
  | "too many readings"
  | "key ended"
  | "wrong epoch"
  | "gap"
  | "wrong reading"
  | "source mismatch"
  | "time ahead"
  | "log inconsistent"
  | "key already used"
  | "capacity zero"
  | "baseline too old"
  | "conditions block"
  | "too many registrations"
  | "too many installations"
  | "decided by the chain"
  | "range not satisfiable"
  | "store unavailable"
  | "internal";

/** `title` and `type` are the rule's, `detail` says it in a sentence. */
export type Problem = { type: string; title: string; status: number; detail: string; rule: Rule } & Record<
  string,
  string | number
>;

export type Refusal = { status: number; body: Problem };

const TYPE = "urn:wattwitness:problem:";

/** 422 is for good: the same post will never be accepted. Every other status may be answered otherwise later. */
const STATUS: Partial<Record<Rule, number>> = {
  malformed: 400,
  "unknown route": 404,
  "unknown meter": 404,
  "unknown log": 404,
  "unknown reading": 404,
  "unknown batch": 404,
  "unknown tile": 404,
  "unknown installation": 404,
  "unknown equivocation": 404,
  "too slow": 408,
  gap: 409,
  "key already used": 409,
  "key ended": 410,
  "decided by the chain": 410,
  "too large": 413,
  "too many readings": 413,
  "unsupported media type": 415,
  "range not satisfiable": 416,
  "time ahead": 425,
  "too many requests": 429,
  busy: 503,
  "too many registrations": 503,
  "too many installations": 503,
  "too many streams": 503,
  "store unavailable": 503,
  internal: 500,
};

export function refusal(rule: Rule, detail: string, values: Record<string, string | number> = {}): Refusal {
  const status = STATUS[rule] ?? 422;
  const type = TYPE + rule.replaceAll(" ", "-");
  return { status, body: { type, title: rule, status, detail, rule, ...values } };
}
