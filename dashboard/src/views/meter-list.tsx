/** A thousand meters as well as three: searched, sorted, and only those in sight are drawn. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { count, energy, power, tokens } from "../model/format.ts";
import { byLevel, type State } from "../model/health.ts";
import { type Meter, meters, powerNow, stateNow } from "../model/live.ts";
import { meterLink } from "../model/router.ts";
import { Badge } from "../parts/common.tsx";
import { locale, strings } from "../strings/index.ts";

type Column = "name" | "state" | "power" | "today" | "total" | "minted";
type Listed = { meter: Meter; state: State; power: number | null };

const COLUMNS: readonly Column[] = ["name", "state", "power", "today", "total", "minted"];
/** px, as the style has it */
const ROW = 60;
/** rows drawn beyond what is in sight: the keyboard goes from one to the next */
const BEYOND = 8;

const NUMBERS: Partial<Record<Column, (listed: Listed) => number | null>> = {
  power: ({ power }) => power,
  today: ({ meter }) => meter.today,
  total: ({ meter }) => meter.total,
  minted: ({ meter }) => meter.minted,
};

/** Names upward, numbers from the highest down, what is not well first. */
function compare(column: Column, collator: Intl.Collator): (a: Listed, b: Listed) => number {
  const byName = (a: Listed, b: Listed) => collator.compare(a.meter.title, b.meter.title);
  if (column === "name") return byName;
  if (column === "state") return (a, b) => byLevel(a.state.level, b.state.level) || byName(a, b);
  const numberOf = NUMBERS[column] as (listed: Listed) => number | null;
  return (a, b) =>
    (numberOf(b) ?? Number.NEGATIVE_INFINITY) - (numberOf(a) ?? Number.NEGATIVE_INFINITY) || byName(a, b);
}

export function MeterList() {
  const { overview } = strings.value;
  const search = useSignal("");
  const isUnwellOnly = useSignal(false);
  const sorting = useSignal<{ column: Column; isReversed: boolean }>({ column: "state", isReversed: false });
  const all = useComputed<Listed[]>(() =>
    [...(meters.value?.values() ?? [])].map((meter) => ({ meter, state: stateNow(meter), power: powerNow(meter) })),
  );
  const shown = useComputed(() => {
    const words = search.value.trim().toLowerCase();
    const { column, isReversed } = sorting.value;
    const found = all.value.filter(
      ({ meter, state }) =>
        (!isUnwellOnly.value || state.level === "warn" || state.level === "bad") &&
        (words === "" || `${meter.title} ${meter.keyId} ${meter.glance.owner}`.toLowerCase().includes(words)),
    );
    found.sort(compare(column, new Intl.Collator(locale.value, { numeric: true })));
    return isReversed ? found.reverse() : found;
  });
  const unwell = all.value.filter(({ state }) => state.level === "warn" || state.level === "bad").length;

  return (
    <section class="card list" aria-label={overview.list}>
      <div class="toolbar">
        <input
          type="search"
          placeholder={overview.search}
          aria-label={overview.search}
          value={search.value}
          onInput={({ currentTarget }) => {
            search.value = currentTarget.value;
          }}
        />
        <label class="switch">
          <input
            type="checkbox"
            checked={isUnwellOnly.value}
            onChange={({ currentTarget }) => {
              isUnwellOnly.value = currentTarget.checked;
            }}
          />
          <span>{overview.unwellCount(count(unwell))}</span>
        </label>
        <p class="count" role="status">
          {overview.count(count(shown.value.length), count(all.value.length))}
        </p>
      </div>
      <Table
        listed={shown.value}
        sorting={sorting.value}
        onSort={(column) => {
          const isSame = sorting.value.column === column;
          sorting.value = { column, isReversed: isSame && !sorting.value.isReversed };
        }}
      />
    </section>
  );
}

function Table({
  listed,
  sorting,
  onSort,
}: {
  listed: readonly Listed[];
  sorting: { column: Column; isReversed: boolean };
  onSort: (column: Column) => void;
}) {
  const { overview } = strings.value;
  const body = useRef<HTMLDivElement>(null);
  const sight = useSignal({ top: 0, height: 600 });
  useEffect(() => {
    const element = body.current as HTMLDivElement;
    const look = () => {
      sight.value = { top: element.scrollTop, height: element.clientHeight };
    };
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => observer.disconnect();
  }, []);
  const first = Math.max(0, Math.floor(sight.value.top / ROW) - BEYOND);
  const last = Math.min(listed.length, Math.ceil((sight.value.top + sight.value.height) / ROW) + BEYOND);

  return (
    <div role="table" aria-label={overview.list} aria-rowcount={listed.length + 1} class="table">
      <div role="row" aria-rowindex={1} class="row head">
        {COLUMNS.map((column) => (
          <div
            key={column}
            role="columnheader"
            class={`cell ${column}`}
            aria-sort={sorting.column !== column ? "none" : isUpward(sorting) ? "ascending" : "descending"}
          >
            <button type="button" title={overview.sortBy(overview.columns[column])} onClick={() => onSort(column)}>
              {overview.columns[column]}
              {sorting.column === column && <span aria-hidden="true">{isUpward(sorting) ? " ↑" : " ↓"}</span>}
            </button>
          </div>
        ))}
      </div>
      <div ref={body} role="rowgroup" class="rows" style={{ height: `${listed.length * ROW}px` }}>
        {listed.slice(first, last).map((each, i) => (
          <Row key={each.meter.keyId} listed={each} place={first + i} />
        ))}
        {listed.length > 0 && <div class="end" role="presentation" style={{ top: `${listed.length * ROW - 1}px` }} />}
      </div>
      {listed.length === 0 && <p class="none">{overview.noneFound}</p>}
    </div>
  );
}

const isUpward = ({ column, isReversed }: { column: Column; isReversed: boolean }): boolean =>
  column in NUMBERS === isReversed;

function Row({ listed, place }: { listed: Listed; place: number }) {
  const { meter, state } = listed;
  return (
    <div role="row" aria-rowindex={place + 2} class="row" style={{ top: `${place * ROW}px` }}>
      <div role="cell" class="cell name">
        <a href={meterLink(meter.keyId)}>{meter.title}</a>
        {meter.name !== null && <span class="id">{meter.keyId.slice(0, 14)}…</span>}
      </div>
      <div role="cell" class="cell state">
        <Badge state={state} />
      </div>
      <div role="cell" class="cell power">
        {power(listed.power)}
      </div>
      <div role="cell" class="cell today">
        {energy(meter.today)}
      </div>
      <div role="cell" class="cell total">
        {energy(meter.total)}
      </div>
      <div role="cell" class="cell minted">
        {tokens(meter.minted)}
      </div>
    </div>
  );
}
