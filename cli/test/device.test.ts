import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { ACCOUNTS } from "../../demo/deployment.ts";
import { type Shelly, startShelly } from "../../meter/shelly.ts";
import { energyOf, fromHex, timestampOf } from "../../protocol/index.ts";
import { CAPACITY, createSystem, type System } from "../../test/support.ts";
import { MAIN, wattwitness } from "./support.ts";

/** ms that anything may take */
const PATIENCE = 30_000;

describe("a device in software", function () {
  this.timeout(120_000);
  let system: System;
  /** of the oracle itself, which a test may put out of reach by `isAway` */
  let oracle: string;
  let front: Server;
  let isAway: boolean;
  let folder: string;
  let shelly: Shelly;
  let looking: NodeJS.Timeout;
  /** Ends what a test has started. */
  const started: (() => Promise<unknown>)[] = [];

  before(async () => {
    // it lives in real time
    system = await createSystem(Math.floor(Date.now() / 1000));
    front = createServer(async (request, response) => {
      if (isAway) return void request.socket.destroy();
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const { statusCode, payload } = await system.app.inject({
        ...{ method: request.method as "GET" | "POST", url: request.url ?? "/", payload: Buffer.concat(parts) },
        headers: { "content-type": request.headers["content-type"] ?? "" },
      });
      return void response.writeHead(statusCode, { "content-type": "application/json" }).end(payload);
    });
    front.listen(0, "127.0.0.1");
    await once(front, "listening");
    oracle = `http://127.0.0.1:${(front.address() as AddressInfo).port}/`;
    looking = setInterval(() => void system.at(0).catch(() => {}), 200);
  });
  after(async () => {
    clearInterval(looking);
    front?.closeAllConnections();
    front?.close();
    await system?.close();
  });
  beforeEach(async () => {
    isAway = false;
    state = () => join(folder, "state");
    folder = await mkdtemp(join(tmpdir(), "wattwitness-device-"));
    shelly = await startShelly({ powerAt: () => 1_000_000n, start: Math.floor(Date.now() / 1000) });
    started.push(() => shelly.stop());
  });
  afterEach(async () => {
    for (const end of started.splice(0)) await end();
    await rm(folder, { recursive: true, force: true });
  });

  const owner = () => system.chain.wallet(ACCOUNTS.firstOwner).account.address;
  let state = () => join(folder, "state");
  const args = (...more: string[]) => [
    ...["device", "run", "--oracle", oracle, "--owner", owner(), "--capacity", String(CAPACITY), "--interval", "1"],
    ...["--state", state(), ...(more.includes("--sun") ? [] : ["--shelly", shelly.url]), ...more],
  ];

  type Running = { said: (what: RegExp) => Promise<RegExpExecArray>; text: () => string; kill: () => Promise<void> };

  /** Starts it, until it is killed without warning. */
  function start(...more: string[]): Running {
    const child = spawn(process.execPath, [MAIN, ...args(...more)], { stdio: ["ignore", "ignore", "pipe"] });
    const err: Buffer[] = [];
    child.stderr.on("data", (part: Buffer) => err.push(part));
    const ended = once(child, "close");
    const text = () => stripVTControlCharacters(Buffer.concat(err).toString());
    const kill = async () => {
      child.kill("SIGKILL");
      await ended;
    };
    started.push(kill);
    return {
      text,
      kill,
      async said(what) {
        const found = await eventually(() => what.exec(text()) ?? undefined);
        return found ?? assert.fail(`it does not say ${what}:\n${text()}`);
      },
    };
  }

  async function eventually<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T | undefined> {
    for (const end = Date.now() + PATIENCE; Date.now() < end; await delay(50)) {
      const found = await look();
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async function register(): Promise<void> {
    const { code, err } = await wattwitness(
      ["meter", "register", "--application", join(state(), "application.json"), "--yes"],
      {
        ...{ WATTWITNESS_RPC_URL: system.chain.url, WATTWITNESS_REGISTRY: system.deployment.registry },
        WATTWITNESS_KEY: system.chain.key(ACCOUNTS.registrar),
      },
    );
    assert.equal(code, 0, err);
  }

  /** A device that was registered, has stored some readings, and was killed. Returns its key id. */
  async function lived(...more: string[]): Promise<string> {
    const device = start(...more);
    await device.said(/has applied/);
    await register();
    await device.said(/stored \d+ readings?/);
    await device.kill();
    return /^key +(0x\w+)/m.exec(device.text())?.[1] ?? assert.fail(device.text());
  }

  /** What the oracle has of its newest log. */
  async function stored(keyId: string): Promise<{ epoch: number; readings: Uint8Array[] }> {
    const { logs } = (await system.app.inject(`/meters/${keyId}`)).json();
    const { epoch, stored: size } = logs.at(-1);
    const { readings } = (await system.app.inject(`/logs/${keyId}/${epoch}/readings?limit=1000`)).json();
    assert.equal(readings.length, size);
    return { epoch, readings: readings.map((each: string) => fromHex(each)) };
  }

  const refused = async (why: RegExp, ...more: string[]) => {
    const { code, out, err } = await wattwitness(args(...more));
    assert.equal(code, 1, err);
    assert.equal(out, "");
    assert.match(err, why);
  };

  describe("does not begin", () => {
    it("without an oracle, and makes no key", async () => {
      isAway = true;
      await refused(/No oracle answers at http/);
      await assert.rejects(stat(join(state(), "device.json")), { code: "ENOENT" });
    });

    it("without a meter, or with two", async () => {
      const without = args().filter((each) => each !== "--shelly" && each !== shelly.url);
      const { code, err } = await wattwitness(without);
      assert.equal(code, 1);
      assert.match(err, /Which meter\? --shelly URL, or --sun/);
      assert.equal((await wattwitness([...args(), "--sun"])).code, 2);
    });

    it("with what it cannot be told", async () => {
      for (const more of [
        ["--interval", "7"],
        ["--channel", "16"],
        ["--channel", "first"],
        ["--register", "both"],
        ["--capacity", "0"],
        ["--owner", "0x12"],
      ]) {
        assert.equal((await wattwitness(args(...more))).code, 2, more.join(" "));
      }
    });

    it("with another file in the place of its key, which it neither repeats nor replaces", async () => {
      await mkdir(state());
      const file = join(state(), "device.json");
      await writeFile(file, '{"private_key": "secret-word"}');
      const { err } = await wattwitness(args());
      assert.match(err, /device\.json is no file of a device/);
      assert.doesNotMatch(err, /secret-word/);
      assert.match(await readFile(file, "utf8"), /secret-word/);
    });

    it("with a key whose log is gone", async () => {
      await lived();
      await rm(join(state(), "state.json"));
      await refused(/state\.json is missing or damaged, and what the key has signed is not known/);
    });

    it("as another channel than the one it was made for", async () => {
      await lived();
      await refused(/is of another channel or register/, "--channel", "1");
      await refused(/is of another channel or register/, "--register", "import");
    });

    it("for another registry than the one it was made for", async () => {
      await lived();
      const file = join(state(), "device.json");
      const other = { ...JSON.parse(await readFile(file, "utf8")), registry: `0x${"5f".repeat(20)}` };
      await writeFile(file, JSON.stringify(other));
      await refused(/signs for the registry 0x5f5f\w+ on chain 31337, and the oracle is for 0x/);
    });

    it("where another one has the folder, which goes on", async () => {
      const device = start();
      await device.said(/has applied/);
      await refused(/Another device \(process \d+\) keeps its log in .*: end it/);
      const before = (await device.said(/not stored yet, (\d+) readings? waits?/))[1];
      await device.said(new RegExp(`not stored yet, ${Number(before) + 1} readings wait`));
    });
  });

  it("prints its application first, waits for being registered, and says each post; its key is its owner's alone", async () => {
    const device = start();
    const [, text = ""] = await device.said(/^application, also in .*:\n(\{.*\})$/m);
    const application = JSON.parse(text);
    assert.deepEqual([application.owner, application.capacity, application.source], [owner(), CAPACITY, 0x10]);
    await device.said(/not stored yet, \d+ readings? waits?: the chain knows no meter with this key/);
    assert.equal((await stat(join(state(), "device.json"))).mode & 0o777, 0o600);
    assert.equal((await stat(state())).mode & 0o777, 0o700);
    await register();
    await device.said(/stored \d+ readings?, \d+ in all, \d/);
    await device.said(/stored 1 reading, \d+ in all/);
  });

  it("goes on with its log where it was killed, and counts what its meter counted meanwhile", async () => {
    const keyId = await lived();
    const before = await stored(keyId);
    shelly.advance(shelly.now + 3600);
    const device = start();
    await device.said(/stored \d+ readings?, \d+ in all, 1 kWh/);
    // known by now: nobody has to register it again
    assert.doesNotMatch(device.text(), /application/);
    const { epoch, readings } = await stored(keyId);
    assert.equal(epoch, 1);
    assert.ok(readings.length > before.readings.length);
    assert.deepEqual(readings.slice(0, before.readings.length), before.readings);
    assert.equal(energyOf(readings.at(-1) as Uint8Array), 1_000_000n);
  });

  it("keeps readings while the oracle is away, also over a start, and posts them once it is back", async () => {
    const keyId = await lived();
    const before = await stored(keyId);
    isAway = true;
    const device = start();
    await device.said(/not stored yet, \d+ readings? waits?: the oracle does not answer/);
    await device.kill();
    const again = start();
    await again.said(/not stored yet, ([4-9]|\d\d) readings wait: the oracle does not answer/);
    const kept = await readFile(join(state(), "1.readings"));
    isAway = false;
    await again.said(/stored \d+ readings?/);
    const { epoch, readings } = await stored(keyId);
    assert.equal(epoch, 1);
    assert.ok(kept.length >= 32 * (before.readings.length + 2));
    assert.deepEqual(Buffer.concat(readings).subarray(0, kept.length), kept);
  });

  it("invents no reading while its meter is away, and has the energy once it is back", async () => {
    const keyId = await lived();
    shelly.setSilent(true);
    const device = start();
    await device.said(/no reading: the Shelly at http.*: it does not answer/);
    const { readings: before } = await stored(keyId);
    await delay(3000); // in which three would have been due
    assert.deepEqual((await stored(keyId)).readings, before);
    shelly.advance(shelly.now + 1800);
    shelly.setSilent(false);
    await device.said(/stored 1 reading, \d+ in all, 0\.5 kWh/);
    const { readings } = await stored(keyId);
    const [last, next] = [before.at(-1), readings[before.length]] as [Uint8Array, Uint8Array];
    assert.ok(timestampOf(next) >= timestampOf(last) + 3);
    // said once, and not every second
    assert.equal(device.text().match(/no reading/g)?.length, 1);
  });

  it("begins another log where it was set back to a copy, and tells no second story", async () => {
    const device = start();
    await device.said(/has applied/);
    await register();
    await device.said(/stored \d+ readings?/);
    await device.kill();
    const keyId = /^key +(0x\w+)/m.exec(device.text())?.[1] as string;
    const copy = join(folder, "copy");
    await cp(state(), copy, { recursive: true });
    const longer = start();
    await longer.said(/stored 1 reading,/);
    await longer.kill();
    await rm(state(), { recursive: true });
    await cp(copy, state(), { recursive: true });
    const set = start();
    await set.said(/^epoch +2$/m);
    await set.said(/stored \d+ readings?/);
    assert.equal((await stored(keyId)).epoch, 2);
    assert.deepEqual((await system.app.inject("/equivocations")).json().equivocations, []);
  });

  it("begins another log where readings of it are lost, and its register goes on", async () => {
    shelly.advance(shelly.now + 60);
    const keyId = await lived();
    shelly.advance(shelly.now + 1800);
    await rm(join(state(), "1.readings"));
    const device = start();
    await device.said(/^epoch +2$/m);
    await device.said(/stored \d+ readings?, \d+ in all, 0\.5 kWh/);
    assert.equal((await stored(keyId)).epoch, 2);
  });

  it("names its successor, which the owner rotates the meter to, and which posts from then on", async () => {
    const meter = await lived();
    const old = state();
    const rotate = (...more: string[]) => wattwitness(["device", "rotate", ...more]);
    assert.match((await rotate(meter, "--state", old)).err, /That is this key itself/);
    assert.match((await rotate(meter, "--state", join(folder, "none"))).err, /There is no device in/);
    state = () => join(folder, "next");
    const next = start("--meter", meter);
    const keyId = (await next.said(/^key +(0x\w+)/m))[1] as string;
    const { code, out, err } = await rotate(keyId, "--state", old);
    assert.equal(code, 0, err);
    await writeFile(join(folder, "rotation.txt"), out);
    await next.said(/not stored yet/);
    const rotated = await wattwitness(
      [
        ...["meter", "rotate", meter, "--yes", "--rotation", join(folder, "rotation.txt")],
        ...["--application", join(state(), "application.json")],
      ],
      {
        ...{ WATTWITNESS_RPC_URL: system.chain.url, WATTWITNESS_REGISTRY: system.deployment.registry },
        WATTWITNESS_KEY: system.chain.key(ACCOUNTS.firstOwner),
      },
    );
    assert.equal(rotated.code, 0, rotated.err);
    await next.said(/stored \d+ readings?,/);
    // it has applied nowhere: it is no meter of its own
    assert.doesNotMatch(next.text(), /has applied|could not apply/);
    assert.equal((await stored(keyId)).epoch, 1);
  });

  it("finishes a reading that it was switched off over", async () => {
    const keyId = await lived();
    const file = join(state(), "1.readings");
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, bytes.length - 20));
    const device = start();
    await device.said(/stored \d+ readings?/);
    assert.equal((await stored(keyId)).epoch, 1);
  });

  it("posts nothing that it could not keep, and ends", async () => {
    const keyId = await lived();
    await start().said(/stored \d+ readings?,/); // all that was kept
    for (const end of started.splice(1)) await end();
    const before = await stored(keyId);
    await mkdir(join(state(), "state.json.unfinished"));
    await refused(/state\.json cannot be written \(EISDIR\)/);
    assert.deepEqual(await stored(keyId), before);
  });

  it("does without a meter for a trial, under a modelled sun, and ends after as many readings as it was told", async () => {
    await lived("--sun");
    const { code, out, err } = await wattwitness([...args("--sun", "--readings", "5"), "--json"]);
    assert.equal(code, 0, err);
    const { epoch, readings } = JSON.parse(out);
    assert.equal(epoch, 1);
    assert.ok(readings >= 5);
  });
});
