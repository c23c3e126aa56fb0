/** A device at a source of power, through time: the register counts all the while, readings are taken on the clock. */
import type { Device } from "./device.ts";
import { createRegister, type Register } from "./register.ts";

/** s between synchronisations of the device's clock */
const SYNCHRONISE_EVERY = 3600;

/** mW at a Unix time (s); undefined where it is not known: no reading is taken then. */
export type PowerAt = (timestamp: number) => bigint | undefined;

export type Meter = {
  readonly device: Device;
  readonly register: Register;
  /** s, the moment it has come to */
  readonly now: number;
  /** mW at that moment; 0 where it is not known */
  readonly power: bigint;
  /** Goes on to `until` (s) and takes every reading due. Returns how many were taken. */
  advance(until: number): number;
  /** Goes on to `until` (s) with the device switched off: its meter counts, no reading is taken. */
  sleep(until: number): void;
};

/** `start` (s): the first reading is taken at the first multiple of the interval after it. */
export function createMeter({ device, powerAt, start }: { device: Device; powerAt: PowerAt; start: number }): Meter {
  const register = createRegister();
  const { interval } = device;
  let now = start;
  let synchronisedAt: number | undefined;

  function* moments(until: number): Generator<number> {
    for (let moment = (Math.floor(now / interval) + 1) * interval; moment <= until; moment += interval) {
      register.add(powerAt(now) ?? 0n, moment - now);
      now = moment;
      yield moment;
    }
  }

  function synchronise(moment: number): void {
    if (synchronisedAt !== undefined && moment - synchronisedAt < SYNCHRONISE_EVERY && device.isSynchronised) return;
    device.synchronise(moment);
    synchronisedAt = moment;
  }

  return {
    device,
    register,
    get now() {
      return now;
    },
    get power() {
      return powerAt(now) ?? 0n;
    },
    advance(until) {
      let taken = 0;
      for (const moment of moments(until)) {
        synchronise(moment);
        const power = powerAt(moment);
        if (power === undefined) continue;
        if (device.take(moment, { power, register: register.energy })) taken += 1;
      }
      return taken;
    },
    sleep(until) {
      for (const _ of moments(until));
    },
  };
}
