/** Builds the oracle's HTTP face: one file per group of routes. server.ts runs it; tests inject into it. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type RawServerDefault } from "fastify";
import type { Oracle } from "../oracle.ts";
import { createHistory, type History } from "../serving/history.ts";
import { createMetrics, type Metrics } from "../serving/metrics.ts";
import type { Readiness } from "../serving/readiness.ts";
import { createSettledLogs, type SettledLogs } from "../serving/settled.ts";
import { registerCompression } from "./compression.ts";
import { createKnownMeters, DEFAULT_LIMITS, type KnownMeters, type Limits, registerLimits } from "./limits.ts";
import { registerPlugins } from "./plugins.ts";
import { registerPressure } from "./pressure.ts";
import { BODY_LIMIT, refuseBrokenHttp, refuseError, refusesAsProblems } from "./refusing.ts";
import { batchRoutes } from "./routes/batches.ts";
import { equivocationRoutes } from "./routes/equivocations.ts";
import { healthRoutes } from "./routes/health.ts";
import { logRoutes } from "./routes/logs.ts";
import { meterRoutes } from "./routes/meters.ts";
import { originalRoutes } from "./routes/original/index.ts";
import { overviewRoutes } from "./routes/overview.ts";
import { readingRoutes } from "./routes/readings.ts";
import { registrationRoutes } from "./routes/registrations.ts";
import { rootRoutes } from "./routes/root.ts";
import { siteRoutes } from "./routes/site.ts";
import { DEFAULT_STREAM_LIMITS, type StreamLimits, streamRoutes } from "./routes/stream.ts";
import { tlogRoutes } from "./routes/tlog.ts";
import type { Site } from "./site.ts";
import { validatorCompiler } from "./validating.ts";

export type AppOptions = {
  oracle: Oracle;
  chain: { chainId: number; registry: string };
  /** address of the contract that proves and mints, where it is to be told */
  wattWitness?: string;
  /** addresses of what stands beside it, where the deployment has them and they are to be told */
  hourlyCertificates?: string | undefined;
  parkFactory?: string | undefined;
  logger: FastifyBaseLogger;
  /** whose pages may read and post; any page's unless told */
  origins?: "*" | readonly string[];
  limits?: Partial<Limits>;
  /** whether it stands behind a proxy that says who asks (X-Forwarded-For); not unless told */
  trustProxy?: boolean;
  streamLimits?: Partial<StreamLimits>;
  /** ms in which a request must have arrived */
  arrivesWithin?: number;
  /** bytes of large requests that are taken in at once */
  largeAtOnce?: number;
  /** s between looks at the chain, as far as whoever makes them tells */
  looksEvery?: number;
  /** what else must be as it should for the node to be ready, beside that the chain is in step */
  readiness?: Readiness;
  /** pages for people; where there are none, they get a list of the routes */
  site?: Site | undefined;
};

/** What the routes are made with. */
export type Face = AppOptions & {
  limits: Limits;
  streamLimits: StreamLimits;
  meters: KnownMeters;
  settledLogs: SettledLogs;
  history: History;
  metrics: Metrics;
};

/** fastify with requests and answers typed by their schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

const ARRIVES_WITHIN = 30_000;

export function buildApp(options: AppOptions): App {
  const arrivesWithin = options.arrivesWithin ?? ARRIVES_WITHIN;
  const app: App = Fastify({
    loggerInstance: options.logger,
    bodyLimit: BODY_LIMIT,
    requestTimeout: arrivesWithin,
    http: { headersTimeout: arrivesWithin, connectionsCheckingInterval: arrivesWithin / 4 },
    // only what the proxy itself added: what stands before that, whoever asks has written
    trustProxy: options.trustProxy ? (_address, hop) => hop === 0 : false,
    routerOptions: { maxParamLength: 100, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => refuseError(error, request, reply),
    clientErrorHandler: refuseBrokenHttp,
  })
    .withTypeProvider<TypeBoxTypeProvider>()
    .setValidatorCompiler(validatorCompiler);
  refusesAsProblems(app);
  registerCompression(app);
  registerPlugins(app, options.origins ?? "*");
  const face = faceOf(options);
  app.addHook("onResponse", async (_request, reply) => {
    if (reply.rule !== "") face.metrics.refused(reply.rule);
  });
  app.addHook("onClose", async () => face.metrics.close());
  registerLimits(app, face.limits);
  registerPressure(app, options.largeAtOnce);

  app.register(async (routes: App) => {
    rootRoutes(routes, face);
    readingRoutes(routes, face);
    registrationRoutes(routes, face);
    batchRoutes(routes, face);
    meterRoutes(routes, face);
    overviewRoutes(routes, face);
    logRoutes(routes, face);
    equivocationRoutes(routes, face);
    tlogRoutes(routes, face);
    healthRoutes(routes, face);
    streamRoutes(routes, face);
    siteRoutes(routes, face);
  });
  app.register(originalRoutes(face), { prefix: "/api/v1" });
  return app;
}

function faceOf(options: AppOptions): Face {
  const { oracle } = options;
  const settledLogs = createSettledLogs(oracle.follower);
  return {
    ...options,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    streamLimits: { ...DEFAULT_STREAM_LIMITS, ...options.streamLimits },
    meters: createKnownMeters(),
    settledLogs,
    history: createHistory(oracle.store.logs, settledLogs),
    metrics: createMetrics(oracle, settledLogs),
  };
}
