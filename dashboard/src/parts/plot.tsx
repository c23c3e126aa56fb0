/** A chart: a curve through time or bars side by side, the period before behind it, and hatching where nothing was read. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { theme } from "../model/theme.ts";
import { locale } from "../strings/index.ts";

export type PlotData = {
  /** where each value stands: Unix times (s) of a curve, 0, 1, 2… of bars */
  x: readonly number[];
  values: readonly (number | null)[];
  /** the period before, where it lies over this one */
  before: { x: readonly number[]; values: readonly (number | null)[] };
  /** from and to, as `x` counts */
  gaps: readonly (readonly [number, number])[];
  /** all that is shown, as `x` counts */
  range: readonly [number, number];
};

type Props = {
  kind: "curve" | "bars";
  data: PlotData;
  /** where the axis below has marks, and what they say */
  marks: readonly { x: number; text: string }[];
  /** what the axis to the left says of a value */
  valueText: (value: number) => string;
  /** what is drawn, in words */
  label: string;
  /** told where it is pointed at, as `x` counts; undefined = nowhere */
  onPoint: (x: number | undefined) => void;
  /** told what was clicked on, as `x` counts */
  onPick?: ((x: number) => void) | undefined;
  /** takes the canvas, for a picture of it */
  onDrawn: (canvas: HTMLCanvasElement) => void;
};

const HEIGHT = 240;
const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** px between two marks at least */
const APART = 56;

export function Plot({ kind, data, marks, valueText, label, onPoint, onPick, onDrawn }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef<Latest["current"]>({ data, marks, valueText, onPoint, onPick });
  latest.current = { data, marks, valueText, onPoint, onPick };

  useEffect(() => {
    const element = box.current as HTMLDivElement;
    const made = new uPlot(optionsOf(kind, element.clientWidth, latest), columnsOf(latest.current.data), element);
    plot.current = made;
    onDrawn(made.ctx.canvas);
    made.over.addEventListener("click", () => {
      const x = made.cursor.idx == null ? undefined : made.data[0]?.[made.cursor.idx];
      if (x !== undefined) latest.current.onPick?.(x);
    });
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [kind, theme.value, locale.value]);

  useEffect(() => {
    plot.current?.setData(columnsOf(data));
  }, [data]);

  return <div ref={box} class="plot" role="img" aria-label={label} />;
}

/** A gap goes on until there is a value again; what only one of both has is no gap in the other. */
const NULLS = [
  [0, 2],
  [0, 2],
];

const columnsOf = ({ x, before, values }: PlotData): uPlot.AlignedData =>
  uPlot.join(
    [
      [[...before.x], [...before.values]],
      [[...x], [...values]],
    ],
    NULLS as uPlot.JoinNullMode[][],
  );

type Latest = { current: Pick<Props, "data" | "marks" | "valueText" | "onPoint" | "onPick"> };

function optionsOf(kind: Props["kind"], width: number, latest: Latest): uPlot.Options {
  const [accent, fill, faint, text, line] = ["--accent", "--accent-fill", "--before", "--muted", "--line"].map(colour);
  const axis = { stroke: text as string, font: FONT, ticks: { show: false } };
  return {
    ...{ width, height: HEIGHT, legend: { show: false }, padding: [12, 8, 0, 0] },
    cursor: {
      ...{ y: false, drag: { x: false, y: false }, points: { show: kind === "curve", size: 8 } },
      dataIdx: (_plot, _series, index) => index,
    },
    scales: {
      x: { time: false, range: () => latest.current.data.range as [number, number] },
      // a little above the highest; below zero only where something is
      y: { range: (_plot, least, most) => [Math.min(0, least ?? 0), Math.max((most ?? 0) * 1.08, 1)] },
    },
    axes: [
      {
        ...axis,
        ...{ grid: { show: false }, size: 32, gap: 6 },
        splits: (plot) => spread(latest.current.marks, plot).map(({ x }) => x),
        values: (plot) => spread(latest.current.marks, plot).map(({ text }) => text),
      },
      {
        ...axis,
        ...{ grid: { stroke: line as string, width: 1 }, size: 64, gap: 6, space: 44 },
        values: (_plot, values) => values.map((value) => latest.current.valueText(value)),
      },
    ],
    series: [
      {},
      kind === "curve"
        ? { stroke: faint as string, width: 1.5, dash: [4, 4], points: { show: false } }
        : { fill: faint as string, width: 0, paths: barsOf(0.9, 72), points: { show: false } },
      kind === "curve"
        ? { stroke: accent as string, fill: fill as string, width: 2, points: { show: false } }
        : { fill: accent as string, width: 0, paths: barsOf(0.55, 40), points: { show: false } },
    ],
    hooks: {
      drawAxes: [(plot) => hatch(plot, latest.current.data.gaps, colour("--hatch"))],
      setCursor: [({ cursor, data }) => latest.current.onPoint(cursor.idx == null ? undefined : data[0]?.[cursor.idx])],
    },
  };
}

const barsOf = (share: number, most: number): uPlot.Series.PathBuilder =>
  (uPlot.paths.bars as NonNullable<typeof uPlot.paths.bars>)({ size: [share, most], radius: 0.15 });

/** As many marks as there is room for. */
function spread(marks: Props["marks"], { bbox }: uPlot): Props["marks"] {
  const room = Math.max(1, Math.floor(bbox.width / devicePixelRatio / APART));
  const every = Math.ceil(marks.length / room);
  return marks.filter((_, i) => i % every === 0);
}

function hatch(plot: uPlot, gaps: PlotData["gaps"], stroke: string): void {
  const { ctx, bbox } = plot;
  const step = 7 * devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.lineWidth = devicePixelRatio;
  for (const [from, to] of gaps) {
    const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
    if (right <= left) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, right - left, bbox.height);
    ctx.clip();
    ctx.beginPath();
    const first = Math.floor((left - bbox.height) / step) * step;
    for (let x = first; x < right; x += step) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }
  ctx.restore();
}
