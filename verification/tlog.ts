/**
 * A reading's proof as logs of all kinds have it (c2sp.org/tlog-proof, its checkpoint c2sp.org/tlog-checkpoint, its
 * signatures c2sp.org/signed-note):
 *
 *   c2sp.org/tlog-proof@v1
 *   extra base64(reading)
 *   index <index>
 *   base64(hash)                                     of each of the proof, leaf to root
 *
 *   wattwitness/<chain id>/<registry>/<key id>/<epoch>
 *   <size>
 *   base64(root)
 *
 *   — <origin> base64(note key id 4 ‖ reading 32 ‖ r ‖ s 64)    the device's
 *   — <origin> base64(note key id 4 ‖ …)                        anybody else's, of another length: not looked at
 *
 * With the last reading beside the signature it says all 108 bytes of the head. It does not say the public key, which the
 * chain does, nor what is settled. The note key id only helps to find a key: here the origin names it.
 */
import { type Hash, toHex } from "../protocol/index.ts";
import type { Parsed, ReadingProof } from "./proof.ts";
import { proofFrom } from "./proof.ts";

const OPENING = "c2sp.org/tlog-proof@v1\n";

export const isTlogProof = (text: string): boolean => text.startsWith(OPENING);

const malformed = (problem: string): { ok: false; problem: string } => ({ ok: false, problem });

const ORIGIN = /^wattwitness\/(\d{1,16})\/(0x[0-9a-f]{40})\/(0x[0-9a-f]{64})\/(\d{1,10})$/;
const NOTE_KEY_ID = 4;
const READING = 32;
const SIGNATURE = 64;

export function proofFromTlog(text: string): Parsed<ReadingProof> {
  const [opening = "", checkpoint = "", signatures = "", ...more] = text.split("\n\n");
  if (more.length > 0) return malformed("a .tlog-proof has two empty lines");
  const [, extra = "", place = "", ...proof] = opening.split("\n");
  const [origin = "", size = "", root = "", ...rest] = checkpoint.split("\n");
  const named = ORIGIN.exec(origin);
  if (!named || rest.length > 0) return malformed("its checkpoint is not of a meter's log");
  const [, chainId, registry, keyId, epoch] = named;
  const signed = signatureOf(origin, signatures);
  if (!signed) return malformed("its checkpoint has no signature of a device");
  // as JSON, so that both kinds of file are held to the same form
  return proofFrom({
    ...{ chain_id: decimal(chainId), registry, keyId, epoch: decimal(epoch) },
    ...{ index: decimal(after("index ", place)), reading: hexOf(after("extra ", extra)) },
    signed: { ...signed, size: decimal(size), root: hexOf(root), proof: proof.map(hexOf) },
  });
}

/** The device's line among all: the only one with a reading before its signature. */
function signatureOf(origin: string, lines: string): { reading: string; signature: string } | undefined {
  const prefix = `— ${origin} `;
  for (const line of lines.split("\n")) {
    const bytes = line.startsWith(prefix) ? octetsOf(line.slice(prefix.length)) : undefined;
    if (bytes?.length !== NOTE_KEY_ID + READING + SIGNATURE) continue;
    const signature = bytes.subarray(NOTE_KEY_ID + READING);
    return { reading: toHex(bytes.subarray(NOTE_KEY_ID, NOTE_KEY_ID + READING)), signature: toHex(signature) };
  }
  return undefined;
}

const after = (prefix: string, line: string): string => (line.startsWith(prefix) ? line.slice(prefix.length) : "");

/** Undefined where it is not written in the one way that it can be. */
const decimal = (text = ""): number | undefined => (/^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : undefined);

/** RFC 4648 §4, canonical; undefined where it is not. */
function octetsOf(base64: string): Hash | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0) return undefined;
  const binary = atob(base64);
  return btoa(binary) === base64 ? Uint8Array.from(binary, (character) => character.charCodeAt(0)) : undefined;
}

const hexOf = (base64: string): string | undefined => {
  const bytes = octetsOf(base64);
  return bytes && toHex(bytes);
};
