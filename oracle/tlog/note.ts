/**
 * Signed notes (c2sp.org/signed-note): a text, an empty line, and a line of each who signed it:
 *
 *   — <key name> base64(key id 4 ‖ signature)
 *   key id = first 4 bytes of SHA-256(key name ‖ "\n" ‖ signature type ‖ public key)
 *
 * A verifier key ("vkey") says who may sign: `<key name>+<key id in hexadecimal>+base64(signature type ‖ public key)`.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey, sign } from "node:crypto";

/** A signature type, with the identifier that follows an unassigned one. */
export type SignatureType = Uint8Array;
export const ED25519: SignatureType = Uint8Array.of(0x01);

/** Who signs: a name of no spaces and no `+`, and a public key in the encoding of its type. */
export type VerifierKey = { name: string; type: SignatureType; publicKey: Uint8Array };

const base64 = (...parts: Uint8Array[]): string => Buffer.concat(parts).toString("base64");

function noteKeyId({ name, type, publicKey }: VerifierKey): Buffer {
  return createHash("sha256").update(`${name}\n`).update(type).update(publicKey).digest().subarray(0, 4);
}

/** signed-note, "Verifier keys" */
export function vkeyOf(key: VerifierKey): string {
  if (!/^[^\s+]+$/u.test(key.name)) throw new RangeError(`"${key.name}" cannot name a key`);
  return `${key.name}+${noteKeyId(key).toString("hex")}+${base64(key.type, key.publicKey)}`;
}

/** signed-note, "Signatures": the line of one signature, its newline included. */
export const signatureLine = (key: VerifierKey, signature: Uint8Array): string =>
  `— ${key.name} ${base64(noteKeyId(key), signature)}\n`;

/** signed-note, "Format": `text` ends in a newline. */
export function signedNote(text: string, lines: readonly string[]): string {
  if (!text.endsWith("\n")) throw new RangeError("a note's text ends in a newline");
  return `${text}\n${lines.join("")}`;
}

/** An Ed25519 key. One key signs under many names: each text says which log it is about. */
export type NoteKey = {
  /** 32 bytes, as in RFC 8032 */
  publicKey: Uint8Array;
  sign(text: string): Uint8Array;
};

/** As it is kept: an OKP key with its private part (RFC 8037). */
export type KeptKey = { jwk: JsonWebKey };

export const generateKeptKey = (): KeptKey => ({
  jwk: generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }),
});

/** Throws where it is no such key. */
export function noteKeyFrom({ jwk }: KeptKey): NoteKey {
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  if (privateKey.asymmetricKeyType !== "ed25519") throw new TypeError("this is no Ed25519 key");
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  return {
    publicKey: new Uint8Array(Buffer.from(x as string, "base64url")),
    sign: (text) => new Uint8Array(sign(null, Buffer.from(text), privateKey)),
  };
}
