/** Posts to an oracle what it has not got yet. */
import type { Answer, Device, Outcome, Post } from "./device.ts";

/** Sends one post. An oracle that cannot be reached is an answer too: status 0. */
export type Send = (post: Post) => Promise<Answer>;

/** s that an oracle may take to answer */
const PATIENCE = 30;

/** Posts to the oracle at a base URL such as `http://127.0.0.1:8000`. */
export const sendTo =
  (baseUrl: string): Send =>
  async (post) => {
    try {
      const response = await fetch(new URL("/readings", baseUrl), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(post),
        signal: AbortSignal.timeout(PATIENCE * 1000),
      });
      return { status: response.status, body: await response.json().catch(() => undefined) };
    } catch {
      return { status: 0, body: undefined };
    }
  };

/**
 * Posts until everything is acknowledged or an answer says otherwise. Returns the last outcome and answer; none where
 * there was nothing to post. An oracle that keeps asking for the same readings is left alone till the next time.
 */
export async function upload(
  device: Device,
  send: Send,
  now: () => number,
): Promise<{ outcome: Outcome; answer: Answer } | undefined> {
  let last: { outcome: Outcome; answer: Answer } | undefined;
  let resent = false;
  for (let post = device.nextPost(); post; post = device.nextPost()) {
    const answer = await send(post);
    const outcome = device.answered(post, answer, now());
    last = { outcome, answer };
    if (outcome === "later" || outcome === "refused") return last;
    if (outcome === "resend" && resent) return last;
    resent = outcome === "resend";
  }
  return last;
}
