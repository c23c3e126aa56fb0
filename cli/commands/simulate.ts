/**
 * `wattwitness simulate`: a meter in software under a modelled sun, in real time, against any oracle. Its key stands in a file
 * that is made at its first start; its log is kept in memory, so each start begins another epoch.
 */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { Hex } from "viem";
import { createDevice } from "../../meter/device.ts";
import { fromHex, generatePrivateKey, toHex } from "../../protocol/index.ts";
import { address, oracleUrl, telling, watts, whole } from "../command.ts";
import { Problem } from "../problem.ts";
import { type Answer, list } from "../terminal/telling.ts";
import { degrees, interval, live, placeOf, sunOver } from "./device/living.ts";
import { replaceFile } from "./device/state.ts";

/** channel 0, export register */
const SOURCE = 0x10;

export function simulateCommand(): Command {
  return new Command("simulate")
    .description("a meter in software, in real time, against any oracle: what it signs proves as much as this machine")
    .requiredOption("--oracle <url>", "where it applies and posts", oracleUrl)
    .option("--owner <address>", "whose it is to be; it applies for registration, where that is given", address)
    .option("--key <file>", "its key and epoch, made where there is none", "simulated-meter.json")
    .option("--capacity <watts>", "what its roof can", watts, 5000)
    .option("--latitude <degrees>", "where its roof is, north", degrees, 48.1)
    .option("--longitude <degrees>", "where its roof is, east", degrees, 11.6)
    .option("--interval <seconds>", "between readings; divides 900", interval, 10)
    .option("--readings <count>", "to end after so many are stored", whole)
    .action(telling((options: SimulateOptions) => simulate(options)));
}

type SimulateOptions = {
  oracle: string;
  owner?: Hex;
  key: string;
  capacity: number;
  latitude: number;
  longitude: number;
  interval: number;
  readings?: number;
};

async function simulate(options: SimulateOptions): Promise<Answer> {
  const { oracle, owner, capacity, readings: wanted } = options;
  const place = await placeOf(oracle);
  const { privateKey, epoch } = keyIn(options.key);
  const device = createDevice({ privateKey, epoch, interval: options.interval, source: SOURCE, place, capacity });
  const keyId = toHex(device.keyId);
  console.error(list({ meter: keyId, epoch, oracle, chain: place.chainId, registry: place.registry }));
  await live({
    ...{ device, oracle, readings: wanted, saysAll: false, keep() {} },
    measure: sunOver(options, keyId),
    application: owner && (() => device.registration({ owner, capacity, details: new Uint8Array(32) })),
  });
  const { acknowledged } = device;
  return { text: `${acknowledged} readings are stored.`, data: { key_id: keyId, epoch, readings: acknowledged } };
}

type Kept = { private_key: Hex; epoch: number };

/** The epoch is counted up before it is used, in a file that only its owner reads. */
function keyIn(file: string): { privateKey: Uint8Array; epoch: number } {
  const kept = keptIn(file) ?? { private_key: toHex(generatePrivateKey()), epoch: 0 };
  const next: Kept = { ...kept, epoch: kept.epoch + 1 };
  replaceFile(file, `${JSON.stringify(next)}\n`);
  return { privateKey: fromHex(next.private_key), epoch: next.epoch };
}

function keptIn(file: string): Kept | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new Problem(`${file} cannot be read (${code}).`);
  }
  try {
    const { private_key, epoch } = JSON.parse(text) as Kept;
    if (/^0x[0-9a-f]{64}$/.test(private_key) && Number.isSafeInteger(epoch) && epoch >= 0)
      return { private_key, epoch };
  } catch {
    // said below, without what stands in it
  }
  throw new Problem(`${file} is no file of a simulated meter: remove it, or name another with --key.`);
}
