/**
 * What a device in software keeps in a folder of its own, so that it goes on after it was switched off:
 *
 *   device.json       its private key, and for which chain, registry and source; made once, for its owner's eyes only
 *   state.json        its register and the newest reading, replaced with each
 *   EPOCH.readings    the log, 32 bytes a reading
 *
 * The newest reading is in state.json first, with the register that it was counted with: whenever it is switched off, the
 * two belong together, and nothing is counted twice. Only then is it signed.
 */
import {
  appendFileSync,
  chmodSync,
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Hex } from "viem";
import type { Kept } from "../../../meter/device.ts";
import { lockDirectory } from "../../../oracle/store/embedded/lock.ts";
import { fromHex, generatePrivateKey, READING_LENGTH, toHex } from "../../../protocol/index.ts";
import { Problem } from "../../problem.ts";
import type { Place } from "./living.ts";

export type Identity = { privateKey: Uint8Array; place: Place; source: number };
export type Log = Kept & { readings: Uint8Array[] };

type IdentityFile = { private_key: Hex; chain_id: number; registry: Hex; source: number };
/** `reading`: the newest, where there is one */
type StateFile = Kept & { reading?: Hex };

/** For this process alone: two would sign two stories. */
export async function openFolder(folder: string): Promise<void> {
  const lock = await lockDirectory(folder, "device.pid").catch((error: NodeJS.ErrnoException) => {
    throw new Problem(`${folder} cannot be used (${error.code}).`);
  });
  if (!lock.ok) {
    throw new Problem(
      `Another device (process ${lock.pid}) keeps its log in ${folder}: end it, or choose another --state.`,
    );
  }
  process.on("exit", () => rmSync(lock.file, { force: true }));
  chmodSync(folder, 0o700);
}

/** Undefined where none was made yet. */
export function identityIn(folder: string): Identity | undefined {
  const file = join(folder, "device.json");
  const kept = jsonIn(file) as IdentityFile | undefined;
  if (kept === undefined) return undefined;
  const { private_key, chain_id: chainId, registry, source } = kept;
  const isWhole =
    isHex(private_key, 32) && isHex(registry, 20) && Number.isSafeInteger(chainId) && Number.isSafeInteger(source);
  // what stands in it is not repeated
  if (!isWhole) throw new Problem(`${file} is no file of a device: choose another folder by --state.`);
  return { privateKey: fromHex(private_key), place: { chainId, registry }, source };
}

export function makeIdentity(folder: string, place: Place, source: number): Identity {
  const privateKey = generatePrivateKey();
  const { chainId, registry } = place;
  const kept: IdentityFile = { private_key: toHex(privateKey), chain_id: chainId, registry, source };
  replaceFile(join(folder, "device.json"), `${JSON.stringify(kept)}\n`);
  return { privateKey, place, source };
}

/** Where the log cannot go on, because some of it is lost, the register does, and the next epoch begins. */
export function logIn(folder: string): Log {
  const file = join(folder, "state.json");
  const { reading, ...state } = (jsonIn(file) ?? {}) as StateFile;
  const isSound = [state.epoch, state.size].every(Number.isSafeInteger) && typeof state.counted === "object";
  if (!isSound || (state.size > 0 && !isHex(reading, READING_LENGTH))) {
    throw new Problem(
      `${file} is missing or damaged, and what the key has signed is not known: choose another folder by --state.`,
    );
  }
  const readings = readingsIn(fileOf(folder, state.epoch));
  if (reading !== undefined && readings.length === state.size - 1) {
    append(fileOf(folder, state.epoch), readings.length, fromHex(reading));
    readings.push(fromHex(reading));
  }
  // one more than there should be may have been signed
  const isWhole =
    readings.length === state.size && (state.size === 0 || toHex(readings.at(-1) as Uint8Array) === reading);
  return isWhole ? { ...state, readings } : afterLoss({ ...state, readings });
}

/** The register as it is, and the next log; `epoch`: the newest that anybody knows. */
export const afterLoss = (log: Log, epoch = log.epoch): Log => ({
  ...{ ...log, epoch: Math.max(epoch, log.epoch) + 1, size: 0, acknowledged: 0, readings: [] },
});

/** Returns once what it has, and with it the newest reading, is durable. */
export function keep(folder: string, kept: Kept, newest?: Uint8Array): void {
  const state: StateFile = { ...kept, ...(newest && { reading: toHex(newest) }) };
  replaceFile(join(folder, "state.json"), `${JSON.stringify(state, asText)}\n`);
  if (newest) append(fileOf(folder, kept.epoch), kept.size - 1, newest);
}

/** A file that only its owner reads, whole whatever happens meanwhile. */
export function replaceFile(file: string, text: string): void {
  const unfinished = `${file}.unfinished`;
  try {
    writeFileSync(unfinished, text, { mode: 0o600, flush: true });
    renameSync(unfinished, file);
    const folder = openSync(dirname(file), "r");
    fsyncSync(folder);
    closeSync(folder);
  } catch (error) {
    throw new Problem(`${file} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}

const fileOf = (folder: string, epoch: number): string => join(folder, `${epoch}.readings`);

function readingsIn(file: string): Uint8Array[] {
  const bytes = bytesIn(file) ?? new Uint8Array();
  const count = Math.floor(bytes.length / READING_LENGTH);
  return Array.from({ length: count }, (_, i) => bytes.slice(i * READING_LENGTH, (i + 1) * READING_LENGTH));
}

/** In its place, over what an interruption may have left there. */
function append(file: string, index: number, reading: Uint8Array): void {
  try {
    const handle = openSync(file, "a+", 0o600);
    ftruncateSync(handle, index * READING_LENGTH);
    appendFileSync(handle, reading);
    fsyncSync(handle);
    closeSync(handle);
  } catch (error) {
    throw new Problem(`${file} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}

function bytesIn(file: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new Problem(`${file} cannot be read (${code}).`);
  }
}

function jsonIn(file: string): unknown {
  const bytes = bytesIn(file);
  if (!bytes) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes), fromText) ?? {};
  } catch {
    return {};
  }
}

/* Whole numbers beyond JSON's, as 12n. */
const asText = (_: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}n` : value);
const fromText = (_: string, value: unknown): unknown =>
  typeof value === "string" && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value;

const isHex = (value: unknown, bytes: number): value is Hex =>
  typeof value === "string" && value.length === 2 + 2 * bytes && /^0x[0-9a-f]*$/i.test(value);
