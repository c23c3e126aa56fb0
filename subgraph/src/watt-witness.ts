/** What WattWitness tells: which heads settled and what they minted, which did not and why, and who vouched for them. */
import { BigInt, Bytes, ethereum } from "@graphprotocol/graph-ts";
import { Equivocation, Gap, Head, Key, Log, Meter, Settlement } from "../generated/schema";
import { Attested, Begun, Ended, Equivocated, LogBegun, Settled, Skipped } from "../generated/WattWitness/WattWitness";
import { fetchAttestation, fetchHolder, fetchKey, fetchLog, fetchMeter, fetchProtocol } from "./fetch";
import { eventId, headId } from "./ids";
import { addProduction } from "./production";

/** IWattWitness.Status, in its order. */
const STATUSES = ["", "ACTIVE", "FROZEN", "SUPERSEDED", "DECOMMISSIONED"];
/** IWattWitness.SkipReason, in its order. */
const SKIP_REASONS = ["", "OVERTAKEN", "CAPACITY_CHANGED", "FROZEN", "DECOMMISSIONED", "SUPERSEDED", "PASSED"];

/** The attestation of what settles on the device's signature alone. */
const NONE = Bytes.fromHexString("0x0000000000000000000000000000000000000000000000000000000000000000");
const ONE = BigInt.fromI32(1);

const NEW_LOG = "NEW_LOG";
const REGISTER_LOST = "REGISTER_LOST";

export function handleAttested(event: Attested): void {
  const attestation = fetchAttestation(event.params.root);
  attestation.attestor = event.params.attestor;
  attestation.attestedAt = event.block.timestamp;
  attestation.transaction = event.transaction.hash;
  attestation.save();

  const protocol = fetchProtocol();
  protocol.attestationCount += 1;
  protocol.save();
}

/** Comes after MeterRegistered or KeyRotated: the key is known, and now where it starts. */
export function handleBegun(event: Begun): void {
  const key = fetchKey(event.params.keyId);
  const meter = fetchMeter(key.meter);
  const log = fetchLog(key, event.params.epoch);
  if (key.predecessor) {
    log.previous = meter.log;
    const gap = createGap(log, event.params.timestamp);
    gap.reason = "NEW_KEY";
    gap.covered = false;
    gap.save();
    log.gap = gap.id;
  }
  keepHead(log, meter, event.params.size, event.params.root, event.params.timestamp, event.params.energy, null);

  key.since = event.params.timestamp;
  advance(key, meter, log, event.params.timestamp, event.params.energy, event);
  key.save();
  meter.save();
}

export function handleEnded(event: Ended): void {
  const key = fetchKey(event.params.keyId);
  key.until = event.params.until;
  setStatus(key, STATUSES[event.params.status]);
}

/** Comes right before the Settled of the log's first head. */
export function handleLogBegun(event: LogBegun): void {
  const log = fetchLog(fetchKey(event.params.keyId), event.params.epoch);
  log.beganAt = event.params.timestamp;
  log.beganEnergy = event.params.energy;
  log.save();
}

export function handleSettled(event: Settled): void {
  const key = fetchKey(event.params.keyId);
  const meter = fetchMeter(event.params.meter);
  const log = fetchLog(key, event.params.epoch);
  const payee = fetchHolder(event.params.payee);
  payee.save();
  const settlement = offered(key, event.params.attestation, "SETTLED", event);
  settlement.payee = payee.id;
  settlement.produced = event.params.produced;
  settlement.rest = event.params.timestamp.lt(key.lastReadingAt);
  if (settlement.rest) fill(settlement, log, meter, event);
  else goOn(settlement, log, key, meter, event);
  settlement.save();

  key.produced = key.produced.plus(event.params.produced);
  key.save();
  meter.produced = meter.produced.plus(event.params.produced);
  meter.settlementCount += 1;
  meter.save();
  const protocol = fetchProtocol();
  protocol.settlementCount += 1;
  protocol.produced = protocol.produced.plus(event.params.produced);
  protocol.save();
}

export function handleSkipped(event: Skipped): void {
  const settlement = offered(fetchKey(event.params.keyId), event.params.attestation, "SKIPPED", event);
  settlement.skipReason = SKIP_REASONS[event.params.reason];
  settlement.epoch = event.params.epoch;
  settlement.toIndex = event.params.size.minus(ONE);
  settlement.save();

  const protocol = fetchProtocol();
  protocol.skipCount += 1;
  protocol.save();
}

export function handleEquivocated(event: Equivocated): void {
  const key = fetchKey(event.params.keyId);
  const equivocation = new Equivocation(eventId(event));
  equivocation.meter = key.meter;
  equivocation.key = key.id;
  equivocation.frozen = event.params.frozen;
  equivocation.epoch = event.params.epoch;
  equivocation.firstSize = event.params.firstSize;
  equivocation.firstRoot = event.params.firstRoot;
  equivocation.firstReading = event.params.firstReading;
  equivocation.secondSize = event.params.secondSize;
  equivocation.secondRoot = event.params.secondRoot;
  equivocation.secondReading = event.params.secondReading;
  equivocation.sender = event.transaction.from;
  equivocation.shownAt = event.block.timestamp;
  equivocation.block = event.block.number;
  equivocation.transaction = event.transaction.hash;
  equivocation.save();

  if (event.params.frozen) setStatus(key, "FROZEN");
  const protocol = fetchProtocol();
  protocol.equivocationCount += 1;
  protocol.save();
}

/** Of a key, and of its meter where it is the current one. */
function setStatus(key: Key, status: string): void {
  key.status = status;
  key.save();
  const meter = fetchMeter(key.meter);
  if (meter.key != key.id) return;
  meter.status = status;
  meter.save();
}

/** An item of settle: who offered it, under which attestation, and what became of it. */
function offered(key: Key, attestation: Bytes, outcome: string, event: ethereum.Event): Settlement {
  const settlement = new Settlement(eventId(event));
  settlement.outcome = outcome;
  settlement.meter = key.meter;
  settlement.key = key.id;
  settlement.rest = false;
  settlement.produced = BigInt.zero();
  settlement.sender = event.transaction.from;
  settlement.settledAt = event.block.timestamp;
  settlement.block = event.block.number;
  settlement.transaction = event.transaction.hash;
  if (attestation == NONE) return settlement;

  const attested = fetchAttestation(attestation);
  if (outcome != "SKIPPED") {
    attested.settlementCount += 1;
    attested.save();
  }
  settlement.attestation = attested.id;
  return settlement;
}

/** It is later than all that the meter settled. */
function goOn(settlement: Settlement, log: Log, key: Key, meter: Meter, event: Settled): void {
  settlement.from = key.lastReadingAt;
  settlement.to = event.params.timestamp;
  if (event.params.fromSize.isZero()) begin(settlement, log, meter.log!, false);
  grow(settlement, log, meter, event);
  advance(key, meter, log, event.params.timestamp, event.params.energy, event);
  addProduction(meter.id, settlement.from!, settlement.to!, event.params.produced, null);
}

/** It fills a gap between two settled logs: its own is the one before the gap, or lies within it. */
function fill(settlement: Settlement, log: Log, meter: Meter, event: Settled): void {
  const next = logAfter(log, meter);
  const gap = Gap.load(next.gap!)!;
  settlement.from = gap.from;
  settlement.to = event.params.timestamp;
  if (event.params.fromSize.isZero()) begin(settlement, log, next.previous!, gap.covered);
  grow(settlement, log, meter, event);
  next.previous = log.id;
  next.save();
  // then what it rose to the next log is minted with this one
  if (tellGap(next, gap.covered)!.reason == NEW_LOG) settlement.to = gap.to;
  addProduction(meter.id, settlement.from!, settlement.to!, event.params.produced, gap);
}

/** The first head of a log settles. Where the register was lost before it, it mints from its reading 0. */
function begin(settlement: Settlement, log: Log, previous: Bytes, covered: boolean): void {
  log.previous = previous;
  const gap = tellGap(log, covered);
  if (!gap) return;
  log.gap = gap.id;
  settlement.gap = gap.id;
  if (gap.reason == REGISTER_LOST) settlement.from = gap.to;
}

/** The settled log of a key that comes after one of an earlier epoch, settled or not. */
function logAfter(log: Log, meter: Meter): Log {
  let after = Log.load(meter.log!)!;
  while (true) {
    const before = Log.load(after.previous!)!;
    if (before.epoch.le(log.epoch)) return after;
    after = before;
  }
}

/**
 * Tells of the time without readings between a log and the one before it, both of one key, as they now are. `covered`:
 * whether hours and days count it already. Null = there is no such time.
 */
function tellGap(log: Log, covered: boolean): Gap | null {
  const before = newestHead(log.previous!);
  const beganAt = log.beganAt!;
  if (beganAt.le(before.timestamp)) return null;
  const gap = createGap(log, beganAt);
  const counted = log.beganEnergy!.minus(before.energy);
  const lost = counted.lt(BigInt.zero());
  gap.reason = lost ? REGISTER_LOST : NEW_LOG;
  gap.energy = lost ? null : counted;
  gap.covered = covered || !lost;
  gap.save();
  return gap;
}

/** The time from the newest head of the log before this one until `to`; anew where it was another. */
function createGap(log: Log, to: BigInt): Gap {
  const gap = new Gap(log.id);
  gap.meter = log.meter;
  gap.before = log.previous!;
  gap.after = log.id;
  gap.from = newestHead(gap.before).timestamp;
  gap.to = to;
  gap.duration = to.minus(gap.from);
  return gap;
}

function newestHead(logId: Bytes): Head {
  return Head.load(headId(logId, Log.load(logId)!.size))!;
}

/** The log has grown to what the settlement says. */
function grow(settlement: Settlement, log: Log, meter: Meter, event: Settled): void {
  const size = event.params.size;
  settlement.log = log.id;
  settlement.head = headId(log.id, size);
  settlement.epoch = log.epoch;
  settlement.fromIndex = log.size;
  settlement.toIndex = size.minus(ONE);
  settlement.timestamp = event.params.timestamp;
  settlement.energy = event.params.energy;
  keepHead(log, meter, size, event.params.root, event.params.timestamp, event.params.energy, settlement.id);
}

/** Keeps a head, up to which the readings of its log are provable from now on. Does not save the meter. */
function keepHead(
  log: Log,
  meter: Meter,
  size: BigInt,
  root: Bytes,
  timestamp: BigInt,
  energy: BigInt,
  settlement: Bytes | null,
): void {
  const head = new Head(headId(log.id, size));
  head.log = log.id;
  head.size = size;
  head.root = root;
  head.timestamp = timestamp;
  head.energy = energy;
  head.settlement = settlement;
  head.save();

  const readings = size.minus(log.size);
  meter.readings = meter.readings.plus(readings);
  const protocol = fetchProtocol();
  protocol.readings = protocol.readings.plus(readings);
  protocol.save();

  log.size = size;
  log.root = root;
  log.save();
}

/** The meter has come to this reading: its next settlement goes on from here. Saves neither key nor meter. */
function advance(key: Key, meter: Meter, log: Log, timestamp: BigInt, energy: BigInt, event: ethereum.Event): void {
  key.lastReadingAt = timestamp;
  key.energy = energy;
  meter.log = log.id;
  meter.lastReadingAt = timestamp;
  meter.lastSettledAt = event.block.timestamp;
}
