/** The logs, in a database that other oracles use, too. */
import { toHex } from "../../../protocol/index.ts";
import { emptyLog, growthOf } from "../log-state.ts";
import type { Logs } from "../store.ts";
import { type LogParts, storedLog } from "../stored-log.ts";
import { openAppends } from "./appends.ts";
import type { Database } from "./database.ts";
import { openHeads } from "./heads.ts";
import { keyBytes } from "./names.ts";
import { openStates } from "./states.ts";
import { openTiles } from "./tiles.ts";

const KEYS = "select distinct key_id from logs where key_id > $1 order by key_id limit $2";

export function openLogs(database: Pick<Database, "ask">): Logs {
  const states = openStates(database);
  const appends = openAppends(database);
  const tiles = openTiles(database);

  const append: LogParts["append"] = async (log, readings, signature, bucket) => {
    if (log.isAppending) return false;
    log.isAppending = true;
    try {
      if (!(await appends(log, growthOf(log, readings), signature, bucket))) return false;
      states.keep(log);
      return true;
    } finally {
      log.isAppending = false;
    }
  };
  const parts: LogParts = { tiles, heads: openHeads(database, tiles), append };

  const find = async (keyId: string, epoch: number) => (await states.of(keyId)).find((log) => log.epoch === epoch);
  return {
    async keys(after, limit) {
      const rows = await database.ask<{ key_id: Buffer }>("keys", KEYS, [keyBytes(after ?? "0x"), limit]);
      return rows.map(({ key_id }) => toHex(key_id));
    },
    async get(keyId, epoch) {
      const log = await find(keyId, epoch);
      return log && storedLog(log, parts);
    },
    of: async (keyId) => (await states.of(keyId)).map((log) => storedLog(log, parts)),
    open: async (keyId, epoch) => storedLog((await find(keyId, epoch)) ?? emptyLog(keyId, epoch), parts),
  };
}
