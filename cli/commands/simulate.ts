/**
 * `wattwitness simulate`: a meter in software under a modelled sun, in real time, against any oracle. Its key stands in a file
 * that is made at its first start; its log is kept in memory, so each start begins another epoch.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Command, InvalidArgumentError } from "commander";
import type { Hex } from "viem";
import { createDevice, type Device } from "../../meter/device.ts";
import { createMeter } from "../../meter/meter.ts";
import { sunPower } from "../../meter/sun.ts";
import { sendTo, upload } from "../../meter/upload.ts";
import { fromHex, generatePrivateKey, toHex } from "../../protocol/index.ts";
import { address, oracleUrl, telling, watts, whole } from "../command.ts";
import { firstLine, Problem } from "../problem.ts";
import { type Answer, list } from "../terminal/telling.ts";

/** ms that an oracle may take to answer */
const PATIENCE = 15_000;
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

function degrees(text: string): number {
  const value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(Math.abs(value) <= 180)) throw new InvalidArgumentError("It is no angle in degrees, from -180 to 180.");
  return value;
}

function interval(text: string): number {
  const value = whole(text);
  if (value < 1 || 900 % value !== 0) throw new InvalidArgumentError("It does not divide 900.");
  return value;
}

async function simulate(options: SimulateOptions): Promise<Answer> {
  const { oracle, owner, capacity, readings: wanted } = options;
  const place = await placeOf(oracle);
  const { privateKey, epoch } = keyIn(options.key);
  const device = createDevice({ privateKey, epoch, interval: options.interval, source: SOURCE, place, capacity });
  const { latitude, longitude } = options;
  const powerAt = sunPower({ latitude, longitude, capacity, seed: toHex(device.keyId) });
  const meter = createMeter({ device, powerAt, start: now() });
  const keyId = toHex(device.keyId);
  console.error(list({ meter: keyId, epoch, oracle, chain: place.chainId, registry: place.registry }));
  let said = "";
  let hasApplied = false;
  for (;;) {
    await delay(Math.max(0, (Math.floor(now() / options.interval) + 1) * options.interval * 1000 - Date.now()));
    meter.advance(now());
    if (device.size === 0) continue;
    if (owner !== undefined && !hasApplied) hasApplied = await apply(device, oracle, owner, capacity);
    const last = await upload(device, sendTo(oracle), now);
    const news = last && last.outcome !== "stored" ? `not stored yet: ${whyNot(last.answer)}` : "stored";
    if (news !== said) console.error(`${news}${news === "stored" ? `, ${device.acknowledged} readings` : ""}`);
    said = news;
    if (wanted !== undefined && device.acknowledged >= wanted) break;
  }
  const { acknowledged } = device;
  return { text: `${acknowledged} readings are stored.`, data: { key_id: keyId, epoch, readings: acknowledged } };
}

const now = (): number => Math.floor(Date.now() / 1000);

const whyNot = ({ status, body }: { status: number; body: unknown }): string =>
  (body as { detail?: string } | undefined)?.detail ?? (status === 0 ? "the oracle does not answer" : `HTTP ${status}`);

/** Which chain and registry the oracle is for: what is signed is for them alone. */
async function placeOf(oracle: string): Promise<{ chainId: number; registry: Hex }> {
  try {
    const response = await fetch(new URL("api/v1/overview", oracle), { signal: AbortSignal.timeout(PATIENCE) });
    const { chain_id: chainId, registry } = (await response.json()) as { chain_id: number; registry: Hex };
    if (!Number.isSafeInteger(chainId) || !/^0x[0-9a-f]{40}$/i.test(registry)) throw new Error("it tells of no chain");
    return { chainId, registry };
  } catch (error) {
    throw new Problem(`No oracle answers at ${oracle}: ${firstLine(error)}`);
  }
}

/** Returns whether there is nothing left to apply for. */
async function apply(device: Device, oracle: string, owner: Hex, capacity: number): Promise<boolean> {
  const application = device.registration({ owner, capacity, details: new Uint8Array(32) });
  const response = await fetch(new URL("registrations", oracle), {
    ...{ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(application) },
    signal: AbortSignal.timeout(PATIENCE),
  }).catch(() => undefined);
  const body = (await response?.json().catch(() => undefined)) as { rule?: string; detail?: string } | undefined;
  if (response?.ok) console.error(`has applied, as ${owner}'s: a registrar registers it`);
  else if (body?.rule !== "key already used") console.error(`could not apply: ${body?.detail ?? "no answer"}`);
  return response?.ok === true || body?.rule === "key already used";
}

type Kept = { private_key: Hex; epoch: number };

/** The epoch is counted up before it is used, in a file that only its owner reads. */
function keyIn(file: string): { privateKey: Uint8Array; epoch: number } {
  const kept = keptIn(file) ?? { private_key: toHex(generatePrivateKey()), epoch: 0 };
  const next: Kept = { ...kept, epoch: kept.epoch + 1 };
  const unfinished = `${file}.unfinished`;
  try {
    writeFileSync(unfinished, `${JSON.stringify(next)}\n`, { mode: 0o600, flush: true });
    renameSync(unfinished, file);
  } catch (error) {
    throw new Problem(`${file} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
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
