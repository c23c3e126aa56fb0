/** Private keys as wallets keep them: Web3 Secret Storage, version 3, a JSON file that a password opens. */
import { createDecipheriv, timingSafeEqual } from "node:crypto";
import { pbkdf2 } from "@noble/hashes/pbkdf2.js";
import { scrypt } from "@noble/hashes/scrypt.js";
import { sha256 } from "@noble/hashes/sha2.js";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { keccak256, toHex } from "viem";
import type { Hex } from "./chain/chain.ts";

const Bytes = Type.String({ pattern: "^([0-9a-fA-F]{2})+$" });
const bytes = (length: number) => Type.String({ pattern: `^[0-9a-fA-F]{${2 * length}}$` });
/** Bounds beyond what any wallet writes: a file that asks for more would only keep the oracle busy. */
const Scrypt = Type.Object({
  ...{ dklen: Type.Literal(32), salt: Bytes },
  n: Type.Enum(Array.from({ length: 20 }, (_, i) => 2 ** (i + 1))),
  ...{ r: Type.Integer({ minimum: 1, maximum: 16 }), p: Type.Integer({ minimum: 1, maximum: 16 }) },
});
const Pbkdf2 = Type.Object({
  ...{ dklen: Type.Literal(32), salt: Bytes, prf: Type.Literal("hmac-sha256") },
  c: Type.Integer({ minimum: 1, maximum: 10_000_000 }),
});
const crypto = {
  cipher: Type.Literal("aes-128-ctr"),
  cipherparams: Type.Object({ iv: bytes(16) }),
  ciphertext: bytes(32),
  mac: bytes(32),
};
const Keystore = Type.Object({
  version: Type.Literal(3),
  crypto: Type.Union([
    Type.Object({ ...crypto, kdf: Type.Literal("scrypt"), kdfparams: Scrypt }),
    Type.Object({ ...crypto, kdf: Type.Literal("pbkdf2"), kdfparams: Pbkdf2 }),
  ]),
});
type Crypto = Static<typeof Keystore>["crypto"];

/** Returns the private key, or why there is none, in half a sentence after the setting's name, which shows nothing of either. */
export function openKeystore(text: string, password: string): { ok: true; key: Hex } | { ok: false; problem: string } {
  const keystore = parsed(text);
  if (!Value.Check(Keystore, keystore)) return { ok: false, problem: "is no keystore of version 3" };
  const { crypto } = keystore;
  const ciphertext = Buffer.from(crypto.ciphertext, "hex");
  const derived = derive(crypto, password);
  const mac = keccak256(Buffer.concat([derived.subarray(16, 32), ciphertext]), "bytes");
  if (!timingSafeEqual(Buffer.from(crypto.mac, "hex"), mac))
    return { ok: false, problem: "is not opened by WATTWITNESS_OPERATOR_PASSWORD" };
  const decipher = createDecipheriv("aes-128-ctr", derived.subarray(0, 16), Buffer.from(crypto.cipherparams.iv, "hex"));
  return { ok: true, key: toHex(Buffer.concat([decipher.update(ciphertext), decipher.final()])) };
}

/** Written with capitals by some. */
function parsed(text: string): unknown {
  try {
    const { Crypto, ...rest } = JSON.parse(text);
    return Crypto === undefined ? rest : { crypto: Crypto, ...rest };
  } catch {
    return undefined;
  }
}

/** By noble: OpenSSL refuses parameters that some wallets have written. */
function derive(crypto: Crypto, password: string): Uint8Array {
  const salt = Buffer.from(crypto.kdfparams.salt, "hex");
  if (crypto.kdf === "pbkdf2") return pbkdf2(sha256, password, salt, { c: crypto.kdfparams.c, dkLen: 32 });
  const { n: N, r, p } = crypto.kdfparams;
  return scrypt(password, salt, { N, r, p, dkLen: 32 });
}
