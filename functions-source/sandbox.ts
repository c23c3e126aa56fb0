/**
 * Runs a Functions source as a node of the DON does: in the sandbox of Chainlink's own toolkit, a Deno process per run
 * that reaches the network through a counting proxy and nothing else, under the limits of the service.
 *
 * The process is ours rather than the toolkit's `simulateScript`, which reads the answer before all of it has arrived
 * when several run at once, changes `$&` and `$$` in a source, and gives two runs of one millisecond the same file.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DEFAULT_MAX_EXECUTION_DURATION_MS,
  DEFAULT_MAX_HTTP_REQUEST_BYTES,
  DEFAULT_MAX_HTTP_REQUEST_DURATION_MS,
  DEFAULT_MAX_HTTP_REQUEST_URL_LENGTH,
  DEFAULT_MAX_HTTP_REQUESTS,
  DEFAULT_MAX_HTTP_RESPONSE_BYTES,
  DEFAULT_MAX_MEMORY_USAGE_MB,
  DEFAULT_MAX_ON_CHAIN_RESPONSE_BYTES,
} from "@chainlink/functions-toolkit/dist/simulationConfig.js";

const require = createRequire(import.meta.url);

export type Hex = `0x${string}`;

export type SandboxLimits = {
  /** ms, with the start of the process */
  runtime: number;
  /** MB of JavaScript heap; buffers are outside of it */
  memory: number;
  /** bytes */
  answer: number;
  httpRequests: number;
  /** ms */
  httpTimeout: number;
  urlLength: number;
  /** bytes */
  httpRequest: number;
  /** bytes */
  httpResponse: number;
};

/** What Chainlink's service allows. */
export const SERVICE_LIMITS: SandboxLimits = {
  runtime: DEFAULT_MAX_EXECUTION_DURATION_MS,
  memory: DEFAULT_MAX_MEMORY_USAGE_MB,
  answer: DEFAULT_MAX_ON_CHAIN_RESPONSE_BYTES,
  httpRequests: DEFAULT_MAX_HTTP_REQUESTS,
  httpTimeout: DEFAULT_MAX_HTTP_REQUEST_DURATION_MS,
  urlLength: DEFAULT_MAX_HTTP_REQUEST_URL_LENGTH,
  httpRequest: DEFAULT_MAX_HTTP_REQUEST_BYTES,
  httpResponse: DEFAULT_MAX_HTTP_RESPONSE_BYTES,
};

/** What runs and with what, as a request on chain says it. */
export type SandboxRequest = {
  source: string;
  args?: readonly string[];
  bytesArgs?: readonly Hex[];
};

export type SandboxOptions = {
  limits?: Partial<SandboxLimits>;
  /** where its own temporary folder is made; the system's place for such unless given */
  folder?: string | undefined;
  /** Kills the process; runInSandbox then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Told the id of the process once it runs. */
  onStart?: (pid: number) => void;
  /** Told every line that the source writes to its console, when the run is over. */
  onConsole?: (line: string) => void;
};

/** What a node says about a request: bytes or an error text, as the client contract will see them. */
export type Answer = { response: Hex } | { error: string };

export const runtimeExceeded = "script runtime exceeded";
export const accessBlocked = "attempted access to blocked resource detected";
export const otherError = "syntax error, RAM exceeded, or other error";
export const answerTooLong = (limit: number): string => `response >${limit} bytes`;

const OUTPUT_LIMIT = 16 * 1024 * 1024;

/** The executable itself: the package's launcher would leave it behind when killed. */
const deno: string = require("deno/install_api.cjs").runInstall();

const [beforeSource, afterSource] = readFileSync(
  require.resolve("@chainlink/functions-toolkit/dist/simulateScript/deno-sandbox/sandbox.ts"),
  "utf8",
).split("//INJECT_USER_CODE_HERE") as [string, string];

/** Standard input is a pipe that closes when this process dies, however it dies. */
const dieWithParent = "Deno.stdin.read(new Uint8Array(1)).finally(() => Deno.exit(1));\n";
/** Once the answer is out, timers of abandoned HTTP requests would keep the process for seconds. */
const endWithAnswer = "\nDeno.exit(0);\n";

const scriptOf = (source: string): string => dieWithParent + beforeSource + source + afterSource + endWithAnswer;

/** JSON in base64, in ASCII: the sandbox takes each byte for a character. */
const argument = (value: unknown): string =>
  btoa(JSON.stringify(value).replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`));

const running = new Map<ChildProcess, string>();
process.on("exit", () => {
  for (const [child, folder] of running) {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Runs `source` once, in a process and a temporary folder of its own that are gone when the promise settles. */
export async function runInSandbox(
  { source, args = [], bytesArgs = [] }: SandboxRequest,
  { limits: changed, folder: place = tmpdir(), signal, onStart, onConsole }: SandboxOptions = {},
): Promise<Answer> {
  signal?.throwIfAborted();
  const limits = { ...SERVICE_LIMITS, ...changed };
  const folder = await mkdtemp(join(place, "wattwitness-sandbox-"));
  try {
    const script = join(folder, "sandbox.ts");
    await writeFile(script, scriptOf(source));
    const child = spawn(
      deno,
      [
        ...["run", "--quiet", "--no-prompt", "--no-config", "--no-lock", "--no-npm", "--no-remote", "--no-code-cache"],
        `--v8-flags=--max-old-space-size=${limits.memory}`,
        "--allow-net",
        script,
        ...[{}, args, bytesArgs].map(argument),
        ...[limits.httpRequests, limits.httpTimeout, limits.urlLength, limits.httpRequest, limits.httpResponse].map(
          String,
        ),
      ],
      { cwd: folder, env: { DENO_DIR: folder, HOME: folder, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" } },
    );
    running.set(child, folder);
    const { output, killed } = await outcomeOf(child, limits.runtime, signal, onStart).finally(() =>
      running.delete(child),
    );
    signal?.throwIfAborted();
    const lines = output.trimEnd().split("\n");
    const answer = killed ? undefined : answerIn(lines.pop() ?? "", limits.answer);
    for (const line of lines) if (line) onConsole?.(line);
    return answer ?? { error: killed ? runtimeExceeded : otherError };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function outcomeOf(
  child: ChildProcess,
  runtime: number,
  signal: AbortSignal | undefined,
  onStart: ((pid: number) => void) | undefined,
): Promise<{ output: string; killed: boolean }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let killed = false;
    const kill = () => child.kill("SIGKILL");
    const timer = setTimeout(() => {
      killed = true;
      kill();
    }, runtime);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", kill);
    };
    signal?.addEventListener("abort", kill);
    if (signal?.aborted) kill();
    child.once("spawn", () => onStart?.(child.pid as number));
    child.once("error", (error) => {
      settle();
      reject(error);
    });
    child.once("close", () => {
      settle();
      resolve({ output: length > OUTPUT_LIMIT ? "" : Buffer.concat(chunks).toString("utf8"), killed });
    });
    child.stdout?.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > OUTPUT_LIMIT) kill();
      else chunks.push(chunk);
    });
    child.stderr?.resume();
  });
}

/** The sandbox's last line is its answer, as JSON; undefined where the process ended without one. */
function answerIn(line: string, limit: number): Answer | undefined {
  let said: { success?: Hex; error?: { name: string; message: string } };
  try {
    said = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (said.success !== undefined) {
    return said.success.length > 2 + 2 * limit ? { error: answerTooLong(limit) } : { response: said.success };
  }
  if (said.error === undefined) return undefined;
  const blocked = said.error.name === "NotCapable" || said.error.name === "PermissionDenied";
  return { error: blocked ? accessBlocked : said.error.message };
}
