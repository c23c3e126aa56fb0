/** How a meter is, with the reason where it is not well. Pure: what the page says of a meter is decided here alone. */
import { CONDITIONS } from "../../../protocol/reading.ts";
import type { Status } from "./answers.ts";

export type Level = "good" | "warn" | "bad" | "over";
export type Reason =
  | "well"
  | "silentForNow"
  | "silent"
  | "nothingYet"
  | "unsettled"
  | "drifting"
  | "invalid"
  | "discontinuous"
  | "tamper"
  | "frozen"
  | "superseded"
  | "decommissioned";
/** `since`: Unix time (s) from which on it has been so, where that says something. */
export type State = { level: Level; reason: Reason; since?: number };

export type Seen = {
  status: Status;
  /** of the newest reading */
  timestamp: number | undefined;
  conditions: number;
  /** Unix time (s) of the newest reading on chain */
  settled: number;
  /** whether there are readings that are not on chain */
  isAhead: boolean;
};

/** s; no meter's interval is longer than a quarter of an hour, and a post may take its time. */
const SILENT_FOR_NOW = 1200;
const SILENT = 6 * 3600;
/** s; an oracle settles daily, with a DON that is paid for after a week */
const UNSETTLED = 8 * 86_400;

const ENDED = { frozen: "bad", superseded: "over", decommissioned: "over" } as const;

export function stateOf(seen: Seen, now: number): State {
  const { status, timestamp, settled } = seen;
  if (status === "frozen" || status === "superseded" || status === "decommissioned") {
    return { level: ENDED[status], reason: status };
  }
  if (timestamp === undefined) return { level: "warn", reason: "nothingYet" };
  const silence = silenceOf(timestamp, now);
  if (seen.conditions & CONDITIONS.tamper) return { level: "bad", reason: "tamper" };
  if (silence.level === "bad") return silence;
  if (seen.conditions & CONDITIONS.drifting) return { level: "bad", reason: "drifting" };
  if (seen.conditions & CONDITIONS.invalid) return { level: "warn", reason: "invalid" };
  if (seen.conditions & CONDITIONS.discontinuous) return { level: "warn", reason: "discontinuous" };
  if (silence.level === "warn") return silence;
  if (isLate(seen, now)) return { level: "warn", reason: "unsettled", since: settled };
  return { level: "good", reason: "well" };
}

export function silenceOf(timestamp: number, now: number): State {
  if (now - timestamp > SILENT) return { level: "bad", reason: "silent", since: timestamp };
  if (now - timestamp > SILENT_FOR_NOW) return { level: "warn", reason: "silentForNow", since: timestamp };
  return { level: "good", reason: "well" };
}

/** Whether what was read has waited too long for the chain. */
export const isLate = ({ isAhead, settled }: Pick<Seen, "isAhead" | "settled">, now: number): boolean =>
  isAhead && now - settled > UNSETTLED;

const ORDER: Record<Level, number> = { bad: 0, warn: 1, good: 2, over: 3 };

/** The worst first, what is over last. */
export const byLevel = (a: Level, b: Level): number => ORDER[a] - ORDER[b];
