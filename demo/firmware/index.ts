/** Roofs whose device is the firmware, compiled for this machine, beside a Shelly in software. */
import { join } from "node:path";
import { BUILDS, build, isBuilt } from "../../firmware/toolchain.ts";
import { type Model, startShelly } from "../../meter/shelly.ts";
import { keyIdOf, publicKeyOf, toHex } from "../../protocol/index.ts";
import type { Stops } from "../processes/stop.ts";
import type { RoofPlan, SeenDevice, StartRoof } from "../roof.ts";
import { type DeviceProcess, giveKey, startDevice } from "./device-process.ts";

/** s of the device's time between uploads */
const UPLOAD_EVERY = 300;

/** What the roofs have beside them, in their order. */
const MODELS: readonly Model[] = ["pro-em", "plug-s", "em"];

/** Builds the device as a program, and resolves to its path. */
export const buildDevice = async (): Promise<string> =>
  join(await build(BUILDS.device, ["wattwitness-device"]), "pc", "wattwitness-device");

/** Builds the firmware. Each roof's files are in a folder of its own in `folder`. */
export async function prepareFirmware(folder: string, stops: Stops, say: (stage: string) => void): Promise<StartRoof> {
  say(
    isBuilt(BUILDS.device)
      ? "building the firmware where it changed"
      : "building the firmware (the first time takes some seconds)",
  );
  const program = await buildDevice();
  let roofs = 0;
  return async (plan, { place, interval, source, oracleUrl, start }) => {
    const { name, owner, capacity, privateKey, powerAt } = plan;
    const shelly = await startShelly({
      powerAt,
      start,
      step: interval,
      model: MODELS[roofs++ % MODELS.length] as Model,
    });
    stops.add(shelly.stop);
    const of = join(folder, toHex(keyIdOf(publicKeyOf(privateKey))).slice(2, 10));
    await giveKey(of, privateKey);
    const settings = {
      ...{ place, owner, capacity, source, interval, uploadEvery: UPLOAD_EVERY },
      ...{ oracle: oracleUrl, shelly: shelly.url },
    };
    const device = await startDevice({ program, folder: of, settings }, stops);
    const mirror = mirrorOf(plan, { interval, source }, device);
    return {
      ...{ name, owner, capacity, privateKey, device: mirror.device },
      get power() {
        return shelly.power;
      },
      async goOn(until) {
        for (let moment = after(shelly.now, interval); moment <= until; moment = after(moment, interval)) {
          shelly.advance(moment);
          await mirror.goOn(moment);
        }
      },
      apply: device.registration,
    };
  };
}

/** The first multiple of the interval after a time, s. */
const after = (time: number, interval: number): number => (Math.floor(time / interval) + 1) * interval;

/** What a process tells of its device, kept. */
function mirrorOf(
  { name, privateKey }: RoofPlan,
  { interval, source }: { interval: number; source: number },
  { goOn }: DeviceProcess,
) {
  const publicKey = publicKeyOf(privateKey);
  let [epoch, acknowledged, energy] = [0, 0, 0n];
  let readings: Uint8Array[] = [];
  const device: SeenDevice = {
    publicKey,
    keyId: keyIdOf(publicKey),
    interval,
    source,
    get epoch() {
      return epoch;
    },
    get size() {
      return readings.length;
    },
    get energy() {
      return energy;
    },
    get readings() {
      return readings;
    },
    get acknowledged() {
      return acknowledged;
    },
  };
  return {
    device,
    async goOn(time: number): Promise<void> {
      const told = await goOn(time);
      if (told.epoch !== epoch) readings = [];
      ({ epoch, acknowledged, energy } = told);
      if (told.reading) readings.push(told.reading);
      if (readings.length !== told.size) {
        throw new Error(`${name}: the device has ${told.size} readings, and told ${readings.length}`);
      }
    },
  };
}
