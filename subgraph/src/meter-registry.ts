/** What the registry tells: meters, their keys, their owners, and what is proposed for them. */
import { Address, BigInt, Bytes, ethereum } from "@graphprotocol/graph-ts";
import {
  CapacityChanged,
  KeyRotated,
  MeterRegistered,
  Paused,
  PayoutChanged,
  ProposalCancelled,
  ProposalExecuted,
  Proposed,
  Transfer,
  Unpaused,
  WattWitnessNamed,
} from "../generated/MeterRegistry/MeterRegistry";
import { Key, Meter, MeterTransfer, Proposal } from "../generated/schema";
import { fetchMeter, fetchOwner, fetchProtocol } from "./fetch";
import { eventId } from "./ids";

/** IMeterRegistry.Change, in its order. */
const CHANGES = ["KEY", "OWNER", "CAPACITY"];
const CHANGE_KEY = 0;
const CHANGE_OWNER = 1;

export function handleWattWitnessNamed(event: WattWitnessNamed): void {
  const protocol = fetchProtocol();
  protocol.registry = event.address;
  protocol.wattWitness = event.params.wattWitness;
  protocol.save();
}

export function handleRegistrationPaused(_event: Paused): void {
  const protocol = fetchProtocol();
  protocol.registrationPaused = true;
  protocol.save();
}

export function handleRegistrationUnpaused(_event: Unpaused): void {
  const protocol = fetchProtocol();
  protocol.registrationPaused = false;
  protocol.save();
}

/** Comes before Begun, which tells where its first key, its namesake, starts, and before the token's Transfer. */
export function handleMeterRegistered(event: MeterRegistered): void {
  const meter = new Meter(event.params.meter);
  meter.owner = fetchOwner(event.params.owner).id;
  meter.payout = event.params.owner;
  meter.key = meter.id;
  meter.status = "ACTIVE";
  meter.capacity = event.params.capacity;
  meter.source = event.params.source;
  meter.details = event.params.details;
  meter.produced = BigInt.zero();
  meter.readings = BigInt.zero();
  meter.settlementCount = 0;
  meter.lastReadingAt = BigInt.zero();
  meter.lastSettledAt = event.block.timestamp;
  meter.registeredAt = event.block.timestamp;
  meter.transaction = event.transaction.hash;
  meter.save();

  createKey(meter.id, meter.id, event.params.x, event.params.y).save();

  const protocol = fetchProtocol();
  protocol.meterCount += 1;
  protocol.save();
}

/** Comes before Ended of the key before and Begun of this one. */
export function handleKeyRotated(event: KeyRotated): void {
  const key = createKey(event.params.keyId, event.params.meter, event.params.x, event.params.y);
  key.predecessor = event.params.previousKeyId;
  key.save();

  const meter = fetchMeter(event.params.meter);
  meter.key = key.id;
  meter.status = key.status;
  meter.save();
}

/** Where it starts, Begun tells. */
function createKey(keyId: Bytes, meter: Bytes, x: Bytes, y: Bytes): Key {
  const key = new Key(keyId);
  key.meter = meter;
  key.x = x;
  key.y = y;
  key.status = "ACTIVE";
  key.since = BigInt.zero();
  key.produced = BigInt.zero();
  key.lastReadingAt = BigInt.zero();
  key.energy = BigInt.zero();
  return key;
}

/** A meter's id is its token id. A transfer clears the payout address. */
export function handleMeterTransfer(event: Transfer): void {
  const meter = fetchMeter(word(event.params.tokenId));
  meter.owner = fetchOwner(event.params.to).id;
  meter.payout = event.params.to;
  meter.save();

  const transfer = new MeterTransfer(eventId(event));
  transfer.meter = meter.id;
  if (event.params.from != Address.zero()) transfer.from = fetchOwner(event.params.from).id;
  transfer.to = meter.owner;
  transfer.transferredAt = event.block.timestamp;
  transfer.block = event.block.number;
  transfer.transaction = event.transaction.hash;
  transfer.save();
}

export function handlePayoutChanged(event: PayoutChanged): void {
  const meter = fetchMeter(event.params.meter);
  meter.payout = event.params.payout;
  meter.save();
}

export function handleCapacityChanged(event: CapacityChanged): void {
  const meter = fetchMeter(event.params.meter);
  meter.capacity = event.params.capacity;
  meter.save();
}

export function handleProposed(event: Proposed): void {
  const change = event.params.change;
  const meter = fetchMeter(event.params.meter);
  closePending(meter, change, "REPLACED", event);

  const proposal = new Proposal(eventId(event));
  proposal.meter = meter.id;
  proposal.change = CHANGES[change];
  if (change == CHANGE_KEY) proposal.keyId = word(event.params.value);
  else if (change == CHANGE_OWNER) proposal.owner = Bytes.fromUint8Array(word(event.params.value).slice(12));
  else proposal.capacity = event.params.value;
  proposal.status = "PENDING";
  proposal.proposedAt = event.block.timestamp;
  proposal.executableAt = event.params.executableAt;
  proposal.transaction = event.transaction.hash;
  proposal.save();

  setPending(meter, change, proposal.id);
  meter.save();
}

export function handleProposalCancelled(event: ProposalCancelled): void {
  const meter = fetchMeter(event.params.meter);
  closePending(meter, event.params.change, "CANCELLED", event);
  meter.save();
}

/** Comes before the event of what it does. */
export function handleProposalExecuted(event: ProposalExecuted): void {
  const meter = fetchMeter(event.params.meter);
  closePending(meter, event.params.change, "EXECUTED", event);
  meter.save();
}

/** Closes what is proposed, if anything is. */
function closePending(meter: Meter, change: i32, status: string, event: ethereum.Event): void {
  const pending = pendingOf(meter, change);
  if (!pending) return;
  const proposal = Proposal.load(pending)!;
  proposal.status = status;
  proposal.closedAt = event.block.timestamp;
  proposal.save();
  setPending(meter, change, null);
}

function pendingOf(meter: Meter, change: i32): Bytes | null {
  if (change == CHANGE_KEY) return meter.proposedKey;
  return change == CHANGE_OWNER ? meter.proposedOwner : meter.proposedCapacity;
}

function setPending(meter: Meter, change: i32, proposal: Bytes | null): void {
  if (change == CHANGE_KEY) meter.proposedKey = proposal;
  else if (change == CHANGE_OWNER) meter.proposedOwner = proposal;
  else meter.proposedCapacity = proposal;
}

/** 32 bytes, big-endian. */
function word(value: BigInt): Bytes {
  return Bytes.fromHexString(`0x${value.toHex().slice(2).padStart(64, "0")}`);
}
