/** What WattWitness tells: which heads settled and what they minted, which did not and why, and who vouched for them. */
import { BigInt, Bytes, ethereum } from "@graphprotocol/graph-ts";
import { Equivocation, Gap, Head, Key, Log, Meter, Settlement } from "../generated/schema";
import {
  Attested,
  Begun,
  Ended,
  Equivocated,
  LogBegun,
  Recorded,
  Settled,
  Skipped,
} from "../generated/WattWitness/WattWitness";
import { fetchAttestation, fetchHolder, fetchKey, fetchLog, fetchMeter, fetchProtocol } from "./fetch";
import { eventId, headId } from "./ids";
import { addProduction } from "./production";

/** IWattWitness.Status, in its order. */
const STATUSES = ["", "ACTIVE", "FROZEN", "SUPERSEDED", "DECOMMISSIONED"];
/** IWattWitness.SkipReason, in its order. */
const SKIP_REASONS = ["", "OVERTAKEN", "CAPACITY_CHANGED", "FROZEN", "DECOMMISSIONED"];

/** The attestation of what settles on the device's signature alone. */
const NONE = Bytes.fromHexString("0x0000000000000000000000000000000000000000000000000000000000000000");
const ONE = BigInt.fromI32(1);

export function handleAttested(event: Attested): void {
  const attestation = fetchAttestation(event.params.root);
  const first = !attestation.attestedAt;
  attestation.attestor = event.params.attestor;
  attestation.attestedAt = event.block.timestamp;
  attestation.transaction = event.transaction.hash;
  attestation.save();
  if (!first) return;

  const protocol = fetchProtocol();
  protocol.attestationCount += 1;
  protocol.save();
}

/** Comes after MeterRegistered or KeyRotated: the key is known, and now where it starts. */
export function handleBegun(event: Begun): void {
  const key = fetchKey(event.params.keyId);
  const meter = fetchMeter(key.meter);
  const log = fetchLog(key, event.params.epoch);
  const predecessor = key.predecessor;
  if (predecessor) {
    follow(log, meter, "NEW_KEY", fetchKey(predecessor).lastReadingAt, event.params.timestamp, null);
  }
  keepHead(log, meter, event.params.size, event.params.root, event.params.timestamp, event.params.energy, null);

  key.since = event.params.timestamp;
  advance(key, meter, log, event.params.timestamp, event.params.energy, event);
}

export function handleEnded(event: Ended): void {
  const key = fetchKey(event.params.keyId);
  key.until = event.params.until;
  setStatus(key, STATUSES[event.params.status]);
}

/** Comes right before the Settled or Recorded of the log's first head. */
export function handleLogBegun(event: LogBegun): void {
  const log = fetchLog(fetchKey(event.params.keyId), event.params.epoch);
  log.beganAt = event.params.timestamp;
  log.beganEnergy = event.params.energy;
  log.save();
}

export function handleSettled(event: Settled): void {
  const key = fetchKey(event.params.keyId);
  const meter = fetchMeter(key.meter);
  const log = fetchLog(key, event.params.epoch);
  const settlement = offered(key, event.params.attestation, "SETTLED", event);

  const from = event.params.fromSize.isZero() ? begin(settlement, log, key, meter) : key.lastReadingAt;
  const payee = fetchHolder(event.params.payee);
  payee.save();
  settlement.payee = payee.id;
  settlement.from = from;
  settlement.produced = event.params.produced;
  grow(settlement, log, meter, event.params.size, event.params.root, event.params.timestamp, event.params.energy);
  settlement.save();

  addProduction(meter.id, from, event.params.timestamp, event.params.produced);
  key.produced = key.produced.plus(event.params.produced);
  meter.produced = meter.produced.plus(event.params.produced);
  meter.settlementCount += 1;
  advance(key, meter, log, event.params.timestamp, event.params.energy, event);
  const protocol = fetchProtocol();
  protocol.settlementCount += 1;
  protocol.produced = protocol.produced.plus(event.params.produced);
  protocol.save();
}

export function handleRecorded(event: Recorded): void {
  const key = fetchKey(event.params.keyId);
  const meter = fetchMeter(key.meter);
  const log = fetchLog(key, event.params.epoch);
  const settlement = offered(key, event.params.attestation, "RECORDED", event);

  settlement.gap = gapOf(log, meter);
  grow(settlement, log, meter, event.params.size, event.params.root, event.params.timestamp, event.params.energy);
  settlement.save();
  meter.save();

  const protocol = fetchProtocol();
  protocol.recordCount += 1;
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
  settlement.attestor = attested.attestor;
  return settlement;
}

/** The first head of a new log settles. Returns since when what it mints was produced. */
function begin(settlement: Settlement, log: Log, key: Key, meter: Meter): BigInt {
  const beganAt = log.beganAt!;
  const counted = log.beganEnergy!.minus(key.energy);
  const lost = counted.lt(BigInt.zero());
  follow(log, meter, lost ? "REGISTER_LOST" : "NEW_LOG", key.lastReadingAt, beganAt, lost ? null : counted);
  settlement.gap = log.gap;
  return lost ? beganAt : key.lastReadingAt;
}

/** Puts a log after the meter's newest, with the time without readings between them. */
function follow(log: Log, meter: Meter, reason: string, from: BigInt, to: BigInt, energy: BigInt | null): void {
  const gap = new Gap(log.id);
  gap.meter = meter.id;
  gap.reason = reason;
  gap.from = from;
  gap.to = to;
  gap.duration = to.minus(from);
  gap.energy = energy;
  gap.before = meter.log!;
  gap.after = log.id;
  gap.save();

  log.previous = meter.log;
  log.gap = gap.id;
}

/** The gap that the readings of a log that is recorded were taken in: the one before the next log that settled. */
function gapOf(log: Log, meter: Meter): Bytes | null {
  let gap: Bytes | null = null;
  let at = meter.log;
  while (at) {
    const newer = Log.load(at)!;
    if (newer.key == log.key && newer.epoch.le(log.epoch)) return gap;
    gap = newer.gap;
    at = newer.previous;
  }
  return null;
}

/** The log has grown to what the settlement says. */
function grow(
  settlement: Settlement,
  log: Log,
  meter: Meter,
  size: BigInt,
  root: Bytes,
  timestamp: BigInt,
  energy: BigInt,
): void {
  settlement.log = log.id;
  settlement.head = headId(log.id, size);
  settlement.epoch = log.epoch;
  settlement.fromIndex = log.size;
  settlement.toIndex = size.minus(ONE);
  settlement.timestamp = timestamp;
  settlement.energy = energy;
  keepHead(log, meter, size, root, timestamp, energy, settlement.id);
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

/** The meter has come to this reading: its next settlement goes on from here. Saves key and meter. */
function advance(key: Key, meter: Meter, log: Log, timestamp: BigInt, energy: BigInt, event: ethereum.Event): void {
  key.lastReadingAt = timestamp;
  key.energy = energy;
  key.save();

  meter.log = log.id;
  meter.lastReadingAt = timestamp;
  meter.lastSettledAt = event.block.timestamp;
  meter.save();
}
