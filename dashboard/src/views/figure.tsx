/** One chart with its title, what is pointed at, the same as a table, and both ways to take it along. */
import { useSignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import type { Period, TimeFrame } from "../model/answers.ts";
import { csvOf } from "../model/csv.ts";
import { energy, NONE, onAxis, periodName, pointName, power, tickName } from "../model/format.ts";
import type { Gap, Step } from "../model/gaps.ts";
import { type Meter, now } from "../model/live.ts";
import { download } from "../parts/download.ts";
import { pictureOf } from "../parts/picture.ts";
import { Plot, type PlotData } from "../parts/plot.tsx";
import { strings } from "../strings/index.ts";

/** W of a curve, Wh of bars; null = nothing was read. */
export type Series = {
  steps: Step[];
  /** of each step the same of the period before */
  before: (number | null)[];
  /** the period before as it lies over this one, where its moments are others */
  overlay?: { x: number[]; values: (number | null)[] };
  gaps: Gap[];
};

type Props = {
  kind: "curve" | "bars";
  meter: Meter;
  frame: TimeFrame;
  period: Period;
  series: Series;
  title: string;
  /** what it comes to */
  summary: string;
  note: string | undefined;
};

export function Figure({ kind, meter, frame, period, series, title, summary, note }: Props) {
  const { chart: words } = strings.value;
  const pointed = useSignal<number | undefined>(undefined);
  const canvas = useRef<HTMLCanvasElement>(undefined);
  const isEnergy = kind === "bars";
  const textOf = isEnergy ? energy : power;
  const data = useMemo(() => dataOf(kind, series, period), [kind, series, period]);
  const marks = useMemo(() => marksOf(kind, frame, series, data), [kind, frame, series, data]);
  const label = words.describe(title, periodName(frame, period), summary);
  const point = pointed.value === undefined ? undefined : series.steps[pointed.value];
  const name = `${meter.title}-${isEnergy ? "energy" : "power"}-${frame}-${new Date(period.start * 1000).toISOString().slice(0, 13)}`;
  return (
    <figure>
      <figcaption>
        <h3>{title}</h3>
        <p class="readout">
          {point ? (
            <Pointed
              frame={frame}
              isEnergy={isEnergy}
              step={point}
              before={series.before[pointed.value as number]}
              textOf={textOf}
            />
          ) : (
            <>
              <strong>{summary}</strong>
              {note && <span class="note">{note}</span>}
            </>
          )}
        </p>
        <div class="take">
          <button
            type="button"
            class="button small"
            aria-label={`${words.csv}: ${title}`}
            onClick={() => download(`${name}.csv`, new Blob([csvIn(series, isEnergy)], { type: "text/csv" }))}
          >
            {words.csv}
          </button>
          <button
            type="button"
            class="button small"
            aria-label={`${words.picture}: ${title}`}
            onClick={async () => {
              if (canvas.current) download(`${name}.png`, await pictureOf(canvas.current, `${meter.title} · ${label}`));
            }}
          >
            {words.picture}
          </button>
        </div>
      </figcaption>
      <Plot
        kind={kind}
        data={data}
        marks={marks}
        valueText={(value) => onAxis(value, isEnergy)}
        label={label}
        onPoint={(x) => {
          const index = x === undefined ? -1 : data.x.findLastIndex((each) => each <= x);
          pointed.value = index < 0 ? undefined : index;
        }}
        onPick={(x) => {
          const { link } = series.steps[x] ?? {};
          if (isEnergy && link) location.hash = link;
        }}
        onDrawn={(drawn) => {
          canvas.current = drawn;
        }}
      />
      <Numbers frame={frame} isEnergy={isEnergy} series={series} title={title} textOf={textOf} />
    </figure>
  );
}

function Pointed({
  frame,
  isEnergy,
  step,
  before,
  textOf,
}: {
  frame: TimeFrame;
  isEnergy: boolean;
  step: Step;
  before: number | null | undefined;
  textOf: (value: number) => string;
}) {
  const { chart: words } = strings.value;
  return (
    <>
      <span class="note">{pointName(frame, step.start, isEnergy)}</span>
      <strong>{step.value === null ? (step.start < now.value ? words.noValue : NONE) : textOf(step.value)}</strong>
      {before != null && (
        <span class="note">
          {words.before} {textOf(before)}
        </span>
      )}
    </>
  );
}

function Numbers({
  frame,
  isEnergy,
  series,
  title,
  textOf,
}: {
  frame: TimeFrame;
  isEnergy: boolean;
  series: Series;
  title: string;
  textOf: (value: number) => string;
}) {
  const { chart: words } = strings.value;
  const proofTitle = strings.value.energy.title;
  const isOpen = useSignal(false);
  const cell = (value: number | null | undefined) => (value == null ? "–" : textOf(value));
  return (
    <details
      class="numbers"
      onToggle={({ currentTarget }) => {
        isOpen.value = currentTarget.open;
      }}
    >
      <summary>
        {words.table}
        <span class="hidden">: {title}</span>
      </summary>
      {isOpen.value && (
        <div class="scroll" tabIndex={0} role="region" aria-label={title}>
          <table>
            <thead>
              <tr>
                <th scope="col">{words.columns.time}</th>
                <th scope="col" class="right">
                  {isEnergy ? words.columns.energy : words.columns.power}
                </th>
                <th scope="col" class="right">
                  {words.columns.before}
                </th>
              </tr>
            </thead>
            <tbody>
              {series.steps.map(({ start, value, link }, i) => (
                <tr key={start} data-time={start} data-value={value ?? ""}>
                  <td>{pointName(frame, start, isEnergy)}</td>
                  <td class="right">
                    {link ? (
                      <a href={link}>
                        {cell(value)} <span class="hidden">{proofTitle}</span>
                      </a>
                    ) : (
                      cell(value)
                    )}
                  </td>
                  <td class="right">{cell(series.before[i])}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

/** Bars stand side by side, however long what they are of is; a mean stands in the middle of its step. */
function dataOf(kind: Props["kind"], { steps, before, overlay, gaps }: Series, { start, end }: Period): PlotData {
  const values = steps.map(({ value }) => value);
  if (kind === "curve") {
    const isRead = steps.length > 0 && steps.some((step) => step.end - step.start < 300);
    const x = steps.map((step) => (isRead ? step.start : (step.start + step.end) / 2));
    return {
      x,
      values,
      before: overlay ?? { x, values: before },
      gaps: gaps.map((gap) => [gap.start, gap.end]),
      range: [start, end],
    };
  }
  const placeOf = (time: number) => {
    const i = steps.findLastIndex((step) => step.start <= time);
    const step = steps[i];
    return step ? i - 0.5 + (time - step.start) / (step.end - step.start) : -0.5;
  };
  const x = steps.map((_, i) => i);
  return {
    ...{ x, values, before: { x, values: before } },
    gaps: gaps.map((gap) => [placeOf(gap.start), placeOf(gap.end - 1)]),
    range: [-0.5, steps.length - 0.5],
  };
}

const QUARTER_HOUR = 900;

function marksOf(
  kind: Props["kind"],
  frame: TimeFrame,
  { steps }: Series,
  { range }: PlotData,
): { x: number; text: string }[] {
  const isEnergy = kind === "bars";
  if (isEnergy) return steps.map(({ start }, x) => ({ x, text: tickName(frame, start, true) }));
  if (frame === "hour") {
    return Array.from({ length: 12 }, (_, i) => {
      const x = range[0] + i * 300;
      return { x, text: tickName(frame, x, false) };
    });
  }
  // where the calendar turns, not where a number is round
  const nameOf = ({ start }: Step) =>
    frame === "day" ? String(Math.floor(start / 3600)) : tickName(frame, start, false);
  return steps
    .filter((step, i) => i === 0 || nameOf(step) !== nameOf(steps[i - 1] as Step))
    .filter(({ start }) => frame !== "day" || start % QUARTER_HOUR === 0)
    .map((step) => ({ x: step.start, text: tickName(frame, step.start, false) }));
}

function csvIn({ steps, before }: Series, isEnergy: boolean): string {
  const what = isEnergy ? "energy_wh" : "power_w";
  return csvOf(
    ["start", "end", what, `${what}_period_before`],
    steps.map(({ start, end, value }, i) => [iso(start), iso(end), value, before[i]]),
  );
}

const iso = (time: number): string => new Date(time * 1000).toISOString();
