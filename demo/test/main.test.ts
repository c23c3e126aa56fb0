import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Ended, wattwitness } from "../../cli/test/support.ts";
import { parseOptions } from "../options.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** ms until three meters have settled something */
const PATIENCE = 90_000;

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

    for (const [what, rows, sentence] of [
      ["has one row", "1773964800,100", /only row/],
      ["begins on a day that there is not", "2026-02-30 12:00,100\n2026-03-01 12:00,100", /:1: .*no such day/],
      ["begins before there were readings", "1965-06-10 12:00,100\n1965-06-10 12:01,100", /:1: .*before 1970/],
      ["is too early for a chain", "1970-01-02 12:00,100\n1970-01-02 12:01,100", /before April 1970/],
      ["counts its rows instead of telling the time", "0,100\n1,100\n2,100", /:1: .*an index, perhaps/],
      ["is of more than a meter can be registered with", "1773964800,5e9\n1773964860,5", /more power than a meter/],
    ] as const) {
      it(`that a recording ${what}, with --once, too`, async () => {
        const [port, chainPort] = await freePorts();
        const file = join(folder, "odd.csv");
        await writeFile(file, `${rows}\n`);
        await refuses(["--once", "--port", port, "--chain-port", chainPort, "--replay", file], sentence);
      });
    }
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
    assert.equal(result.rpc_url, `http://127.0.0.1:${chainPort}`);
    assert.match(result.try, /eth_sendTransaction/);
    assert.equal(result.forgeries_refused, result.forgeries.length);
    assert.ok(result.forgeries.every(({ rule }: { rule: string | null }) => rule !== null));
    assert.deepEqual(await readdir(folder), []);
    assert.deepEqual(await listening(port, chainPort), []);
  });

  /** What `--once --json --replay` of these rows comes to. */
  const play = async (rows: string[]) => {
    const [port, chainPort] = await freePorts();
    const file = join(folder, "day.csv");
    await writeFile(file, ["timestamp,power", ...rows].join("\n"));
    const args = ["--once", "--json", "--replay", file, "--port", port, "--chain-port", chainPort];
    const { code, stdout, stderr } = await run(args, folder);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await readdir(folder), ["day.csv"]);
    return JSON.parse(stdout.trim().split("\n").at(-1) as string);
  };

  it("plays a recording", async () => {
    const rows = Array.from({ length: 600 }, (_, i) => `${1_773_990_000 + i * 60},${i < 20 ? -2.5 : 1000 + i}`);
    const result = await play(rows);
    assert.equal(result.outcome, "every meter has settled twice");
    assert.ok(result.energy_mwh > 0);
  });

  it("plays a power plant's few minutes to their end, and mints all of it", async () => {
    const result = await play(["1773990000,6e5", "1773990060,1200000", "1773990120,0"]);
    assert.equal(result.outcome, "the recording is over, and all of it is settled");
    assert.equal(result.energy_mwh, 3 * 30_000_000);
    assert.equal(result.forgeries_refused, result.forgeries.length);
  });

  it("mints nothing of a night, and says so", async () => {
    const result = await play(["1773990000,-3", "1773990900,-3", "1773991800,-3"]);
    assert.equal(result.outcome, "the recording has no production: there is nothing to mint");
    assert.deepEqual([result.minted_units, result.settlements, result.forgeries_tried], ["0", 0, 0]);
  });

  it("audits clean, while it runs, by the command that it tells of", async () => {
    const [port, chainPort] = await freePorts();
    let asked: Promise<Ended> | undefined;
    const { code } = await run(["--port", port, "--chain-port", chainPort], folder, (output, pid) => {
      if (asked || !output.includes("registering three meters")) return;
      asked = settledAt(`http://127.0.0.1:${port}`).then(({ registry }) =>
        wattwitness([
          ...["audit", "--rpc-url", `http://127.0.0.1:${chainPort}`, "--registry", registry],
          ...["--batches", `http://127.0.0.1:${port}`, "--json"],
        ]),
      );
      asked.finally(() => process.kill(pid, "SIGINT")).catch(() => {});
    });
    const audited = await asked;
    assert.equal(code, 130);
    assert.equal(audited?.code, 0, `${audited?.out}\n${audited?.err}`);
    const { figures } = JSON.parse(audited?.out ?? "");
    assert.ok(figures.settlements_verified > 0 && figures.settlements_verified === figures.settlements);
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

/** Waits until an oracle's meters have settled something. */
async function settledAt(oracle: string): Promise<{ registry: string }> {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await delay(200)) {
    const response = await fetch(`${oracle}/api/v1/overview`).catch(() => undefined);
    const told = (await response?.json()) as { registry: string; meters: { minted_mwh: string }[] } | undefined;
    if (told?.meters.some((meter) => meter.minted_mwh !== "0")) return told;
  }
  throw new Error(`nothing settled in ${PATIENCE / 1000} s`);
}

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
