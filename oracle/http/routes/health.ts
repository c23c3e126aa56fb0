/** How the node is. */
import type { App, Face } from "../app.ts";
import * as schemas from "../schemas.ts";

export function healthRoutes(app: App, { oracle: { follower, settlement }, chain }: Face): void {
  app.get(
    "/health",
    {
      schema: {
        summary: "That it is alive: block, meters, batches under way",
        tags: ["node"],
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
}
