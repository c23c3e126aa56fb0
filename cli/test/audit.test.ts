import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hex } from "viem";
import { productionTokenAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import { ACCOUNTS } from "../../demo/deployment.ts";
import { toHex } from "../../protocol/index.ts";
import { createSystem, createTestMeter, type System, settleUntil } from "../../test/support.ts";
import { wattwitness } from "./support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const HOUR = 3600;

describe("wattwitness audit, verify and mirror", function () {
  this.timeout(180_000);
  let system: System;
  let folder: string;
  let environment: Record<string, string>;
  let transaction: Hex;
  let proof: string;
  let tlogProof: string;
  const run = (...args: string[]) => wattwitness(args, environment);
  const data = async (...args: string[]) => {
    const { code, out } = await run(...args, "--json");
    return { code, ...JSON.parse(out) };
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-audit-"));
    system = await createSystem(START);
    const { chain, deployment, mirror } = system;
    const roof = createTestMeter(system, { powerAt: () => 3_000_000n, start: START, seed: 1 });
    const old = createTestMeter(system, { powerAt: () => 1_000_000n, start: START, seed: 2 });
    const next = createTestMeter(system, { powerAt: () => 1_000_000n, start: START + HOUR + 300, seed: 3 });
    await system.at(START + 600);
    for (const meter of [roof, old]) {
      meter.advance(START + 600);
      await system.register(meter.device);
    }
    await settleUntil(system, START + HOUR, roof, old);
    next.advance(START + HOUR + 360);
    await system.at(START + HOUR + 600);
    await system.rotate(old.device, old, next);
    await system.sell(roof.device);
    await settleUntil(system, START + 8 * HOUR, roof, next);
    roof.device.loseRegister();
    await settleUntil(system, START + 9 * HOUR, roof);
    const wallet = chain.wallet(ACCOUNTS.firstOwner);
    const token = { address: deployment.token, abi: productionTokenAbi, chain: wallet.chain } as const;
    const args = [10n ** 16n, deployment.token, "the roof", "tea\u001b[2J"] as const;
    await system.done(wallet.writeContract({ ...token, functionName: "retire", args }));

    const contract = { address: deployment.wattWitness, abi: wattWitnessAbi, eventName: "Settled" } as const;
    const [settled] = await chain.publicClient.getContractEvents({ ...contract, fromBlock: 0n });
    transaction = settled?.transactionHash as Hex;
    const keyId = toHex(roof.device.keyId);
    const served = async (path: string, name: string) => {
      const { body } = await system.app.inject({ method: "GET", url: path });
      await writeFile(join(folder, name), body);
      return join(folder, name);
    };
    proof = await served(`/logs/${keyId}/2/readings/20`, "proof.json");
    tlogProof = await served(`/tlog/${keyId}/2/20.tlog-proof`, "20.tlog-proof");
    environment = { WATTWITNESS_RPC_URL: chain.url, WATTWITNESS_REGISTRY: deployment.registry };
    environment["ORACLE"] = mirror.url;
  });
  after(async () => {
    await system.close();
    await rm(folder, { recursive: true });
  });

  const oracle = () => environment["ORACLE"] as string;

  it("ends with 2 and what is missing: no node, no readings, no such transaction, no file", async () => {
    const dead = await wattwitness(["audit"], { ...environment, WATTWITNESS_RPC_URL: "http://127.0.0.1:9" });
    assert.equal(dead.code, 2);
    assert.match(dead.out, /Cannot tell[\s\S]*cannot be asked/);
    const none = await data("audit");
    assert.deepEqual([none.code, none.verdict], [2, "cannot tell"]);
    assert.ok(none.findings.every(({ rule }: { rule: string }) => rule === "no batch"));
    assert.equal((await run("verify", "tx", `0x${"12".repeat(32)}`, "--batches", oracle())).code, 2);
    assert.equal((await run("verify", "batch", join(folder, "nothing"))).code, 2);
    assert.equal((await wattwitness(["audit"])).code, 2);
    assert.equal((await run("audit", "--from", "yesterday")).code, 2);
    assert.equal((await wattwitness(["verify", "reading", tlogProof])).code, 2);
  });

  it("ends with 1 and the rule: a changed reading, no such retirement, a batch with another byte", async () => {
    const text = await readFile(proof, "utf8");
    const changed = join(folder, "changed.json");
    await writeFile(changed, text.replace(/"reading":"0x69/, '"reading":"0x68'));
    const { code, verdict, why } = await data("verify", "reading", changed);
    assert.deepEqual([code, verdict, why.step], [1, "refuted", "root"]);
    assert.equal((await run("verify", "retirement", "2")).code, 1);
  });

  it("audits what an oracle serves, from its own URL", async () => {
    const checkpoint = join(folder, "checkpoint.json");
    const { code, verdict, findings, figures, by_contract } = await data(
      "audit",
      "--batches",
      oracle(),
      "--checkpoint",
      checkpoint,
    );
    assert.deepEqual([code, verdict, findings], [0, "verified", []]);
    assert.deepEqual(by_contract, []);
    assert.equal(figures.minted_units, `${figures.produced_mwh}${"0".repeat(12)}`);
    assert.deepEqual([figures.meters, figures.keys, figures.rotations, figures.retirements], [2, 3, 1, 1]);
    assert.equal(figures.settlements_verified, figures.settlements);
    const again = await data("audit", "--checkpoint", checkpoint);
    assert.deepEqual([again.code, again.resumed, again.figures], [0, "yes", figures]);
    const { out } = await run(
      "audit",
      "--batches",
      oracle(),
      "--second-rpc-url",
      environment["WATTWITNESS_RPC_URL"] as string,
    );
    assert.match(out, /^Verified: every token/);
    const some = await run("audit", "--to", "2026-03-20T10:30", "--batches", oracle());
    assert.equal(some.code, 0);
    assert.match(some.out, /^Verified, as far as was asked/);
  });

  it("verifies one thing: a reading in both forms, a transaction, a retirement", async () => {
    for (const file of [proof, tlogProof]) {
      const { code, out } = await run("verify", "reading", file);
      assert.equal(code, 0, out);
      assert.match(out, /✔ signature[\s\S]*✔ settled/);
    }
    const tx = await data("verify", "tx", transaction, "--batches", oracle());
    assert.deepEqual([tx.code, tx.settlements.every(({ verified }: { verified: boolean }) => verified)], [0, true]);
    const { code, out } = await run("verify", "retirement", "1");
    assert.equal(code, 0, out);
    assert.match(out, /the roof/);
    assert.ok(!out.includes("\u001b"));
  });

  it("reports the same page of an audit now as of a saved one", async () => {
    const saved = join(folder, "audit.json");
    const { out } = await run("audit", "--batches", oracle(), "--json");
    await writeFile(saved, out);
    const [now, later] = [await run("report", "--batches", oracle()), await run("report", "--audit", saved)];
    assert.deepEqual([now.code, later.code], [0, 0]);
    assert.equal(now.out, later.out);
    assert.match(now.out, /the roof/);
  });

  it("exports hours that were settled at both ends, and says which were not", async () => {
    const {
      code,
      granular_certificate_bundles: bundles,
      not_certifiable: others,
    } = await data("export", ...["--batches", oracle(), "--issuing-body", "nobody"]);
    assert.equal(code, 0);
    assert.ok(bundles.length > 8 && others.length > 0);
    const [first] = bundles;
    assert.deepEqual([first.production_starting_interval, first.face_value], ["2026-03-20T10:00:00Z", 3000]);
    assert.deepEqual([first.certificate_bundle_status, first.issuing_body], ["", "nobody"]);
    const csv = await run("export", "--batches", oracle(), "--format", "csv", "--to", "2026-03-20T11:00");
    assert.match(csv.out, /^device_id,/);
    assert.match(csv.err, /not certifiable: 0x/);
    assert.ok(csv.out.split("\n").length < bundles.length);
    assert.equal((await run("export")).code, 2);
  });

  it("mirrors an oracle, and audits from the mirror alone", async () => {
    const to = join(folder, "mirror");
    const { code, findings } = await data("mirror", "--from", oracle(), "--to", to);
    assert.deepEqual([code, findings], [0, []]);
    assert.equal((await run("audit", "--batches", to)).code, 0);
    assert.equal((await data("mirror", "--from", oracle(), "--to", to)).fetched, 0);

    const [name] = await readdir(join(to, "batches"));
    const file = join(to, "batches", name as string);
    const offline = await wattwitness(["verify", "batch", file, "--json"]);
    assert.equal(offline.code, 0);
    assert.equal(JSON.parse(offline.out).digest, name);
    const online = await data("verify", "batch", file);
    assert.ok(online.attested_at > 0);
    assert.ok(online.segments.every(({ settled }: { settled: string }) => settled !== "other root"));
    const bytes = await readFile(file);
    bytes[200] = (bytes[200] as number) ^ 1;
    await writeFile(join(folder, "bent"), bytes);
    assert.equal((await wattwitness(["verify", "batch", join(folder, "bent")])).code, 1);
  });
});
