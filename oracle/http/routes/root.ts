/** What there is, for a program as JSON, for a person as a page. */
import type { App, Face } from "../app.ts";
import { PAGE_POLICY, pageOf, rootOf, wantsPage } from "../page.ts";
import * as schemas from "../schemas.ts";

export function rootRoutes(app: App, { oracle: { follower }, chain }: Face): void {
  app.get(
    "/",
    { schema: { summary: "What there is", tags: ["node"], response: schemas.answers(schemas.RootAnswer) } },
    async (request, reply) => {
      const keyIds = follower.meters().map(({ keyId }) => keyId);
      const facts = { chainId: chain.chainId, registry: chain.registry, block: follower.newest.block, keyIds };
      reply.header("vary", "accept");
      if (!wantsPage(request.headers.accept)) return rootOf(facts);
      return reply
        .type("text/html; charset=utf-8")
        .header("content-security-policy", PAGE_POLICY)
        .send(pageOf(facts) as never);
    },
  );
}
