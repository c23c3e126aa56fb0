/**
 * The three statements that a key signs, each opened by the 32-byte domain of its kind, so that a signature is worth
 * something on one chain, for one registry, in one role:
 *
 *   domain(kind)  SHA-256("WattWitness/1 " ‖ kind ‖ chain id u64 ‖ registry 20)
 *
 *   head      108  domain(head) 32 ‖ epoch u32 ‖ size u64 ‖ reading 32 ‖ root 32
 *   claim     148  domain(claim) 32 ‖ meter 32 ‖ key id 32 ‖ owner 20 ‖ head hash 32
 *   rotation   96  domain(rotate) 32 ‖ meter 32 ‖ new key id 32
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, equal, fromHex, requireInteger, requireLength, u32, u64, utf8, view } from "./bytes.ts";
import { HASH_LENGTH, isSize } from "./log.ts";
import { READING_LENGTH } from "./reading.ts";
import { accepted, type Result, refused } from "./result.ts";

export type Kind = "head" | "claim" | "rotate";

/** Where a signature counts: an EVM chain and the registry on it. */
export type Place = { chainId: number | bigint; registry: string };

export const HEAD_LENGTH = 108;
export const CLAIM_LENGTH = 148;
export const ROTATION_LENGTH = 96;
const ADDRESS_LENGTH = 20;

export function domain(kind: Kind, { chainId, registry }: Place): Uint8Array {
  const address = fromHex(registry);
  requireLength("registry", address, ADDRESS_LENGTH);
  return sha256(concat(utf8(`WattWitness/1 ${kind}`), u64(chainId), address));
}

/** A tree head: the last leaf and the root of a log of `size` readings. */
export type Head = { epoch: number; size: number; reading: Uint8Array; root: Uint8Array };

export function encodeHead(headDomain: Uint8Array, { epoch, size, reading, root }: Head): Uint8Array {
  requireLength("domain", headDomain, HASH_LENGTH);
  requireInteger("epoch", epoch, 0n, 0xffff_ffffn);
  if (!isSize(size)) throw new RangeError(`size must be from 1 to 2^40 - 1, got ${size}`);
  requireLength("reading", reading, READING_LENGTH);
  requireLength("root", root, HASH_LENGTH);
  return concat(headDomain, u32(epoch), u64(size), reading, root);
}

/** Refuses: `wrong length`, `wrong domain`, `size out of range`. */
export function decodeHead(headDomain: Uint8Array, bytes: Uint8Array): Result<Head> {
  if (bytes.length !== HEAD_LENGTH) return refused("wrong length");
  if (!equal(bytes.subarray(0, 32), headDomain)) return refused("wrong domain");
  const size = Number(view(bytes).getBigUint64(36));
  if (!isSize(size)) return refused("size out of range");
  return accepted({
    epoch: view(bytes).getUint32(32),
    size,
    reading: bytes.slice(44, 76),
    root: bytes.slice(76),
  });
}

/** The name of a head: equality of heads is equality of this, never of signatures. */
export const headHash = (head: Uint8Array): Uint8Array => sha256(head);

/** "I belong to this owner": signed at provisioning by the key that is registered or rotated in. */
export type Claim = { meter: Uint8Array; keyId: Uint8Array; owner: string; headHash: Uint8Array };

export function encodeClaim(claimDomain: Uint8Array, claim: Claim): Uint8Array {
  const bytes = concat(claimDomain, claim.meter, claim.keyId, fromHex(claim.owner), claim.headHash);
  requireLength("claim", bytes, CLAIM_LENGTH);
  return bytes;
}

/** "This key succeeds me": signed by the old key. */
export type Rotation = { meter: Uint8Array; newKeyId: Uint8Array };

export function encodeRotation(rotateDomain: Uint8Array, rotation: Rotation): Uint8Array {
  const bytes = concat(rotateDomain, rotation.meter, rotation.newKeyId);
  requireLength("rotation", bytes, ROTATION_LENGTH);
  return bytes;
}
