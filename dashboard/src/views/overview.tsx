/** All meters: what they make together, and each of them in a list. */
import { energyParts, powerParts, tokens } from "../model/format.ts";
import { facts, failure, meters, refresh, totals } from "../model/live.ts";
import { Empty, Failure, Loading, Tile } from "../parts/common.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { useNews } from "../parts/use-news.ts";
import { RPC } from "../settings.ts";
import { strings } from "../strings/index.ts";
import { MeterList } from "./meter-list.tsx";

/** ms between two questions to the chain */
const PAUSE = 5000;

export function Overview() {
  const { overview } = strings.value;
  const known = meters.value;
  if (!known) return failure.value ? <Failure error={failure.value} again={refresh} /> : <Loading />;
  const { power, today, month, total, minted } = totals.value;
  const obstacles = facts.value?.obstacles ?? [];
  return (
    <>
      <h1 class="hidden">{overview.title}</h1>
      <dl class="tiles">
        <Tile label={overview.power} quantity={powerParts(power)} main />
        <Tile label={overview.today} quantity={energyParts(today)} />
        <Tile label={overview.month} quantity={energyParts(month)} />
        <Tile label={overview.total} quantity={energyParts(total)} />
        <Tile label={overview.minted} quantity={{ value: tokens(minted), unit: "" }} note={<Held />} />
      </dl>
      {obstacles.length > 0 && (
        <div class="card notice" role="status">
          <p>{overview.obstacles}</p>
          <ul>
            {obstacles.map((obstacle) => (
              <li key={obstacle}>{obstacle}</li>
            ))}
          </ul>
        </div>
      )}
      {known.size === 0 ? (
        <Empty title={overview.none.title}>
          <p>{overview.none.text}</p>
        </Empty>
      ) : (
        <MeterList />
      )}
    </>
  );
}

/** What of the tokens is held and what was retired, as the chain says; where no node is named, the way to name one. */
function Held() {
  const { overview, chain: words } = strings.value;
  const { chain_id: chainId = 0, registry = "" } = facts.value ?? {};
  const { value, ask } = useAnswer(
    async () => (RPC && registry ? (await import("./history.ts")).heldNow({ chainId, registry }) : undefined),
    [chainId, registry],
  );
  useNews(undefined, PAUSE, ask);
  return (
    <>
      {overview.mintedNote}
      <br />
      <a href="#/chain">
        {words.supply} {value?.supply}, {words.retired} {value?.retired}
      </a>
    </>
  );
}
