/**
 * What is asked of the contracts, in the words of 32 bytes that Solidity's ABI writes it in (Contract ABI Specification,
 * "Formal Specification of the Encoding"). By hand, because a general coder weighs more than all the rest of this library;
 * the tests hold every selector, topic and layout here to contracts/abi.ts.
 */
import { type Hash, toHex } from "../../protocol/index.ts";
import type { Hex } from "../proof.ts";

export const SELECTOR = {
  /** MeterRegistry.wattWitness() → address */
  wattWitness: "0x09531d03",
  /** MeterRegistry.headDomain() → bytes32 */
  headDomain: "0xf2290a6e",
  /** WattWitness.registry() → address */
  registry: "0x7b103999",
  /** WattWitness.meterOf(keyId) → bytes32 */
  meterOf: "0x0356f3e4",
  /** WattWitness.intervalOf(keyId) → since u32, until u32 */
  intervalOf: "0xa924b9ae",
  /** WattWitness.termsOf(keyId) → payee, capacity u32, source u8, status u8, since u32, rotatedIn, raised */
  termsOf: "0xbe5170c0",
  /** WattWitness.logOf(keyId, epoch) → size u64, root */
  logOf: "0xa9b6974e",
  /** WattWitness.verifyReading(keyId, epoch, (index, reading, proof)) → bool */
  verifyReading: "0x5c8abe75",
  /** WattWitness.attestationOf(root) → attestor, attestedAt u48 */
  attestationOf: "0xb174a9c4",
  /** WattWitness.token() → address */
  token: "0xfc0c546a",
  /** ProductionToken.totalSupply() → uint256 */
  totalSupply: "0x18160ddd",
  /** ProductionToken.totalRetired() → uint256 */
  totalRetired: "0x4d8f59f0",
  /** ProductionToken.retirements() → uint256 */
  retirements: "0xd3226d82",
  /** ProductionToken.retirement(serial) → (serial, from, retiredAt u40, amount, beneficiary, name, purpose) */
  retirement: "0x2fcd6730",
} as const;

export const TOPIC = {
  /** Settled(meter, keyId, attestation; payee, epoch, fromSize, size, timestamp, energy, produced, root) */
  Settled: "0x2308fab571abd4250acdb331a4a539f223177153dbe1370e3ba255f58d8d41f5",
  /** Begun(keyId; epoch, size, timestamp, energy, root) */
  Begun: "0xf028e0a478306cc2a2d800d0ca2a8968b7f74f0932ac076ecda57436b07ffe77",
  /** MeterRegistered(meter, owner; x, y, capacity, source, details) */
  MeterRegistered: "0x164658fe2514e2f0b6617d34465de650be2ddf3652ede2047f6faf6e862c75cb",
  /** KeyRotated(meter, keyId, previousKeyId; x, y) */
  KeyRotated: "0xfe7854aaed9f0639061bcd92979d192d619b12564f6ef7e756ff8da94873b6cf",
  /** Attested(root, attestor) */
  Attested: "0x3d83c7bc55c269e0bc853ddc0d7b9fca30216ecc43779acb4e36b7e0ad1c71e4",
  /** Transfer(from, to; value) */
  Transfer: "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
  /** Retired(serial, from, beneficiary; amount, name, purpose) */
  Retired: "0x9decaaba93d869b316e2cd7c41b743f95904fb31c06a1efd0724ccc431f8b7b9",
} as const;

const WORD = 32;

export const word = (value: number | bigint | Uint8Array): string =>
  typeof value === "object" ? toHex(value).slice(2) : value.toString(16).padStart(2 * WORD, "0");

/** A call whose arguments are a word each. */
export const call = (selector: Hex, ...values: (number | Uint8Array)[]): Hex =>
  `${selector}${values.map(word).join("")}`;

/** A struct of a list is written after the words before it, and its list after its own: each as an offset first. */
export const callVerifyReading = (
  keyId: Hash,
  epoch: number,
  { index, reading, proof }: { index: number; reading: Uint8Array; proof: readonly Hash[] },
): Hex => {
  const placed = [index, reading, 3 * WORD, proof.length, ...proof].map(word).join("");
  return `${call(SELECTOR.verifyReading)}${[keyId, epoch, 3 * WORD].map(word).join("")}${placed}`;
};

/** The words of an answer; undefined where they are not `count`, or without it no whole words. */
export function wordsOf(bytes: Uint8Array, count: number = Math.ceil(bytes.length / WORD)): Uint8Array[] | undefined {
  if (bytes.length !== count * WORD) return undefined;
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * WORD, (i + 1) * WORD));
}

/** Undefined where it does not fit. */
export function uintOf(bytes: Uint8Array | undefined, bits: number): bigint | undefined {
  if (!bytes) return undefined;
  const value = BigInt(toHex(bytes));
  return value >> BigInt(bits) === 0n ? value : undefined;
}

/** Of at most 53 bits. */
export const numberOf = (bytes: Uint8Array | undefined, bits: number): number | undefined => {
  const value = uintOf(bytes, Math.min(bits, 53));
  return value === undefined ? undefined : Number(value);
};

export const boolOf = (bytes: Uint8Array | undefined): boolean | undefined => {
  const value = numberOf(bytes, 1);
  return value === undefined ? undefined : value === 1;
};

export const addressOf = (bytes: Uint8Array | undefined): Hex | undefined =>
  uintOf(bytes, 160) === undefined ? undefined : toHex((bytes as Uint8Array).subarray(12));

/** The text whose place among these words stands in one of them: its length, then its bytes as UTF-8. */
export function textOf(words: readonly Uint8Array[], at: number): string | undefined {
  const place = (numberOf(words[at], 32) ?? Number.NaN) / WORD;
  const length = numberOf(words[place], 32);
  if (length === undefined) return undefined;
  const bytes = words.slice(place + 1, place + 1 + Math.ceil(length / WORD)).flatMap((each) => [...each]);
  return bytes.length < length ? undefined : new TextDecoder().decode(Uint8Array.from(bytes.slice(0, length)));
}
