/**
 * What a monitor has seen, in a folder of its own: of every log the newest head with all of its readings, so that a second story
 * can be proven when it comes; where each place was; which batches were served, and where.
 *
 *   watch.json                      all but the readings
 *   readings/<key id>-<epoch>       32 bytes each; what is behind the head's size is of a look that broke off
 */
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";

const FORMAT = "WattWitness/1 watch";
const READING = 32;

export type SeenHead = { size: number; root: Hex; reading: Hex; signature: Hex };

/** A beginning of a log; `frontier`: hashes of its complete subtrees, from which it is followed on. */
export type Prefix = { size: number; root: Hex; frontier: Hex };

export type SeenLog = {
  head: SeenHead;
  frontier: Hex;
  /** by the place's name: its greatest head that was found to be of this log */
  places: Record<string, Prefix>;
  /** as the chain had it when it was found to be of this log */
  settled?: Prefix;
};

/** `had`: places that served it; `at`: when it was fetched last, Unix time, s */
export type SeenBatch = { had: string[]; at: number };

export type State = {
  format: typeof FORMAT;
  chainId: number;
  registry: Hex;
  /** by key id and epoch */
  logs: Record<string, SeenLog>;
  batches: Record<Hex, SeenBatch>;
};

export type Store = {
  state: State;
  readings(keyId: Hex, epoch: number, from: number, to: number): Promise<Uint8Array>;
  /** Puts readings where the first `at` end. */
  append(keyId: Hex, epoch: number, at: number, readings: Uint8Array): Promise<void>;
  save(): Promise<void>;
};

export const logName = (keyId: Hex, epoch: number): string => `${keyId} ${epoch}`;

/** Throws where the folder is of another deployment, or of something else. */
export async function openState(folder: string, chainId: number, registry: Hex): Promise<Store> {
  const file = join(folder, "watch.json");
  await mkdir(join(folder, "readings"), { recursive: true });
  const state = (await stateIn(file)) ?? { format: FORMAT, chainId, registry, logs: {}, batches: {} };
  if (state.format !== FORMAT || state.chainId !== chainId || state.registry !== registry) {
    throw new Error(`${file} is not what was seen of ${registry} on chain ${chainId}`);
  }
  const fileOf = (keyId: Hex, epoch: number) => join(folder, "readings", `${keyId}-${epoch}`);
  return {
    state,
    async readings(keyId, epoch, from, to) {
      const handle = await open(fileOf(keyId, epoch));
      try {
        const bytes = new Uint8Array(READING * (to - from));
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, READING * from);
        if (bytesRead < bytes.length) throw new Error(`${fileOf(keyId, epoch)} lacks readings that were seen`);
        return bytes;
      } finally {
        await handle.close();
      }
    },
    async append(keyId, epoch, at, readings) {
      const handle = await open(fileOf(keyId, epoch), at === 0 ? "w" : "r+");
      try {
        await handle.write(readings, 0, readings.length, READING * at);
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    async save() {
      const beside = `${file}.${randomBytes(4).toString("hex")}`;
      await writeFile(beside, `${JSON.stringify(state)}\n`);
      await rename(beside, file);
    },
  };
}

async function stateIn(file: string): Promise<State | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as State);
}
