/** An application for registration, judged here as the registry will: of what the oracle says of it nothing is believed. */
import { verifyClaim } from "../../../protocol/application.ts";
import { fromHex, toHex } from "../../../protocol/bytes.ts";
import { BLOCKING_CONDITIONS, decodeReading, type Reading } from "../../../protocol/reading.ts";
import { keyIdOf } from "../../../protocol/signature.ts";
import type { Place } from "../../../protocol/statement.ts";
import type { Answer } from "../../../verification/chain/asking.ts";
import { type Deployment, type KeyOnChain, keyOnChain } from "../../../verification/chain/views.ts";
import type { Application } from "./answers.ts";
import type { Level } from "./health.ts";

/** s that a baseline may be old, and ahead: the contracts' numbers */
const BASELINE_AGE = 7 * 86_400;
const CLOCK_TOLERANCE = 300;

export const CHECKS = ["key", "claim", "baseline", "age", "chain"] as const;
export type Check = (typeof CHECKS)[number];
export type Standing = "untrue" | "refused" | "registered" | "lapsed" | "waiting";
export type Judged = { standing: Standing; checks: Record<Check, Level> };

/** What the chain says of a key; undefined where nobody named a node to ask. */
export type OnChain = Answer<KeyOnChain> | undefined;

export const askChain = async (deployment: Answer<Deployment> | undefined, keyId: string): Promise<OnChain> =>
  deployment?.ok ? keyOnChain(deployment.value, fromHex(keyId)) : deployment;

/** Of the baseline; undefined where it is none. */
export function readingOf({ baseline }: Application): Reading | undefined {
  if (!/^0x([0-9a-f]{2})*$/i.test(baseline.reading)) return undefined;
  const reading = decodeReading(fromHex(baseline.reading));
  return reading.ok ? reading.value : undefined;
}

/** Unix time (s) up to which it can be registered. */
export const lapseOf = ({ timestamp }: Reading): number => timestamp + BASELINE_AGE;

/** `now`: Unix time, s. */
export async function judge(application: Application, place: Place, onChain: OnChain, now: number): Promise<Judged> {
  const { keyId, publicKey, capacity, source, status } = application;
  const reading = readingOf(application);
  const isOwn = toHex(keyIdOf(fromHex(publicKey))) === keyId;
  const isClaim = (await verifyClaim(application, place)).ok;
  const isSound =
    reading !== undefined &&
    (reading.conditions & BLOCKING_CONDITIONS) === 0 &&
    reading.source === source &&
    capacity > 0;
  const isYoung = reading !== undefined && reading.timestamp <= now + CLOCK_TOLERANCE && now <= lapseOf(reading);
  // without a chain of the visitor's, the oracle's word is all there is
  const isRegistered = onChain?.ok ? onChain.value.status !== "none" : status === "registered";
  const level = (holds: boolean): Level => (holds ? "good" : "bad");
  return {
    standing: standingOf(isOwn && isClaim, isSound, isRegistered, isYoung),
    checks: {
      ...{ key: level(isOwn), claim: level(isClaim), baseline: level(isSound) },
      age: isRegistered ? "over" : level(isYoung),
      chain: onChain?.ok && isRegistered ? "good" : "over",
    },
  };
}

function standingOf(isTrue: boolean, isSound: boolean, isRegistered: boolean, isYoung: boolean): Standing {
  if (!isTrue) return "untrue";
  if (isRegistered) return "registered";
  if (!isSound) return "refused";
  return isYoung ? "waiting" : "lapsed";
}
