/**
 * How much of large requests is taken in at once, so that memory stays what it is whatever arrives. Small ones always are:
 * a meter that is up to date posts a few hundred bytes, and is refused nothing while others catch up.
 */
import { refusal } from "../accepting/refusal.ts";
import type { App } from "./app.ts";
import { BODY_LIMIT, refuse } from "./refusing.ts";

/** bytes up to which a request is small */
const SMALL = 16_000;
/** bytes of large requests under way at once */
const LARGE_AT_ONCE = 16_000_000;
/** s after which a meter comes back */
const RETRY_AFTER = 2;

export function registerPressure(app: App, largeAtOnce: number = LARGE_AT_ONCE): void {
  let underWay = 0;

  app.addHook("onRequest", async (request, reply) => {
    const told = request.headers["content-length"];
    const length = told !== undefined ? Number(told) : "transfer-encoding" in request.headers ? BODY_LIMIT : 0;
    // more than the limit is refused without being read
    if (!(length > SMALL) || length > BODY_LIMIT) return;
    if (underWay + length > largeAtOnce) {
      reply.header("retry-after", RETRY_AFTER);
      return refuse(reply, refusal("busy", `too much arrives at once: go on in ${RETRY_AFTER} s`));
    }
    underWay += length;
    // the last that is heard of a request, answered or broken off
    reply.raw.once("close", () => {
      underWay -= length;
    });
  });
}
