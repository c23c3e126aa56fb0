/** The logs, in a database that other oracles use, too. */
import { emptyLog, growthOf } from "../log-state.ts";
import type { Logs } from "../store.ts";
import { type LogParts, storedLog } from "../stored-log.ts";
import { openAppends } from "./appends.ts";
import type { Database } from "./database.ts";
import { openHeads } from "./heads.ts";
import { openStates } from "./states.ts";
import { openTiles } from "./tiles.ts";

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
    async get(keyId, epoch) {
      const log = await find(keyId, epoch);
      return log && storedLog(log, parts);
    },
    of: async (keyId) => (await states.of(keyId)).map((log) => storedLog(log, parts)),
    open: async (keyId, epoch) => storedLog((await find(keyId, epoch)) ?? emptyLog(keyId, epoch), parts),
  };
}
