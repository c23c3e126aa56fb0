/**
 * Serves bytes that never change, under a name of their own: with a tag to ask by, in parts, and in a coding where they get
 * shorter (RFC 9110).
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { refusal } from "../accepting/refusal.ts";
import { tagsOf, variesByCoding } from "./compression.ts";
import { refuse } from "./refusing.ts";

const FOREVER = "public, max-age=31536000, immutable";

export function sendOctets(
  request: FastifyRequest,
  reply: FastifyReply,
  bytes: Uint8Array,
  { name, isCompressible }: { name: string; isCompressible: boolean },
): never {
  const tag = `"${name}"`;
  const tags = isCompressible ? tagsOf(tag) : [tag];
  reply.isCompressible = isCompressible;
  if (isCompressible) variesByCoding(reply);
  reply.header("etag", tag).header("cache-control", FOREVER).header("accept-ranges", "bytes");
  const known = tagIn(request.headers["if-none-match"], tags);
  if (known !== undefined) return reply.code(304).header("etag", known).send() as never;
  const condition = request.headers["if-range"];
  const range = condition === undefined || condition === tag ? rangeIn(request.headers.range, bytes.length) : undefined;
  if (range === "unsatisfiable") {
    reply.header("content-range", `bytes */${bytes.length}`);
    return refuse(reply, refusal("range not satisfiable", "it does not have these bytes", { size: bytes.length }));
  }
  reply.type("application/octet-stream");
  if (!range) return reply.send(bytes) as never;
  const [first, last] = range;
  reply.code(206).header("content-range", `bytes ${first}-${last}/${bytes.length}`);
  return reply.send(bytes.subarray(first, last + 1)) as never;
}

/** Never in a coding: the sandbox of the DON's nodes asks for some, takes them off in its proxy, and then takes them off again. */
export const sendBatch = (request: FastifyRequest, reply: FastifyReply, bytes: Uint8Array, digest: string): never =>
  sendOctets(request, reply, bytes, { name: digest, isCompressible: false });

/** The first of these tags that a header names. */
export function tagIn(header: string | undefined, tags: readonly string[]): string | undefined {
  const named = (header ?? "").split(",").map((each) => each.trim().replace(/^W\//, ""));
  return named.includes("*") ? tags[0] : tags.find((tag) => named.includes(tag));
}

/** First and last byte; undefined where none or several are asked for, which is answered with all. */
function rangeIn(header: string | undefined, length: number): [number, number] | "unsatisfiable" | undefined {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (from === undefined || to === undefined || (from === "" && to === "")) return undefined;
  if (from === "")
    return to === "0" || /^0+$/.test(to) ? "unsatisfiable" : [Math.max(0, length - Number(to)), length - 1];
  if (to !== "" && Number(to) < Number(from)) return undefined;
  if (Number(from) >= length) return "unsatisfiable";
  return [Number(from), to === "" ? length - 1 : Math.min(Number(to), length - 1)];
}
