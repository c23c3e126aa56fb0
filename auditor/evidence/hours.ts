/**
 * The energy of every certificate, recomputed from the verified readings at its full hours: within a log the difference of
 * both; from one log of a meter into a later one by what the register rose, as HourlyCertificates.issue takes it, where what
 * the logs between end and begin with is what was settled by then.
 */
import type { Hex } from "viem";
import { conditionsOf, energyOf, timestampOf } from "../../protocol/index.ts";
import { type Finding, missing, refuted, type Where } from "../finding.ts";
import { type Issuance, nameOf } from "../replay/certificates.ts";
import { type Key, type Meter, rise } from "../replay/keys.ts";
import type { Replay } from "../replay/replay.ts";
import type { Settlement } from "../replay/settling.ts";
import type { OnHours } from "./checking.ts";

const HOUR = 3600;
/** A reading at a full hour may have these: energy repeated, step not counted. */
const HARMLESS = 0x06;

/** Readings at full hours, by log and index. */
export type HourReadings = Map<string, Map<number, Uint8Array>>;

/** Hand `onHours` to an audit: it keeps them. */
export function createHours(): { readings: HourReadings; onHours: OnHours } {
  const readings: HourReadings = new Map();
  const onHours: OnHours = ({ keyId, epoch }, hours) => {
    const name = logName(keyId, epoch);
    const known = readings.get(name) ?? new Map<number, Uint8Array>();
    for (const { index, reading } of hours) known.set(index, reading);
    readings.set(name, known);
  };
  return { readings, onHours };
}

const logName = (keyId: Hex, epoch: number): string => `${keyId} ${epoch}`;

/** mWh of the register, at the first and the last reading of a log that count, by then. */
type Log = { key: Key; epoch: number; size: number; first: bigint; last: bigint; hours: Boundary[] };

/** A reading at a full hour: Unix time (s) and mWh. */
type Boundary = { index: number; time: number; energy: bigint };

export type CheckingHours = {
  replayed: Replay;
  issuances: readonly Issuance[];
  readings: HourReadings;
  isVerified: (settlement: Settlement) => boolean;
};

export type CheckedHours = { verified: Set<Issuance>; findings: Finding[] };

export function checkHours({ replayed, issuances, readings, isVerified }: CheckingHours): CheckedHours {
  const verified = new Set<Issuance>();
  const findings: Finding[] = [];
  for (const issuance of issuances) {
    const meter = replayed.meters.get(issuance.meter);
    if (!meter) continue;
    const own = replayed.settlements.filter(
      (each) => each.meter === meter.meter && isBefore(each.where, issuance.where),
    );
    const logs = logsBy(meter, own, issuance.where, readings);
    const isWhole = own.every(isVerified);
    const finding = judge(issuance, logs, isWhole);
    if (finding) findings.push(finding);
    else verified.add(issuance);
  }
  return { verified, findings };
}

const isBefore = (one: Where, other: Where): boolean =>
  (one.block as number) < (other.block as number) ||
  (one.block === other.block && (one.index as number) < (other.index as number));

/** A meter's settled logs as they were by then, in the order of its keys and epochs. */
function logsBy(meter: Meter, settlements: readonly Settlement[], by: Where, readings: HourReadings): Log[] {
  return meter.keys.flatMap((key) => {
    const { begun } = key;
    if (!isBefore(begun.where, by)) return [];
    const logs = new Map<number, Omit<Log, "hours">>();
    const baseline = { key, epoch: begun.epoch, size: begun.size, first: begun.energy, last: begun.energy };
    logs.set(begun.epoch, baseline);
    for (const { keyId, epoch, size, energy, first } of settlements) {
      if (keyId !== key.keyId) continue;
      const log = logs.get(epoch) ?? { key, epoch, size, first: first?.energy ?? energy, last: energy };
      logs.set(epoch, { ...log, size, last: energy });
    }
    const inOrder = [...logs.values()].sort((a, b) => a.epoch - b.epoch);
    return inOrder.map((log) => ({ ...log, hours: boundariesOf(log, readings) }));
  });
}

/** A reading counts from within its key's interval, and by a clock and an enclosure that were in order. */
function boundariesOf({ key, epoch, size }: Omit<Log, "hours">, readings: HourReadings): Boundary[] {
  return [...(readings.get(logName(key.keyId, epoch)) ?? [])].flatMap(([index, reading]) => {
    const time = timestampOf(reading);
    const isCounted = time >= key.since && (key.until === 0 || time < key.until) && index < size;
    const isClear = (conditionsOf(reading) & ~HARMLESS) === 0;
    return time % HOUR === 0 && isCounted && isClear ? [{ index, time, energy: energyOf(reading) }] : [];
  });
}

function judge(
  { id, start, end, energy, where }: Issuance,
  logs: readonly Log[],
  isWhole: boolean,
): Finding | undefined {
  const object = nameOf(id);
  const from = placesOf(logs, start);
  const to = placesOf(logs, end);
  const spans = from.flatMap((one) => to.flatMap((other) => spanOf(logs, one, other) ?? []));
  const lacking = () => missing("no readings", object, "no place has all the readings of its meter", where);
  if (spans.length === 0) {
    const found = `${from.length === 0 ? "none" : "one"} at its start, ${to.length === 0 ? "none" : "one"} at its end`;
    return isWhole ? refuted("certificate boundary", object, "settled readings at both", found, where) : lacking();
  }
  const fits = spans.filter((span) => (span.isExact ? energy === span.energy : energy <= span.energy));
  if (fits.length === 0) {
    if (!isWhole && spans.every(({ isExact }) => !isExact)) return lacking();
    return refuted("certificate energy", object, spans.map((span) => span.energy).join(" or "), energy, where);
  }
  if (fits.some(({ passedOver }) => passedOver === undefined))
    return end - start > HOUR && !isWhole ? lacking() : undefined;
  return refuted("hour passed over", object, "no reading at an hour between", fits[0]?.passedOver, where);
}

type PlaceInLog = { at: number; boundary: Boundary };

const placesOf = (logs: readonly Log[], time: number): PlaceInLog[] =>
  logs.flatMap(({ hours }, at) => hours.filter((each) => each.time === time).map((boundary) => ({ at, boundary })));

/** `isExact`: of one log. Over more it is the most: who issues may leave out readings between within an hour. */
type Span = { energy: bigint; isExact: boolean; passedOver: number | undefined };

function spanOf(logs: readonly Log[], from: PlaceInLog, to: PlaceInLog): Span | undefined {
  const [start, end] = [from.boundary, to.boundary];
  if (from.at > to.at) return undefined;
  const path = logs.slice(from.at, to.at + 1);
  const passedOver = path.flatMap(({ hours }) => hours).find(({ time }) => time > start.time && time < end.time)?.time;
  if (path.length === 1) {
    const energy = end.energy - start.energy;
    return energy < 0n ? undefined : { energy, isExact: true, passedOver };
  }
  let [energy, register, key] = [0n, start.energy, path[0]?.key];
  for (const [i, log] of path.entries()) {
    if (i > 0 && log.key === key) energy += rise(register, log.first);
    const begun = i === 0 ? start.energy : log.first;
    const ended = i === path.length - 1 ? end.energy : log.last;
    energy += rise(begun, ended);
    [register, key] = [ended, log.key];
  }
  return { energy, isExact: false, passedOver };
}
