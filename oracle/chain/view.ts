/** What the oracle knows of the chain: made from its events alone, so that it can be made again. */
import type { ChainEvent, Status } from "./chain.ts";

/** A registered meter under one of its keys. Energies are decimal mWh, hashes and keys `0x…`. */
export type Meter = {
  keyId: string;
  /** its first key */
  meter: string;
  status: Status;
  /** of a key that is over: Unix time (s) before which its readings count */
  until?: number;
  /** the key that succeeded this one */
  successor?: string;
  publicKey: string;
  owner: string;
  /** W */
  capacity: number;
  source: number;
  details: string;
  /** the last settled head of its newest settled log, with which time and energy go on; at first the baseline */
  latest: { epoch: number; size: number; timestamp: number; energy: string };
  /** the settled log of each epoch */
  logs: Record<number, { size: number; root: string }>;
};

/** That readings up to `size` are on chain, and where. `block` begins a log and mints nothing. */
export type Mark = {
  keyId: string;
  epoch: number;
  fromSize: number;
  size: number;
  root: string;
  /** mWh that tokens were minted for */
  produced: string;
  /** the attested root it was settled under; absent = on the device's signature alone */
  attestation?: string;
  transaction: string;
  block: number;
};

const ZERO_ROOT = `0x${"00".repeat(32)}`;

type LogEvent = Extract<ChainEvent, { root: unknown }>;
type MeterOf = (keyId: string) => Meter | undefined;

/** Of a key whose log has not begun yet. */
const UNUSED = { status: "active", latest: { epoch: 0, size: 0, timestamp: 0, energy: "0" }, logs: {} } as const;

/** Takes one event in. `meterOf` gives the meter to change, `put` takes it changed. Returns the mark that it leaves. */
export function applyEvent(event: ChainEvent, meterOf: MeterOf, put: (meter: Meter) => void): Mark | undefined {
  if ("root" in event) {
    const meter = meterOf(event.keyId);
    return meter && applyToLog(event, meter, put);
  }
  for (const changed of changedBy(event, meterOf)) put(changed);
  return undefined;
}

/** What becomes of meters and keys; none where the event is about one that is not known. */
function changedBy(event: Exclude<ChainEvent, LogEvent>, meterOf: MeterOf): Meter[] {
  if (event.kind === "registered") {
    const { keyId, publicKey, owner, capacity, source, details } = event;
    return [{ keyId, meter: keyId, publicKey, owner, capacity, source, details, ...UNUSED }];
  }
  if (event.kind === "capacity changed") {
    return keysOf(event.meter, meterOf)
      .slice(-1)
      .map((current) => ({ ...current, capacity: event.capacity }));
  }
  if (event.kind === "transferred") {
    return keysOf(event.meter, meterOf).map((key) => ({ ...key, owner: event.owner }));
  }
  const key = meterOf(event.kind === "rotated" ? event.previousKeyId : event.keyId);
  if (!key) return [];
  if (event.kind === "frozen") return [{ ...key, status: "frozen" }];
  if (event.kind === "ended") return [{ ...key, status: event.status, until: event.until }];
  const { keyId, publicKey } = event;
  const { meter, owner, capacity, source, details } = key;
  return [
    { keyId, meter, publicKey, owner, capacity, source, details, ...UNUSED },
    { ...key, successor: keyId },
  ];
}

/** Every key of a meter, the current one last; none where the meter is not known yet. */
function keysOf(meter: string, meterOf: MeterOf): Meter[] {
  const keys: Meter[] = [];
  for (let key = meterOf(meter); key; key = key.successor === undefined ? undefined : meterOf(key.successor)) {
    keys.push(key);
  }
  return keys;
}

/** Takes in what is settled or begun of a log. What fills a gap between settled logs leaves the newest as it is. */
function applyToLog(event: LogEvent, meter: Meter, put: (meter: Meter) => void): Mark {
  const { keyId, epoch, size, root, transaction, block } = event;
  const logs = { ...meter.logs, [epoch]: { size, root } };
  const head = { epoch, size, timestamp: event.timestamp, energy: String(event.energy) };
  put({ ...meter, logs, latest: epoch < meter.latest.epoch ? meter.latest : head });
  const place = { keyId, epoch, size, root, transaction, block };
  if (event.kind === "begun") return { ...place, fromSize: 0, produced: "0" };
  const { fromSize, produced, attestation } = event;
  const attested = attestation === ZERO_ROOT ? {} : { attestation };
  return { ...place, fromSize, produced: String(produced), ...attested };
}
