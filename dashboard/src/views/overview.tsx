/** All meters: what they make together, and each of them in a list. */
import { energyParts, powerParts, tokens } from "../model/format.ts";
import { facts, failure, meters, refresh, totals } from "../model/live.ts";
import { Empty, Failure, Loading, Tile } from "../parts/common.tsx";
import { strings } from "../strings/index.ts";
import { MeterList } from "./meter-list.tsx";

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
        <Tile label={overview.minted} quantity={{ value: tokens(minted), unit: "" }} note={overview.mintedNote} />
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
