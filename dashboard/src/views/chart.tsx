/** Power and energy of a meter through an hour, day, week, month or year, with the period before laid over. */
import { type Signal, useSignal } from "@preact/signals";
import { aligned } from "../model/align.ts";
import { type ChartAnswer, type Period, type PowerAnswer, TIME_FRAMES, type TimeFrame } from "../model/answers.ts";
import { api } from "../model/api.ts";
import { energy, percent, periodName, power } from "../model/format.ts";
import { gapsOf, type Known, type Step, stepsOfReadings } from "../model/gaps.ts";
import { type Meter, now } from "../model/live.ts";
import { ask, energyLink, place } from "../model/router.ts";
import { Failure, Loading } from "../parts/common.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { useNews } from "../parts/use-news.ts";
import { ZONE } from "../settings.ts";
import { strings } from "../strings/index.ts";
import { Figure, type Series } from "./figure.tsx";

type Answers = { chart: ChartAnswer; curve: PowerAnswer };
type Shown = Answers & { frame: TimeFrame; before: Answers };

/** ms between two questions while it is being written */
const PAUSE: Record<TimeFrame, number> = { hour: 3000, day: 5000, week: 20_000, month: 60_000, year: 60_000 };

async function answers(keyId: string, frame: TimeFrame, at: number, signal: AbortSignal): Promise<Answers> {
  const [chart, curve] = await Promise.all([api.chart(keyId, frame, at, signal), api.power(keyId, frame, at, signal)]);
  return { chart, curve };
}

async function periods(keyId: string, frame: TimeFrame, at: number, signal: AbortSignal): Promise<Shown> {
  const shown = await answers(keyId, frame, at, signal);
  return { ...shown, frame, before: await answers(keyId, frame, shown.curve.start - 1, signal) };
}

const frameIn = (text: string | null): TimeFrame => TIME_FRAMES.find((frame) => frame === text) ?? "day";

export function Chart({ meter }: { meter: Meter }) {
  const { keyId } = meter;
  const isOverlaid = useSignal(true);
  const { query } = place.value;
  const frame = frameIn(query.get("frame"));
  const at = query.get("at");
  const {
    value,
    error,
    ask: askAgain,
  } = useAnswer((signal) => periods(keyId, frame, at === null ? now.peek() : Number(at), signal), [keyId, frame, at]);
  const isRunning = at === null || !value || now.value < value.curve.end;
  useNews(keyId, PAUSE[frame], () => isRunning && askAgain());
  return (
    <section class="card chart" aria-labelledby="chart">
      <Controls frame={frame} period={value?.curve} isOverlaid={isOverlaid} />
      {value ? (
        <Figures meter={meter} shown={value} isOverlaid={isOverlaid.value} />
      ) : error ? (
        <Failure error={error} again={askAgain} />
      ) : (
        <div class="waiting">
          <Loading />
        </div>
      )}
    </section>
  );
}

function Controls({
  frame,
  period,
  isOverlaid,
}: {
  frame: TimeFrame;
  period: Period | undefined;
  isOverlaid: Signal<boolean>;
}) {
  const { chart: words } = strings.value;
  const go = (at: number | undefined) => ask({ at: at === undefined ? undefined : String(at) });
  const isNewest = !period || now.value < period.end;
  return (
    <>
      <div class="toolbar">
        <h2 id="chart">{words.title}</h2>
        <fieldset class="frames">
          <legend class="hidden">{words.frame}</legend>
          {TIME_FRAMES.map((each) => (
            <label key={each}>
              <input
                type="radio"
                name="frame"
                value={each}
                checked={each === frame}
                onChange={() => ask({ frame: each === "day" ? undefined : each })}
              />
              <span>{words.frames[each]}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <div class="toolbar period">
        <div class="steps">
          <button
            type="button"
            class="icon"
            aria-label={words.earlier}
            title={words.earlier}
            disabled={!period}
            onClick={() => period && go(period.start - 1)}
          >
            ‹
          </button>
          <button
            type="button"
            class="icon"
            aria-label={words.later}
            title={words.later}
            disabled={isNewest}
            onClick={() => period && go(period.end)}
          >
            ›
          </button>
          <button
            type="button"
            class="button small"
            disabled={isNewest && !place.value.query.has("at")}
            onClick={() => go(undefined)}
          >
            {words.today}
          </button>
        </div>
        <p class="name" aria-live="polite">
          {period ? periodName(frame, period) : "\u00a0"}
        </p>
        <label class="switch">
          <input
            type="checkbox"
            checked={isOverlaid.value}
            onChange={({ currentTarget }) => {
              isOverlaid.value = currentTarget.checked;
            }}
          />
          <span>{words.overlay}</span>
        </label>
      </div>
    </>
  );
}

function Figures({ meter, shown, isOverlaid }: { meter: Meter; shown: Shown; isOverlaid: boolean }) {
  const { chart: words } = strings.value;
  const known: Known = {
    since: meter.glance.since,
    last: meter.reading?.timestamp ?? null,
    now: now.value,
  };
  const { frame, chart } = shown;
  const energySeries = energyOf(meter.keyId, shown, known, isOverlaid);
  const powerSeries = powerOf(shown, known, isOverlaid);
  const isEmpty = [energySeries, powerSeries].every(({ steps }) => steps.every(({ value }) => value === null));
  const highest = powerSeries.steps.reduce((most, { value }) => Math.max(most, value ?? 0), 0);
  const note = frame === "hour" ? words.powerNote.read : words.powerNote.mean(words.steps[frame]);
  const change = changeOf(energyOf(meter.keyId, shown, known, true), now.value);
  const isRunning = now.value < shown.curve.end;
  return (
    <>
      {isEmpty && <p class="none">{words.empty}</p>}
      <Figure
        kind="curve"
        meter={meter}
        frame={frame}
        period={shown.curve}
        series={powerSeries}
        title={words.power}
        summary={words.highest(power(highest))}
        note={note}
      />
      <Figure
        kind="bars"
        meter={meter}
        frame={frame}
        period={shown.curve}
        series={energySeries}
        title={words.energy}
        summary={energy(chart.total_energy)}
        note={change === undefined ? undefined : words.compared(percent(change), isRunning)}
      />
      {(energySeries.gaps.length > 0 || powerSeries.gaps.length > 0) && <p class="gap-note">{words.gap}</p>}
    </>
  );
}

/** Of what is over, to the same of the period before; undefined where that had nothing. */
function changeOf({ steps, before }: Series, now: number): number | undefined {
  const isOver = ({ end }: Step) => end <= now;
  const sum = (values: (number | null)[]) => values.reduce<number>((all, value) => all + (value ?? 0), 0);
  const earlier = sum(before.filter((_, i) => isOver(steps[i] as Step)));
  return earlier > 0 ? sum(steps.filter(isOver).map(({ value }) => value)) / earlier - 1 : undefined;
}

function seriesOf(
  frame: TimeFrame,
  steps: Step[],
  before: { time: number; value: number | null }[],
  known: Known,
): Series {
  const places = aligned(
    frame,
    ZONE,
    steps.map(({ start }) => start),
    before.map(({ time }) => time),
  );
  return {
    steps,
    before: places.map((place) => (place === undefined ? null : (before[place]?.value ?? null))),
    gaps: gapsOf(steps, known),
  };
}

function energyOf(keyId: string, { frame, chart, curve, before }: Shown, known: Known, isOverlaid: boolean): Series {
  const points = chart.data_points;
  const steps = points.map(({ timestamp, value, from, to }, i) => ({
    start: timestamp,
    end: points[i + 1]?.timestamp ?? curve.end,
    value,
    link: from && to ? energyLink(keyId, from, to) : undefined,
  }));
  const earlier = before.chart.data_points.map(({ timestamp, value }) => ({ time: timestamp, value }));
  return seriesOf(frame, steps, isOverlaid ? earlier : [], known);
}

function powerOf({ frame, curve, before }: Shown, known: Known, isOverlaid: boolean): Series {
  const points = curve.data_points;
  const steps =
    frame === "hour"
      ? stepsOfReadings(points, curve)
      : points.map(({ timestamp, power_w }, i) => ({
          start: timestamp,
          end: points[i + 1]?.timestamp ?? curve.end,
          value: power_w,
        }));
  const earlier = before.curve.data_points.map(({ timestamp, power_w }) => ({ time: timestamp, value: power_w }));
  const series = seriesOf(frame, steps, isOverlaid ? earlier : [], known);
  if (frame !== "hour" || !isOverlaid) return series;
  const passed = curve.start - before.curve.start;
  const overlay = { x: earlier.map(({ time }) => time + passed), values: earlier.map(({ value }) => value) };
  return { ...series, overlay };
}
