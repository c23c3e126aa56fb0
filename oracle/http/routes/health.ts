/** How the node is: alive, ready with its reasons where it is not, and in numbers. */
import Type from "typebox";
import { chainInStep, storeWritable } from "../../serving/readiness.ts";
import type { App, Face } from "../app.ts";
import * as schemas from "../schemas.ts";

const tags = ["node"];

export function healthRoutes(app: App, { oracle, chain, metrics, readiness, looksEvery }: Face): void {
  const { follower, settlement, funds } = oracle;
  const inStep = chainInStep(oracle.lookedAt, oracle.now, looksEvery ?? 0);
  const isWritable = storeWritable(oracle.store);

  app.get(
    "/health",
    {
      schema: {
        summary: "That it is alive: block, meters, batches under way",
        tags,
        response: schemas.answers(schemas.HealthAnswer),
      },
    },
    async () => ({
      status: "ok" as const,
      chainId: chain.chainId,
      registry: chain.registry,
      block: follower.newest.block,
      meters: new Set(follower.meters().map(({ meter }) => meter)).size,
      jobs: (settlement?.jobs() ?? []).map(({ digest, stage, items, reason }) => ({
        digest,
        stage,
        items: items.length,
        ...(reason !== undefined && { reason }),
      })),
    }),
  );

  app.get(
    "/ready",
    {
      schema: {
        summary: "Whether it can do its work, with the reasons where it cannot",
        tags,
        response: schemas.refusals({ 200: schemas.ReadyAnswer, 503: schemas.ReadyAnswer }),
      },
    },
    async (request, reply) => {
      const asked = await Promise.all([inStep(), isWritable(), others()]);
      const known = [...oracle.troubles(), ...(settlement?.obstacles() ?? []), ...(funds?.obstacles() ?? [])];
      const reasons = [...asked.flat(), ...known];
      if (reasons.length > 0) reply.code(503 as 200);
      return { ready: reasons.length === 0, reasons };

      async function others(): Promise<string[]> {
        try {
          return (await readiness?.()) ?? [];
        } catch (err) {
          request.log.error({ err }, "readiness could not be told");
          return ["what else must be as it should could not be found out"];
        }
      }
    },
  );

  app.get(
    "/metrics",
    {
      schema: {
        summary: "In numbers, for Prometheus",
        tags,
        response: schemas.refusals({
          200: { description: "Prometheus' text format", content: { "text/plain": { schema: Type.String() } } },
        }),
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send((await metrics.text()) as never),
  );
}
