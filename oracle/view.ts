/** What the oracle knows of the chain: made from its events alone, so that it can be made again. */
import type { ChainEvent } from "./chain.ts";

/** A registered meter. Energies are decimal mWh, hashes and keys `0x…`. */
export type Meter = {
  keyId: string;
  publicKey: string;
  owner: string;
  /** W */
  capacity: number;
  source: number;
  details: string;
  /** the last settled head of its newest settled log; at first the baseline */
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

/** Takes one event in. `meterOf` gives the meter to change, `put` takes it changed. Returns the mark that it leaves. */
export function applyEvent(
  event: ChainEvent,
  meterOf: (keyId: string) => Meter | undefined,
  put: (meter: Meter) => void,
): Mark | undefined {
  if (event.kind === "registered") {
    const { keyId, publicKey, owner, capacity, source, details } = event;
    const latest = { epoch: 0, size: 0, timestamp: 0, energy: "0" };
    put({ keyId, publicKey, owner, capacity, source, details, latest, logs: {} });
    return undefined;
  }
  const meter = meterOf(event.keyId);
  if (!meter) return undefined;
  const { keyId, epoch, size, root, transaction, block } = event;
  const logs = { ...meter.logs, [epoch]: { size, root } };
  const place = { keyId, epoch, size, root, transaction, block };
  if (event.kind === "recorded") {
    put({ ...meter, logs });
    return { ...place, fromSize: event.fromSize, produced: "0", ...attestationIn(event.attestation) };
  }
  put({ ...meter, logs, latest: { epoch, size, timestamp: event.timestamp, energy: String(event.energy) } });
  if (event.kind === "begun") return { ...place, fromSize: 0, produced: "0" };
  const { fromSize, produced, attestation } = event;
  return { ...place, fromSize, produced: String(produced), ...attestationIn(attestation) };
}

const attestationIn = (attestation: string): { attestation?: string } =>
  attestation === ZERO_ROOT ? {} : { attestation };
