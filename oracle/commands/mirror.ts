/** A mirror that is asked over HTTP, as an oracle or a static host serves what was published. */
import { setTimeout as delay } from "node:timers/promises";
import { BATCH_LIMIT } from "../../protocol/index.ts";
import { fetchUpTo } from "../publishing/urls.ts";
import type { Mirror } from "./repairing.ts";

/** How often it is asked again where it says when, and s that it may keep one waiting */
const [ATTEMPTS, WAIT] = [5, 60];

export const httpMirror = (base: string): Mirror => {
  const root = base.endsWith("/") ? base : `${base}/`;
  return async (path) => {
    const url = new URL(path, root).href;
    for (let attempt = 1; ; attempt++) {
      const fetched = await fetchUpTo(url, BATCH_LIMIT);
      if (fetched.ok) {
        const { bytes } = fetched;
        return bytes ? { ok: true, bytes } : { ok: false, reason: `${url} serves more than ${BATCH_LIMIT} bytes` };
      }
      const { retryAfter, reason } = fetched;
      if (retryAfter === undefined || retryAfter > WAIT || attempt === ATTEMPTS) return { ok: false, reason };
      await delay(retryAfter * 1000);
    }
  };
};
