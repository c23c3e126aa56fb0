/** Programs that run beside this one, and end with it. */
import { type ChildProcess, type ChildProcessByStdio, type SpawnOptions, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Told } from "./guard.ts";

const GUARD = fileURLToPath(new URL("guard.ts", import.meta.url));
const HOST = "127.0.0.1";
/** ms that a program may take to end by itself */
const PATIENCE = 5000;
/** lines of its log that are shown where it fails */
const SHOWN = 8;

export type Program = {
  child: ChildProcess;
  /** Where what it prints goes. */
  log: string;
  /** Resolves once it has ended. */
  ended: Promise<void>;
  /** Ends it by `signal`, and by SIGKILL where that does not help. */
  stop: (signal: NodeJS.Signals) => Promise<void>;
};

/** What it prints goes to the end of the file `log`. */
export function startProgram(command: string, args: string[], log: string, options: SpawnOptions = {}): Program {
  const output = openSync(log, "a");
  const child = spawn(command, args, { ...options, stdio: ["ignore", output, output] });
  closeSync(output);
  return watch(child, log);
}

/** A program that answers every line it is told by a line. */
export type Companion = {
  /** The answer. Throws where the program ends instead. */
  ask: (line: string) => Promise<string>;
  /** Tells it nothing more, and waits until it has ended. */
  finish: () => Promise<void>;
};

/** What it complains of goes to the end of the file `log`. A terminal's Ctrl-C does not reach it. */
export function startCompanion(command: string, args: string[], log: string): Companion {
  const output = openSync(log, "a");
  const child = spawn(command, args, { detached: true, stdio: ["pipe", "pipe", output] });
  closeSync(output);
  const { stdin, stdout } = child as ChildProcessByStdio<Writable, Readable, null>;
  const { ended, stop } = watch(child, log);
  const lines = createInterface(stdout)[Symbol.asyncIterator]();
  // what cannot be told any more shows by the answer that is missing
  stdin.on("error", () => {});
  return {
    async ask(line) {
      stdin.write(`${line}\n`);
      const { value, done } = await lines.next();
      if (!done) return value;
      await ended;
      throw new Error(`${basename(command)} has ended; see ${log}${await endOf(log)}`);
    },
    async finish() {
      stdin.end();
      const timer = setTimeout(() => void stop("SIGTERM"), PATIENCE);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Lets it end with us. `isGroup`: it was started detached, and what it starts ends with it. */
export function watch(child: ChildProcess, log: string, isGroup = false): Program {
  const pid = isGroup ? -(child.pid ?? 0) : (child.pid ?? 0);
  if (pid) tellGuard({ started: pid });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  }).then(() => {
    if (pid) tellGuard({ ended: pid });
  });
  const send = (signal: NodeJS.Signals) => {
    if (!pid || hasEnded(child)) return;
    try {
      process.kill(pid, signal);
    } catch {
      // it has ended meanwhile
    }
  };
  return {
    child,
    log,
    ended,
    async stop(signal) {
      send(signal);
      const timer = setTimeout(() => send("SIGKILL"), PATIENCE);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Removes a folder when we are gone. */
export const removeWithUs = (folder: string): void => tellGuard({ folder });

let guard: ChildProcess | undefined;

/** A terminal's Ctrl-C does not reach the guard, and nobody waits for it. */
function tellGuard(told: Told): void {
  if (!guard) {
    guard = spawn(process.execPath, [GUARD], { detached: true, cwd: "/", stdio: ["pipe", "ignore", "ignore"] });
    guard.once("error", () => {});
    guard.stdin?.on("error", () => {});
    guard.unref();
    (guard.stdin as Socket).unref();
  }
  guard.stdin?.write(`${JSON.stringify(told)}\n`);
}

/** Looks until something is found. Throws where the program ends before, and after `patience` ms. */
export async function until<T>(
  what: string,
  { child, log }: Program,
  patience: number,
  look: () => Promise<T | undefined>,
): Promise<T> {
  for (const end = Date.now() + patience; Date.now() < end && child.pid && !hasEnded(child); ) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    await delay(50);
  }
  throw new Error(`${what} did not start; see ${log}${await endOf(log)}`);
}

export const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

/** The last lines of a log, each on a line of its own. */
export async function endOf(log: string): Promise<string> {
  const text = await readFile(log, "utf8").catch(() => "");
  const lines = text.trim().split("\n").slice(-SHOWN);
  return text.trim() ? ["", ...lines].join("\n  ") : "";
}

/** A port of this machine that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Whether somebody else listens on a port of this machine. */
export const isPortInUse = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(true));
    probe.listen(port, HOST, () => probe.close(() => resolve(false)));
  });
