/** Every way in which HTTP says no ends here, and in one shape: problem details (RFC 9457). */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Refusal, type Rule, refusal } from "../accepting/refusal.ts";
import { StoreUnavailable } from "../store/store.ts";

/** bytes of a request: 8,192 readings in hexadecimal, with room */
export const BODY_LIMIT = 1_000_000;

export const PROBLEM_TYPE = "application/problem+json";

declare module "fastify" {
  interface FastifyReply {
    /** the rule that was broken, of a refusal */
    rule: string;
  }
}

/** s after which to come back, of refusals that say nothing else */
const RETRY_AFTER = 5;

/** Any refusal may be the answer of any route: its status tells which schema it has. One that passes says when. */
export function refuse(reply: FastifyReply, { status, body }: Refusal): never {
  reply.rule = body.rule;
  if (status === 503 && !reply.hasHeader("retry-after")) reply.header("retry-after", RETRY_AFTER);
  return reply.code(status).type(PROBLEM_TYPE).send(body) as never;
}

/** What fastify and node's parser call it, and the rule that it breaks. */
const RULES: Record<number, Rule> = {
  405: "unknown route",
  408: "too slow",
  413: "too large",
  414: "too large",
  415: "unsupported media type",
  429: "too many requests",
  431: "too large",
};

const DETAILS: Partial<Record<Rule, string>> = {
  "too large": `a request has at most ${BODY_LIMIT} bytes, and a short first line and few headers`,
  "too slow": "the request did not arrive in time",
  "unsupported media type": "a body is application/json",
};

/** Refuses what is not as described, is not HTTP, or failed; of a failure nothing is told but that it was one. */
export function refusesAsProblems(app: FastifyInstance): void {
  app.decorateReply("rule", "");
  app.setErrorHandler((error: FastifyError, request, reply) => refuseError(error, request, reply));
  app.setNotFoundHandler((_request, reply) => refuse(reply, refusal("unknown route", "there is nothing here")));
}

/** Of errors that come before any route is found, as of those in one. */
export function refuseError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): never {
  if (error.validation) {
    return refuse(reply, refusal("malformed", `the request is not as described: ${error.message}`));
  }
  const { statusCode: status } = error;
  if (status !== undefined && status >= 400 && status < 500) {
    const rule = RULES[status] ?? "malformed";
    return refuse(reply, refusal(rule, DETAILS[rule] ?? error.message));
  }
  if (error instanceof StoreUnavailable) {
    request.log.warn({ reason: error.message }, "the store cannot be used");
    return refuse(reply, refusal("store unavailable", "what this oracle keeps cannot be reached now; try again"));
  }
  request.log.error({ err: error }, "request failed");
  return refuse(reply, refusal("internal", "the oracle could not do this; try again"));
}

const PARSER_STATUS: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** Answers what node's parser does not take for HTTP, and closes the connection. */
export function refuseBrokenHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) return void socket.destroy();
  const rule = RULES[PARSER_STATUS[error.code ?? ""] ?? 400] ?? "malformed";
  const { status, body } = refusal(rule, DETAILS[rule] ?? "this is not HTTP/1.1");
  const text = JSON.stringify(body);
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `content-type: ${PROBLEM_TYPE}; charset=utf-8`,
      `content-length: ${Buffer.byteLength(text)}`,
      "connection: close",
      "",
      text,
    ].join("\r\n"),
  );
}
