/**
 * Keys and signatures: ECDSA on P-256 with SHA-256, a public key as 64 bytes `x ‖ y`, a signature as 64 bytes `r ‖ s`
 * with s <= n/2. Of the two values of s that fit, only the low one is accepted, so that a signature has one form;
 * neither the secure element nor WebCrypto sees to that.
 *
 * Verifying is the platform's WebCrypto; signing is in signing.ts.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, requireLength, toHex, u64 } from "./bytes.ts";
import { accepted, type Result, refused } from "./result.ts";

export const PUBLIC_KEY_LENGTH = 64;
export const SIGNATURE_LENGTH = 64;

/** The order of P-256 (SEC 2, secp256r1). */
export const ORDER = 0xffffffff_00000000_ffffffff_ffffffff_bce6faad_a7179e84_f3b9cac2_fc632551n;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** SHA-256(x ‖ y): the name of a key, and of the meter that is first registered with it. */
export function keyIdOf(publicKey: Uint8Array): Uint8Array {
  requireLength("public key", publicKey, PUBLIC_KEY_LENGTH);
  return sha256(publicKey);
}

/** What firmware does with the answer of a chip that does not: s becomes n - s where it is high. */
export function normaliseS(signature: Uint8Array): Uint8Array {
  return isHigh(signature) ? concat(signature.subarray(0, 32), u256(ORDER - sOf(signature))) : signature;
}

/** What is seen before any key is looked at. Refuses: `wrong length`, `high s`. */
export function checkSignatureForm(signature: Uint8Array, publicKey: Uint8Array): Result<void> {
  if (signature.length !== SIGNATURE_LENGTH || publicKey.length !== PUBLIC_KEY_LENGTH) return refused("wrong length");
  return isHigh(signature) ? refused("high s") : accepted(undefined);
}

/** Refuses: `wrong length`, `high s`, `bad key`, `bad signature`. */
export async function verify(
  statement: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array,
): Promise<Result<void>> {
  const form = checkSignatureForm(signature, publicKey);
  if (!form.ok) return form;
  const key = await importKey(publicKey);
  if (!key) return refused("bad key");
  const valid = await crypto.subtle.verify(ALGORITHM, key, new Uint8Array(signature), new Uint8Array(statement));
  return valid ? accepted(undefined) : refused("bad signature");
}

/** Undefined where it is no point of the curve. */
const importKey = (publicKey: Uint8Array): Promise<CryptoKey | undefined> =>
  crypto.subtle
    .importKey("raw", concat(Uint8Array.of(4), publicKey), ALGORITHM, false, ["verify"])
    .catch(() => undefined);

/** Whether s is above half the order. */
function isHigh(signature: Uint8Array): boolean {
  for (const [i, half] of HALF_ORDER_BYTES.entries()) {
    const byte = signature[32 + i] as number;
    if (byte !== half) return byte > half;
  }
  return false;
}

const sOf = (signature: Uint8Array): bigint => BigInt(toHex(signature.subarray(32)));

const u256 = (value: bigint): Uint8Array =>
  concat(...[192n, 128n, 64n, 0n].map((shift) => u64((value >> shift) & 0xffff_ffff_ffff_ffffn)));

const HALF_ORDER_BYTES = u256(ORDER >> 1n);
