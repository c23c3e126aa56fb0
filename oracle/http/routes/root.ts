/** What there is: for a program as JSON, for a person as pages or, at /routes and where there are none, as a list. */
import type { FastifyReply } from "fastify";
import type { App, Face } from "../app.ts";
import { PAGE_POLICY, pageOf, rootOf, wantsPage } from "../page.ts";
import * as schemas from "../schemas.ts";
import { sendPage } from "./site.ts";

export function rootRoutes(app: App, { oracle: { follower }, chain, site }: Face): void {
  const response = schemas.answers(schemas.RootAnswer);
  const facts = () => {
    const keyIds = follower.meters().map(({ keyId }) => keyId);
    return { chainId: chain.chainId, registry: chain.registry, block: follower.newest.block, keyIds };
  };
  const sendList = (reply: FastifyReply) =>
    reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", PAGE_POLICY)
      .send(pageOf(facts()) as never);

  app.get("/", { schema: { summary: "What there is", tags: ["node"], response } }, async (request, reply) => {
    reply.header("vary", "accept");
    if (!wantsPage(request.headers.accept)) return rootOf(facts());
    return site ? sendPage(request, reply, site.page) : sendList(reply);
  });

  app.get(
    "/routes",
    { schema: { summary: "The same, as a list", tags: ["node"], response } },
    async (request, reply) => {
      reply.header("vary", "accept");
      return wantsPage(request.headers.accept) ? sendList(reply) : rootOf(facts());
    },
  );
}
