/** A meter's readings over all its epochs, in the words of the hackathon original. */
import { decodeReading, type Reading, timestampOf, toHex } from "../../protocol/index.ts";
import type { Logs, StoredLog } from "../store/store.ts";
import type { SettledLogs } from "./settled.ts";

/** Readings taken from the store at once. */
const CHUNK = 256;

export type Row = {
  /** key id, epoch and index, as the path of its proof has them */
  id: string;
  installation_id: number | null;
  key_id: string;
  epoch: number;
  index: number;
  power_w: number;
  total_wh: number;
  total_mwh: string;
  timestamp: number;
  voltage: number | null;
  current: number | null;
  temperature: number | null;
  conditions: number;
  signature: string;
  signature_size: number;
  is_verified: boolean;
  verification_timestamp: string;
  is_on_chain: boolean;
  blockchain_tx_hash: string | null;
  blockchain_block_number: number | null;
  created_at: string;
};

/** Of a file, in this order. */
export const COLUMNS = [
  ...(["id", "installation_id", "key_id", "epoch", "index", "power_w", "total_wh", "total_mwh", "timestamp"] as const),
  ...(["voltage", "current", "temperature", "conditions", "signature", "signature_size", "is_verified"] as const),
  ...([
    "verification_timestamp",
    "is_on_chain",
    "blockchain_tx_hash",
    "blockchain_block_number",
    "created_at",
  ] as const),
] satisfies (keyof Row)[];

/** The reading before which a page goes on. */
export type Cursor = { epoch: number; index: number };

export type Range = { start?: number | undefined; end?: number | undefined; cursor?: Cursor | undefined };

export type History = {
  /** Newest first; `start` and `end` (Unix time, s) are both inclusive. */
  newest(keyId: string, number: number | null, limit: number, range?: Range): Promise<Row[]>;
  /** Oldest first, a chunk at a time, as far as they were stored when asked. */
  all(keyId: string, number: number | null): AsyncGenerator<Row[]>;
  /** What of a key is not on chain, oldest first, from `cursor` on. */
  unsettled(keyId: string, number: number | null, limit: number, cursor?: Cursor): Promise<Row[]>;
};

const thousandth = (value: number | bigint): number => Number(value) / 1000;
const iso = (time: number): string => new Date(time * 1000).toISOString();
const orNull = (value: number | undefined, per: number): number | null => (value === undefined ? null : value / per);

export function createHistory(logs: Logs, settledLogs: SettledLogs): History {
  async function rows(log: StoredLog, from: number, to: number, number: number | null): Promise<Row[]> {
    const settled = await settledLogs(log);
    const head = log.newestHead;
    if (!head) return [];
    const signed = {
      signature: toHex(head.signature),
      signature_size: head.size,
      is_verified: true,
      verification_timestamp: iso(timestampOf(head.reading)),
    };
    return (await log.readings(from, to)).map((bytes, i) => {
      const index = from + i;
      const mark = index < settled.size ? settled.markOf(index) : undefined;
      return {
        ...{ id: `${log.keyId}/${log.epoch}/${index}`, installation_id: number, key_id: log.keyId },
        ...{ epoch: log.epoch, index, ...measured(readingOf(bytes)), ...signed },
        is_on_chain: index < settled.size,
        blockchain_tx_hash: mark?.transaction ?? null,
        blockchain_block_number: mark?.block ?? null,
        created_at: iso(timestampOf(bytes)),
      };
    });
  }

  return {
    async newest(keyId, number, limit, { start, end, cursor } = {}) {
      const found: Row[] = [];
      for (const log of (await logs.of(keyId)).reverse()) {
        if (cursor && log.epoch > cursor.epoch) continue;
        const low = start === undefined ? 0 : await log.countBefore(start);
        const until = end === undefined ? log.size : await log.countBefore(end + 1);
        const high = cursor?.epoch === log.epoch ? Math.min(until, cursor.index) : until;
        const from = Math.max(low, high - (limit - found.length));
        if (from < high) found.push(...(await rows(log, from, high, number)).reverse());
        if (found.length >= limit) break;
      }
      return found;
    },

    async *all(keyId, number) {
      const sized = (await logs.of(keyId)).map((log) => ({ log, size: log.size }));
      for (const { log, size } of sized) {
        for (let from = 0; from < size; from += CHUNK) yield rows(log, from, Math.min(size, from + CHUNK), number);
      }
    },

    async unsettled(keyId, number, limit, cursor) {
      const found: Row[] = [];
      for (const log of await logs.of(keyId)) {
        if (cursor && log.epoch < cursor.epoch) continue;
        const { size } = await settledLogs(log);
        const from = cursor?.epoch === log.epoch ? Math.max(size, cursor.index + 1) : size;
        const to = Math.min(log.size, from + limit - found.length);
        if (from < to) found.push(...(await rows(log, from, to, number)));
        if (found.length >= limit) break;
      }
      return found;
    },
  };
}

/** What was accepted is a reading. */
function readingOf(bytes: Uint8Array): Reading {
  const reading = decodeReading(bytes);
  if (!reading.ok) throw new Error(`a stored reading is none: ${reading.failure}`);
  return reading.value;
}

const measured = ({ timestamp, energy, power, voltage, current, temperature, conditions }: Reading) => ({
  power_w: thousandth(power),
  total_wh: thousandth(energy),
  total_mwh: String(energy),
  timestamp,
  voltage: orNull(voltage, 1000),
  current: orNull(current, 1000),
  temperature: orNull(temperature, 100),
  conditions,
});
