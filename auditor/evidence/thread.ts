/** The thread of pool.ts. */
import { parentPort } from "node:worker_threads";
import { native } from "./native.ts";
import { type Work, work } from "./work.ts";

parentPort?.on("message", async ({ id, asked }: { id: number; asked: Work }) => {
  try {
    parentPort?.postMessage({ id, done: await work(native, asked) });
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) });
  }
});
