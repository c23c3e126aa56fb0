import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeWithUs } from "./process.ts";

/** What has been started and must be stopped, in the reverse order, whatever happens meanwhile. */
export type Stops = {
  /** Once the stopping has begun, what comes too late is stopped at once, and this throws: nothing else is to be started. */
  add: (stop: () => unknown) => void;
  stopAll: () => Promise<void>;
};

export function createStops(): Stops {
  const stops: (() => unknown)[] = [];
  const late: Promise<void>[] = [];
  let stopping: Promise<void> | undefined;
  const run = async (stop: () => unknown) => {
    try {
      await stop();
    } catch {
      // the others are stopped all the same
    }
  };
  async function stopThem(): Promise<void> {
    for (let stop = stops.pop(); stop; stop = stops.pop()) await run(stop);
    for (let stop = late.pop(); stop; stop = late.pop()) await stop;
  }
  return {
    add(stop) {
      if (!stopping) return void stops.push(stop);
      late.push(run(stop));
      throw new Error("nothing is started any more: everything is being stopped");
    },
    stopAll() {
      stopping ??= stopThem();
      return stopping;
    },
  };
}

/** A folder among the system's temporary ones, until `stops` are stopped or this process is gone. */
export async function temporaryFolder(stops: Stops, name = ""): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `wattwitness-${name && `${name}-`}`));
  removeWithUs(folder);
  // who was interrupted in making a file may still make it meanwhile
  stops.add(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
  return folder;
}

export type Ending = {
  /** Stops everything, once, and ends the process with this code. */
  end: (code: number) => Promise<void>;
  hasBegun: () => boolean;
};

/** Ends the process when it is told to, and at Ctrl-C, which `say` is then told first. */
export function createEnding(stops: Stops, say: () => void = () => {}): Ending {
  let ending: Promise<void> | undefined;
  const end = (code: number) => {
    ending ??= stops.stopAll().then(() => process.exit(code));
    return ending;
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (!ending) say();
      void end(signal === "SIGINT" ? 130 : 143);
    });
  }
  return { end, hasBegun: () => ending !== undefined };
}

/** ms between two looks at who is there */
const LOOK_EVERY = 500;

/** Ends what npm runs when npm is gone: no signal tells that it was killed, nor that the shell in between was. */
export function endWithNpm({ end }: Ending): void {
  if (!process.env["npm_lifecycle_event"]) return;
  const before = ancestors();
  setInterval(() => {
    if (ancestors() !== before) void end(1);
  }, LOOK_EVERY).unref();
}

/** Parent and, where the system tells it, its parent. */
function ancestors(): string {
  const { ppid } = process;
  try {
    const [, grandparent] = readFileSync(`/proc/${ppid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return `${ppid} ${grandparent}`;
  } catch {
    return String(ppid);
  }
}
