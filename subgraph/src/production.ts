/** What was produced, by the hour and by the day of the meter's own time. */
import { BigInt, Bytes } from "@graphprotocol/graph-ts";
import { Gap } from "../generated/schema";
import { createMeterDay, createMeterHour, fetchDay, fetchHour, fetchMeterDay, fetchMeterHour } from "./fetch";

const HOUR: u64 = 3600;
const DAY: u64 = 86400;
/** s. The hours of a longer interval say nothing, and those of nine years would be more than a handler may store. */
const LONGEST_BY_HOUR = BigInt.fromI32(366 * 86400);

/** What falls into one hour or day of a settled interval. */
class Share {
  constructor(
    /** of the hour or day */
    public start: u64,
    /** s of it that the interval covers, and nothing did before */
    public covered: i32,
    /** mWh */
    public energy: BigInt,
    /** mWh of them that are an estimate */
    public spread: BigInt,
  ) {}
}

/**
 * Adds the `energy` (mWh) that a meter produced after `from` and until `to`, Unix time, s. What lies within one hour is
 * that hour's, exactly; what does not is spread evenly by time and marked. The same for days; an interval of
 * more than 366 days counts by the day only. `filled` is the gap that the interval lies in; null = it is later than all
 * that the meter settled, so of its hours and days only the first may be known.
 */
export function addProduction(meter: Bytes, from: BigInt, to: BigInt, energy: BigInt, filled: Gap | null): void {
  const covers = filled ? !filled.covered : true;
  if (to.minus(from).le(LONGEST_BY_HOUR)) {
    const hours = sharesOf(from, to, energy, HOUR, covers);
    for (let i = 0; i < hours.length; i++) addToHour(meter, hours[i], i == 0 || filled != null);
  }
  const days = sharesOf(from, to, energy, DAY, covers);
  for (let i = 0; i < days.length; i++) addToDay(meter, days[i], i == 0 || filled != null);
}

/** They add up to the whole, to the mWh: each ends where the energy up to its end, rounded down, does. */
function sharesOf(from: BigInt, to: BigInt, energy: BigInt, period: u64, covers: boolean): Share[] {
  const shares: Share[] = [];
  const end = to.toU64();
  const time = to.minus(from);
  let before = BigInt.zero();
  for (let at = from.toU64(); at < end; ) {
    const start = at - (at % period);
    const until = min(start + period, end);
    const upTo = energy.times(BigInt.fromU64(until).minus(from)).div(time);
    const share = upTo.minus(before);
    const whole = until == end && shares.length == 0;
    shares.push(new Share(start, covers ? ((until - at) as i32) : 0, share, whole ? BigInt.zero() : share));
    before = upTo;
    at = until;
  }
  return shares;
}

function addToHour(meter: Bytes, share: Share, known: boolean): void {
  const hour = known ? fetchMeterHour(meter, share.start) : createMeterHour(meter, share.start);
  hour.energy = hour.energy.plus(share.energy);
  hour.spread = hour.spread.plus(share.spread);
  hour.covered += share.covered;
  hour.save();

  const all = fetchHour(share.start);
  all.energy = all.energy.plus(share.energy);
  all.spread = all.spread.plus(share.spread);
  all.covered = all.covered.plus(BigInt.fromI32(share.covered));
  all.save();
}

function addToDay(meter: Bytes, share: Share, known: boolean): void {
  const day = known ? fetchMeterDay(meter, share.start) : createMeterDay(meter, share.start);
  day.energy = day.energy.plus(share.energy);
  day.spread = day.spread.plus(share.spread);
  day.covered += share.covered;
  day.save();

  const all = fetchDay(share.start);
  all.energy = all.energy.plus(share.energy);
  all.spread = all.spread.plus(share.spread);
  all.covered = all.covered.plus(BigInt.fromI32(share.covered));
  all.save();
}
