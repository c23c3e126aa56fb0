/** The power of an installation through a period, as the calendar of a time zone has it. */
import { powerOf } from "../../../serving/power.ts";
import type { App, Face } from "../../app.ts";
import { refuse } from "../../refusing.ts";
import { answers } from "../../schemas.ts";
import { periodOf } from "./asking.ts";
import * as original from "./schemas.ts";

export function powerRoutes(app: App, { oracle }: Face): void {
  app.get(
    "/readings/:installation_id/power",
    {
      schema: {
        summary: "Power through an hour as it was read, through a day, week, month or year as the mean of each step",
        tags: ["readings"],
        params: original.InstallationParams,
        querystring: original.ChartQuery,
        response: answers(original.PowerAnswer, 400, 404),
      },
    },
    async (request, reply) => {
      const { time_frame } = request.query;
      const asked = await periodOf(oracle, request.params.installation_id, request.query);
      if (!asked.ok) return refuse(reply, asked.refusal);
      const { logs, time_zone, time } = asked.value;
      const curve = await powerOf(logs, time_frame, time_zone, time);
      return {
        data_points: curve.points.map(({ timestamp, power }) => ({
          timestamp,
          power_w: power === undefined ? null : Number(power) / 1000,
        })),
        ...{ time_frame, time_zone, start: curve.start, end: curve.end },
      };
    },
  );
}
