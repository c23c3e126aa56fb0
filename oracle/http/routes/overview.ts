/** All meters at a glance, in one answer: what a page shows first. */

import { refusal } from "../../accepting/refusal.ts";
import { isZone } from "../../serving/calendar.ts";
import { createOverview, lastOf, type MeterAtAGlance } from "../../serving/overview.ts";
import type { App, Face } from "../app.ts";
import { refuse } from "../refusing.ts";
import * as schemas from "../schemas.ts";

export function overviewRoutes(app: App, { oracle, chain, wattWitness, hourlyCertificates, parkFactory }: Face): void {
  const overview = createOverview(oracle);

  app.get(
    "/api/v1/overview",
    {
      schema: {
        summary: "All meters at a glance: their newest reading, energy today, this month and in all, what was minted",
        tags: ["meters"],
        querystring: schemas.OverviewQuery,
        response: schemas.answers(schemas.OverviewAnswer, 400),
      },
    },
    async (request, reply) => {
      const { time_zone = "UTC" } = request.query;
      if (!isZone(time_zone)) return refuse(reply, refusal("malformed", "time_zone is no zone of the IANA's"));
      const { now, day, month, meters } = await overview(time_zone);
      const obstacles = oracle.settlement?.obstacles() ?? [];
      return {
        ...{ time_zone, now, day, month, obstacles },
        ...{ chain_id: chain.chainId, registry: chain.registry, watt_witness: wattWitness ?? null },
        ...{ hourly_certificates: hourlyCertificates ?? null, park_factory: parkFactory ?? null },
        ...{ from_block: oracle.fromBlock, block: oracle.follower.newest.block },
        meters: meters.map(told),
      };
    },
  );
}

const decimal = (energy: bigint | undefined): string | null => (energy === undefined ? null : String(energy));

const told = ({ meter, name, bootedAt, log, since, stored, today, month, total, minted }: MeterAtAGlance) => ({
  ...{ key_id: meter.keyId, meter_id: meter.meter, name: name ?? null, status: meter.status },
  ...{ successor: meter.successor ?? null, owner: meter.owner, capacity: meter.capacity },
  ...{ last_boot_timestamp: bootedAt ?? null, since: since ?? null, stored },
  ...{ epoch: log?.epoch ?? null, size: log?.size ?? 0, last: lastOf(log) },
  settled: { epoch: meter.latest.epoch, size: meter.latest.size, timestamp: meter.latest.timestamp },
  ...{ today_mwh: decimal(today), month_mwh: decimal(month), total_mwh: decimal(total), minted_mwh: String(minted) },
});
