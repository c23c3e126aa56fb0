/** Sealed batches and what became of them. */
import { refusal } from "../../../accepting/refusal.ts";
import type { Job } from "../../../settling/jobs.ts";
import type { App, Face } from "../../app.ts";
import { sendBatch } from "../../octets.ts";
import { refuse } from "../../refusing.ts";
import { answers, BATCH_ANSWERS, DigestParams } from "../../schemas.ts";
import * as original from "./schemas.ts";

/** Batches told unless asked for otherwise: the newest. */
const PAGE = 100;
const tags = ["batches"];

export function batchesRoutes(app: App, { oracle: { store } }: Face): void {
  app.get(
    "/batches",
    {
      schema: {
        summary: "Batches and their states, newest first",
        tags,
        querystring: original.BatchesQuery,
        response: answers(original.BatchesAnswer, 400),
      },
    },
    async (request) => {
      const under = await (await store.records<Job>("jobs")).all();
      const finished = await (await store.records<Job>("jobs-finished")).all();
      // one that is just being finished is in both
      const jobs = new Map([...under, ...finished].map((job) => [job.digest, job]));
      return [...jobs.values()]
        .sort((a, b) => b.sealedBlock - a.sealedBlock)
        .slice(0, request.query.limit ?? PAGE)
        .map(told);
    },
  );

  app.get(
    "/batches/:digest",
    { schema: { summary: "A batch, immutable", tags, params: DigestParams, response: BATCH_ANSWERS } },
    async (request, reply) => {
      const { digest } = request.params;
      const bytes = await store.batches.get(digest);
      if (!bytes) return refuse(reply, refusal("unknown batch", "no batch with this digest was sealed here"));
      return sendBatch(request, reply, bytes, digest);
    },
  );
}

const told = ({ digest, stage, attested, root, items, sealedBlock, reason }: Job) => ({
  ...{ digest, state: stage, attested, attestation_root: root },
  ...{ meters: items.length, sealed_block: sealedBlock, reason: reason ?? null, path: `/batches/${digest}` },
});
