/** What an audit finds wrong, or cannot find: one object each, with where it is. */
import type { Hex } from "viem";

/** `refuted`: it is not as the rule says. `missing`: nobody can tell, for want of something. */
export type Finding = {
  is: "refuted" | "missing";
  /** a word that a program can look up: see README.md */
  rule: string;
  /** what it is about: a meter, key, settlement, batch, view… */
  object: string;
  expected?: string;
  found?: string;
  where: Where;
};

export type Where = { block?: number; transaction?: Hex; index?: number; batch?: Hex; place?: string };

export type Verdict = "verified" | "refuted" | "cannot tell";

/** Refuted beats cannot tell; only nothing at all is a pass. */
export function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some(({ is }) => is === "refuted")) return "refuted";
  return findings.length > 0 ? "cannot tell" : "verified";
}

/** Exit codes. */
export const CODES: Record<Verdict, number> = { verified: 0, refuted: 1, "cannot tell": 2 };

export const refuted = (rule: string, object: string, expected: unknown, found: unknown, where: Where): Finding => ({
  ...{ is: "refuted", rule, object, expected: said(expected), found: said(found), where },
});

export const missing = (rule: string, object: string, found: string, where: Where = {}): Finding => ({
  ...{ is: "missing", rule, object, found, where },
});

/** Addresses and hashes in lower case, so that what is equal reads equal. */
export function said(value: unknown): string {
  if (typeof value === "string") return /^0x[0-9a-fA-F]*$/.test(value) ? value.toLowerCase() : value;
  if (Array.isArray(value)) return value.map(said).join(", ");
  if (typeof value === "object" && value !== null) {
    return Object.entries(value)
      .map(([name, each]) => `${name} ${said(each)}`)
      .join(", ");
  }
  return String(value);
}
