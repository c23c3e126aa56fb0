/** Where people ask the indexer: one address, a GraphQL endpoint for programs and a page to try queries for browsers. */
import { renderGraphiQL } from "@graphql-yoga/render-graphiql";
import Fastify from "fastify";
import type { Stops } from "../processes/stop.ts";

const HOST = "127.0.0.1";
/** As on a graph-node whose subgraph has this name. */
const PATH = "/subgraphs/name/wattwitness";

/** What the page begins with. */
const QUERY = `{
  protocol(id: "wattwitness") { meterCount settlementCount produced supply }
  meters(orderBy: produced, orderDirection: desc) { id owner { id } produced lastReadingAt }
}
`;

/** Passes queries on to graph-node, whose own page needs the internet. Resolves to its URL. */
export async function startPlayground(graphNodeUrl: string, port: number, stops: Stops): Promise<string> {
  const app = Fastify({ forceCloseConnections: true });
  const page = renderGraphiQL({ title: "WattWitness", endpoint: PATH, defaultQuery: QUERY });
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_, body, done) => done(null, body));
  app.addHook("onRequest", async (_, reply) => {
    reply.header("access-control-allow-origin", "*");
  });
  app.options(PATH, async (_, reply) => reply.header("access-control-allow-headers", "content-type").code(204).send());
  app.get(PATH, async (_, reply) => reply.type("text/html").send(page));
  app.get("/", async (_, reply) => reply.redirect(PATH));
  app.post(PATH, async (request, reply) => {
    const answer = await fetch(graphNodeUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: request.body as Buffer<ArrayBuffer>,
    });
    return reply
      .code(answer.status)
      .type("application/json")
      .send(Buffer.from(await answer.arrayBuffer()));
  });
  stops.add(() => app.close());
  const address = await app.listen({ host: HOST, port });
  return `${address}${PATH}`;
}
