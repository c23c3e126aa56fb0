/**
 * Ends what a program has started when that program is gone, however it went: it is told of each process and folder, a
 * JSON line each, and acts at the end of its input, which comes by itself with the end of whoever wrote it.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

/** Numbers of processes; negative = of a group of them. `folder` is removed. */
export type Told = { started: number } | { ended: number } | { folder: string };

/** ms that a process may take to end by itself */
const PATIENCE = 3000;

const processes = new Set<number>();
const folders = new Set<string>();

for await (const line of createInterface(process.stdin)) {
  const told = JSON.parse(line) as Told;
  if ("started" in told) processes.add(told.started);
  else if ("ended" in told) processes.delete(told.ended);
  else folders.add(told.folder);
}

for (const pid of processes) send(pid, "SIGTERM");
for (const end = Date.now() + PATIENCE; Date.now() < end && [...processes].some(isThere); ) await delay(50);
for (const pid of processes) send(pid, "SIGKILL");
for (const folder of folders) await removeForGood(folder);

/** What nobody told of ends by itself, and may write once more before it does. */
async function removeForGood(folder: string): Promise<void> {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await delay(200)) {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 }).catch(() => {});
    await delay(100);
    if (!existsSync(folder)) return;
  }
}

function isThere(pid: number): boolean {
  return send(pid, 0);
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
