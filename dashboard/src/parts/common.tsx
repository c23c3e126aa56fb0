/** Small parts that several views are made of. */
import type { ComponentChildren } from "preact";
import { Unanswered } from "../model/api.ts";
import { ago, moment, type powerParts } from "../model/format.ts";
import type { State } from "../model/health.ts";
import { now } from "../model/live.ts";
import { ORACLE } from "../settings.ts";
import { strings } from "../strings/index.ts";

export function Tile({
  label,
  quantity,
  note,
  main,
}: {
  label: string;
  quantity: ReturnType<typeof powerParts>;
  note?: ComponentChildren;
  /** the one that counts most */
  main?: boolean;
}) {
  return (
    <div class={main ? "tile main" : "tile"}>
      <dt>{label}</dt>
      <dd>
        <span class="number">{quantity.value}</span>
        {quantity.unit && <span class="unit">{quantity.unit}</span>}
        {note && <span class="note">{note}</span>}
      </dd>
    </div>
  );
}

/** How a meter is: a mark whose shape and colour say the same, a word, and the reason where it is pointed at. */
export function Badge({ state, withReason }: { state: State; withReason?: boolean }) {
  const { states, reasons } = strings.value;
  const since = state.since === undefined ? "" : ` · ${ago(state.since, now.value)}`;
  return (
    <span class={`badge ${state.level}`} title={reasons[state.reason]}>
      <Mark level={state.level} />
      <span>
        {states[state.reason]}
        {since && <span class="since">{since}</span>}
      </span>
      {withReason && state.level !== "good" && <span class="reason">{reasons[state.reason]}</span>}
    </span>
  );
}

const SHAPES: Record<State["level"], string> = {
  good: "M3.5 8.5 6.5 11.5 12.5 5",
  warn: "M8 4v5M8 11.6v.4",
  bad: "M5 5l6 6M11 5l-6 6",
  over: "M4.5 8h7",
};

export function Mark({ level }: { level: State["level"] }) {
  return (
    <svg class={`mark ${level}`} viewBox="0 0 16 16" role="img" aria-label={strings.value.levels[level]}>
      <circle cx="8" cy="8" r="8" />
      <path d={SHAPES[level]} />
    </svg>
  );
}

export function Loading() {
  return (
    <p class="loading" role="status">
      <span class="spinner" aria-hidden="true" />
      {strings.value.loading}…
    </p>
  );
}

/** Says what is wrong and what can be done. */
export function Failure({ error, again }: { error: Error; again: () => void }) {
  const { failed } = strings.value;
  const isRefusal = error instanceof Unanswered && error.status !== undefined;
  return (
    <div class="card message" role="alert">
      <h2>{failed.title}</h2>
      <p>
        {isRefusal ? failed.refused((error as Unanswered).status as number, error.message) : failed.unreachable(ORACLE)}
      </p>
      <button type="button" class="button" onClick={again}>
        {failed.again}
      </button>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="card message">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export const When = ({ time }: { time: number }) => (
  <time dateTime={new Date(time * 1000).toISOString()}>{moment(time)}</time>
);

/** A line of a list of facts. */
export const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
