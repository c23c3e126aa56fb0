import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { readQuestions } from "../../subgraph/questions.ts";
import { type Answer, whyNoIndexer } from "../indexer/index.ts";
import { postgresPrograms } from "../indexer/programs.ts";
import { freePort, isPortInUse } from "../processes/process.ts";

const CHROMIUM = "/usr/bin/chromium";
const DEMO = fileURLToPath(new URL("../main.ts", import.meta.url));
const INDEXER = fileURLToPath(new URL("../indexer/main.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** ms that anything may take */
const PATIENCE = 120_000;

describe("the indexer's platform", () => {
  const machine = { platform: "linux-x64", glibc: "2.36", absent: undefined };

  it("is refused in one sentence that says why", () => {
    assert.match(whyNoIndexer({ ...machine, platform: "darwin-arm64" }) as string, /linux-x64 only.*darwin-arm64\.$/);
    assert.match(whyNoIndexer({ ...machine, glibc: undefined }) as string, /needs glibc/);
    assert.match(whyNoIndexer({ ...machine, glibc: "2.31" }) as string, /2\.34 or newer.*2\.31\.$/);
    assert.match(whyNoIndexer({ ...machine, absent: "gnd" }) as string, /npm ci/);
  });

  it("is a Linux on x64 with a glibc that is new enough", () => {
    for (const glibc of ["2.34", "2.41", "3.0"]) assert.equal(whyNoIndexer({ ...machine, glibc }), undefined);
  });
});

const reason = whyNoIndexer();
const isRoot = process.getuid?.() === 0;

describe(`PostgreSQL's programs${reason || isRoot ? "" : " (skipped: only root has somebody else run them)"}`, () => {
  let closed: string;
  before(async function () {
    if (reason || !isRoot) this.skip();
    closed = await mkdtemp(join(tmpdir(), "wattwitness-programs-test-"));
    await mkdir(join(closed, "native", "bin"), { recursive: true });
    // whatever mode folders are made in here
    for (const name of ["native", join("native", "bin")]) await chmod(join(closed, name), 0o755);
    await writeFile(join(closed, "native", "bin", "postgres"), "program");
    const links = [{ source: "native/bin/postgres", target: "native/bin/postmaster" }];
    await writeFile(join(closed, "native", "pg-symlinks.json"), JSON.stringify(links));
    await mkdir(join(closed, "copy"));
  });
  after(() => closed && rm(closed, { recursive: true }));

  it("are copied where nobody could get to them, and used where they are otherwise", async () => {
    const { bin, who } = await postgresPrograms(join(closed, "copy"), closed);
    assert.equal(bin, join(closed, "copy", "programs", "native", "bin"));
    await rm(join(closed, "native", "bin", "postgres"));
    assert.equal(await readFile(join(bin, "postmaster"), "utf8"), "program");
    assert.ok(who.uid !== undefined && who.uid > 0);
    await chmod(closed, 0o755);
    assert.equal((await postgresPrograms(join(closed, "copy"), closed)).bin, join(closed, "native", "bin"));
  });
});

describe(`npm start -- --indexer${reason ? ` (skipped: ${reason})` : ""}`, function () {
  this.timeout(2 * PATIENCE);
  let folder: string;
  const children: ChildProcess[] = [];
  before(function () {
    if (reason) this.skip();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-indexer-test-"));
    // where this runs as root, PostgreSQL runs as nobody, who must get through
    await chmod(folder, 0o755);
  });
  afterEach(async () => {
    // told, not killed: they have programs of their own to end
    for (const child of children.splice(0)) {
      if (child.exitCode !== null) continue;
      child.kill("SIGTERM");
      await once(child, "close");
    }
    await rm(folder, { recursive: true, force: true });
  });

  /** A program whose temporary files go to `folder`, and what it has printed. */
  function start(main: string, args: string[]) {
    const child = spawn(process.execPath, [main, ...args], { cwd: ROOT, env: { ...process.env, TMPDIR: folder } });
    children.push(child);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const ended = once(child, "close").then(([code]) => code as number);
    return {
      ended,
      stdout: () => stdout,
      stderr: () => stderr,
      interrupt: () => child.kill("SIGINT"),
      /** What it prints, once that is there. */
      async prints(text: RegExp): Promise<RegExpMatchArray> {
        for (const end = Date.now() + PATIENCE; Date.now() < end && child.exitCode === null; await delay(50)) {
          const found = stdout.match(text);
          if (found) return found;
        }
        throw new Error(`did not print ${text}, but\n${stdout}\n${stderr}`);
      },
    };
  }
  const anyPorts = async () => {
    const ports = { port: await freePort(), "chain-port": await freePort(), "indexer-port": await freePort() };
    return { ports, args: Object.entries(ports).flatMap(([name, port]) => [`--${name}`, String(port)]) };
  };
  const leavesNothing = async (ports: Record<string, number>) => {
    assert.deepEqual(await readdir(folder), []);
    for (const port of Object.values(ports)) assert.equal(await isPortInUse(port), false);
  };
  async function ask(url: string, query: string): Promise<Answer> {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query }) });
    return (await response.json()) as Answer;
  }

  it("answers every question of the README in the shape that stands there, and agrees with the chain", async () => {
    const { ports, args } = await anyPorts();
    const demo = start(DEMO, ["--once", "--json", "--indexer", "--speed", "3600", ...args]);
    assert.equal(await demo.ended, 0, demo.stderr() + demo.stdout());
    const result = JSON.parse(demo.stdout().trim().split("\n").at(-1) as string);
    assert.equal(result.subgraph_agrees, true);
    const questions = await readQuestions();
    assert.deepEqual(
      result.subgraph_answers.map(({ title }: { title: string }) => title),
      questions.map(({ title }) => title),
    );
    for (const [i, { answer, title }] of questions.entries()) {
      assert.deepEqual(shapeOf(result.subgraph_answers[i].answer), shapeOf(answer), title);
    }
    await leavesNothing(ports);
  });

  it("ends everything at Ctrl-C, also while the indexer starts", async () => {
    const { ports, args } = await anyPorts();
    const demo = start(DEMO, ["--indexer", ...args]);
    await demo.prints(/starting the indexer/);
    demo.interrupt();
    assert.equal(await demo.ended, 130);
    await leavesNothing(ports);
  });

  it("tells where to ask, and shows browsers a page that needs nothing from anywhere else", async () => {
    const { ports, args } = await anyPorts();
    const demo = start(DEMO, ["--indexer", ...args]);
    const [, url] = (await demo.prints(/^ {2}(http\S+\/subgraphs\/\S+)/m)) as [string, string];
    assert.equal(new URL(url).port, String(ports["indexer-port"]));
    const { data } = await ask(url, '{ protocol(id: "wattwitness") { meterCount } }');
    assert.deepEqual(data, { protocol: { meterCount: 3 } });
    const page = await fetch(url);
    assert.match(page.headers.get("content-type") as string, /text\/html/);
    if (existsSync(CHROMIUM)) await tryInBrowser(url);
    demo.interrupt();
    assert.equal(await demo.ended, 130);
    await leavesNothing(ports);
  });

  it("can be started beside an npm start that runs already: npm run indexer", async () => {
    const { ports, args } = await anyPorts();
    const demo = start(DEMO, args.slice(0, 4));
    await demo.prints(/^oracle/m);
    const rpcUrl = `http://127.0.0.1:${ports["chain-port"]}`;
    const indexer = start(INDEXER, ["--rpc-url", rpcUrl, "--port", String(ports["indexer-port"])]);
    const [, url] = (await indexer.prints(/^ {2}(http\S+\/subgraphs\/\S+)/m)) as [string, string];
    await indexer.prints(/indexed up to block \d+/);
    const { data } = await ask(url, "{ meters { status } }");
    assert.deepEqual(data, { meters: [{ status: "ACTIVE" }, { status: "ACTIVE" }, { status: "ACTIVE" }] });
    indexer.interrupt();
    assert.equal(await indexer.ended, 130);
    demo.interrupt();
    assert.equal(await demo.ended, 130);
    await leavesNothing(ports);
  });
});

describe("npm run indexer", () => {
  const refuses = async (args: string[], sentence: RegExp) => {
    const child = spawn(process.execPath, [INDEXER, ...args], { cwd: ROOT });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const [code] = await once(child, "close");
    assert.equal(code, 1);
    assert.match(stderr, sentence);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  };
  before(function () {
    if (reason) this.skip();
  });

  it("refuses an option that it does not have", () => refuses(["--prot", "1"], /--prot.*--help/));

  it("refuses a port that is none", () => refuses(["--port", "many"], /--port many is no port/));

  it("refuses a network that is not in the table", () => refuses(["--network", "mars"], /no network mars.*localhost/));

  it("says that no chain answers, and how to start one", async () => {
    await refuses(["--rpc-url", `http://127.0.0.1:${await freePort()}`, "--port", "0"], /No chain answers.*npm start/);
  });
});

/** Runs the page's first query and reads the answer; refuses a request to anywhere else. */
async function tryInBrowser(url: string): Promise<void> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  try {
    const page = await browser.newPage();
    const elsewhere: string[] = [];
    page.on("request", (request) => {
      const { hostname, protocol } = new URL(request.url());
      if (protocol.startsWith("http") && hostname !== "127.0.0.1") elsewhere.push(request.url());
    });
    await page.goto(url);
    await page.getByRole("button", { name: /execute query/i }).click();
    await page.locator(".result-window").getByText("settlementCount").waitFor({ timeout: 20_000 });
    assert.deepEqual(elsewhere, []);
  } finally {
    await browser.close();
  }
}

/** The keys of an answer, and of what is in its lists: what another run has in common with it. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== "object" || value === null) return "value";
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shapeOf(item)]));
}
