/** Builds the oracle's HTTP face. server.ts runs it; tests inject into it. */
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import Fastify, { type FastifyBaseLogger, type FastifyReply } from "fastify";
import { equal, fromHex, inclusionProof, toHex } from "../../protocol/index.ts";
import { type Refusal, refusal } from "../accepting/refusal.ts";
import type { Meter } from "../chain/view.ts";
import type { Oracle } from "../oracle.ts";
import { withHashes } from "../store/hashes.ts";
import type { StoredHead, StoredLog } from "../store/store.ts";
import { PAGE_POLICY, pageOf, rootOf, wantsPage } from "./page.ts";
import * as schemas from "./schemas.ts";

/** bytes of a request: 8,192 readings in hexadecimal, with room */
const BODY_LIMIT = 1_000_000;
/** Readings of one page unless asked for otherwise. */
const PAGE = 100;
/** Settlements told of one meter: the newest. */
const SETTLEMENTS = 100;

export type AppOptions = {
  oracle: Oracle;
  chain: { chainId: number; registry: string };
  logger: FastifyBaseLogger;
};

export function buildApp({ oracle, chain, logger }: AppOptions) {
  const app = Fastify({ loggerInstance: logger, bodyLimit: BODY_LIMIT, routerOptions: { maxParamLength: 100 } })
    .withTypeProvider<TypeBoxTypeProvider>()
    .setValidatorCompiler(TypeBoxValidatorCompiler);
  const { follower, registrations, settlement } = oracle;
  const { logs, batches } = oracle.store;

  app.setErrorHandler((error: { validation?: unknown; statusCode?: number; message: string }, request, reply) => {
    if (error.validation)
      return refuse(reply, refusal("malformed", `the request is not as described: ${error.message}`));
    if (error.statusCode === 413) {
      return refuse(reply, refusal("too large", `a request has at most ${BODY_LIMIT} bytes`));
    }
    if (error.statusCode !== undefined && error.statusCode < 500) {
      return refuse(reply, refusal("malformed", error.message));
    }
    request.log.error({ err: error }, "request failed");
    return refuse(reply, refusal("internal", "the oracle could not do this; try again"));
  });

  app.setNotFoundHandler((_request, reply) => refuse(reply, refusal("unknown route", "there is nothing here")));

  app.get("/", { schema: { response: schemas.answers(schemas.RootAnswer) } }, async (request, reply) => {
    const keyIds = follower.meters().map(({ keyId }) => keyId);
    const facts = { ...chain, block: follower.newest.block, keyIds };
    reply.header("vary", "accept");
    if (!wantsPage(request.headers.accept)) return rootOf(facts);
    return reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", PAGE_POLICY)
      .send(pageOf(facts) as never);
  });

  app.post(
    "/readings",
    {
      schema: {
        body: schemas.PostBody,
        response: schemas.answers(schemas.PostAnswer, 400, 404, 409, 410, 413, 422, 425),
      },
    },
    async (request, reply) => {
      const answer = await oracle.accept(request.body);
      if (!answer.ok) {
        request.log.info({ keyId: request.body.keyId, ...answer.refusal.body }, "post refused");
        return refuse(reply, answer.refusal);
      }
      return answer.value;
    },
  );

  app.post(
    "/registrations",
    {
      schema: {
        body: schemas.RegistrationBody,
        response: schemas.answers(schemas.ApplicationBody, 400, 409, 413, 422, 425, 503),
      },
    },
    async (request, reply) => {
      const answer = await registrations.apply(request.body);
      return answer.ok ? answer.value : refuse(reply, answer.refusal);
    },
  );

  app.get("/registrations", { schema: { response: schemas.answers(schemas.ApplicationsAnswer) } }, async () => ({
    registrations: await registrations.list(),
  }));

  app.get(
    "/batches/:digest",
    { schema: { params: schemas.DigestParams, response: schemas.answers(schemas.BatchAnswer, 400, 404) } },
    async (request, reply) => {
      const bytes = await batches.get(request.params.digest);
      if (!bytes) return refuse(reply, refusal("unknown batch", "no batch with this digest was sealed here"));
      return reply
        .type("application/octet-stream")
        .header("cache-control", "public, max-age=31536000, immutable")
        .send(bytes as never);
    },
  );

  app.get("/meters", { schema: { response: schemas.answers(schemas.MetersAnswer) } }, async () => ({
    meters: await Promise.all(follower.meters().map(meterState)),
  }));

  app.get(
    "/meters/:keyId",
    { schema: { params: schemas.KeyParams, response: schemas.answers(schemas.MeterAnswer, 400, 404) } },
    async (request, reply) => {
      const meter = follower.meterOf(request.params.keyId);
      if (!meter) return refuse(reply, refusal("unknown meter", "the chain knows no meter with this key"));
      const marks = await follower.marksOf(meter.keyId, meter.latest.epoch);
      return { ...(await meterState(meter)), settlements: marks.slice(-SETTLEMENTS) };
    },
  );

  app.get(
    "/logs/:keyId/:epoch/readings",
    {
      schema: {
        params: schemas.LogParams,
        querystring: schemas.PageQuery,
        response: schemas.answers(schemas.ReadingsAnswer, 400, 404),
      },
    },
    async (request, reply) => {
      const log = await logs.get(request.params.keyId, request.params.epoch);
      if (!log) return refuse(reply, refusal("unknown log", "nothing of this log is stored here"));
      const { from = 0, limit = PAGE } = request.query;
      const readings = await log.readings(Math.min(from, log.size), Math.min(from + limit, log.size));
      return { from, size: log.size, readings: readings.map(toHex) };
    },
  );

  app.get(
    "/logs/:keyId/:epoch/readings/:index",
    { schema: { params: schemas.ReadingParams, response: schemas.answers(schemas.ReadingAnswer, 400, 404) } },
    async (request, reply) => {
      const { keyId, epoch, index } = request.params;
      const log = await logs.get(keyId, epoch);
      if (!log) return refuse(reply, refusal("unknown log", "nothing of this log is stored here"));
      const head = log.newestHead;
      const [reading] = await log.readings(index, index + 1);
      if (!head || !reading) {
        return refuse(reply, refusal("unknown reading", "this log has no such reading", { index, size: log.size }));
      }
      const signed = await signedProof(log, head, index);
      const settled = await settledProof(log, index);
      return { keyId, epoch, index, reading: toHex(reading), signed, ...(settled && { settled }) };
    },
  );

  app.get("/health", { schema: { response: schemas.answers(schemas.HealthAnswer) } }, async () => ({
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
  }));

  async function meterState(meter: Meter): Promise<schemas.MeterState> {
    const stored = new Map((await logs.of(meter.keyId)).map((log) => [log.epoch, log]));
    const epochs = new Set([...Object.keys(meter.logs).map(Number), ...stored.keys()]);
    const states = [...epochs]
      .sort((a, b) => a - b)
      .map((epoch) => {
        const log = stored.get(epoch);
        return {
          epoch,
          stored: log?.size ?? 0,
          settled: meter.logs[epoch]?.size ?? 0,
          ...(log?.last && { last: toHex(log.last) }),
        };
      });
    return { ...meter, logs: states };
  }

  const proof = async (log: StoredLog, index: number, size: number): Promise<string[]> =>
    (await withHashes(log.hashOf, (range) => inclusionProof(range, index, size))).map(toHex);

  async function signedProof(log: StoredLog, head: StoredHead, index: number) {
    const { size, reading, signature } = head;
    return {
      size,
      reading: toHex(reading),
      root: toHex(await log.hashOf(0, size)),
      signature: toHex(signature),
      proof: await proof(log, index, size),
    };
  }

  /** Under the settled log, if it reaches to this reading and is the one stored here. */
  async function settledProof(log: StoredLog, index: number) {
    const settled = follower.meterOf(log.keyId)?.logs[log.epoch];
    if (!settled || index >= settled.size || settled.size > log.size) return undefined;
    if (!equal(await log.hashOf(0, settled.size), fromHex(settled.root))) return undefined;
    const mark = (await follower.marksOf(log.keyId, log.epoch)).find(({ size }) => index < size);
    return { ...settled, proof: await proof(log, index, settled.size), ...(mark && { mark }) };
  }

  return app;
}

/** Any refusal may be the answer of any route: its status tells which schema it has. */
const refuse = (reply: FastifyReply, { status, body }: Refusal): never =>
  reply.code(status).type("application/problem+json").send(body) as never;
