/** What the chain says of meters and their keys, beside what is stored of them here. */
import { toHex } from "../../../protocol/index.ts";
import { refusal } from "../../accepting/refusal.ts";
import type { Meter } from "../../chain/view.ts";
import type { App, Face } from "../app.ts";
import { refuse } from "../refusing.ts";
import * as schemas from "../schemas.ts";

/** Settlements told of one meter: the newest. */
const SETTLEMENTS = 100;

export function meterRoutes(app: App, { oracle: { follower, store } }: Face): void {
  app.get(
    "/meters",
    {
      schema: {
        summary: "Every key that a meter has or had",
        tags: ["meters"],
        response: schemas.answers(schemas.MetersAnswer),
      },
    },
    async () => ({ meters: await Promise.all(follower.meters().map(meterState)) }),
  );

  app.get(
    "/meters/:keyId",
    {
      schema: {
        summary: "One of them, with its newest settlements",
        tags: ["meters"],
        params: schemas.KeyParams,
        response: schemas.answers(schemas.MeterAnswer, 400, 404),
      },
    },
    async (request, reply) => {
      const meter = follower.meterOf(request.params.keyId);
      if (!meter) return refuse(reply, refusal("unknown meter", "the chain knows no meter with this key"));
      const marks = await follower.marksOf(meter.keyId, meter.latest.epoch);
      return { ...(await meterState(meter)), settlements: marks.slice(-SETTLEMENTS) };
    },
  );

  async function meterState(meter: Meter): Promise<schemas.MeterState> {
    const stored = new Map((await store.logs.of(meter.keyId)).map((log) => [log.epoch, log]));
    const epochs = new Set([...Object.keys(meter.logs).map(Number), ...stored.keys()]);
    const states = [...epochs]
      .sort((a, b) => a - b)
      .map((epoch) => {
        const log = stored.get(epoch);
        return {
          epoch,
          stored: log?.size ?? 0,
          settled: meter.logs[epoch]?.size ?? 0,
          ...(log?.last && { last: toHex(log.last) }),
        };
      });
    return { ...meter, logs: states };
  }
}
