/** Serves the pages for people: the page itself is asked for anew every time, its assets never again. */
import type { FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import { refusal } from "../../accepting/refusal.ts";
import type { App, Face } from "../app.ts";
import { codedTag, codingFor, variesByCoding } from "../compression.ts";
import { tagIn } from "../octets.ts";
import { refuse } from "../refusing.ts";
import { SITE_POLICY, type SiteFile } from "../site.ts";

const FOREVER = "public, max-age=31536000, immutable";

export function siteRoutes(app: App, { site }: Face): void {
  app.get(
    "/assets/:name",
    { schema: { hide: true, params: Type.Object({ name: Type.String({ maxLength: 100 }) }) } },
    async (request, reply) => {
      const file = site?.assets.get(request.params.name);
      if (!file) return refuse(reply, refusal("unknown route", "there is no such file"));
      return sendFile(request, reply, file, FOREVER);
    },
  );
}

export const sendPage = (request: FastifyRequest, reply: FastifyReply, page: SiteFile): never =>
  sendFile(request, reply.header("content-security-policy", SITE_POLICY), page, "no-cache");

function sendFile(request: FastifyRequest, reply: FastifyReply, file: SiteFile, caching: string): never {
  variesByCoding(reply);
  reply.header("cache-control", caching);
  const packedTag = codedTag(file.tag, "gzip");
  const known = tagIn(request.headers["if-none-match"], [file.tag, packedTag]);
  if (known !== undefined) return reply.code(304).header("etag", known).send() as never;
  reply.type(file.type);
  const isPacked = codingFor(request.headers["accept-encoding"], ["gzip"]) !== undefined;
  if (!isPacked) return reply.header("etag", file.tag).send(file.bytes) as never;
  return reply.header("etag", packedTag).header("content-encoding", "gzip").send(file.packed) as never;
}
