/** What an installation produced in a period, bucket by bucket, as the calendar of a time zone has it. */
import { chartOf } from "../../../serving/chart.ts";
import type { App, Face } from "../../app.ts";
import { refuse } from "../../refusing.ts";
import { answers } from "../../schemas.ts";
import { periodOf } from "./asking.ts";
import * as original from "./schemas.ts";

export function chartRoutes(app: App, { oracle }: Face): void {
  app.get(
    "/readings/:installation_id/chart",
    {
      schema: {
        summary: "Energy of an hour, day, week, month or year in its parts, by differences of the register",
        tags: ["readings"],
        params: original.InstallationParams,
        querystring: original.ChartQuery,
        response: answers(original.ChartAnswer, 400, 404),
      },
    },
    async (request, reply) => {
      const { time_frame } = request.query;
      const asked = await periodOf(oracle, request.params.installation_id, request.query);
      if (!asked.ok) return refuse(reply, asked.refusal);
      const { logs, time_zone, time } = asked.value;
      const chart = await chartOf(logs, time_frame, time_zone, time);
      const inWh = (energy: bigint) => Number(energy) / 1000;
      return {
        data_points: chart.points.map(({ label, timestamp, value, from = null, to = null }) => ({
          ...{ label, timestamp, from, to },
          value: value === undefined ? null : inWh(value),
        })),
        ...{ time_frame, time_zone },
        total_energy: inWh(chart.total),
        total_energy_mwh: String(chart.total),
      };
    },
  );
}
