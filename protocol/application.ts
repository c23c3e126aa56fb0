/** An application for registration, as a device writes it and a registrar sends it on: bytes are `0x…`. */
import { fromHex } from "./bytes.ts";
import type { Result } from "./result.ts";
import { keyIdOf, verify } from "./signature.ts";
import { domain, encodeClaim, encodeHead, headHash, type Place } from "./statement.ts";

/** What the claim is about: whose key it is, and from which head on. */
export type Claimed = {
  /** x ‖ y */
  publicKey: string;
  owner: string;
  baseline: { epoch: number; size: number; reading: string; root: string };
  /** the key's signature over the claim, r ‖ s */
  claim: string;
};

/**
 * Whether the key signed that a meter belongs to this owner, from this baseline on, here and nowhere else. The meter is one
 * of its own, unless it is told which one the key is to succeed at.
 * Refuses as `verify` does; throws on what is not the bytes that it must be.
 */
export function verifyClaim(
  { publicKey, owner, baseline, claim }: Claimed,
  place: Place,
  succeedsAt?: Uint8Array,
): Promise<Result<void>> {
  const head = encodeHead(domain("head", place), {
    ...{ ...baseline, reading: fromHex(baseline.reading), root: fromHex(baseline.root) },
  });
  const key = fromHex(publicKey);
  const keyId = keyIdOf(key);
  const statement = encodeClaim(domain("claim", place), {
    ...{ meter: succeedsAt ?? keyId, keyId, owner, headHash: headHash(head) },
  });
  return verify(statement, fromHex(claim), key);
}
