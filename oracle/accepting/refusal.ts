/** What the oracle says no with: an HTTP status, the rule that was broken in the protocol's words, and the values. */
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
  | "internal";

export type Refusal = {
  status: number;
  body: { error: { rule: Rule; message: string } & Record<string, string | number>; size?: number };
};

/** 422 is for good: the same post will never be accepted. Every other status may be answered otherwise later. */
const STATUS: Partial<Record<Rule, number>> = {
  malformed: 400,
  "unknown route": 404,
  "unknown meter": 404,
  "unknown log": 404,
  "unknown reading": 404,
  "unknown batch": 404,
  gap: 409,
  "key already used": 409,
  "key ended": 410,
  "too large": 413,
  "too many readings": 413,
  "time ahead": 425,
  "too many registrations": 503,
  internal: 500,
};

export const refusal = (rule: Rule, message: string, values: Record<string, string | number> = {}): Refusal => ({
  status: STATUS[rule] ?? 422,
  body: { error: { rule, message, ...values } },
});
