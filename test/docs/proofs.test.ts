import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "../../protocol/index.ts";
import { createSystem, createTestMeter, type System } from "../support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const HOUR = 3600;

const TOOLS = ["bash", "openssl", "sha256sum", "xxd", "curl"];
const missing = TOOLS.filter((tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0);

const page = await readFile(new URL("../../docs/proofs.md", import.meta.url), "utf8");
const blocks = (language: string): string =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(([, block]) => block).join("");

describe("the page that verifies one reading by hand", function () {
  this.timeout(120_000);
  let system: System;
  let folder: string;
  let server: Server;
  let values: Record<string, string>;
  /** What the oracle's answers become on their way. */
  let tamper: (body: string) => string;

  before(async function () {
    if (missing.length > 0) {
      console.log(`    skipped: there is no ${missing.join(", ")}`);
      return this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), "wattwitness-proofs-page-"));
    system = await createSystem(START);
    const { chain, deployment, place, app } = system;
    const meter = createTestMeter(system, { powerAt: () => 3_000_000n, start: START });
    meter.advance(START + 60);
    await system.register(meter.device);
    meter.advance(START + HOUR);
    await system.upload(meter.device);
    await system.settled(meter.device);
    // and signed on, so that the two paths of the proof are two
    meter.advance(START + 2 * HOUR);
    await system.upload(meter.device);

    server = createServer(async ({ url = "/" }, response) => {
      const { statusCode, body } = await app.inject({ url });
      response.writeHead(statusCode).end(tamper(body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    values = {
      oracle: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      rpc: chain.url,
      chain: String(place.chainId),
      registry: deployment.registry.slice(2),
      watt_witness: deployment.wattWitness.slice(2),
      key: toHex(meter.device.keyId).slice(2),
    };
  });
  beforeEach(() => {
    tamper = (body) => body;
  });
  after(async () => {
    if (server) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    await system?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** Runs the page's blocks in one shell, with other values. */
  async function follow(changed: Record<string, string> = {}) {
    let script = blocks("sh");
    for (const [name, value] of Object.entries({ ...values, ...changed })) {
      const line = new RegExp(`^${name}=.*$`, "m");
      assert.match(script, line);
      script = script.replace(line, `${name}=${value}`);
    }
    const child = spawn("bash", ["-c", script], {
      env: { PATH: process.env["PATH"], TMPDIR: folder },
      timeout: 20_000,
    });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { status, output };
  }

  it("ends with an error where one digit of the reading is another", async () => {
    for (const digit of [0, 7, 23, 30, 47, 63]) {
      tamper = (body) =>
        body.replace(/("index":31,"reading":"0x)([0-9a-f]+)/, (_, before, reading: string) => {
          const other = (Number.parseInt(reading[digit] as string, 16) ^ 1).toString(16);
          return `${before}${reading.slice(0, digit)}${other}${reading.slice(digit + 1)}`;
        });
      const { status, output } = await follow();
      assert.notEqual(status, 0, output);
      assert.match(output, /Verification failure/);
      assert.doesNotMatch(output, /on chain/);
    }
  });

  it("ends with an error where the key is another, or its signature has the high s", async () => {
    tamper = (body) => body.replace(/("publicKey":"0x)./, "$10");
    assert.notEqual((await follow()).status, 0);
    const n = 0xffff_ffff_0000_0000_ffff_ffff_ffff_ffff_bce6_faad_a717_9e84_f3b9_cac2_fc63_2551n;
    tamper = (body) =>
      body.replace(
        /("signature":"0x.{64})(.{64})/,
        (_, r, s) => `${r}${(n - BigInt(`0x${s}`)).toString(16).padStart(64, "0")}`,
      );
    assert.notEqual((await follow()).status, 0);
  });

  it("ends with an error on another chain, and for another registry", async () => {
    for (const changed of [{ chain: "1" }, { registry: values["watt_witness"] as string }]) {
      const { status, output } = await follow(changed);
      assert.notEqual(status, 0);
      assert.match(output, /Verification failure/);
    }
  });

  it("ends with an error where the device signed it, but the chain has another root", async () => {
    tamper = (body) =>
      body.replace(/("settled":.*"proof":\["0x)(.)/, (_, before, digit) => `${before}${digit === "0" ? 1 : 0}`);
    const { status, output } = await follow();
    assert.notEqual(status, 0);
    assert.match(output, /Verified OK\n.*on chain/);
    assert.notEqual((await follow({ watt_witness: values["registry"] as string })).status, 0);
  });

  it("ends well, and prints what it says", async () => {
    const { status, output } = await follow();
    assert.equal(output, blocks("text"));
    assert.equal(status, 0);
  });
});
