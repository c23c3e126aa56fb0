/**
 * Why untrusted bytes were refused. The same words are the `failure` of a vector, the error text of the
 * DON source and the `rule` of a refusal by the oracle.
 */
export const FAILURES = [
  "wrong length",
  "reserved bits",
  "size out of range",
  "wrong domain",
  "wrong magic",
  "too large",
  "no segments",
  "count zero",
  "truncated",
  "trailing bytes",
  "time not forward",
  "energy backward",
  "beyond capacity",
  "high s",
  "bad key",
  "bad signature",
  "size not forward",
  "wrong proof",
] as const;

export type Failure = (typeof FAILURES)[number];

/** An expected failure is a value; only a bug throws. */
export type Result<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export const accepted = <T>(value: T): Result<T> => ({ ok: true, value });
export const refused = (failure: Failure): { ok: false; failure: Failure } => ({ ok: false, failure });
