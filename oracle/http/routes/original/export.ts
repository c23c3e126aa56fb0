/** Everything of an installation, streamed as it is read: what is in memory is one chunk, however long the history is. */
import { Readable } from "node:stream";
import { COLUMNS, type Row } from "../../../serving/history.ts";
import type { App, Face } from "../../app.ts";
import { refuse } from "../../refusing.ts";
import { refusals } from "../../schemas.ts";
import { installationOf } from "./asking.ts";
import * as original from "./schemas.ts";

export function exportRoutes(app: App, { oracle, history }: Face): void {
  app.get(
    "/readings/:installation_id/all",
    {
      schema: {
        summary: "Every reading, oldest first: NDJSON, or CSV where it is asked for by format or Accept",
        tags: ["readings"],
        params: original.InstallationParams,
        querystring: original.AllQuery,
        response: refusals({ 200: original.AllAnswer }, 400, 404),
      },
    },
    async (request, reply) => {
      const asked = await installationOf(oracle, request.params.installation_id);
      if (!asked.ok) return refuse(reply, asked.refusal);
      const accepts = request.headers.accept?.includes("text/csv") ? "csv" : "ndjson";
      const format = request.query.format ?? accepts;
      const chunks = history.all(asked.value.keyId, asked.value.number);
      reply.header("vary", "accept").type(format === "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson");
      return reply.send(Readable.from(format === "csv" ? csv(chunks) : ndjson(chunks)) as never);
    },
  );
}

async function* ndjson(chunks: AsyncIterable<Row[]>): AsyncGenerator<string> {
  for await (const rows of chunks) yield rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

/** No value has a comma, a quote or a line's end. */
async function* csv(chunks: AsyncIterable<Row[]>): AsyncGenerator<string> {
  yield `${COLUMNS.join(",")}\r\n`;
  for await (const rows of chunks) {
    yield rows.map((row) => `${COLUMNS.map((column) => row[column] ?? "").join(",")}\r\n`).join("");
  }
}
