import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../processes/process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NPM = process.env["npm_execpath"];
/** ms until something that is waited for must be so */
const PATIENCE = 150_000;
/** What the demo is made of, without what was compiled. */
const SOURCES = [
  ...["contracts", "dashboard", "demo", "firmware", "functions-source", "meter", "oracle", "protocol", "subgraph"],
  ...["verification", "hardhat.config.ts", "package.json", "tsconfig.json"],
];

type Started = { child: ChildProcess; output: () => string };

/** Its temporary files go to `folder`. */
function start(args: string[], { cwd = ROOT, folder }: { cwd?: string; folder: string }): Started {
  // npm keeps compiled scripts there; Hardhat's runner would have its children use its own project
  const { HARDHAT_CONFIG: _, ...inherited } = process.env;
  const env = { ...inherited, TMPDIR: folder, NODE_DISABLE_COMPILE_CACHE: "1" };
  const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      output += chunk;
    });
  }
  return { child, output: () => output };
}

async function until(what: string, holds: () => boolean | Promise<boolean>, output = () => ""): Promise<void> {
  for (const end = Date.now() + PATIENCE; !(await holds()); await delay(100)) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}\n${output()}`);
  }
}

const says = ({ output, child }: Started, text: string | RegExp) =>
  until(
    String(text),
    () => {
      if (child.exitCode !== null) throw new Error(`it has ended without saying ${text}:\n${output()}`);
      return typeof text === "string" ? output().includes(text) : text.test(output());
    },
    output,
  );

/** Everything that a process has started, and what that has, by number. */
function descendantsOf(pid: number): number[] {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((row) => row.trim().split(/\s+/).map(Number) as [number, number]);
  const found = [pid];
  for (const of of found) found.push(...rows.filter(([, parent]) => parent === of).map(([child]) => child));
  return found.slice(1);
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", () => resolve(true));
  });

describe("npm start", function () {
  this.timeout(2 * PATIENCE);
  let folder: string;
  const started: Started[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-ending-test-"));
  });
  afterEach(async () => {
    for (const { child } of started.splice(0)) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const run = (args: string[], cwd?: string): Started => {
    const one = start(args, { folder, ...(cwd && { cwd }) });
    started.push(one);
    return one;
  };

  /** Kills it, and waits until nothing of it is left: no process, no port, no file. */
  async function killed({ child, output }: Started, ports: number[]): Promise<void> {
    const processes = descendantsOf(child.pid as number);
    assert.ok(processes.length > 0);
    child.kill("SIGKILL");
    const left = () => processes.filter(isThere);
    await until(
      "its processes to end",
      () => left().length === 0,
      () => `${left()}\n${output()}`,
    );
    for (const port of ports) await until(`port ${port} to be free`, () => isFree(port));
    // a folder that goes while it is looked into is there still
    const files = () => readdir(folder, { recursive: true }).catch((error: Error) => [error.message]);
    let found: string[] = [];
    await until(
      "its files to go",
      async () => {
        found = await files();
        return found.length === 0;
      },
      () => `${found.join("\n")}\n${output()}`,
    );
  }

  for (const [who, args] of Object.entries({
    "it is": [join(ROOT, "demo", "main.ts")],
    "npm, which runs it, is": [NPM ?? "", "start", "--"],
  })) {
    it(`leaves nothing behind when ${who} killed`, async function () {
      if (!args[0]) {
        console.log("      skipped: this was not started by npm");
        return this.skip();
      }
      const ports = [await freePort(), await freePort()];
      const options = ["--port", String(ports[0]), "--chain-port", String(ports[1])];
      const one = run([...args, ...options]);
      await says(one, /[1-9]\d* settlements/);
      const works = async () =>
        (await readdir(folder, { recursive: true }).catch(() => [])).some((name) => name.endsWith("sandbox.ts"));
      await until("a node of the DON to be at work", works, one.output);
      await killed(one, ports);
    });
  }

  it("keeps what was compiled at Ctrl-C, compiles no more than it needs, and leaves no compiler when it is killed", async () => {
    const project = await mkdtemp(join(tmpdir(), "wattwitness-copy-"));
    try {
      for (const name of SOURCES) {
        const filter = (path: string) => !/\/(build|generated|\.wattwitness)$/.test(path);
        await cp(join(ROOT, name), join(project, name), { recursive: true, filter });
      }
      await symlink(join(ROOT, "node_modules"), join(project, "node_modules"));
      const main = [join(project, "demo", "main.ts"), "--port", "0", "--chain-port", "0"];
      const first = run(main, project);
      await says(first, "compiling the contracts, this once, up to a minute: 0 of 5 are ready");
      await says(first, "compiled 1 of 5");
      first.child.kill("SIGINT");
      const [code] = await once(first.child, "close");
      assert.equal(code, 130, first.output());
      assert.deepEqual(await readdir(folder), []);

      const second = run(main, project);
      await says(second, /this once, up to a minute: [1-4] of 5 are ready/);
      await says(second, /compiled [2-5] of 5/);
      await killed(second, []);
      const compiled = await readdir(join(project, "artifacts", "contracts"));
      assert.ok(!compiled.includes("test"), String(compiled));
    } finally {
      await rm(project, { recursive: true, force: true });
    }
  });
});
