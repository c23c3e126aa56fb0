/** Where nothing was read, of a curve or of bars: that is drawn as what it is, and never as zero. Pure. */

/** What a value stands for: from `start` to `end` (Unix time, s); null = nothing was read; `link`: to what proves it. */
export type Step = { start: number; end: number; value: number | null; link?: string | undefined };
export type Known = {
  /** first and newest reading of the meter, Unix time (s); null = none */
  since: number | null;
  last: number | null;
  now: number;
};
export type Gap = { start: number; end: number };

/** s after the newest reading for which the next may still come */
const PATIENCE = 1200;

/** Before the first reading there is nothing that could be missing, and what is to come is no gap. */
export function gapsOf(steps: readonly Step[], { since, last, now }: Known): Gap[] {
  if (since === null || last === null) return [];
  const until = now - last > PATIENCE ? now : last;
  const gaps: Gap[] = [];
  for (const { start, end, value } of steps) {
    if (value !== null || end <= since) continue;
    // the step in which it now is may still be read
    const gap = { start: Math.max(start, since), end: Math.min(end, until) };
    if (gap.end <= gap.start || (end > last && until === last)) continue;
    const before = gaps.at(-1);
    if (before && before.end === gap.start) before.end = gap.end;
    else gaps.push(gap);
  }
  return gaps;
}

/** Readings as steps: each until the next, and what is missing before and after them. */
export function stepsOfReadings(
  points: readonly { timestamp: number; power_w: number | null }[],
  { start, end }: { start: number; end: number },
): Step[] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return [{ start, end, value: null }];
  const interval = points
    .slice(1)
    .reduce((least, { timestamp }, i) => Math.min(least, timestamp - (points[i]?.timestamp ?? 0)), 900);
  const steps = points.map(({ timestamp, power_w }, i) => ({
    start: timestamp,
    end: points[i + 1]?.timestamp ?? Math.min(end, timestamp + interval),
    value: power_w,
  }));
  const isLate = first.timestamp - start >= 3 * interval;
  const isEarly = end - last.timestamp >= 3 * interval;
  return [
    ...(isLate ? [{ start, end: first.timestamp, value: null }] : []),
    ...steps,
    ...(isEarly ? [{ start: last.timestamp + interval, end, value: null }] : []),
  ];
}
