/** Entities that come into being when they are first spoken of: loaded, or created with nothing in them. */
import { Address, BigInt, Bytes } from "@graphprotocol/graph-ts";
import {
  Attestation,
  Beneficiary,
  Day,
  Hour,
  Key,
  Log,
  Meter,
  MeterDay,
  MeterHour,
  Owner,
  Protocol,
  TokenHolder,
} from "../generated/schema";
import { logId, meterPeriodId, PROTOCOL, periodId } from "./ids";

/** Bytes.empty() is four zero bytes. */
const NO_BYTES = new Bytes(0);

export function fetchProtocol(): Protocol {
  const known = Protocol.load(PROTOCOL);
  if (known) return known;
  const protocol = new Protocol(PROTOCOL);
  protocol.registry = NO_BYTES;
  protocol.registrationPaused = false;
  protocol.requestsPaused = false;
  protocol.meterCount = 0;
  protocol.settlementCount = 0;
  protocol.skipCount = 0;
  protocol.attestationCount = 0;
  protocol.equivocationCount = 0;
  protocol.retirementCount = 0;
  protocol.readings = BigInt.zero();
  protocol.produced = BigInt.zero();
  protocol.supply = BigInt.zero();
  protocol.retired = BigInt.zero();
  return protocol;
}

export function fetchOwner(address: Address): Owner {
  const known = Owner.load(address);
  if (known) return known;
  const owner = new Owner(address);
  owner.save();
  return owner;
}

/** A meter that registered: the registry tells of it before anybody else does. */
export function fetchMeter(id: Bytes): Meter {
  return Meter.load(id)!;
}

/** A key that was registered or rotated in: the registry tells of it before anybody else does. */
export function fetchKey(keyId: Bytes): Key {
  return Key.load(keyId)!;
}

/** A log of a key, which may not have settled before. */
export function fetchLog(key: Key, epoch: BigInt): Log {
  const id = logId(key.id, epoch);
  const known = Log.load(id);
  if (known) return known;
  const log = new Log(id);
  log.key = key.id;
  log.meter = key.meter;
  log.epoch = epoch;
  log.size = BigInt.zero();
  log.root = NO_BYTES;
  return log;
}

/** By its root; attested or not yet. */
export function fetchAttestation(root: Bytes): Attestation {
  const known = Attestation.load(root);
  if (known) return known;
  const attestation = new Attestation(root);
  attestation.settlementCount = 0;
  return attestation;
}

export function fetchHolder(address: Address): TokenHolder {
  const known = TokenHolder.load(address);
  if (known) return known;
  const holder = new TokenHolder(address);
  holder.balance = BigInt.zero();
  holder.minted = BigInt.zero();
  holder.retired = BigInt.zero();
  return holder;
}

export function fetchBeneficiary(address: Address): Beneficiary {
  const known = Beneficiary.load(address);
  if (known) return known;
  const beneficiary = new Beneficiary(address);
  beneficiary.retired = BigInt.zero();
  return beneficiary;
}

export function fetchMeterHour(meter: Bytes, start: u64): MeterHour {
  const known = MeterHour.load(meterPeriodId(meter, start));
  return known ? known : createMeterHour(meter, start);
}

export function createMeterHour(meter: Bytes, start: u64): MeterHour {
  const hour = new MeterHour(meterPeriodId(meter, start));
  hour.meter = meter;
  hour.start = BigInt.fromU64(start);
  hour.energy = BigInt.zero();
  hour.spread = BigInt.zero();
  hour.covered = 0;
  return hour;
}

export function fetchMeterDay(meter: Bytes, start: u64): MeterDay {
  const known = MeterDay.load(meterPeriodId(meter, start));
  return known ? known : createMeterDay(meter, start);
}

export function createMeterDay(meter: Bytes, start: u64): MeterDay {
  const day = new MeterDay(meterPeriodId(meter, start));
  day.meter = meter;
  day.start = BigInt.fromU64(start);
  day.energy = BigInt.zero();
  day.spread = BigInt.zero();
  day.covered = 0;
  return day;
}

export function fetchHour(start: u64): Hour {
  const id = periodId(start);
  const known = Hour.load(id);
  if (known) return known;
  const hour = new Hour(id);
  hour.start = BigInt.fromU64(start);
  hour.energy = BigInt.zero();
  hour.spread = BigInt.zero();
  hour.covered = BigInt.zero();
  return hour;
}

export function fetchDay(start: u64): Day {
  const id = periodId(start);
  const known = Day.load(id);
  if (known) return known;
  const day = new Day(id);
  day.start = BigInt.fromU64(start);
  day.energy = BigInt.zero();
  day.spread = BigInt.zero();
  day.covered = BigInt.zero();
  return day;
}
