/**
 * What a meter produced hour by hour (UTC), as far as it was settled: from the register at both ends of an hour, each a verified
 * reading of one settled log, as WattWitness.energyBetween takes them. An hour that has not both is not certified, and nothing is
 * interpolated. The same energy is never in two hours, and no more is certified than was minted.
 */
import type { Hex } from "viem";
import { BLOCKING_CONDITIONS, conditionsOf, energyOf, timestampOf } from "../protocol/index.ts";
import type { Audit } from "./audit.ts";
import type { OnHours } from "./evidence/checking.ts";
import type { Key, Meter } from "./replay/keys.ts";
import type { Settlement } from "./replay/settling.ts";

const HOUR = 3600;
const MWH_PER_WH = 1000n;

/** Times are Unix time, s. */
export type Certificate = {
  meter: Hex;
  details: Hex;
  from: number;
  to: number;
  /** mWh of this hour */
  energy: bigint;
  /** whole Wh; what is left goes into the meter's next certificate, so that sums stay exact */
  faceValue: bigint;
  /** W */
  capacity: number;
  keyId: Hex;
  epoch: number;
  /** places of both readings in the log */
  startIndex: number;
  endIndex: number;
  /** of the settlement that has the reading at its end */
  root: Hex;
  attestation: Hex;
  transaction: Hex;
  block: number;
  issuedAt: number;
};

/** Hours on end without a certificate. */
export type Uncertified = { meter: Hex; from: number; to: number; why: Why };

export type Why =
  | "no verified reading at its start"
  | "no verified reading at its end"
  | "no verified reading at either end"
  | "its two readings are of two logs"
  | "two logs have it"
  | "not all of it was minted";

export type Certified = { certificates: Certificate[]; uncertified: Uncertified[] };

type Boundary = { index: number; energy: bigint };

/** A log of a meter: its settlements, and its readings at full hours by their time. */
type HourLog = { key: Key; epoch: number; settlements: Settlement[]; hours: Map<number, Boundary> };

/** Hand `onHours` to an audit, and then ask what it comes to. */
export function createCertifying() {
  const logs = new Map<string, Map<number, Uint8Array>>();
  const onHours: OnHours = ({ keyId, epoch }, hours) => {
    const name = `${keyId} ${epoch}`;
    const known = logs.get(name) ?? new Map<number, Uint8Array>();
    for (const { index, reading } of hours) known.set(index, reading);
    logs.set(name, known);
  };

  function certified({ read }: Audit): Certified {
    const all: Certified = { certificates: [], uncertified: [] };
    if (!read) return all;
    const { history, replayed, settlements } = read;
    const timeOf = (block: number) => history.blocks.get(block)?.timestamp ?? 0;
    for (const { meter } of replayed.meters.values()) {
      const own = settlements.filter((each) => each.meter === meter);
      if (own.length > 0) certifyMeter(replayed.meters.get(meter) as Meter, own, timeOf, all);
    }
    return all;
  }

  function certifyMeter(meter: Meter, own: Settlement[], timeOf: (block: number) => number, all: Certified): void {
    const hourLogs = meter.keys.flatMap((key) => [...key.logs.keys()].map((epoch) => hourLogOf(key, epoch, own)));
    const first = Math.min(...meter.keys.map(({ since }) => since));
    const last = Math.max(...own.map(({ timestamp }) => timestamp));
    let rest = 0n;
    for (let from = first - (first % HOUR); from < last; from += HOUR) {
      const of = whichLog(hourLogs, from);
      if (typeof of === "string") {
        note(all.uncertified, { meter: meter.meter, from, to: from + HOUR, why: of });
        continue;
      }
      const { log, start, end, settlement } = of;
      const energy = end.energy - start.energy;
      const faceValue = (energy + rest) / MWH_PER_WH;
      rest = (energy + rest) % MWH_PER_WH;
      all.certificates.push({
        ...{ meter: meter.meter, details: meter.details, from, to: from + HOUR, energy, faceValue },
        ...{ capacity: settlement.capacity, keyId: log.key.keyId, epoch: log.epoch },
        ...{ startIndex: start.index, endIndex: end.index, root: settlement.root, attestation: settlement.attestation },
        ...{ transaction: settlement.where.transaction as Hex, block: settlement.where.block as number },
        issuedAt: timeOf(settlement.where.block as number),
      });
    }
  }

  /** A reading counts from within its key's interval, and by a clock and a case that were in order. */
  function hourLogOf(key: Key, epoch: number, own: readonly Settlement[]): HourLog {
    const settlements = own.filter((each) => each.keyId === key.keyId && each.epoch === epoch);
    const hours = new Map<number, Boundary>();
    for (const [index, reading] of logs.get(`${key.keyId} ${epoch}`) ?? []) {
      const time = timestampOf(reading);
      const counts = time >= key.since && (key.until === 0 || time < key.until);
      if (counts && !(conditionsOf(reading) & BLOCKING_CONDITIONS))
        hours.set(time, { index, energy: energyOf(reading) });
    }
    return { key, epoch, settlements, hours };
  }

  return { onHours, certified };
}

type Found = { log: HourLog; start: Boundary; end: Boundary; settlement: Settlement };

function whichLog(logs: readonly HourLog[], from: number): Found | Why {
  const [isBegun, isEnded] = [from, from + HOUR].map((time) => logs.some(({ hours }) => hours.has(time)));
  if (!isBegun && !isEnded) return "no verified reading at either end";
  if (!isBegun) return "no verified reading at its start";
  if (!isEnded) return "no verified reading at its end";
  const [log, other] = logs.filter(({ hours }) => hours.has(from) && hours.has(from + HOUR));
  if (!log) return "its two readings are of two logs";
  if (other) return "two logs have it";
  const [start, end] = [log.hours.get(from) as Boundary, log.hours.get(from + HOUR) as Boundary];
  const across = log.settlements.filter(({ fromSize, size }) => size > start.index + 1 && fromSize <= end.index);
  const settlement = across.at(-1);
  if (!settlement || !across.every(isWhollyMinted)) return "not all of it was minted";
  return { log, start, end, settlement };
}

/** The rest of a log that is settled after a later one may mint less than its register rose. */
function isWhollyMinted({ produced, energy, before, first }: Settlement): boolean {
  const begun = before ?? first;
  return begun !== undefined && produced >= energy - begun.energy;
}

function note(uncertified: Uncertified[], next: Uncertified): void {
  const last = uncertified.at(-1);
  if (last?.meter === next.meter && last.to === next.from && last.why === next.why) last.to = next.to;
  else uncertified.push(next);
}
