import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export const verifyBatchSource = readFileSync(new URL("../verify-batch.js", import.meta.url), "utf8");

/** Waits until `condition` holds; throws if it does not within `bound` ms. */
export async function until(condition: () => boolean | Promise<boolean>, bound = 10_000): Promise<void> {
  for (const end = Date.now() + bound; Date.now() < end; await delay(10)) if (await condition()) return;
  throw new Error(`did not happen within ${bound} ms: ${condition}`);
}

/** Serves on a free port of loopback. */
export async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: (path: string): string => `http://127.0.0.1:${port}/${path}`,
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An empty folder for temporary files while the tests of a file run, to see whether anything is left in it. */
export function ownTemporaryFolder() {
  const before = process.env["TMPDIR"];
  let folder = "";
  return {
    async make(): Promise<void> {
      folder = await mkdtemp(join(tmpdir(), "wattwitness-test-"));
      process.env["TMPDIR"] = folder;
    },
    files: () => readdir(folder),
    async remove(): Promise<void> {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
      await rm(folder, { recursive: true });
    },
  };
}

/** Whether a process of this id runs. */
export function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
