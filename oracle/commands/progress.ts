/** How far a command is that goes through all readings of a store: a bar where somebody watches, else a line now and then. */
import type { Store } from "../store/store.ts";
import { keysOf } from "./verifying.ts";

/** characters */
const WIDTH = 40;
/** readings after which it is shown anew, where somebody watches and where nobody does */
const [WATCHED_STEP, STEP] = [10_000, 1_000_000];

export async function readingsIn(store: Pick<Store, "logs">): Promise<number> {
  let total = 0;
  for await (const keyId of keysOf(store)) for (const { size } of await store.logs.of(keyId)) total += size;
  return total;
}

export type Progress = { show(done: number): void; end(): void };

/** On standard error, so that what a command tells can be piped on. */
export function createProgress(total: number): Progress {
  const isWatched = process.stderr.isTTY;
  let shown = 0;
  return {
    show(done) {
      if (done < total && done - shown < (isWatched ? WATCHED_STEP : STEP)) return;
      shown = done;
      const share = Math.min(1, done / total);
      const bar = "█".repeat(Math.floor(share * WIDTH)).padEnd(WIDTH, "░");
      const text = `${Math.floor(100 * share)} % of ${total} readings`;
      process.stderr.write(isWatched ? `\r${bar} ${text}` : `${text}\n`);
    },
    end() {
      if (isWatched) process.stderr.write("\n");
    },
  };
}
