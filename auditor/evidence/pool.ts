/** Threads that verify, one a core; no more is handed out than they can take, so that memory stays bounded. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Done, Work } from "./work.ts";

export type Pool = {
  /** Resolves when it is done. Give out no more than `width` at once. */
  run<W extends Work>(asked: W): Promise<Done<W>>;
  readonly width: number;
  close(): Promise<void>;
};

/** In the clone a .ts file, installed a .js one. */
const THREAD = new URL(`thread${import.meta.filename.endsWith(".js") ? ".js" : ".ts"}`, import.meta.url);

/** What a thread makes of a batch is short-lived, and more of it than this is not kept. */
const LIMITS = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 4 };

/** Bytes that are handed over, and not copied: those of `asked` are gone afterwards. */
const transferred = (asked: Work): ArrayBuffer[] =>
  [asked.kind === "batch" ? asked.bytes : asked.segment.readings].map(({ buffer }) => buffer as ArrayBuffer);

type Waiting = { resolve: (done: never) => void; reject: (error: Error) => void };

export function createPool(threads = availableParallelism()): Pool {
  const waiting = new Map<number, Waiting>();
  let [asks, turn] = [0, 0];
  const fail = (error: Error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(THREAD, { resourceLimits: LIMITS });
    worker.on("message", ({ id, done, error }: { id: number; done: never; error?: string }) => {
      const { resolve, reject } = waiting.get(id) as Waiting;
      waiting.delete(id);
      // who has nothing to wait for may end
      if (waiting.size === 0) for (const each of workers) each.unref();
      if (error === undefined) resolve(done);
      else reject(new Error(error));
    });
    worker.on("error", fail);
    worker.unref();
    return worker;
  });
  return {
    width: 2 * threads,
    run(asked) {
      const id = asks++;
      const worker = workers[turn++ % threads] as Worker;
      worker.ref();
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, asked }, transferred(asked));
      });
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
