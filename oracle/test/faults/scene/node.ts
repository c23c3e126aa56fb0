/** The oracle as an operator runs it: a process of its own, that is ended in whatever way. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const SERVER = fileURLToPath(new URL("../../../server.ts", import.meta.url));
const DYING = new URL("dying.ts", import.meta.url).href;
/** ms until it answers, or has come to an end */
const PATIENCE = 60_000;

export type Node = {
  url: string;
  child: ChildProcess;
  /** what it has said so far */
  said(): string;
  hasEnded(): boolean;
  /** Resolves with code and signal once it has ended, which it must within a minute. */
  ended(): Promise<[number | null, NodeJS.Signals | null]>;
  kill(signal: NodeJS.Signals): Promise<[number | null, NodeJS.Signals | null]>;
};

export type Starting = {
  environment: Record<string, string>;
  /** the moment at which it ends, as dying.ts names it */
  killAt?: string;
  /** a file for the moments that come, as dying.ts names them */
  list?: string;
  /** below which folder files are watched for such moments */
  directory?: string;
};

/** Resolves once it listens, or has ended. */
export async function startNode({ environment, killAt, list, directory }: Starting): Promise<Node> {
  const faults = {
    ...(killAt !== undefined && { FAULT_KILL: killAt }),
    ...(list !== undefined && { FAULT_LIST: list }),
    ...(directory !== undefined && { FAULT_DIRECTORY: directory }),
  };
  const preload = killAt !== undefined || list !== undefined ? ["--import", DYING] : [];
  const env = { PATH: process.env["PATH"] ?? "", ...environment, ...faults };
  const child = spawn(process.execPath, [...preload, SERVER], { env, stdio: ["ignore", "pipe", "pipe"] });
  const end = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  let [text, url] = ["", ""];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      text += data;
      url ||= /listening at (http:\/\/[\d.:]+)/.exec(text)?.[1] ?? "";
    });
  }
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const node: Node = {
    get url() {
      return url;
    },
    child,
    said: () => text,
    hasEnded,
    async ended() {
      const late = delay(PATIENCE, undefined, { ref: false }).then(() => {
        throw new Error(`the oracle does not end: ${text.slice(-2000)}`);
      });
      return Promise.race([end, late]);
    },
    async kill(signal) {
      if (!hasEnded()) child.kill(signal);
      return node.ended();
    },
  };
  await until(() => url !== "" || hasEnded(), "the oracle neither listens nor ends");
  return node;
}

/** Looks until it holds, for a minute at most. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  otherwise: string | (() => string) = "it never comes to that",
): Promise<void> {
  for (const end = Date.now() + PATIENCE; !(await holds()); await delay(20)) {
    if (Date.now() > end) throw new Error(typeof otherwise === "string" ? otherwise : otherwise());
  }
}

/** Does something with an oracle that may end meanwhile, which then is no failure. */
export async function unlessEnded(node: Node, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const isEnding = error instanceof TypeError;
    if (isEnding) await until(node.hasEnded, () => `the oracle does not answer: ${node.said().slice(-2000)}`);
    if (!node.hasEnded()) throw error;
  }
}
