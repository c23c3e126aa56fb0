/** This machine's clock, against the chain's newest block and against what a server says. */
import { type Finding, judged, skipped } from "./finding.ts";

/** s that a block may be old: the slowest chains' pauses, and more than any drift */
const OLDEST_BLOCK = 600;
/** s: as the contracts let a reading be ahead */
const TOLERANCE = 300;
/** s; a server's Date has whole ones, and takes its way */
const DRIFT = 30;
/** ms */
const PATIENCE = 9000;

const REMEDY = "set this machine's clock (NTP)";

/** `newest`: of the chain's newest block, Unix time, s. */
export async function clock(url: string, newest: number, now: () => number): Promise<Finding[]> {
  const age = Math.round(now() / 1000) - newest;
  const old = `the newest block is ${age} s old`;
  const early = `the newest block is ${-age} s ahead of this machine's clock`;
  const why = age > OLDEST_BLOCK ? old : age < -TOLERANCE ? early : undefined;
  return [
    judged("newest block", why, `${age} s old`, age > 0 ? "the node lags, or this machine's clock is ahead" : REMEDY),
    await againstServer(url, now),
  ];
}

async function againstServer(url: string, now: () => number): Promise<Finding> {
  const { host } = new URL(url);
  const date = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) })
    .then(({ headers }) => Date.parse(headers.get("date") ?? ""))
    .catch(() => Number.NaN);
  if (Number.isNaN(date)) return skipped("clock", `${host} says no date to compare it with`);
  const off = Math.round((now() - date) / 1000);
  const reason =
    Math.abs(off) > DRIFT ? `${Math.abs(off)} s ${off > 0 ? "ahead of" : "behind"} what ${host} says` : undefined;
  return judged("clock", reason, `as ${host} has it`, REMEDY);
}
