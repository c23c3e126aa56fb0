import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startChain } from "../../demo/chain.ts";
import { ACCOUNTS, deployEverything } from "../../demo/deployment.ts";
import { freePort } from "../../demo/processes/process.ts";
import { createDevice } from "../../meter/device.ts";
import { createMeter, type Meter } from "../../meter/meter.ts";
import { upload } from "../../meter/upload.ts";
import { MAIN, wattwitness } from "./support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
/** ms */
const PATIENCE = 30_000;

describe("an oracle by the command line", function () {
  this.timeout(120_000);
  let chain: Awaited<ReturnType<typeof startChain>>;
  let environment: Record<string, string>;
  let registry: `0x${string}`;
  let folder: string;
  let roof: Meter;
  const running: ChildProcess[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-cli-"));
    chain = await startChain(0, START);
    ({ registry } = (await deployEverything(chain)).deployment);
    environment = {
      ...{ WATTWITNESS_RPC_URL: chain.url, WATTWITNESS_REGISTRY: registry, LOG_LEVEL: "warn" },
      ...{ WATTWITNESS_POLL_EVERY: "1", WATTWITNESS_CONFIRMATIONS: "1" },
      // of whoever registers, and none of an oracle's settings
      WATTWITNESS_KEY: chain.key(ACCOUNTS.registrar),
    };
    const place = { chainId: 31337, registry };
    const device = createDevice({ privateKey: new Uint8Array(32).fill(7), epoch: 1, interval: 60, source: 0, place });
    roof = createMeter({ device, powerAt: () => 1_000_000n, start: START });
    await chain.mineAt(START + 600);
    roof.advance(START + 600);
  });
  after(async () => {
    for (const child of running) child.kill("SIGKILL");
    await chain?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const data = (name: string) => join(folder, name);

  /** An oracle that answers, or what it said when it ended. */
  async function start(name: string): Promise<{ url: string; child: ChildProcess; stop(): Promise<number> }> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/`;
    const args = ["node", "start", "--data", data(name), "--port", String(port)];
    const env = { PATH: process.env["PATH"], ...environment };
    const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    running.push(child);
    const said: Buffer[] = [];
    child.stderr.on("data", (part: Buffer) => said.push(part));
    for (const end = Date.now() + PATIENCE; Date.now() < end; await delay(100)) {
      if (child.exitCode !== null) throw new Error(Buffer.concat(said).toString());
      const answer = await fetch(new URL("health", url)).catch(() => undefined);
      if (answer?.ok) {
        return {
          ...{ url, child },
          async stop() {
            child.kill("SIGTERM");
            const [code] = await once(child, "exit");
            return code;
          },
        };
      }
    }
    throw new Error("it does not answer");
  }

  const post = async (url: string) =>
    upload(
      roof.device,
      async (body) => {
        const headers = { "content-type": "application/json" };
        const response = await fetch(new URL("readings", url), { method: "POST", headers, body: JSON.stringify(body) });
        return { status: response.status, body: await response.json() };
      },
      () => roof.now,
    );

  /** All that the roof has, once the oracle has seen what the chain knows of it. */
  async function posted(url: string): Promise<void> {
    const { device } = roof;
    for (const end = Date.now() + PATIENCE; device.acknowledged < device.size && Date.now() < end; await delay(200)) {
      await post(url).catch(() => {});
    }
    assert.equal(device.acknowledged, device.size);
  }

  it("does not start where it is not configured, and says in one go why", async () => {
    const { code, err } = await wattwitness(["node", "start"]);
    assert.equal(code, 1);
    assert.match(err, /The oracle is not configured:\n\s+WATTWITNESS_RPC_URL is missing/);
    assert.match(err, /WATTWITNESS_REGISTRY is missing/);
  });

  it("has no status where nobody answers, or somebody else", async () => {
    const none = await wattwitness(["node", "status", "http://127.0.0.1:1"]);
    assert.equal(none.code, 1);
    assert.match(none.err, /No oracle answers at http:\/\/127\.0\.0\.1:1\//);
    const other = await wattwitness(["node", "status", chain.url]);
    assert.equal(other.code, 1);
    assert.match(other.err, /No oracle answers|is no oracle of WattWitness/);
    assert.equal((await wattwitness(["node", "status", "roof"])).code, 2);
  });

  it("backs up nothing where no oracle was, and makes no folder", async () => {
    const { code, err } = await wattwitness(["node", "backup", data("backup"), "--data", data("nowhere")]);
    assert.equal(code, 1);
    assert.match(err, /There is nothing of an oracle in/);
    assert.equal(existsSync(data("backup")), false);
  });

  it("runs, tells how it is, is backed up, and goes on from the backup elsewhere", async () => {
    const first = await start("first");
    const application = roof.device.registration({
      ...{ owner: chain.wallet(ACCOUNTS.firstOwner).account.address, capacity: 5000, details: new Uint8Array(32) },
    });
    const headers = { "content-type": "application/json" };
    const applied = await fetch(new URL("registrations", first.url), {
      ...{ method: "POST", headers, body: JSON.stringify(application) },
    });
    assert.equal(applied.status, 200);
    const registered = await wattwitness(["meter", "register", "--oracle", first.url, "--yes"], {
      ...environment,
    });
    assert.equal(registered.code, 0, registered.err);
    roof.advance(START + 1800);
    await chain.mineAt(START + 1800);
    await posted(first.url);
    const status = await wattwitness(["node", "status", first.url, "--json"]);
    assert.equal(status.code, 0, status.err);
    const { meters, active, chain_id: chainId, registry: told } = JSON.parse(status.out);
    assert.deepEqual([meters, active, chainId, told.toLowerCase()], [1, 1, 31337, registry]);

    const inUse = await wattwitness(["node", "backup", data("backup"), "--data", data("first")]);
    assert.equal(inUse.code, 1);
    assert.match(inUse.err, /Another oracle \(process \d+\) keeps its data in/);
    assert.equal(await first.stop(), 0);

    const backedUp = await wattwitness(["node", "backup", data("backup"), "--data", data("first"), "--json"]);
    assert.equal(backedUp.code, 0, backedUp.err);
    assert.equal(JSON.parse(backedUp.out).readings, roof.device.size);
    const again = await wattwitness(["node", "backup", data("backup"), "--data", data("first"), "--json"]);
    assert.equal(JSON.parse(again.out).readings, 0);

    await rm(data("first"), { recursive: true });
    const restored = await wattwitness(["node", "restore", data("backup"), "--data", data("second")]);
    assert.equal(restored.code, 0, restored.err);
    const verified = await wattwitness(["node", "verify", "--data", data("second"), "--json"], environment);
    assert.equal(verified.code, 0, verified.err);
    assert.equal(JSON.parse(verified.out).readings, roof.device.size);

    const second = await start("second");
    roof.advance(START + 2400);
    await chain.mineAt(START + 2400);
    await posted(second.url);
    assert.equal(await second.stop(), 0);
  });
});
