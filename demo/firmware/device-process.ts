/** The firmware as a process of its own, in lockstep with the clock of whoever drives it (firmware/pc/program.h). */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Registration } from "../../meter/device.ts";
import { fromHex, type Place, toHex } from "../../protocol/index.ts";
import { startCompanion } from "../processes/process.ts";
import type { Stops } from "../processes/stop.ts";

export type DeviceSettings = {
  place: Place;
  owner: string;
  /** W */
  capacity: number;
  /** a reading's: channel and register */
  source: number;
  /** s */
  interval: number;
  /** s */
  uploadEvery: number;
  /** base URLs */
  oracle: string;
  /** "" = the meter is none */
  shelly: string;
};

/** What the device says once everything that was due at a time is done. */
export type Told = {
  time: number;
  epoch: number;
  /** readings in the log */
  size: number;
  acknowledged: number;
  /** mWh */
  energy: bigint;
  /** the one that was taken */
  reading?: Uint8Array;
  /** why a log began, or must */
  cause?: string;
  /** the last that went wrong */
  error?: string;
  /** of the oracle's last answer */
  status?: number;
};

export type DeviceProcess = {
  /** Goes on to a Unix time (s), forward only. */
  goOn: (time: number) => Promise<Told>;
  /** What a registrar needs; `details`: 32 bytes. */
  registration: (details: Uint8Array) => Promise<Registration>;
  stop: () => Promise<void>;
};

export type DeviceOptions = {
  /** what buildDevice made */
  program: string;
  /** for its log, key and settings, and what it complains of */
  folder: string;
  settings: DeviceSettings;
  /** more of the program's */
  options?: string[];
};

const EXPORT = 0x10;
const ALL_PHASES = 15;

/** As firmware/core/settings.h reads them. */
export function settingsText(settings: DeviceSettings): string {
  const { place, owner, capacity, source, interval, uploadEvery, oracle, shelly } = settings;
  const channel = source & 0x0f;
  const values = {
    "chain-id": place.chainId,
    registry: place.registry,
    owner,
    capacity,
    channel: channel === ALL_PHASES ? "all" : channel,
    register: source & EXPORT ? "export" : "import",
    interval,
    "upload-every": uploadEvery,
    oracle,
    ...(shelly && { shelly }),
  };
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value}\n`)
    .join("");
}

/** Gives the device in `folder` a key, and its counter, instead of letting it make one. */
export async function giveKey(folder: string, privateKey: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "key.counter"), "0\n", { mode: 0o600 });
  await writeFile(join(folder, "key"), `${toHex(privateKey)}\n`, { mode: 0o600 });
}

/** Its clock is `goOn`; it does not wait for the disk. */
export async function startDevice(
  { program, folder, settings, options = [] }: DeviceOptions,
  stops: Stops,
): Promise<DeviceProcess> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, "settings");
  await writeFile(file, settingsText(settings));
  const args = ["--settings", file, "--data", folder, "--clock", "stdin", "--no-sync", ...options];
  const companion = startCompanion(program, args, join(folder, "device.log"));
  stops.add(companion.finish);

  const ask = async (line: string) => {
    const answer = JSON.parse(await companion.ask(line));
    if (answer.error !== undefined && answer.time === undefined && answer.claim === undefined) {
      throw new Error(`the device does not do "${line}": ${answer.error}`);
    }
    return answer;
  };
  return {
    async goOn(time) {
      const { energy, reading, ...told } = await ask(String(time));
      return { ...told, energy: BigInt(energy), ...(reading && { reading: fromHex(reading) }) };
    },
    registration: (details) => ask(`registration ${toHex(details)}`),
    stop: companion.finish,
  };
}
