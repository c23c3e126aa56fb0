/** Sealed batches: what the DON fetches. */

import { refusal } from "../../accepting/refusal.ts";
import type { App, Face } from "../app.ts";
import { sendBatch } from "../octets.ts";
import { refuse } from "../refusing.ts";
import * as schemas from "../schemas.ts";

export function batchRoutes(app: App, { oracle }: Face): void {
  app.get(
    "/batches/:digest",
    {
      schema: {
        summary: "A batch, immutable",
        tags: ["batches"],
        params: schemas.DigestParams,
        response: schemas.BATCH_ANSWERS,
      },
    },
    async (request, reply) => {
      const bytes = await oracle.store.batches.get(request.params.digest);
      if (!bytes) return refuse(reply, refusal("unknown batch", "no batch with this digest was sealed here"));
      return sendBatch(request, reply, bytes, request.params.digest);
    },
  );
}
