/** What an installation produced in a period, bucket by bucket, as the calendar of a time zone has it. */
import { refusal } from "../../../accepting/refusal.ts";
import { isZone } from "../../../serving/calendar.ts";
import { chartOf } from "../../../serving/chart.ts";
import type { App, Face } from "../../app.ts";
import { refuse } from "../../refusing.ts";
import { answers } from "../../schemas.ts";
import { installationOf, momentsIn } from "./asking.ts";
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
      const { time_frame, time_zone = "UTC", timestamp } = request.query;
      if (!isZone(time_zone)) return refuse(reply, refusal("malformed", "time_zone is no zone of the IANA's"));
      const moments = momentsIn({ timestamp });
      if (!moments.ok) return refuse(reply, moments.refusal);
      const asked = await installationOf(oracle, request.params.installation_id);
      if (!asked.ok) return refuse(reply, asked.refusal);
      const logs = await oracle.store.logs.of(asked.value.keyId);
      const chart = await chartOf(logs, time_frame, time_zone, moments.value["timestamp"] ?? oracle.now());
      const inWh = (energy: bigint) => Number(energy) / 1000;
      return {
        data_points: chart.points.map(({ label, timestamp, value }) => ({
          ...{ label, timestamp },
          value: value === undefined ? null : inWh(value),
        })),
        ...{ time_frame, time_zone },
        total_energy: inWh(chart.total),
        total_energy_mwh: String(chart.total),
      };
    },
  );
}
