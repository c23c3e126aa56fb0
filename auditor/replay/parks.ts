/**
 * Solar parks played again from their events: whose the shares are, and of each kind of income what came in, to the 2^-32 unit
 * divided as contracts/libraries/Income.sol divides it, so that nobody claims more or less than what came to his shares. Of the
 * production token it is known what came in; of another kind only the park says it.
 */
import { type Hex, zeroAddress } from "viem";
import type { ChainEvent } from "../chain/events.ts";
import type { Where } from "../finding.ts";
import { type Book, low, meterIdOf } from "./book.ts";

/** 2^-32 units in a unit. */
const SCALE = 2n ** 32n;
/** There are fewer shares than this. */
const SHARES_LIMIT = 2n ** 32n;
const KINDS_LIMIT = 8;
/** IMeterRegistry.Change */
const CHANGE = { key: 0, owner: 1 } as const;

/** In 2^-32 units. */
type Part = { perShare: bigint; accrued: bigint };

/** One kind of income: units, and 2^-32 units. */
export type Kind = {
  kind: Hex;
  held: bigint;
  carry: bigint;
  perShare: bigint;
  claimed: bigint;
  parts: Map<Hex, Part>;
};

export type Park = {
  park: Hex;
  name: string;
  governor: Hex;
  timelock: Hex;
  supervisor: Hex;
  /** shares */
  holders: Map<Hex, bigint>;
  supply: bigint;
  /** the first is the production token */
  kinds: Map<Hex, Kind>;
  meters: Set<Hex>;
  permitted: Map<Hex, Hex>;
  manager: Hex;
  powers: number;
  sales: number;
  where: Where;
};

/** With `amount` units more, divided among `shares`. */
export function divided(kind: Kind, amount: bigint, shares: bigint): Kind {
  if (amount <= 0n || shares === 0n) return kind;
  const total = amount * SCALE + kind.carry;
  return { ...kind, held: kind.held + amount, perShare: kind.perShare + total / shares, carry: total % shares };
}

/** What a holder has by now of a kind, in 2^-32 units. */
export function accrued({ parts, perShare }: Kind, holder: Hex, shares: bigint): bigint {
  const part = parts.get(holder) ?? { perShare: 0n, accrued: 0n };
  return part.accrued + (perShare - part.perShare) * shares;
}

export const claimable = (kind: Kind, holder: Hex, shares: bigint): bigint => accrued(kind, holder, shares) / SCALE;

/** `token`: the production token's address. */
export function replayParks(token: Hex, book: Book) {
  const parks = new Map<Hex, Park>();
  const { refute, unlike, asks, tells } = book;
  /** keys and owners that a registrar's proposal gave to a meter in the last transaction that did so */
  const given = new Map<string, Hex | undefined>();
  const isGiven = (meter: Hex, change: number): boolean =>
    given.get(`${meter} ${change}`) === book.where().transaction && book.where().transaction !== undefined;

  /** A park tells of its beginning before its factory does. */
  function parkOf(address: Hex): Park {
    const known = parks.get(address);
    if (known) return known;
    const park: Park = {
      ...{ park: address, name: "", governor: zeroAddress, timelock: zeroAddress, supervisor: zeroAddress },
      ...{ holders: new Map(), supply: 0n, kinds: new Map(), meters: new Set(), permitted: new Map() },
      ...{ manager: zeroAddress, powers: 0, sales: 0, where: book.where() },
    };
    parks.set(address, park);
    return park;
  }

  /* SHARES */

  const sharesOf = (park: Park, holder: Hex): bigint => park.holders.get(holder) ?? 0n;

  function accrue(park: Park, kind: Kind, holder: Hex): Part {
    const part = { perShare: kind.perShare, accrued: accrued(kind, holder, sharesOf(park, holder)) };
    kind.parts.set(holder, part);
    return part;
  }

  function transfer(park: Park, from: Hex, to: Hex, shares: bigint): void {
    checkCounted(park);
    const sides = [from, to].filter((each) => each !== zeroAddress);
    for (const kind of park.kinds.values()) for (const each of sides) accrue(park, kind, each);
    if (to === park.park) unlike("shares", park.park, "none of its own", shares);
    if (from === zeroAddress) park.supply += shares;
    else {
      const left = sharesOf(park, from) - shares;
      if (left < 0n) unlike("shares", `${from} of park ${park.park}`, `at least ${shares}`, left + shares);
      park.holders.set(from, left);
    }
    if (to === zeroAddress) park.supply -= shares;
    else park.holders.set(to, sharesOf(park, to) + shares);
    if (park.supply >= SHARES_LIMIT) unlike("shares", park.park, `less than ${SHARES_LIMIT}`, park.supply);
  }

  /* INCOME */

  /** Before shares move, or anything is claimed, all that came in is counted: what is here is what is held for them. */
  function checkCounted(park: Park): void {
    const own = park.kinds.get(token);
    if (own) refute("income not counted", park.park, book.balances.get(park.park) ?? 0n, own.held);
  }

  function kindOf(park: Park, address: Hex): Kind | undefined {
    const kind = park.kinds.get(address);
    if (!kind) unlike("kind unknown", park.park, "a kind of income that it divides", address);
    return kind;
  }

  function addKind(park: Park, address: Hex): void {
    if (park.kinds.has(address)) unlike("kinds", park.park, "a kind of income once", address);
    if (park.kinds.size === 0) refute("kinds", park.park, token, address);
    if (park.kinds.size >= KINDS_LIMIT) unlike("kinds", park.park, `${KINDS_LIMIT} at most`, park.kinds.size + 1);
    const none = { held: 0n, carry: 0n, perShare: 0n, claimed: 0n, parts: new Map() };
    park.kinds.set(address, { kind: address, ...none });
  }

  function received(park: Park, address: Hex, amount: bigint): void {
    const kind = kindOf(park, address);
    if (!kind) return;
    const object = `${address} of park ${park.park}`;
    const here = (book.balances.get(park.park) ?? 0n) - kind.held;
    if (address === token) refute("received", object, here, amount);
    if (amount === 0n || park.supply === 0n) unlike("received", object, "something, for shares that are there", amount);
    park.kinds.set(address, divided(kind, amount, park.supply));
  }

  function claimed(park: Park, address: Hex, holder: Hex, to: Hex, amount: bigint): void {
    const kind = kindOf(park, address);
    if (!kind) return;
    if (address === token) checkCounted(park);
    const part = accrue(park, kind, holder);
    refute("claimed", `${holder} of park ${park.park}, ${address}`, part.accrued / SCALE, amount);
    part.accrued -= amount * SCALE;
    kind.held -= amount;
    kind.claimed += amount;
    if (address === token) asks("income paid", park.park, to, amount);
  }

  /* METERS */

  function tellRegistry(event: ChainEvent & { of: "registry" }): void {
    const { eventName: name, args } = event;
    if (name === "ProposalExecuted") given.set(`${args.meter} ${args.change}`, book.where().transaction);
    if (name === "Transfer") {
      const [from, to, meter] = [low(args.from), low(args.to), meterIdOf(args.tokenId)];
      const park = parks.get(from);
      if (park && !isGiven(meter, CHANGE.owner)) tells("meter sold", park.park, meter, to);
    }
    if (name !== "KeyRotated") return;
    const park = parks.get(book.owners.get(args.meter) ?? zeroAddress);
    if (!park?.meters.has(args.meter) || isGiven(args.meter, CHANGE.key)) return;
    refute("key not permitted", args.meter, park.permitted.get(args.meter) ?? "none", args.keyId);
    park.permitted.delete(args.meter);
  }

  function known(park: Park, meter: Hex): void {
    if (!park.meters.has(meter)) unlike("meter not of park", meter, `a meter of park ${park.park}`, "none");
  }

  function forget(park: Park, meter: Hex): void {
    known(park, meter);
    park.meters.delete(meter);
    park.permitted.delete(meter);
  }

  function tellPark(event: ChainEvent & { of: "park" }): void {
    const { eventName: name, args, by } = event;
    const park = parkOf(by);
    if (name === "Transfer") transfer(park, low(args.from), low(args.to), args.value);
    else if (name === "KindAdded") addKind(park, low(args.kind));
    else if (name === "Received") received(park, low(args.kind), args.amount);
    else if (name === "Claimed") claimed(park, low(args.kind), low(args.holder), low(args.to), args.amount);
    else if (name === "Marked") {
      const kind = kindOf(park, low(args.kind));
      if (kind) refute("marked", `${kind.kind} of park ${by}`, kind.claimed + kind.held, args.received);
    } else if (name === "MeterAdmitted") {
      if (park.meters.has(args.meter)) unlike("meter not of park", args.meter, "a meter that it has not", "one it has");
      park.meters.add(args.meter);
      admitted.push({ park, meter: args.meter });
    } else if (name === "MeterSold") {
      forget(park, args.meter);
      park.sales += 1;
      asks("meter sold", by, args.meter, low(args.buyer));
    } else if (name === "MeterLost") {
      forget(park, args.meter);
      if (book.owners.get(args.meter) === by) unlike("meter not lost", args.meter, "another owner", by);
    } else if (name === "KeyPermitted") {
      known(park, args.meter);
      park.permitted.set(args.meter, args.keyId);
    } else if (name === "Appointed") Object.assign(park, { manager: low(args.manager), powers: args.powers });
    else if (name === "SupervisorChanged") park.supervisor = low(args.supervisor);
  }

  /** Those that are to be a park's when the transaction is over. */
  const admitted: { park: Park; meter: Hex }[] = [];

  function tell(event: ChainEvent): void {
    if (event.of === "registry") tellRegistry(event);
    else if (event.of === "park") tellPark(event);
    else if (event.of === "factory") {
      const { park: address, name, governor, timelock, supervisor } = event.args;
      const park = parkOf(low(address));
      if (park.supply === 0n) unlike("shares", park.park, "some, from the beginning", 0);
      refute("supervisor", park.park, park.supervisor, low(supervisor));
      Object.assign(park, { name, governor: low(governor), timelock: low(timelock) });
    } else if (event.of === "token" && event.eventName === "Transfer" && parks.has(low(event.args.from))) {
      tells("income paid", low(event.args.from), low(event.args.to), event.args.value);
    }
  }

  function close(): void {
    for (const { park, meter } of admitted.splice(0)) {
      if (park.meters.has(meter)) refute("meter not the park's", meter, park.park, book.owners.get(meter) ?? "nobody");
    }
  }

  /** Of each kind, all that is whose it is and the carry make what is held; of the token that is here, or not counted yet. */
  function end(): void {
    for (const park of parks.values()) {
      const sum = [...park.holders.values()].reduce((all, each) => all + each, 0n);
      refute("shares", park.park, park.supply, sum);
      for (const kind of park.kinds.values()) {
        const holders = new Set([...park.holders.keys(), ...kind.parts.keys()]);
        const whole = [...holders].reduce((all, each) => all + accrued(kind, each, sharesOf(park, each)), kind.carry);
        refute("income sums", `${kind.kind} of park ${park.park}`, kind.held * SCALE, whole);
      }
      const own = park.kinds.get(token);
      const here = book.balances.get(park.park) ?? 0n;
      if (own && here < own.held) unlike("income sums", `the token of park ${park.park}`, `at least ${own.held}`, here);
    }
  }

  return { parks, tell, close, end };
}
