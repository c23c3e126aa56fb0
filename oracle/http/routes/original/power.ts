/** The power of an installation through a period, as the calendar of a time zone has it. */
import { refusal } from "../../../accepting/refusal.ts";
import { isZone } from "../../../serving/calendar.ts";
import { powerOf } from "../../../serving/power.ts";
import type { App, Face } from "../../app.ts";
import { refuse } from "../../refusing.ts";
import { answers } from "../../schemas.ts";
import { installationOf, momentsIn } from "./asking.ts";
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
      const { time_frame, time_zone = "UTC", timestamp } = request.query;
      if (!isZone(time_zone)) return refuse(reply, refusal("malformed", "time_zone is no zone of the IANA's"));
      const moments = momentsIn({ timestamp });
      if (!moments.ok) return refuse(reply, moments.refusal);
      const asked = await installationOf(oracle, request.params.installation_id);
      if (!asked.ok) return refuse(reply, asked.refusal);
      const logs = await oracle.store.logs.of(asked.value.keyId);
      const curve = await powerOf(logs, time_frame, time_zone, moments.value["timestamp"] ?? oracle.now());
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
