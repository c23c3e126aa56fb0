/** Readings newest first, and what is not on chain yet. */
import { refusal } from "../../../accepting/refusal.ts";
import type { Row } from "../../../serving/history.ts";
import type { App, Face } from "../../app.ts";
import { refuse } from "../../refusing.ts";
import { answers } from "../../schemas.ts";
import { installationOf, momentsIn } from "./asking.ts";
import * as original from "./schemas.ts";

/** Readings of one page unless asked for otherwise. */
const PAGE = 100;
const tags = ["readings"];

export function historyRoutes(app: App, { oracle, history }: Face): void {
  app.get(
    "/readings/pending",
    {
      schema: {
        summary: "What is not on chain yet, oldest first of each meter; the next page is in Link",
        tags,
        querystring: original.PendingQuery,
        response: answers(original.RowsAnswer, 400),
      },
    },
    async (request, reply) => {
      const { limit = PAGE, cursor } = request.query;
      const rows = await pending(limit, cursor);
      if (rows.length === limit) reply.header("link", next(request.url, (rows.at(-1) as Row).id));
      return rows;
    },
  );

  async function pending(limit: number, cursor: string | undefined): Promise<Row[]> {
    const [since = "", epoch, index] = cursor?.split("/") ?? [];
    const keyIds = oracle.follower.meters().map(({ keyId }) => keyId);
    const found: Row[] = [];
    for (const keyId of keyIds.filter((keyId) => keyId >= since).sort()) {
      const from = keyId === since ? { epoch: Number(epoch), index: Number(index) } : undefined;
      const number = (await oracle.installations.get(keyId))?.id ?? null;
      found.push(...(await history.unsettled(keyId, number, limit - found.length, from)));
      if (found.length === limit) break;
    }
    return found;
  }

  app.get(
    "/readings/latest/:installation_id",
    {
      schema: {
        summary: "The newest reading",
        tags,
        params: original.InstallationParams,
        response: answers(original.RowBody, 400, 404),
      },
    },
    async (request, reply) => {
      const asked = await installationOf(oracle, request.params.installation_id);
      if (!asked.ok) return refuse(reply, asked.refusal);
      const [row] = await history.newest(asked.value.keyId, asked.value.number, 1);
      return row ?? refuse(reply, refusal("unknown reading", "nothing of this installation is stored here yet"));
    },
  );

  app.get(
    "/readings/:installation_id",
    {
      schema: {
        summary: "Readings newest first, of all epochs; the next page is in Link",
        tags,
        params: original.InstallationParams,
        querystring: original.HistoryQuery,
        response: answers(original.RowsAnswer, 400, 404),
      },
    },
    async (request, reply) => {
      const { start_time, end_time, limit = PAGE, cursor } = request.query;
      const moments = momentsIn({ start: start_time, end: end_time });
      if (!moments.ok) return refuse(reply, moments.refusal);
      const asked = await installationOf(oracle, request.params.installation_id);
      if (!asked.ok) return refuse(reply, asked.refusal);
      const [epoch, index] = cursor?.split("/").map(Number) ?? [];
      const from = epoch === undefined || index === undefined ? undefined : { epoch, index };
      const { start, end } = moments.value;
      const rows = await history.newest(asked.value.keyId, asked.value.number, limit, { start, end, cursor: from });
      const last = rows.at(-1);
      if (last && rows.length === limit) reply.header("link", next(request.url, `${last.epoch}/${last.index}`));
      return rows;
    },
  );
}

/** The same question, going on after `cursor` (RFC 8288). */
function next(url: string, cursor: string): string {
  const [path = "", query] = url.split("?");
  const asked = new URLSearchParams(query);
  asked.set("cursor", cursor);
  return `<${path}?${asked}>; rel="next"`;
}
