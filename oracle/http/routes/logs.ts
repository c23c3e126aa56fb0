/** Logs as they are kept: readings by index, each with its proofs. */
import { toHex } from "../../../protocol/index.ts";
import { refusal } from "../../accepting/refusal.ts";
import { provenReading } from "../../serving/proofs.ts";
import type { App, Face } from "../app.ts";
import { refuse } from "../refusing.ts";
import * as schemas from "../schemas.ts";

/** Readings of one page unless asked for otherwise. */
const PAGE = 100;

export function logRoutes(app: App, { oracle }: Face): void {
  const { logs } = oracle.store;

  app.get(
    "/logs/:keyId/:epoch/readings",
    {
      schema: {
        summary: "Readings of a log, page by page",
        tags: ["logs"],
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
    {
      schema: {
        summary: "One reading with its proofs",
        tags: ["logs"],
        params: schemas.ReadingParams,
        response: schemas.answers(schemas.ReadingAnswer, 400, 404),
      },
    },
    async (request, reply) => {
      const { keyId, epoch, index } = request.params;
      const proven = await provenReading(oracle, keyId, epoch, index);
      return proven.ok ? proven.value : refuse(reply, proven.refusal);
    },
  );
}
