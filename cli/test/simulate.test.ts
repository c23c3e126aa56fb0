import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ACCOUNTS } from "../../demo/deployment.ts";
import { createSystem, type System } from "../../test/support.ts";
import { MAIN, wattwitness } from "./support.ts";

describe("a simulated meter", function () {
  this.timeout(120_000);
  let system: System;
  let oracle: string;
  let folder: string;
  let key: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-cli-"));
    key = join(folder, "meter.json");
    // it lives in real time
    system = await createSystem(Math.floor(Date.now() / 1000));
    await system.app.listen({ host: "127.0.0.1", port: 0 });
    oracle = `http://127.0.0.1:${(system.app.server.address() as AddressInfo).port}`;
  });
  after(async () => {
    await system?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("does not begin without an oracle, and makes no key", async () => {
    const { code, err } = await wattwitness(["simulate", "--oracle", "http://127.0.0.1:1", "--key", key]);
    assert.equal(code, 1);
    assert.match(err, /No oracle answers at http:\/\/127\.0\.0\.1:1\//);
    await assert.rejects(stat(key), { code: "ENOENT" });
  });

  it("takes no other file for its key, leaves it as it is, and does not repeat it", async () => {
    const other = join(folder, "other");
    await writeFile(other, '{"private_key": "secret-word"}');
    const { code, err } = await wattwitness(["simulate", "--oracle", oracle, "--key", other]);
    assert.equal(code, 1);
    assert.match(err, /is no file of a simulated meter/);
    assert.doesNotMatch(err, /secret-word/);
    assert.match(await readFile(other, "utf8"), /secret-word/);
  });

  it("refuses an interval that does not divide a quarter of an hour", async () => {
    assert.equal((await wattwitness(["simulate", "--oracle", oracle, "--interval", "7"])).code, 2);
  });

  it("applies, posts once it is registered, and begins another epoch with the same key", async () => {
    const owner = system.chain.wallet(ACCOUNTS.firstOwner).account.address;
    const args = ["simulate", "--oracle", oracle, "--key", key, "--owner", owner, "--interval", "1", "--readings", "3"];
    const child = spawn(process.execPath, [MAIN, ...args, "--json"], { stdio: ["ignore", "pipe", "pipe"] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (part: Buffer) => out.push(part));
    child.stderr.on("data", (part: Buffer) => err.push(part));
    const ended = once(child, "exit");
    const text = () => Buffer.concat(err).toString();
    for (const end = Date.now() + 30_000; !text().includes("has applied") && Date.now() < end; ) await delay(50);
    assert.match(text(), /not stored yet|has applied/);
    const registered = await wattwitness(["meter", "register", "--oracle", oracle, "--yes"], {
      ...{ WATTWITNESS_RPC_URL: system.chain.url, WATTWITNESS_REGISTRY: system.deployment.registry },
      WATTWITNESS_KEY: system.chain.key(ACCOUNTS.registrar),
    });
    assert.equal(registered.code, 0, registered.err);
    const looking = setInterval(() => void system.at(0).catch(() => {}), 200);
    const [code] = await ended;
    clearInterval(looking);
    assert.equal(code, 0, text());
    const first = JSON.parse(Buffer.concat(out).toString());
    assert.equal(first.epoch, 1);
    assert.ok(first.readings >= 3);
    assert.equal((await stat(key)).mode & 0o777, 0o600);

    const again = await wattwitness([...args, "--json"]);
    assert.equal(again.code, 0, again.err);
    const second = JSON.parse(again.out);
    assert.deepEqual([second.key_id, second.epoch], [first.key_id, 2]);
  });
});
