/** How far logs are on chain, and where: looked up once between two looks at the chain, however often it is asked. */
import { equal, fromHex } from "../../protocol/index.ts";
import type { Follower, KnownMark } from "../chain/follower.ts";
import type { StoredLog } from "../store/store.ts";

/** Logs remembered at once. */
const REMEMBERED = 1000;

/** `size` readings are on chain; `markOf` says where one of them is. */
export type Settled = { size: number; markOf(index: number): KnownMark | undefined };
export type SettledLogs = (log: StoredLog) => Promise<Settled>;

const NONE: Settled = { size: 0, markOf: () => undefined };

export function createSettledLogs(follower: Pick<Follower, "newest" | "meterOf" | "marksOf">): SettledLogs {
  const known = new Map<string, Promise<Settled>>();
  let look: unknown;

  async function lookUp(log: StoredLog): Promise<Settled> {
    const settled = follower.meterOf(log.keyId)?.logs[log.epoch];
    if (!settled || settled.size > log.size) return NONE;
    // what is settled may be another log than the one stored here
    if (!equal(await log.hashOf(0, settled.size), fromHex(settled.root))) return NONE;
    const marks = await follower.marksOf(log.keyId, log.epoch);
    return { size: settled.size, markOf: (index) => markAfter(marks, index) };
  }

  return (log) => {
    if (look !== follower.newest || known.size >= REMEMBERED) known.clear();
    look = follower.newest;
    const name = `${log.keyId}/${log.epoch}`;
    const found = known.get(name);
    if (found) return found;
    const looking = lookUp(log);
    known.set(name, looking);
    looking.catch(() => known.delete(name));
    return looking;
  };
}

/** The first that reaches beyond `index`; marks are in order of size. */
function markAfter(marks: readonly KnownMark[], index: number): KnownMark | undefined {
  let [low, high] = [0, marks.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((marks[middle] as KnownMark).size > index) high = middle;
    else low = middle + 1;
  }
  return marks[low];
}
