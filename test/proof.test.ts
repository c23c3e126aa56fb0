import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proofOf, runScript } from "../demo/proof.ts";
import { createSystem, createTestMeter, type System } from "./support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const HOUR = 3600;
const TOOLS = ["bash", "xxd", "sha256sum", "openssl", "curl"];

const missing = TOOLS.filter((tool) => spawnSync("which", [tool]).status !== 0);

describe("a sceptic's proof of one reading", function () {
  this.timeout(60_000);
  let system: System;
  let folder: string;
  before(async () => {
    system = await createSystem(START);
    folder = await mkdtemp(join(tmpdir(), "wattwitness-proof-test-"));
  });
  after(async () => {
    await system.close();
    await rm(folder, { recursive: true, force: true });
  });

  it(
    missing.length === 0
      ? "holds with sha256sum, openssl and a call to the contract, and for no altered reading"
      : `skipped: there is no ${missing.join(", ")}`,
    async function () {
      if (missing.length > 0) return this.skip();
      const { device, ...meter } = createTestMeter(system, { powerAt: () => 3_000_000n, start: START });
      meter.advance(START + 60);
      await system.register(device);
      meter.advance(START + HOUR);
      await system.upload(device);
      await system.settled(device);
      const url = await system.app.listen({ host: "127.0.0.1", port: 0 });
      const { chain, deployment, place } = system;

      for (const index of [0, 31, device.size - 1]) {
        const proof = await proofOf({ chain, deployment, place, oracle: { url } }, { name: "roof", device }, index);
        assert.ok(proof);
        const [computed, signed, verified, answer] = (await runScript(proof.script, folder)).trim().split("\n");
        assert.equal(computed?.split(/ +/).at(-1), signed?.split(/ +/).at(-1), `reading ${index}`);
        assert.equal(verified, "Verified OK");
        assert.equal(BigInt(JSON.parse(answer as string).result), 1n);

        const altered = await runScript(proof.script.replace(/echo 00(......)../, "echo 00$1ff"), folder);
        assert.match(altered, /Verification failure/);
      }
    },
  );
});
