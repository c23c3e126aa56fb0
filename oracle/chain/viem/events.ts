/** Events of registry and WattWitness, from the logs that a node gives. */
import { concatHex, type Log, numberToHex, parseEventLogs } from "viem";
import { functionsAttestorAbi, meterRegistryAbi, wattWitnessAbi } from "../../../contracts/abi.ts";
import { type Attestation, type ChainEvent, type Hex, STATUSES } from "../chain.ts";

export const EVENTS_ABI = [...meterRegistryAbi, ...wattWitnessAbi] as const;

export const eventsOf = (logs: Log[]): ChainEvent[] => parseEventLogs({ abi: EVENTS_ABI, logs }).flatMap(eventOf);

/** What the attestor's newest event of a root says became of it; undefined where none is about it. */
export function attestationIn(logs: Log[], root: Hex): Attestation | undefined {
  const events = parseEventLogs({
    abi: functionsAttestorAbi,
    logs,
    eventName: ["AttestationRequested", "AttestationRefused"],
  });
  const last = events.findLast(({ args }) => args.root === root);
  if (!last) return undefined;
  if (last.eventName === "AttestationRequested") return { state: "pending" };
  return { state: "refused", reason: last.args.reason || "the DON answered with another root" };
}

type DecodedLog = ReturnType<typeof parseEventLogs<typeof EVENTS_ABI, true, undefined>>[number];

function eventOf(log: DecodedLog): ChainEvent[] {
  const place = { block: Number(log.blockNumber), transaction: log.transactionHash as Hex };
  if (log.eventName === "MeterRegistered") {
    const { meter: keyId, owner, x, y, capacity, source, details } = log.args;
    const publicKey = concatHex([x, y]);
    return [{ ...place, kind: "registered", keyId, publicKey, owner, capacity, source, details }];
  }
  if (log.eventName === "KeyRotated") {
    const { keyId, previousKeyId, x, y } = log.args;
    return [{ ...place, kind: "rotated", keyId, previousKeyId, publicKey: concatHex([x, y]) }];
  }
  if (log.eventName === "Ended") {
    const { keyId, status, until } = log.args;
    return [{ ...place, kind: "ended", keyId, status: STATUSES[status] as EndedStatus, until }];
  }
  if (log.eventName === "Equivocated") {
    return log.args.frozen ? [{ ...place, kind: "frozen", keyId: log.args.keyId }] : [];
  }
  if (log.eventName === "CapacityChanged") {
    return [{ ...place, kind: "capacity changed", ...log.args }];
  }
  if (log.eventName === "Transfer") {
    const { to, tokenId } = log.args;
    return [{ ...place, kind: "transferred", meter: numberToHex(tokenId, { size: 32 }), owner: to }];
  }
  if (log.eventName === "Begun") {
    const { keyId, epoch, size, timestamp, energy, root } = log.args;
    return [{ ...place, kind: "begun", keyId, epoch, size: Number(size), timestamp, energy, root }];
  }
  if (log.eventName === "Settled") {
    const { fromSize, size, payee: _, meter: __, ...rest } = log.args;
    return [{ ...place, kind: "settled", ...rest, fromSize: Number(fromSize), size: Number(size) }];
  }
  return [];
}

type EndedStatus = Extract<ChainEvent, { kind: "ended" }>["status"];
