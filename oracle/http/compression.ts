/**
 * Content codings (RFC 9110 §8.4): what is long and gets much shorter is sent so to who takes it. A coded answer is another
 * representation, with a strong tag of its own (§8.8.3); a part is always one of the bytes themselves (§14.2).
 */

import { pipeline, type Readable } from "node:stream";
import { promisify } from "node:util";
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip } from "node:zlib";
import { negotiate } from "@fastify/accept-negotiator";
import type { FastifyInstance, FastifyReply } from "fastify";

/** The better first. */
const CODINGS = ["br", "gzip"] as const;
type Coding = (typeof CODINGS)[number];

/** bytes below which a coding saves less than it costs */
const THRESHOLD = 1024;
/** A level more takes twice the time, and saves a few in a hundred. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };
const GZIP = { level: 1 };

const zlib = { brotli: promisify(brotliCompress), gzip: promisify(gzip) };
const WHOLE = {
  br: (bytes: Uint8Array | string) => zlib.brotli(bytes, BROTLI),
  gzip: (bytes: Uint8Array | string) => zlib.gzip(bytes, GZIP),
};
const STREAM = { br: () => createBrotliCompress(BROTLI), gzip: () => createGzip(GZIP) };

const TEXTS = /^(application\/(problem\+)?json|application\/x-ndjson|text\/(csv|plain|html))(;|$)/;

declare module "fastify" {
  interface FastifyReply {
    /** that its bytes get shorter, of an answer that is no text */
    isCompressible: boolean;
  }
}

export function registerCompression(app: FastifyInstance): void {
  app.decorateReply("isCompressible", false);
  app.addHook<unknown>("onSend", (request, reply, payload, done) => {
    if (!mayBeCoded(reply, payload)) return done(null, payload);
    variesByCoding(reply);
    const coding = reply.statusCode === 206 ? undefined : codingFor(request.headers["accept-encoding"]);
    if (!coding) return done(null, payload);
    reply.header("content-encoding", coding).removeHeader("content-length");
    const tag = reply.getHeader("etag");
    if (typeof tag === "string" && tag.startsWith('"')) reply.header("etag", codedTag(tag, coding));
    if (typeof payload === "string" || payload instanceof Uint8Array) {
      WHOLE[coding](payload).then((coded) => done(null, coded), done);
      return;
    }
    const coder = STREAM[coding]();
    // who stops reading, or what fails, ends both
    pipeline(payload as Readable, coder, () => {});
    done(null, coder);
  });
}

/** The tags that the same bytes have in each coding; `tag` is that of the bytes themselves. */
export const tagsOf = (tag: string): string[] => [tag, ...CODINGS.map((coding) => codedTag(tag, coding))];

export const codedTag = (tag: string, coding: Coding): string => `${tag.slice(0, -1)};${coding}"`;

/** Tells caches that another might get the same in another coding. */
export function variesByCoding(reply: FastifyReply): void {
  const known = reply.getHeader("vary");
  if (known === undefined) reply.header("vary", "accept-encoding");
  else if (!/\baccept-encoding\b|\*/i.test(String(known))) reply.header("vary", `${known}, accept-encoding`);
}

function mayBeCoded(reply: FastifyReply, payload: unknown): boolean {
  if (reply.hasHeader("content-encoding")) return false;
  const isText = TEXTS.test(String(reply.getHeader("content-type") ?? ""));
  if (!isText && !reply.isCompressible) return false;
  if (typeof payload === "string" || payload instanceof Uint8Array) return Buffer.byteLength(payload) >= THRESHOLD;
  return typeof (payload as { pipe?: unknown } | null)?.pipe === "function";
}

/** Undefined where none of these is taken, or nothing is said. */
export const codingFor = (accepted: string | undefined, codings: readonly Coding[] = CODINGS): Coding | undefined =>
  (accepted !== undefined && (negotiate(accepted.toLowerCase(), [...codings]) as Coding | null)) || undefined;
