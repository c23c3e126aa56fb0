import { readFileSync } from "node:fs";

/** What has been started and must be stopped, in the reverse order, whatever happens meanwhile. */
export type Stops = {
  add: (stop: () => unknown) => void;
  stopAll: () => Promise<void>;
};

export function createStops(): Stops {
  const stops: (() => unknown)[] = [];
  return {
    add: (stop) => stops.push(stop),
    async stopAll() {
      for (let stop = stops.pop(); stop; stop = stops.pop()) {
        await Promise.resolve(stop()).catch(() => {});
      }
    },
  };
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
