/** A roof of the demo: an installation, its meter, and its device. */
import type { Hex } from "viem";
import { createDevice, type Device, type Registration } from "../meter/device.ts";
import { createMeter, type PowerAt } from "../meter/meter.ts";
import { sendTo, upload } from "../meter/upload.ts";
import type { Place } from "../protocol/index.ts";

/** What can be seen of a device from outside, whether it is software or the firmware. */
export type SeenDevice = Pick<
  Device,
  "publicKey" | "keyId" | "interval" | "source" | "epoch" | "size" | "energy" | "readings" | "acknowledged"
>;

export type Roof = {
  name: string;
  /** W */
  capacity: number;
  owner: Hex;
  /** The device's: in the demo everybody is told, so that its own key can be misused. */
  privateKey: Uint8Array;
  device: SeenDevice;
  /** mW now */
  readonly power: bigint;
  /** Goes on to `until` (s): the meter counts, every reading due is taken, and uploaded. */
  goOn: (until: number) => Promise<void>;
  /** The application to register the device; `details`: 32 bytes. */
  apply: (details: Uint8Array) => Promise<Registration>;
};

export type RoofPlan = Pick<Roof, "name" | "capacity" | "owner" | "privateKey"> & { powerAt: PowerAt };

export type Surroundings = {
  place: Place;
  /** s between readings */
  interval: number;
  source: number;
  oracleUrl: string;
  /** Unix time that it begins at, s */
  start: number;
};

export type StartRoof = (plan: RoofPlan, surroundings: Surroundings) => Promise<Roof>;

/** With the device's protocol in software, its key in memory. */
export const startSoftwareRoof: StartRoof = async (plan, { place, interval, source, oracleUrl, start }) => {
  const { name, capacity, owner, privateKey, powerAt } = plan;
  const device = createDevice({ privateKey, epoch: 1, interval, source, place, capacity });
  const meter = createMeter({ device, powerAt, start });
  const send = sendTo(oracleUrl);
  return {
    ...{ name, capacity, owner, privateKey, device },
    get power() {
      return meter.power;
    },
    async goOn(until) {
      meter.advance(until);
      await upload(device, send, () => until);
    },
    apply: async (details) => device.registration({ owner, capacity, details }),
  };
};
