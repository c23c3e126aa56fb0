/**
 * Signatures under heads, verified in a thread of their own. It is sent all that wait at once: handing over one takes as
 * long as a third of verifying it. protocol/signature.ts says what is refused, and this says the same.
 */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import {
  accepted,
  checkSignatureForm,
  HEAD_LENGTH,
  PUBLIC_KEY_LENGTH,
  type Result,
  refused,
  SIGNATURE_LENGTH,
} from "../../protocol/index.ts";

/** What the thread is sent: for each, public key ‖ signature ‖ head. It answers with a verdict for each, a byte. */
export const SENT_LENGTH = PUBLIC_KEY_LENGTH + SIGNATURE_LENGTH + HEAD_LENGTH;
export const VERDICT = { valid: 0, badKey: 1, badSignature: 2 } as const;

/** not compiled, or compiled, as this file is */
const THREAD = new URL(`verifying-thread${extname(import.meta.filename)}`, import.meta.url);
/** sent at once, at most */
const GROUP = 256;

/** As `verify` of the protocol, of heads. Rejects where the thread ended; the next one begins another. */
export type VerifyHead = (head: Uint8Array, signature: Uint8Array, publicKey: Uint8Array) => Promise<Result<void>>;

type Waiting = { sent: Uint8Array[]; resolve: (result: Result<void>) => void; reject: (error: unknown) => void };

/** Its thread begins with the first signature, and keeps no process from ending that waits for none. */
export function createVerifying(file = THREAD): VerifyHead {
  let thread: Worker | undefined;
  let waiting: Waiting[] = [];
  let underWay: Waiting[] = [];

  function begin(): Worker {
    const begun = new Worker(file, { execArgv: [] });
    begun.on("message", (verdicts: Uint8Array) => {
      const judged = underWay;
      underWay = [];
      // nobody waits for it
      if (waiting.length === 0) begun.unref();
      send();
      for (const [i, { resolve }] of judged.entries()) resolve(resultOf(verdicts[i]));
    });
    const end = (error: unknown) => {
      if (thread !== begun) return;
      const lost = [...underWay, ...waiting];
      [thread, underWay, waiting] = [undefined, [], []];
      for (const { reject } of lost) reject(error);
    };
    begun.on("error", end);
    begun.on("exit", () => end(new Error("the thread that verifies signatures ended")));
    return begun;
  }

  function send(): void {
    if (underWay.length > 0 || waiting.length === 0) return;
    underWay = waiting.splice(0, GROUP);
    const message = new Uint8Array(underWay.length * SENT_LENGTH);
    let at = 0;
    for (const piece of underWay.flatMap(({ sent }) => sent)) {
      message.set(piece, at);
      at += piece.length;
    }
    thread ??= begin();
    thread.ref();
    thread.postMessage(message, [message.buffer]);
  }

  return async (head, signature, publicKey) => {
    const form = checkSignatureForm(signature, publicKey);
    if (!form.ok) return form;
    return new Promise((resolve, reject) => {
      waiting.push({ sent: [publicKey, signature, head], resolve, reject });
      // what comes in the same turn is sent together
      if (waiting.length === 1) queueMicrotask(send);
    });
  };
}

function resultOf(verdict: number | undefined): Result<void> {
  if (verdict === VERDICT.valid) return accepted(undefined);
  return refused(verdict === VERDICT.badKey ? "bad key" : "bad signature");
}
