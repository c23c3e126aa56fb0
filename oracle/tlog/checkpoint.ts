/**
 * A log's newest head as a checkpoint (c2sp.org/tlog-checkpoint): a signed note of three lines,
 *
 *   wattwitness/<chain id>/<registry>/<key id>/<epoch>     the origin
 *   <size>
 *   base64(root)
 *
 * signed twice under the origin's name: by the device, and by the oracle with Ed25519, which public logs must carry. The
 * device's is of a type of its own: what a verifier needs to rebuild the 108 bytes of the head that are not in the text.
 *
 *   signature   reading 32 (the last under the head) ‖ r ‖ s 64
 *   key id      over 0xff ‖ "WattWitness/1 head" ‖ x ‖ y
 *
 * The origin's key id is SHA-256(x ‖ y): it says by itself whose signature must be there.
 */
import type { Hash, Place } from "../../protocol/index.ts";
import { ED25519, type NoteKey, type SignatureType, signatureLine, signedNote, type VerifierKey } from "./note.ts";

/** signed-note, "Signature types": unassigned, and a longer identifier that nobody else uses. */
export const DEVICE_HEAD: SignatureType = Buffer.concat([Uint8Array.of(0xff), Buffer.from("WattWitness/1 head")]);

/** `keyId` is `0x…` in lower case. */
export const originOf = ({ chainId, registry }: Place, keyId: string, epoch: number): string =>
  `wattwitness/${chainId}/${registry.toLowerCase()}/${keyId}/${epoch}`;

/** `publicKey` is the device's `x ‖ y`. */
export const deviceKeyOf = (origin: string, publicKey: Uint8Array): VerifierKey => ({
  name: origin,
  type: DEVICE_HEAD,
  publicKey,
});

export const oracleKeyOf = (origin: string, { publicKey }: Pick<NoteKey, "publicKey">): VerifierKey => ({
  name: origin,
  type: ED25519,
  publicKey,
});

/** tlog-checkpoint, "Note text" */
export const checkpointText = (origin: string, size: number, root: Hash): string =>
  `${origin}\n${size}\n${Buffer.from(root).toString("base64")}\n`;

/** A head as the device signed it, with its root. */
export type SignedHead = { size: number; root: Hash; reading: Uint8Array; signature: Uint8Array };

/** `devicePublicKey` is `x ‖ y`. */
export function checkpointOf(
  origin: string,
  { size, root, reading, signature }: SignedHead,
  devicePublicKey: Uint8Array,
  oracleKey: NoteKey,
): string {
  const text = checkpointText(origin, size, root);
  return signedNote(text, [
    signatureLine(deviceKeyOf(origin, devicePublicKey), Buffer.concat([reading, signature])),
    signatureLine(oracleKeyOf(origin, oracleKey), oracleKey.sign(text)),
  ]);
}

const SIZE = /^[1-9]\d{0,12}$/;

/** Size and root that a checkpoint of `origin` says, signatures unread; nothing where it is none. */
export function saidIn(checkpoint: string, origin: string): { size: number; root: Hash } | undefined {
  const [first, size = "", root = "", empty] = checkpoint.split("\n");
  if (first !== origin || empty !== "" || !SIZE.test(size)) return undefined;
  const bytes = Buffer.from(root, "base64");
  if (bytes.length !== 32 || bytes.toString("base64") !== root) return undefined;
  return { size: Number(size), root: new Uint8Array(bytes) };
}
