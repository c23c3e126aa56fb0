/**
 * HourlyCertificates played again from its events: each hour of a meter once, what was un-issued open again, tokens taken for
 * what was issued and given back or retired for what was un-issued or redeemed, and nobody with less than no certificates.
 * What the hours' energies should be the readings say: evidence/hours.ts.
 */
import { type Hex, zeroAddress } from "viem";
import { UNITS_PER_MWH } from "../../verification/chain/token.ts";
import type { ChainEvent } from "../chain/events.ts";
import type { Where } from "../finding.ts";
import { type Book, low } from "./book.ts";

const HOUR = 3600;
/** Neither more mWh nor more hours are one certificate. */
const ENERGY_LIMIT = 2n ** 38n;
const SPAN_LIMIT = 512;
/** IHourlyCertificates.ANYONE */
const ANYONE = `0x${"ff".repeat(20)}`;

export type Redemption = { serial: bigint; holder: Hex; beneficiary: Hex; energy: bigint; where: Where };

/** What was issued, whatever became of it. Times are Unix time (s), energies mWh. */
export type Issuance = {
  id: bigint;
  meter: Hex;
  issuer: Hex;
  start: number;
  end: number;
  energy: bigint;
  redeemed: bigint;
  redemptions: Redemption[];
  isUnissued: boolean;
  where: Where;
};

export type Certificates = {
  issuances: Issuance[];
  /** those that are not un-issued, by their ids */
  issued: Map<bigint, Issuance>;
  /** by meter, and by hours from the Unix epoch on; those that were, and are open again, have none */
  hours: Map<Hex, Map<number, bigint | undefined>>;
  /** mWh, by holder and id */
  balances: Map<Hex, Map<bigint, bigint>>;
  named: Map<Hex, { owner: Hex; issuer: Hex }>;
  /** mWh that are neither redeemed nor un-issued */
  outstanding: bigint;
  /** units that somebody sent here, and that are beneath no certificate */
  given: bigint;
};

/** `contract`: its address. */
export function replayCertificates(contract: Hex, book: Book) {
  const state: Certificates = {
    ...{ issuances: [], issued: new Map(), hours: new Map(), balances: new Map(), named: new Map() },
    ...{ outstanding: 0n, given: 0n },
  };
  const { refute, unlike, asks, tells } = book;

  function hoursOf(meter: Hex): Map<number, bigint | undefined> {
    const hours = state.hours.get(meter) ?? new Map<number, bigint | undefined>();
    state.hours.set(meter, hours);
    return hours;
  }

  /** Whoever the meter's owner lets, or he himself. */
  function checkIssuer(meter: Hex, issuer: Hex): void {
    const owner = book.owners.get(meter);
    const named = state.named.get(meter);
    const isNamed = named?.owner === owner && (named?.issuer === issuer || named?.issuer === ANYONE);
    if (owner === undefined) unlike("unknown meter", meter, "registered before", "unknown");
    else if (issuer !== owner && !isNamed) unlike("issuer", meter, `${owner}, or whom he named`, issuer);
  }

  function issue(id: bigint, energy: bigint, meter: Hex, issuer: Hex): void {
    const object = nameOf(id);
    const [start, length] = [Number((id >> 32n) & 0xffffffffn), Number(id & 0xffffffffn)];
    const span = length / HOUR;
    const isOfMeter = id >> 64n === BigInt(meter) >> 64n;
    if (!isOfMeter || start % HOUR !== 0 || !Number.isInteger(span) || span === 0 || span >= SPAN_LIMIT) {
      unlike("certificate id", object, `whole hours of ${meter}`, `${length} s from ${start}`);
    }
    if (energy === 0n || energy >= ENERGY_LIMIT) {
      unlike("certificate too large", object, `1 to ${ENERGY_LIMIT - 1n}`, energy);
    }
    const hours = hoursOf(meter);
    for (let hour = start / HOUR; hour < (start + length) / HOUR; hour++) {
      const before = hours.get(hour);
      if (before !== undefined) unlike("hour issued twice", object, "an hour that is open", nameOf(before));
      hours.set(hour, id);
    }
    const none = { redeemed: 0n, redemptions: [], isUnissued: false, where: book.where() };
    const issuance = { id, meter, issuer, start, end: start + length, energy, ...none };
    state.issuances.push(issuance);
    state.issued.set(id, issuance);
    state.outstanding += energy;
    asks("certificates minted", issuer, id, energy);
  }

  function issued({ meter, issuer, ids, energies }: (ChainEvent & { eventName: "Issued" })["args"]): void {
    const by = low(issuer);
    checkIssuer(meter, by);
    refute("certificate id", `${ids.length} of ${meter}`, ids.length, energies.length);
    if (ids.length === 0) unlike("certificate id", meter, "one at least", "none");
    for (const [i, id] of ids.entries()) issue(id, energies[i] ?? 0n, meter, by);
    const sum = energies.reduce((all, each) => all + each, 0n);
    asks("certificate tokens", by, contract, sum * UNITS_PER_MWH);
  }

  /** Undefined, and a finding, where there is none. */
  function known(id: bigint): Issuance | undefined {
    const issuance = state.issued.get(id);
    if (!issuance) unlike("certificate unknown", nameOf(id), "issued before", "not issued");
    return issuance;
  }

  function redeemed(args: (ChainEvent & { eventName: "Redeemed" })["args"]): void {
    const { id, serial, from, energy } = args;
    const [holder, beneficiary] = [low(args.holder), low(args.beneficiary)];
    asks("certificates burned", holder, id, energy);
    asks("certificate tokens", contract, zeroAddress, energy * UNITS_PER_MWH);
    asks("redemption", serial, beneficiary, energy * UNITS_PER_MWH);
    state.outstanding -= energy;
    const issuance = known(id);
    if (!issuance) return;
    refute("redeemed", nameOf(id), issuance.redeemed, from);
    const left = issuance.energy - issuance.redeemed;
    if (energy === 0n || energy > left) unlike("redeemed", nameOf(id), `1 to ${left}`, energy);
    issuance.redeemed += energy;
    issuance.redemptions.push({ serial, holder, beneficiary, energy, where: book.where() });
  }

  function unissued({ id, meter, holder, energy }: (ChainEvent & { eventName: "Unissued" })["args"]): void {
    asks("certificates burned", low(holder), id, energy);
    asks("certificate tokens", contract, low(holder), energy * UNITS_PER_MWH);
    state.outstanding -= energy;
    const issuance = known(id);
    if (!issuance) return;
    refute("unissued", nameOf(id), { meter: issuance.meter, energy: issuance.energy }, { meter, energy });
    if (issuance.redeemed > 0n) unlike("unissued", nameOf(id), "nothing redeemed", issuance.redeemed);
    issuance.isUnissued = true;
    state.issued.delete(id);
    const hours = hoursOf(issuance.meter);
    for (let hour = issuance.start / HOUR; hour < issuance.end / HOUR; hour++) hours.set(hour, undefined);
  }

  function move(from: Hex, to: Hex, id: bigint, amount: bigint): void {
    if (from === zeroAddress) tells("certificates minted", to, id, amount);
    else enter(from, id, -amount);
    if (to === zeroAddress) tells("certificates burned", from, id, amount);
    else enter(to, id, amount);
  }

  function enter(holder: Hex, id: bigint, amount: bigint): void {
    const own = state.balances.get(holder) ?? new Map<bigint, bigint>();
    const balance = (own.get(id) ?? 0n) + amount;
    if (balance < 0n)
      unlike("certificate balance", `${holder} of ${nameOf(id)}`, `at least ${-amount}`, balance - amount);
    own.set(id, balance);
    state.balances.set(holder, own);
  }

  function tellToken({ eventName, args }: ChainEvent & { of: "token" }): void {
    if (eventName === "Retired" && low(args.from) === contract) {
      tells("redemption", args.serial, low(args.beneficiary), args.amount);
    }
    if (eventName !== "Transfer") return;
    const fact = [low(args.from), low(args.to), args.value] as const;
    if (fact[0] === contract) tells("certificate tokens", ...fact);
    else if (fact[1] !== contract) return;
    else if (book.isAsked("certificate tokens", ...fact)) tells("certificate tokens", ...fact);
    else state.given += args.value;
  }

  function tell(event: ChainEvent): void {
    if (event.of === "token") tellToken(event);
    if (event.of !== "certificates") return;
    const { eventName: name, args } = event;
    if (name === "Issued") issued(args);
    else if (name === "Redeemed") redeemed(args);
    else if (name === "Unissued") unissued(args);
    else if (name === "TransferSingle") move(low(args.from), low(args.to), args.id, args.value);
    else if (name === "TransferBatch") {
      refute("certificate id", "a transfer", args.ids.length, args.values.length);
      for (const [i, id] of args.ids.entries()) move(low(args.from), low(args.to), id, args.values[i] ?? 0n);
    } else if (name === "IssuerNamed") {
      const owner = low(args.owner);
      refute("owner", args.meter, book.owners.get(args.meter), owner);
      state.named.set(args.meter, { owner, issuer: low(args.issuer) });
    }
  }

  /** Free tokens, those beneath certificates and retired ones are what was minted: so those beneath are what is here. */
  function end(): void {
    const held = (book.balances.get(contract) ?? 0n) - state.given;
    refute("certificate sums", "tokens beneath certificates", state.outstanding * UNITS_PER_MWH, held);
  }

  return { state, tell, end };
}

export const nameOf = (id: bigint): string => `certificate 0x${id.toString(16).padStart(64, "0")}`;
