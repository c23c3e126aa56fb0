/** How a meter in software lives beside an oracle: it reads on the clock, applies, and posts what the oracle has not got. */
import { setTimeout as delay } from "node:timers/promises";
import { InvalidArgumentError } from "commander";
import { formatUnits, type Hex } from "viem";
import type { Device, Measurement, Registration } from "../../../meter/device.ts";
import { createRegister } from "../../../meter/register.ts";
import { sunPower } from "../../../meter/sun.ts";
import { type Send, sendTo, upload } from "../../../meter/upload.ts";
import { whole } from "../../command.ts";
import { firstLine, Problem } from "../../problem.ts";

/** ms that an oracle may take to answer */
const PATIENCE = 15_000;
/** s after which it applies again, until it is registered: an application lapses after a week */
const APPLY_EVERY = 86_400;

export type Life = {
  device: Device;
  oracle: string;
  /** What the meter shows at a moment (s); a text says why it shows nothing. */
  measure: (moment: number) => Promise<Measurement | string>;
  /** Makes what was read durable, before it is signed. */
  keep: () => void;
  /** The application to register it with; undefined = it applies nowhere. */
  application: (() => Registration) | undefined;
  /** to end after so many are stored */
  readings: number | undefined;
  /** says every post, and not only what is new */
  saysAll: boolean;
};

/** Until as many readings are stored as were asked for. */
export async function live({ device, oracle, measure, keep, application, readings, saysAll }: Life): Promise<void> {
  const say = saysAll ? (text: string) => console.error(text) : sayNews();
  const sayNoReading = sayNews();
  let appliedAt = Number.NEGATIVE_INFINITY;
  let posting: Promise<void> | undefined;
  // what could not be kept does not leave
  let isOver = false;
  const send: Send = async (each) => (isOver ? { status: 0, body: undefined } : sendTo(oracle)(each));

  async function post(): Promise<void> {
    if (application && now() >= appliedAt + APPLY_EVERY && (await apply(application(), oracle))) appliedAt = now();
    const before = device.acknowledged;
    const last = await upload(device, send, now);
    if (!last) return;
    const { acknowledged, size } = device;
    if (last.outcome === "stored") {
      const counts = `${count(acknowledged - before)}, ${acknowledged} in all, ${formatUnits(device.energy, 6)} kWh`;
      say(saysAll ? `stored ${counts}` : "stored");
    } else {
      const waiting = size - acknowledged;
      const counts = `${count(waiting)} wait${waiting === 1 ? "s" : ""}`;
      say(`not stored yet${saysAll ? `, ${counts}` : ""}: ${whyNot(last.answer)}`);
    }
  }

  async function read(): Promise<void> {
    const moment = (Math.floor(now() / device.interval) + 1) * device.interval;
    await delay(Math.max(0, moment * 1000 - Date.now()));
    const measurement = await measure(moment);
    device.synchronise(moment);
    if (typeof measurement === "string") return sayNoReading(`no reading: ${measurement}`);
    if (!device.take(moment, measurement)) return sayNoReading("no reading: the clock is not after the last one");
    keep();
    sayNoReading(undefined);
  }

  try {
    while (readings === undefined || device.acknowledged < readings) {
      await read();
      if (device.size === 0) continue;
      // an oracle that takes its time keeps no reading from being taken
      posting ??= post().finally(() => {
        posting = undefined;
      });
      if (readings !== undefined) await posting;
    }
  } finally {
    isOver = true;
  }
}

/** Says only what it did not say last; undefined = all is well again. */
function sayNews(): (text: string | undefined) => void {
  let said: string | undefined;
  return (text) => {
    if (text !== undefined && text !== said) console.error(text);
    said = text;
  };
}

export type Roof = { latitude: number; longitude: number; capacity: number };

/** A modelled sun in place of a meter, which counts from when it is started, on from what it showed (mWh). */
export function sunOver(roof: Roof, keyId: Hex, shown = 0n): Life["measure"] {
  const powerAt = sunPower({ ...roof, seed: keyId });
  const register = createRegister();
  let since = now();
  return async (moment) => {
    register.add(powerAt(since) ?? 0n, Math.max(0, moment - since));
    since = moment;
    return { power: powerAt(moment) ?? 0n, register: shown + register.energy };
  };
}

const count = (readings: number): string => `${readings} reading${readings === 1 ? "" : "s"}`;

export const now = (): number => Math.floor(Date.now() / 1000);

const whyNot = ({ status, body }: { status: number; body: unknown }): string =>
  (body as { detail?: string } | undefined)?.detail ?? (status === 0 ? "the oracle does not answer" : `HTTP ${status}`);

export type Place = { chainId: number; registry: Hex };

/** Which chain and registry the oracle is for: what is signed is for them alone. */
export async function placeOf(oracle: string): Promise<Place> {
  try {
    const response = await fetch(new URL("api/v1/overview", oracle), { signal: AbortSignal.timeout(PATIENCE) });
    const { chain_id: chainId, registry } = (await response.json()) as { chain_id: number; registry: Hex };
    if (!Number.isSafeInteger(chainId) || !/^0x[0-9a-f]{40}$/i.test(registry)) throw new Error("it tells of no chain");
    return { chainId, registry };
  } catch (error) {
    throw new Problem(`No oracle answers at ${oracle}: ${firstLine(error)}`);
  }
}

/** The newest log of a key that an oracle has; undefined where it has none, or does not answer. */
export async function newestLogAt(oracle: string, keyId: Hex): Promise<{ epoch: number; size: number } | undefined> {
  const response = await fetch(new URL(`meters/${keyId}`, oracle), { signal: AbortSignal.timeout(PATIENCE) }).catch(
    () => undefined,
  );
  if (!response?.ok) return undefined;
  const { logs } = (await response.json()) as { logs: { epoch: number; stored: number; settled: number }[] };
  const newest = logs.at(-1);
  return newest && { epoch: newest.epoch, size: Math.max(newest.stored, newest.settled) };
}

/** Returns whether there is nothing left to apply for. */
async function apply(application: Registration, oracle: string): Promise<boolean> {
  const response = await fetch(new URL("registrations", oracle), {
    ...{ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(application) },
    signal: AbortSignal.timeout(PATIENCE),
  }).catch(() => undefined);
  const body = (await response?.json().catch(() => undefined)) as { rule?: string; detail?: string } | undefined;
  const isKnown = body?.rule === "key already used";
  if (response?.ok) console.error(`has applied, as ${application.owner}'s: a registrar registers it`);
  else if (!isKnown) console.error(`could not apply: ${body?.detail ?? "no answer"}`);
  return response?.ok === true || isKnown;
}

/* WHAT IS GIVEN, AS IT IS MEANT. Each throws InvalidArgumentError. */

export function degrees(text: string): number {
  const value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(Math.abs(value) <= 180)) throw new InvalidArgumentError("It is no angle in degrees, from -180 to 180.");
  return value;
}

export function interval(text: string): number {
  const value = whole(text);
  if (value < 1 || 900 % value !== 0) throw new InvalidArgumentError("It does not divide 900.");
  return value;
}
