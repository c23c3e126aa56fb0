/**
 * What the holder of a private key does, and who looks for a signer: ECDSA on P-256 with SHA-256 by `@noble/curves`,
 * synchronously. It stands apart from verifying (signature.ts), which needs the platform alone, so that a page which only
 * verifies loads no curve.
 */
import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";

/** `x ‖ y` of a 32-byte private key. */
export const publicKeyOf = (privateKey: Uint8Array): Uint8Array => p256.getPublicKey(privateKey, false).slice(1);

export const generatePrivateKey = (): Uint8Array => p256.utils.randomSecretKey();

/** Signs SHA-256 of `statement`, deterministically (RFC 6979), with a low s. */
export const sign = (statement: Uint8Array, privateKey: Uint8Array): Uint8Array =>
  p256.sign(statement, privateKey, { lowS: true, prehash: true });

/** The public keys, two or now and then four, over which a signature would be one of `statement`. */
export function signersOf(statement: Uint8Array, signature: Uint8Array): Uint8Array[] {
  return [0, 1, 2, 3].flatMap((bit) => {
    try {
      const recoverable = p256.Signature.fromBytes(signature, "compact").addRecoveryBit(bit);
      return [recoverable.recoverPublicKey(sha256(statement)).toBytes(false).slice(1)];
    } catch {
      return [];
    }
  });
}
