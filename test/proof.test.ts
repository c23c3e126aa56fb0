import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proofOf, runScript } from "../demo/terminal/proof.ts";
import { createSystem, createTestMeter, type System } from "./support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const HOUR = 3600;
const TOOLS = ["openssl", "curl", "sed", "cut", "mktemp"];

const pathOf = (tool: string) => spawnSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).stdout.trim();
const missing = ["sh", ...TOOLS].filter((tool) => !pathOf(tool));

describe("a sceptic's proof of one reading", function () {
  this.timeout(120_000);
  let system: System;
  let folder: string;
  let device: ReturnType<typeof createTestMeter>["device"];
  let proofAt: (index: number) => Promise<string>;
  /** Three hours later, each of them settled. */
  let goOn: () => Promise<void>;

  before(async function () {
    if (missing.length > 0) {
      console.log(`    skipped: there is no ${missing.join(", ")}`);
      return this.skip();
    }
    system = await createSystem(START);
    folder = await mkdtemp(join(tmpdir(), "wattwitness-proof-test-"));
    const meter = createTestMeter(system, { powerAt: () => 3_000_000n, start: START });
    device = meter.device;
    meter.advance(START + 60);
    await system.register(device);
    let now = START;
    const settle = async () => {
      now += HOUR;
      meter.advance(now);
      await system.upload(device);
      await system.settled(device);
    };
    await settle();
    const url = await system.app.listen({ host: "127.0.0.1", port: 0 });
    const { chain, deployment, place } = system;
    proofAt = async (index) => {
      const proof = await proofOf({ chain, deployment, place, oracle: { url } }, { name: "roof", device }, index);
      assert.ok(proof);
      return proof.script;
    };
    goOn = async () => {
      for (let i = 0; i < 3; i++) await settle();
    };
  });
  after(async () => {
    await system?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const env = (path = process.env["PATH"]) => ({ PATH: path, TMPDIR: folder });

  it("says first which tool is missing, and nothing else", async () => {
    const script = await proofAt(0);
    for (const tool of TOOLS) {
      const bin = await mkdtemp(join(folder, "bin-"));
      for (const other of ["sh", "rm", ...TOOLS]) if (other !== tool) await symlink(pathOf(other), join(bin, other));
      assert.equal(
        await runScript(script, pathOf("sh"), env(bin)),
        `This needs ${tool}, which is not installed here.\n`,
      );
      await rm(bin, { recursive: true });
    }
    assert.deepEqual(await readdir(folder), []);
  });

  it("fails for an altered reading, and the contract says 0 of it", async () => {
    const altered = (await proofAt(31)).replace(/echo 00(......)../, "echo 00$1ff");
    assert.match(await runScript(altered, "sh", env()), /Verification failure/i);
    const refused = (await proofAt(31)).replace(/(call=0x.{30})./, "$1f");
    assert.match(await runScript(refused, "sh", env()), /the contract answers (0|\{.*error.*\})\n$/);
  });

  it("holds in any shell, and still does after three more settlements", async () => {
    const scripts = [await proofAt(0), await proofAt(31), await proofAt(device.size - 1)];
    const shells = ["sh", "bash", "zsh", "dash", "ksh"].filter(pathOf);
    const check = async () => {
      for (const [i, script] of scripts.entries()) {
        for (const shell of i === 0 ? shells : ["sh"]) {
          const [computed, signed, verified, contract, ...more] = (await runScript(script, shell, env())).split("\n");
          assert.match(computed ?? "", /^root computed [0-9a-f]{40}…$/);
          assert.equal(signed, computed?.replace("computed", "signed  "), shell);
          assert.equal(verified, "Verified OK");
          assert.equal(contract, "the contract answers 1");
          assert.deepEqual(more, [""]);
        }
      }
    };
    await check();
    await goOn();
    await check();
    assert.deepEqual(await readdir(folder), []);
  });

  it("fits on a terminal of 60 columns", async () => {
    for (const line of (await proofAt(31)).split("\n")) assert.ok(line.length <= 60, line);
  });
});
