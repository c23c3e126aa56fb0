/** Serves the pages for people: the page itself is asked for anew every time, its assets never again. */
import type { FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import { refusal } from "../../accepting/refusal.ts";
import type { App, Face } from "../app.ts";
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
  reply.header("cache-control", caching).header("etag", file.tag);
  reply.header("vary", [reply.getHeader("vary"), "accept-encoding"].filter(Boolean).join(", "));
  if (request.headers["if-none-match"]?.includes(file.tag)) return reply.code(304).send() as never;
  reply.type(file.type);
  const isPacked = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
  if (!isPacked) return reply.send(file.bytes) as never;
  return reply.header("content-encoding", "gzip").send(file.packed) as never;
}
