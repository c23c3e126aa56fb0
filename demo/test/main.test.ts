import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseOptions } from "../options.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What `npm start -- ARGS` prints and ends with; its temporary files go to `folder`. */
async function run(args: string[], folder: string, onOutput?: (output: string, pid: number) => void) {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: ROOT, env: { ...process.env, TMPDIR: folder } });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    onOutput?.(stdout, child.pid as number);
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, "close");
  return { code: code as number, stdout, stderr };
}

async function freePorts(): Promise<[string, string]> {
  const servers = [createServer(), createServer()];
  const ports: string[] = [];
  for (const server of servers) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ports.push(String((server.address() as AddressInfo).port));
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports as [string, string];
}

describe("npm start", function () {
  this.timeout(180_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-demo-test-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  describe("says in one sentence, and ends with 1,", () => {
    const refuses = async (args: string[], sentence: RegExp) => {
      const { code, stderr, stdout } = await run(args, folder);
      assert.equal(code, 1, stdout);
      assert.match(stderr, sentence);
      assert.equal(stderr.trim().split("\n").length, 1, stderr);
    };

    it("that an option does not exist", () => refuses(["--twice"], /--twice.*--help/));

    it("that --json needs --once", () => refuses(["--json"], /--json goes with --once/));

    it("that a port is none", () => refuses(["--port", "eighty"], /--port eighty is no port/));

    it("that a speed is out of range", () => refuses(["--speed", "0"], /--speed 0 must be 1 to 3600/));

    it("that a port is in use, and how to choose another", async () => {
      const server = createServer();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      await refuses(["--port", String(port)], new RegExp(`Port ${port} .*in use.*--port`));
      server.close();
    });

    it("that a recording is missing", async () => {
      const [port, chainPort] = await freePorts();
      const file = join(folder, "none.csv");
      await refuses(["--port", port, "--chain-port", chainPort, "--replay", file], /none\.csv: there is no such file/);
    });

    it("which row of a recording is bad", async () => {
      const [port, chainPort] = await freePorts();
      const file = join(folder, "bad.csv");
      await writeFile(file, "timestamp,power\n1773964800,100\n1773964860,many\n");
      await refuses(["--port", port, "--chain-port", chainPort, "--replay", file], /bad\.csv:3: "many" is no power/);
    });
  });

  it("tells its options", () => {
    assert.deepEqual(parseOptions(["--help"]), { ok: true, options: "help" });
    const ports = { port: 8000, chainPort: 8545, indexerPort: undefined };
    const defaults = { once: false, json: false, replay: undefined, firmware: false, ...ports, speed: 600 };
    assert.deepEqual(parseOptions([]), { ok: true, options: defaults });
    assert.deepEqual(parseOptions(["--indexer"]), { ok: true, options: { ...defaults, indexerPort: 8010 } });
  });

  it("settles every meter twice, refuses every forgery, and leaves nothing behind", async () => {
    const [port, chainPort] = await freePorts();
    const { code, stdout, stderr } = await run(["--once", "--json", "--port", port, "--chain-port", chainPort], folder);
    assert.equal(code, 0, stderr);
    const result = JSON.parse(stdout.trim().split("\n").at(-1) as string);
    assert.equal(result.meters, 3);
    assert.ok(result.settlements >= 6);
    assert.ok(result.attestations >= 2);
    assert.ok(result.energy_mwh > 0);
    assert.equal(BigInt(result.minted_units), BigInt(result.energy_mwh) * 10n ** 12n);
    assert.ok(result.readings >= result.readings_settled);
    assert.ok(result.gas > 0);
    assert.equal(result.forgeries_refused, result.forgeries.length);
    assert.ok(result.forgeries.every(({ rule }: { rule: string | null }) => rule !== null));
    assert.deepEqual(await readdir(folder), []);
    assert.deepEqual(await listening(port, chainPort), []);
  });

  it("plays a recording", async () => {
    const [port, chainPort] = await freePorts();
    const file = join(folder, "day.csv");
    const rows = Array.from({ length: 600 }, (_, i) => `${1_773_990_000 + i * 60},${i < 20 ? -2.5 : 1000 + i}`);
    await writeFile(file, ["timestamp,power", ...rows].join("\n"));
    const args = ["--once", "--json", "--replay", file, "--port", port, "--chain-port", chainPort];
    const { code, stdout, stderr } = await run(args, folder);
    assert.equal(code, 0, stderr);
    const result = JSON.parse(stdout.trim().split("\n").at(-1) as string);
    assert.ok(result.energy_mwh > 0);
    assert.deepEqual(await readdir(folder), ["day.csv"]);
  });

  it("ends everything at Ctrl-C, wherever it is", async () => {
    const [port, chainPort] = await freePorts();
    const args = ["--port", port, "--chain-port", chainPort];
    let interrupted = false;
    const { code } = await run(args, folder, (output, pid) => {
      if (interrupted || !output.includes("registering three meters")) return;
      interrupted = true;
      process.kill(pid, "SIGINT");
    });
    assert.ok(interrupted);
    assert.equal(code, 130);
    assert.deepEqual(await listening(port, chainPort), []);
    assert.deepEqual(await readdir(folder), []);
  });
});

/** Which of these ports somebody listens on. */
async function listening(...ports: string[]): Promise<string[]> {
  const open: string[] = [];
  for (const port of ports) {
    const reached = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (reached) open.push(port);
  }
  return open;
}
