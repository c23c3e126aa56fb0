/**
 * Room for what anyone may leave here, as anyone can make a key: so many at once. Where that is full, who left least is not
 * crowded out by who left most: the oldest of that address makes room, whichever of the two comes first.
 */
import type { Records } from "../store/store.ts";

/** What was left, and from which address; absent in what an earlier version wrote. */
export type Left = { from?: string };

/** Whether one more may come from an address, beside those of these ids that wait; makes room for it. */
export type Room = (from: string, waiting: readonly string[]) => Promise<boolean>;

/** `since`: Unix time (s) by which the oldest is known. */
export function createRoom<T extends Left>(
  records: Pick<Records<T>, "get" | "remove">,
  limit: number,
  since: (record: T) => number,
): Room {
  /** what is known of records that wait, read once */
  const known = new Map<string, { from: string; since: number }>();

  async function look(waiting: readonly string[]): Promise<void> {
    const ids = new Set(waiting);
    for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    for (const id of waiting) {
      const record = known.has(id) ? undefined : await records.get(id);
      if (record) known.set(id, { from: record.from ?? "", since: since(record) });
    }
  }

  return async (from, waiting) => {
    if (waiting.length < limit) return true;
    await look(waiting);
    const byAddress = Map.groupBy(known, ([, { from: address }]) => address);
    const most = [...byAddress.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
    const own = byAddress.get(from)?.length ?? 0;
    if (own + 1 >= most.length) return false;
    const [oldest] = most.reduce((a, b) => (b[1].since < a[1].since ? b : a));
    await records.remove(oldest);
    return true;
  };
}
