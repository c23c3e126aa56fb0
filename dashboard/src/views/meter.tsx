/** One meter: what it makes, how it is, and what it signed. */
import { api, Unanswered } from "../model/api.ts";
import { energyParts, power, powerParts, tokens } from "../model/format.ts";
import { failure, type Meter, meters, powerNow, refresh, stateNow } from "../model/live.ts";
import { meterLink } from "../model/router.ts";
import { Badge, Empty, Failure, Loading, Tile } from "../parts/common.tsx";
import { lazy } from "../parts/lazy.tsx";
import { NeedsWallet } from "../parts/needs-wallet.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { useNews } from "../parts/use-news.ts";
import { strings } from "../strings/index.ts";
import { Chart } from "./chart.tsx";
import { Facts } from "./facts.tsx";
import { Lights } from "./lights.tsx";
import { Readings } from "./readings.tsx";

const Owner = lazy(async () => (await import("../wallet/index.ts")).Owner);

/** ms between two questions about what is on chain */
const PAUSE = 2000;

export function MeterView({ keyId }: { keyId: string }) {
  const known = meters.value;
  if (!known) return failure.value ? <Failure error={failure.value} again={refresh} /> : <Loading />;
  const meter = known.get(keyId);
  return meter ? <Known key={keyId} meter={meter} /> : <Unknown />;
}

function Unknown() {
  const { meter, notFound } = strings.value;
  return (
    <Empty title={meter.unknown.title}>
      <p>{meter.unknown.text}</p>
      <a class="button" href="#/">
        {notFound.back}
      </a>
    </Empty>
  );
}

function Known({ meter }: { meter: Meter }) {
  const { meter: words, overview, wallet } = strings.value;
  const { keyId, glance } = meter;
  const answer = useAnswer((signal) => api.meter(keyId, signal), [keyId]);
  useNews(keyId, PAUSE, answer.ask);
  const settlements = answer.value?.settlements ?? [];
  const isGone = answer.error instanceof Unanswered && answer.error.status !== undefined && !answer.value;
  return (
    <>
      <nav class="trail">
        <a href="#/">← {words.back}</a>
      </nav>
      <header class="title">
        <h1>{meter.title}</h1>
        <Badge state={stateNow(meter)} withReason />
        {glance.successor !== null && (
          <a href={meterLink(glance.successor)}>
            {words.successor} <code>{glance.successor.slice(0, 10)}…</code>
          </a>
        )}
      </header>
      <dl class="tiles">
        <Tile label={words.power} quantity={powerParts(powerNow(meter))} note={words.of(power(glance.capacity))} main />
        <Tile label={overview.today} quantity={energyParts(meter.today)} />
        <Tile label={overview.month} quantity={energyParts(meter.month)} />
        <Tile label={overview.total} quantity={energyParts(meter.total)} />
        <Tile label={overview.minted} quantity={{ value: tokens(meter.minted), unit: "" }} note={overview.mintedNote} />
      </dl>
      <Chart meter={meter} />
      {isGone && <Failure error={answer.error as Error} again={answer.ask} />}
      <div class="pair">
        <Lights meter={meter} settlements={settlements} />
        <Facts meter={meter} source={answer.value?.source} />
      </div>
      <Readings keyId={keyId} settlements={settlements} />
      <NeedsWallet title={wallet.ownerTitle} text={wallet.ownerText}>
        <Owner keyId={keyId} />
      </NeedsWallet>
    </>
  );
}
