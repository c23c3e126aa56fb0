/** The thread of verifying.ts: verifies by the platform's OpenSSL, whose keys it remembers. */
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { PUBLIC_KEY_LENGTH, SIGNATURE_LENGTH } from "../../protocol/signature.ts";
import { SENT_LENGTH, VERDICT } from "./verifying.ts";

/** Keys that are remembered: as many as a large node has meters. What was longest unused is forgotten. */
const REMEMBERED = 20_000;

const keys = new Map<string, KeyObject | undefined>();

parentPort?.on("message", (message: Uint8Array) => {
  const verdicts = new Uint8Array(message.length / SENT_LENGTH);
  for (let i = 0; i < verdicts.length; i++) {
    verdicts[i] = judge(Buffer.from(message.buffer, i * SENT_LENGTH, SENT_LENGTH));
  }
  parentPort?.postMessage(verdicts, [verdicts.buffer]);
});

function judge(sent: Buffer): number {
  const key = keyOf(sent.subarray(0, PUBLIC_KEY_LENGTH));
  if (!key) return VERDICT.badKey;
  const head = sent.subarray(PUBLIC_KEY_LENGTH + SIGNATURE_LENGTH);
  const signature = sent.subarray(PUBLIC_KEY_LENGTH, PUBLIC_KEY_LENGTH + SIGNATURE_LENGTH);
  return verify("sha256", head, key, derOf(signature)) ? VERDICT.valid : VERDICT.badSignature;
}

function keyOf(publicKey: Buffer): KeyObject | undefined {
  const name = publicKey.toString("latin1");
  const key = keys.has(name) ? keys.get(name) : importKey(publicKey);
  keys.delete(name);
  keys.set(name, key);
  const [oldest] = keys.keys();
  if (keys.size > REMEMBERED && oldest !== undefined) keys.delete(oldest);
  return key;
}

/** Nothing where it is no point of the curve. */
function importKey(publicKey: Buffer): KeyObject | undefined {
  const [x, y] = [publicKey.toString("base64url", 0, 32), publicKey.toString("base64url", 32)];
  try {
    return createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  } catch {
    return undefined;
  }
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;

/** `r ‖ s` as Ecdsa-Sig-Value (RFC 3279 §2.2.3): node takes a third less time for it than for `dsaEncoding: "ieee-p1363"`. */
function derOf(signature: Buffer): Buffer {
  const [r, s] = [integerOf(signature.subarray(0, 32)), integerOf(signature.subarray(32))];
  return Buffer.concat([Uint8Array.of(SEQUENCE, r.length + s.length), r, s]);
}

/** With as many zeros in front as DER wants: one where the first bit is set, else none. */
function integerOf(word: Buffer): Buffer {
  let at = 0;
  while (at < word.length - 1 && word[at] === 0) at += 1;
  const isHigh = (word[at] as number) >= 0x80;
  const value = word.subarray(at);
  const start = isHigh ? [INTEGER, value.length + 1, 0] : [INTEGER, value.length];
  return Buffer.concat([Uint8Array.from(start), value]);
}
