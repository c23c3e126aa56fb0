/** What Prometheus asks for: every oracle has a registry of its own. */
import { Counter, Gauge, Registry } from "prom-client";
import { timestampOf } from "../../protocol/index.ts";
import type { Oracle } from "../oracle.ts";
import { oncePer } from "./once-per.ts";
import type { SettledLogs } from "./settled.ts";

/** ms for which the age of the oldest unsettled reading is not looked up again: every meter is asked for it */
const OLDEST_FOR = 15_000;

export type Metrics = {
  contentType: string;
  refused(rule: string): void;
  text(): Promise<string>;
  close(): void;
};

export function createMetrics(oracle: Oracle, settledLogs: SettledLogs): Metrics {
  const { follower, settlement, events, now } = oracle;
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  const named = (name: string, help: string) => ({ name: `wattwitness_${name}`, help, registers });

  const readings = new Counter(named("readings_total", "Readings accepted"));
  const posts = new Counter(named("posts_total", "Posts accepted that brought something new"));
  const refusals = new Counter({ ...named("refusals_total", "Refusals by rule"), labelNames: ["rule"] });
  const settlements = new Counter(named("settlements_total", "Settlements seen on chain"));
  const stop = events.subscribe(({ kind, data }) => {
    if (kind === "settlement") settlements.inc();
    if (kind !== "reading") return;
    posts.inc();
    readings.inc(Number(data["count"]));
  });

  new Gauge({
    ...named("meters", "Keys that the chain knows"),
    collect() {
      this.set(follower.meters().length);
    },
  });
  new Gauge({
    ...named("chain_block", "Newest block seen"),
    collect() {
      this.set(follower.newest.block);
    },
  });
  new Gauge({
    ...named("chain_lag_seconds", "Time since the last look at the chain that succeeded; NaN before the first"),
    collect() {
      const looked = oracle.lookedAt();
      this.set(looked === undefined ? Number.NaN : Math.max(0, now() - looked));
    },
  });
  new Gauge({
    ...named("jobs", "Batches under way by stage"),
    labelNames: ["stage"],
    collect() {
      this.reset();
      for (const { stage } of settlement?.jobs() ?? []) this.inc({ stage });
    },
  });
  new Gauge({
    ...named("equivocations", "Logs of which two contradicting heads are kept"),
    async collect() {
      this.set(await oracle.equivocations.count());
    },
  });
  const oldest = oncePer(OLDEST_FOR, () => oldestUnsettled(oracle, settledLogs));
  new Gauge({
    ...named("oldest_unsettled_seconds", "Age of the oldest reading of an active meter that is not on chain; 0 = none"),
    async collect() {
      const timestamp = await oldest();
      this.set(timestamp === undefined ? 0 : Math.max(0, now() - timestamp));
    },
  });

  return {
    contentType: registry.contentType,
    refused: (rule) => refusals.inc({ rule }),
    text: () => registry.metrics(),
    close: stop,
  };
}

/** Unix time, s. A log that another epoch's settlement has passed is not waited for. */
async function oldestUnsettled({ follower, store }: Oracle, settledLogs: SettledLogs): Promise<number | undefined> {
  let oldest: number | undefined;
  for (const { keyId, status, latest } of follower.meters()) {
    if (status !== "active") continue;
    for (const log of await store.logs.of(keyId)) {
      if (log.epoch < latest.epoch) continue;
      const { size } = await settledLogs(log);
      const [reading] = size < log.size ? await log.readings(size, size + 1) : [];
      if (!reading) continue;
      oldest = Math.min(oldest ?? Number.POSITIVE_INFINITY, timestampOf(reading));
      break;
    }
  }
  return oldest;
}
