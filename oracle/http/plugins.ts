/** fastify's own plugins, as every route stands behind them: who may read, what browsers are told, what is described. */
import cors from "@fastify/cors";
import helmet from "@fastify/helmet";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { App } from "./app.ts";

/** s for which a browser need not ask again whether it may */
const PREFLIGHT_AGE = 86_400;

/** Headers that pages from elsewhere may read, beside those that any may. */
const EXPOSED = ["etag", "link", "retry-after", "content-range", "accept-ranges", "location"];

export function registerPlugins(app: App, origins: "*" | readonly string[]): void {
  // nothing here is done in the name of a browser's user: what a post may do stands in its signature
  app.register(cors, {
    origin: origins === "*" ? "*" : [...origins],
    methods: ["GET", "HEAD", "POST"],
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_AGE,
    strictPreflight: false,
  });
  app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    crossOriginResourcePolicy: { policy: "cross-origin" },
  });
  app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "WattWitness oracle",
        version: "1",
        description:
          "Keeps what solar meters sign, serves it, and settles it. Bytes are 0x… in lower case, energies decimal mWh, " +
          "times Unix seconds, unless said otherwise. Refusals are problem details (RFC 9457) with the rule that was broken.",
        license: { name: "MIT" },
      },
      tags: [
        { name: "node", description: "What this node is and how it is" },
        { name: "meters", description: "Meters and what they post" },
        { name: "logs", description: "Readings by index, with proofs" },
        { name: "tlog", description: "Logs in the formats of transparency logs (c2sp.org)" },
        { name: "batches", description: "What the DON fetches" },
        { name: "registrations", description: "Applications that wait for the registrar" },
        { name: "installations", description: "The hackathon original's routes: installations" },
        { name: "readings", description: "The hackathon original's routes: readings" },
      ],
    },
  });
  app.register(swaggerUi, { routePrefix: "/docs", staticCSP: true });
}
