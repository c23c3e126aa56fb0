/** Two auditors that share no code must come to the same: what the one rests on is all that the other is given. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { wattwitness } from "../../cli/test/support.ts";
import { createSystem, createTestMeter, type System } from "../../test/support.ts";
import { writeEvidence } from "../second/evidence.ts";
import { createWorld, type World } from "./world.ts";

const SECOND = fileURLToPath(new URL("../second/audit.py", import.meta.url));
/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
/** Debian's package is for Debian's own, which need not be the first. */
const PYTHON = ["python3", "/usr/bin/python3"].find(
  (each) => spawnSync(each, ["-c", "import cryptography"]).status === 0,
);
const reason = PYTHON ? undefined : "no Python here has cryptography (python3-cryptography)";

const second = (folder: string) => {
  const { status, stdout, stderr } = spawnSync(PYTHON as string, ["-B", SECOND, folder], { encoding: "utf8" });
  return { code: status, told: JSON.parse(stdout || "{}"), stderr };
};

describe(`the two auditors${reason ? ` (skipped: ${reason})` : ""}`, function () {
  this.timeout(120_000);
  let folder: string;
  before(function () {
    if (reason) this.skip();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-both-"));
  });
  afterEach(() => folder && rm(folder, { recursive: true }));

  describe("over a world with everything in it", () => {
    let world: World;
    before(async () => {
      world = await createWorld();
    });
    after(() => world?.close());

    it("come to the same figures, also where only tiles show a settlement", async () => {
      const batches: Uint8Array[] = [];
      const { verdict, figures, read } = await world.audit({
        async onBatch(bytes) {
          batches.push(bytes);
        },
      });
      assert.equal(verdict, "verified");
      const toBlock = BigInt(read?.history.block.number ?? 0);
      const client = world.fixture.publicClient;
      await writeEvidence(folder, { client, registry: world.registry, fromBlock: 0n, toBlock, batches });
      const { code, told, stderr } = second(folder);
      assert.equal(code, 0, `${stderr}\n${JSON.stringify(told.findings)}`);
      assert.deepEqual(
        [told.meters, told.settlements, told.readings],
        [figures.meters, figures.settlements, figures.readings],
      );
      assert.deepEqual([told.produced_mwh, told.minted_units, told.supply_units, told.retired_units].map(BigInt), [
        figures.produced_mwh,
        figures.minted_units,
        figures.supply_units,
        figures.retired_units,
      ]);
    });
  });

  describe("by the command line, beside an oracle", () => {
    let system: System;
    let args: string[];
    before(async () => {
      system = await createSystem(START);
      const meter = createTestMeter(system, { powerAt: () => 3_000_000n, start: START });
      meter.advance(START + 60);
      await system.register(meter.device);
      meter.advance(START + 3600);
      await system.upload(meter.device);
      await system.settled(meter.device);
      const oracle = await system.app.listen({ host: "127.0.0.1", port: 0 });
      args = ["--rpc-url", system.chain.url, "--registry", system.deployment.registry, "--batches", oracle];
    });
    after(() => system?.close());

    it("are given nothing of a part of an audit, and no folder that cannot be made", async () => {
      const part = await wattwitness(["audit", ...args, "--evidence", folder, "--from", "2026-03-20"]);
      assert.equal(part.code, 2);
      assert.match(part.err, /--evidence is of a whole audit/);
      const file = join(folder, "file");
      await writeFile(file, "");
      const { code, err } = await wattwitness(["audit", ...args, "--evidence", join(file, "below")]);
      assert.equal(code, 2);
      assert.match(err, /cannot be made \(ENOTDIR\)\.$/);
    });

    it("come to the same, and to the same where the batch is gone: that it cannot be told", async () => {
      const { code, out, err } = await wattwitness(["audit", ...args, "--evidence", folder, "--json"]);
      assert.equal(code, 0, `${out}\n${err}`);
      const { figures } = JSON.parse(out);
      const { code: verified, told, stderr } = second(folder);
      assert.equal(verified, 0, `${stderr}\n${JSON.stringify(told.findings)}`);
      assert.equal(told.minted_units, String(figures.minted_units));
      const [batch = ""] = await readdir(join(folder, "batches"));
      assert.equal(
        batch,
        `0x${createHash("sha256")
          .update(await readFile(join(folder, "batches", batch)))
          .digest("hex")}`,
      );
      await rm(join(folder, "batches", batch));
      assert.equal(second(folder).code, 2);
    });
  });
});
