/**
 * The device's own cumulative register of production, as firmware/core/register.c keeps it. It sums the increases of the
 * meter's register and never decreases, whatever the meter shows.
 *
 * An increase counts within a leaky bucket that fills with what was produced, leaks at the installation's capacity and
 * holds 900 s of it, as oracle and DON keep one: no reading is taken that they would refuse.
 *
 * A register that shows less than before is not believed at once: meters answer 0 for a single poll, and counted anew, the
 * return would mint what nobody produced. Nothing counts while it stands lower. Where the old one returns, counting goes on
 * from it. Where the lower one has stood for a quarter of an hour of readings, never backward, it is believed, and what it
 * counted since it first stood is made up for.
 *
 * What counts at once and is more than the bucket lets pass, because nothing could be counted for a while, is owed, and
 * told by the readings that follow.
 */
import { CAPACITY_BURST, CONDITIONS } from "../protocol/index.ts";

/** s of readings after which a lower register is believed. */
const STANDING = 900;
/** s; no more of the time between two readings counts as standing: nobody looked meanwhile. */
const STANDING_STEP = 300;
/**
 * s; what has not stood long can count no more at a time than the capacity makes in this, or since it was last seen. Meters
 * move their registers in steps of up to a minute.
 */
const REGISTER_STEP = 60;
/** Registers that are remembered while none of them is believed. */
const LOWER_LIMIT = 3;
/** mW·s in a mWh */
const PER_MWH = 3600n;

/** A register that the meter shows: of those that are not believed, each is lower than the one before. */
export type Shown = {
  /** mWh, from where on it counts once it is believed */
  first: bigint;
  /** mWh, what it showed last */
  total: bigint;
  /** Unix time then, s */
  seen: number;
  /** s of readings, never backward */
  stood: number;
};

/** mW·s that a register ran ahead of capacity x time at a moment (s). */
export type Bucket = { level: bigint; at: number };

/** All that a register goes on from. `meter`: which one counted last, where it says so. */
export type Counted = {
  energy: bigint;
  owed: bigint;
  believed: Shown | undefined;
  lower: Shown[];
  told: Bucket | undefined;
  ahead: Bucket;
  meter: string | undefined;
};

export type Counting = {
  /** mWh */
  readonly energy: bigint;
  /**
   * Counts what the meter shows at `now` (s), later than the last time; `meter` tells it from any other. Returns the
   * reading's conditions.
   */
  count(
    now: number,
    measurement: { register: bigint; valid?: boolean | undefined; meter?: string | undefined },
  ): number;
  /** As it stands now. */
  counted(): Counted;
};

const NOTHING: Counted = {
  ...{ energy: 0n, owed: 0n, believed: undefined, lower: [], told: undefined },
  ...{ ahead: { level: 0n, at: 0 }, meter: undefined },
};

/** `capacity` (W): given, what this installation cannot make is not counted. Goes on from `counted`, else from zero. */
export function createCounting(capacity?: number, counted: Counted = NOTHING): Counting {
  const rate = capacity === undefined ? undefined : BigInt(capacity) * 1000n;
  let { energy, owed, believed, lower, told, ahead, meter: known } = structuredClone(counted);

  const leak = (from: number, now: number): bigint => (rate ?? 0n) * BigInt(Math.max(0, now - from));
  const room = ({ level, at }: Bucket, now: number): bigint | undefined =>
    rate === undefined ? undefined : atLeast0(rate * BigInt(CAPACITY_BURST) + leak(at, now) - level) / PER_MWH;
  const filled = ({ level, at }: Bucket, now: number, increase: bigint): Bucket => ({
    level: atLeast0(level + increase * PER_MWH - leak(at, now)),
    at: now,
  });

  /** Whether a register that has not stood long can have counted so much since it was seen. */
  const canCount = (seen: number, now: number, step: bigint): boolean =>
    rate === undefined || step <= (rate * BigInt(Math.max(now - seen, REGISTER_STEP))) / PER_MWH;

  /** Takes in the step of a register that is believed. */
  function accept(now: number, shown: Shown, total: bigint, step: bigint, stood: number): number {
    const most = room(ahead, now);
    const fits = most === undefined || step <= most;
    const isPossible = fits && (shown.stood === STANDING || canCount(shown.seen, now, step));
    ahead = filled(ahead, now, isPossible ? step : 0n);
    owed += isPossible ? step : 0n;
    believed = { first: total, total, seen: now, stood: isPossible ? stood : 0 };
    lower = [];
    return isPossible ? 0 : CONDITIONS.discontinuous;
  }

  /** Takes in a register lower than the one that is believed, and returns the one that it is. */
  function doubt(now: number, total: bigint): Shown {
    let goesOn = true;
    while (lower.length > 1 && total >= (lower.at(-2) as Shown).total) {
      lower.pop(); // back to the one before: what came between was not it
      goesOn = false;
    }
    const last = lower.at(-1);
    if (last === undefined || total < last.total) {
      if (lower.length === LOWER_LIMIT) lower.pop();
      lower.push({ first: total, total, seen: now, stood: 0 });
      return lower.at(-1) as Shown;
    }
    if (!canCount(last.seen, now, total - last.total)) {
      last.first = total;
      goesOn = false;
    }
    last.stood = goesOn ? standing(last, now) : 0;
    last.total = total;
    last.seen = now;
    return last;
  }

  /** Takes in what a valid measurement shows, and returns the conditions. */
  function judge(now: number, total: bigint, meter = known): number {
    const isAnother = known !== undefined && meter !== known;
    known = meter;
    if (isAnother) {
      believed = { first: total, total, seen: now, stood: 0 };
      lower = [];
      return CONDITIONS.discontinuous;
    }
    if (believed === undefined) {
      believed = { first: total, total, seen: now, stood: STANDING };
      ahead = { level: 0n, at: now };
      return 0;
    }
    if (total >= believed.total) {
      const stood = lower.length === 0 ? standing(believed, now) : believed.stood;
      return accept(now, believed, total, total - believed.total, stood);
    }
    const shown = doubt(now, total);
    if (shown.stood < STANDING) return CONDITIONS.discontinuous;
    return accept(now, shown, total, total - shown.first, STANDING);
  }

  return {
    get energy() {
      return energy;
    },
    counted: () => structuredClone({ energy, owed, believed, lower, told, ahead, meter: known }),
    count(now, { register, valid = true, meter }) {
      const conditions = valid ? judge(now, register, meter) : CONDITIONS.invalid;
      told ??= { level: 0n, at: now };
      const most = conditions === 0 ? (room(told, now) ?? owed) : 0n;
      const increase = owed < most ? owed : most;
      told = filled(told, now, increase);
      owed -= increase;
      energy += increase;
      return conditions;
    },
  };
}

/** How long a register has stood that is seen again. */
const standing = ({ stood, seen }: Shown, now: number): number =>
  Math.min(STANDING, stood + Math.min(now - seen, STANDING_STEP));

const atLeast0 = (value: bigint): bigint => (value < 0n ? 0n : value);
