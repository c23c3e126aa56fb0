/** What Prometheus asks for: every oracle has a registry of its own. */
import { Counter, Gauge, Registry } from "prom-client";
import { formatEther } from "viem";
import { timestampOf } from "../../protocol/index.ts";
import type { Oracle } from "../oracle.ts";
import type { Job } from "../settling/jobs.ts";
import { oncePer } from "./once-per.ts";
import type { SettledLogs } from "./settled.ts";

/** ms for which what every meter is asked for is not looked up again */
const LOOK_FOR = 15_000;
/** s without a reading after which a meter is silent: solar meters read at night, too */
const SILENT = 3600;

export type Metrics = {
  contentType: string;
  refused(rule: string): void;
  text(): Promise<string>;
  close(): void;
};

export function createMetrics(oracle: Oracle, settledLogs: SettledLogs): Metrics {
  const { follower, settlement, events, tally, funds, now } = oracle;
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
    ...named("chain_block_timestamp_seconds", "When that block was made: Unix time"),
    collect() {
      this.set(follower.newest.timestamp);
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
  new Counter({
    ...named("gas_used_total", "Gas that the operator's transactions used since the start, by purpose"),
    labelNames: ["purpose"],
    collect() {
      this.reset();
      for (const [purpose, { gas }] of Object.entries(tally.spent())) this.inc({ purpose }, gas);
    },
  });
  new Counter({
    ...named("fees_ether_total", "What that cost, in units of 10^18 wei"),
    labelNames: ["purpose"],
    collect() {
      this.reset();
      for (const [purpose, { fee }] of Object.entries(tally.spent())) this.inc({ purpose }, units(fee));
    },
  });
  new Gauge({
    ...named("operator_balance_ether", "What the operator has, in units of 10^18 wei; NaN until it was looked at"),
    collect() {
      this.set(units(funds?.seen()?.operator.balance));
    },
  });
  new Gauge({
    ...named("subscription_balance_link", "LINK of the subscription that is not reserved; NaN where it is not known"),
    collect() {
      this.set(units(funds?.seen()?.subscription?.balance));
    },
  });
  const requests = () => (settlement?.jobs() ?? []).filter(({ stage }) => stage === "requested");
  new Gauge({
    ...named("don_requests", "Attestations that were asked for and not answered"),
    collect() {
      this.set(requests().length);
    },
  });
  new Gauge({
    ...named("don_waiting_seconds", "Time since the oldest of them was asked for; 0 = none"),
    collect() {
      const since = requests().map((job) => askedAt(job) ?? now());
      this.set(since.length === 0 ? 0 : Math.max(0, now() - Math.min(...since)));
    },
  });
  new Gauge({
    ...named("don_answer_age_seconds", "Time since the DON answered last; NaN where it has not since the start"),
    collect() {
      const at = tally.answeredAt();
      this.set(at === undefined ? Number.NaN : Math.max(0, now() - at));
    },
  });
  new Gauge({
    ...named("equivocations", "Logs of which two contradicting heads are kept"),
    async collect() {
      this.set(await oracle.equivocations.count());
    },
  });
  const look = oncePer(LOOK_FOR, () => lookAtMeters(oracle, settledLogs));
  new Gauge({
    ...named("oldest_unsettled_seconds", "Age of the oldest reading of an active meter that is not on chain; 0 = none"),
    async collect() {
      const { oldest } = await look();
      this.set(oldest === undefined ? 0 : Math.max(0, now() - oldest));
    },
  });
  new Gauge({
    ...named("silent_meters", `Active meters of which nothing is here that is newer than ${SILENT} s`),
    async collect() {
      this.set((await look()).silent);
    },
  });

  return {
    contentType: registry.contentType,
    refused: (rule) => refusals.inc({ rule }),
    text: () => registry.metrics(),
    close: stop,
  };
}

/** 10^18 of them are one; for Prometheus, which has floating point only. */
const units = (amount: bigint | undefined): number => (amount === undefined ? Number.NaN : Number(formatEther(amount)));

/** Unix time, s. */
const askedAt = ({ transactions, askedAt: byOther }: Job): number | undefined => {
  const request = transactions.find(({ purpose }) => purpose === "request");
  return request?.minedAt ?? request?.sentAt ?? byOther;
};

/** `oldest` is Unix time, s, of what is not on chain. A log that another epoch's settlement has passed is not waited for. */
async function lookAtMeters(
  { follower, store, now }: Oracle,
  settledLogs: SettledLogs,
): Promise<{ oldest: number | undefined; silent: number }> {
  let oldest: number | undefined;
  let silent = 0;
  for (const { keyId, status, latest } of follower.meters()) {
    if (status !== "active") continue;
    const logs = await store.logs.of(keyId);
    const newest = logs.at(-1)?.last;
    if (newest === undefined || now() - timestampOf(newest) > SILENT) silent += 1;
    for (const log of logs) {
      if (log.epoch < latest.epoch) continue;
      const { size } = await settledLogs(log);
      const [reading] = size < log.size ? await log.readings(size, size + 1) : [];
      if (!reading) continue;
      oldest = Math.min(oldest ?? Number.POSITIVE_INFINITY, timestampOf(reading));
      break;
    }
  }
  return { oldest, silent };
}
