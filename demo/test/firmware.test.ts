import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Need, whyNoFirmware } from "../../firmware/toolchain.ts";
import type { Post } from "../../meter/device.ts";
import { type Model, type Shelly, startShelly } from "../../meter/shelly.ts";
import {
  createLog,
  decodeReading,
  domain,
  encodeClaim,
  encodeHead,
  fromHex,
  headHash,
  keyIdOf,
  publicKeyOf,
  type Reading,
  toHex,
  verify,
} from "../../protocol/index.ts";
import { type DeviceSettings, giveKey, settingsText, startDevice } from "../firmware/device-process.ts";
import { buildDevice } from "../firmware/index.ts";
import { freePort, isPortInUse } from "../processes/process.ts";
import { createStops, type Stops } from "../processes/stop.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const START = 1_773_997_200;
const INTERVAL = 10;
const PLACE = { chainId: 31337, registry: "0x5fbdb2315678afecb367f032d93f642f64180aa3" } as const;
const OWNER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const PRIVATE_KEY = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const PUBLIC_KEY = publicKeyOf(PRIVATE_KEY);
const EXPORT_CHANNEL_0 = 0x10;
const IMPORT_CHANNEL_0 = 0x00;
const IMPORT_CHANNEL_1 = 0x01;

/** Answers of real meters, where they are at hand. */
const SHELLY_ANSWERS = fileURLToPath(new URL("../../../shared/data/shelly/", import.meta.url));
const RECORDED = [
  {
    file: "gen1-em-status.json",
    source: EXPORT_CHANNEL_0,
    expected: { power: -20_640n, voltage: 231_020, current: undefined },
  },
  {
    file: "gen1-em-status-old-firmware.json",
    source: EXPORT_CHANNEL_0,
    expected: { power: 28_970n, voltage: 122_100, current: undefined },
  },
  {
    file: "gen2-pro-em-status.json",
    source: IMPORT_CHANNEL_1,
    expected: { power: 5_080_300n, voltage: 224_600, current: 22_780 },
  },
];

describe("what the firmware needs", () => {
  it("is told in one sentence where it is missing, with the packages that have it", () => {
    const why = (platform: NodeJS.Platform, ...missing: Need[]) => whyNoFirmware({ platform, missing }) as string;
    assert.match(why("linux", "cmake"), /without CMake \(.*install cmake\)\.$/);
    assert.match(
      why("linux", "compiler", "mbedtls", "curl"),
      /a C compiler, Mbed TLS and libcurl .*gcc libmbedtls-dev/,
    );
    assert.match(why("win32"), /Linux and macOS/);
    assert.equal(whyNoFirmware({ platform: "linux", missing: [] }), undefined);
  });
});

const reason = whyNoFirmware();

describe(`the device on a PC${reason ? ` (skipped: ${reason})` : ""}`, function () {
  this.timeout(120_000);
  let program: string;
  let folder: string;
  let stops: Stops;
  before(async function () {
    if (reason) return this.skip();
    program = await buildDevice();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-device-test-"));
    stops = createStops();
  });
  afterEach(async () => {
    await stops.stopAll();
    await rm(folder, { recursive: true, force: true });
  });

  const settingsWith = (changed: Partial<DeviceSettings> = {}): DeviceSettings => ({
    ...{ place: PLACE, owner: OWNER, capacity: 5000, source: EXPORT_CHANNEL_0, interval: INTERVAL, uploadEvery: 1 },
    ...{ oracle: "http://127.0.0.1:1", shelly: "http://127.0.0.1:1" },
    ...changed,
  });
  /** What the program prints on stderr before it ends with 1. */
  async function refusal(text: string, ...args: string[]): Promise<string> {
    const file = join(folder, "settings");
    await writeFile(file, text);
    const child = spawn(program, ["--settings", file, "--data", join(folder, "data"), ...args], { stdio: "pipe" });
    child.stdin.end();
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const [code] = await once(child, "close");
    assert.equal(code, 1, stderr);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
    return stderr;
  }
  const start = (settings: DeviceSettings, ...options: string[]) =>
    startDevice({ program, folder: join(folder, "data"), settings, options }, stops);
  const meter = async (model: Model = "pro-em"): Promise<Shelly> => {
    const shelly = await startShelly({ powerAt: () => 3_600_000n, start: START, model });
    stops.add(shelly.stop);
    return shelly;
  };
  /** Answers as `handle` does, until the test ends. Returns its URL. */
  async function serve(handle: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<string> {
    const server = createServer(async (request, response) => {
      try {
        await handle(request, response);
      } catch {
        request.socket.destroy(); // the Shelly behind it hung up
      }
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    stops.add(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  /** What a Shelly answers to this path. */
  const answerOf = async (shelly: Shelly, path: string): Promise<string> => (await fetch(shelly.url + path)).text();
  const readingOf = (bytes: Uint8Array | undefined): Reading => {
    const decoded = decodeReading(bytes ?? assert.fail("no reading was taken"));
    assert.ok(decoded.ok);
    return decoded.value;
  };

  describe("refuses to start, and says why:", () => {
    const good = settingsText(settingsWith());

    it("a setting that is missing", async () => {
      assert.match(await refusal(good.replace(/^owner .*\n/m, "")), /settings: owner is missing/);
    });

    it("a setting that cannot have its value", async () => {
      assert.match(
        await refusal(good.replace(/^interval .*/m, "interval 7")),
        /settings:7: interval: .*, only a number of s from 5 to 900/,
      );
    });

    it("a setting that does not exist", async () => {
      assert.match(await refusal(`${good}colour red\n`), /settings:11: colour: there is no such setting/);
    });

    it("a key whose counter is gone", async () => {
      await giveKey(join(folder, "data"), PRIVATE_KEY);
      await rm(join(folder, "data", "key.counter"));
      assert.match(await refusal(good), /key\.counter: .*missing.*Never/);
    });

    it("a key that is none", async () => {
      await giveKey(join(folder, "data"), new Uint8Array(32));
      assert.match(await refusal(good), /key: is not a private key of P-256/);
    });

    it("a folder that another one has", async () => {
      await start(settingsWith()).then((device) => device.goOn(START));
      assert.match(await refusal(good), /store: another wattwitness-device has it/);
    });

    it("a value that an option cannot have", async () => {
      assert.match(await refusal(good, "--clock", "sundial"), /--clock sundial: give system or stdin/);
      assert.match(await refusal(good, "--sectors", "2"), /--sectors 2: give a number from 3/);
      assert.match(await refusal(good, "--qr"), /--qr goes with --register/);
      assert.match(await refusal(good, "--ca", join(folder, "none.pem")), /none\.pem: No such file/);
    });
  });

  it("makes a key that only its owner reads, and keeps it", async () => {
    const device = await start(settingsWith());
    await device.goOn(START);
    const file = join(folder, "data", "key");
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const key = await readFile(file, "utf8");
    assert.match(key, /^0x[0-9a-f]{64}\n$/);
    await device.stop();
    await start(settingsWith()).then((again) => again.goOn(START));
    assert.equal(await readFile(file, "utf8"), key);
  });

  it("does not go back in time, nor do what it does not know", async () => {
    const device = await start(settingsWith());
    await device.goOn(START);
    await assert.rejects(device.goOn(START), /time not forward/);
    await assert.rejects(device.goOn(Number.NaN), /a line is a Unix time/);
    await assert.rejects(device.registration(new Uint8Array(32)), /holds no log/);
    assert.equal((await device.goOn(START + 1)).time, START + 1);
  });

  it("takes no reading while its meter is silent, and says so", async () => {
    const shelly = await meter();
    const device = await start(settingsWith({ shelly: shelly.url }));
    shelly.setSilent(true);
    const { reading, error, cause, size } = await device.goOn(START);
    assert.deepEqual([reading, size], [undefined, 0]);
    assert.match(error as string, /meter does not answer/);
    assert.match(cause as string, /there was no log/);
  });

  for (const [model, seen] of Object.entries({
    em: { source: EXPORT_CHANNEL_0, voltage: 230_000, current: undefined },
    "pro-em": { source: EXPORT_CHANNEL_0, voltage: 230_000, current: 15_652 },
    plug: { source: IMPORT_CHANNEL_0, voltage: undefined, current: undefined },
    "plug-s": { source: EXPORT_CHANNEL_0, voltage: 230_000, current: 15_652 },
    "pm-mini": { source: EXPORT_CHANNEL_0, voltage: 230_000, current: 15_652 },
  }) as [Model, { source: number; voltage?: number; current?: number }][]) {
    it(`reads a Shelly, model ${model}`, async () => {
      const shelly = await meter(model);
      const device = await start(settingsWith({ shelly: shelly.url, source: seen.source }));
      await device.goOn(START);
      shelly.advance(START + INTERVAL);
      const { reading, energy } = await device.goOn(START + INTERVAL);
      const { timestamp, power, voltage, current, source, conditions } = readingOf(reading);
      assert.deepEqual([timestamp, power, conditions], [START + INTERVAL, 3_600_000n, 0]);
      assert.deepEqual({ source, voltage, current }, seen);
      assert.equal(energy, 10_000n);
    });
  }

  for (const { file, source, expected } of RECORDED) {
    it(`reads what a Shelly was seen to answer, ${file}`, async function () {
      const path = join(SHELLY_ANSWERS, file);
      if (!existsSync(path)) {
        console.log(`      skipped: ${path} is not here`);
        return this.skip();
      }
      const answer = await readFile(path, "utf8");
      const isGen1 = file.startsWith("gen1");
      const url = await serve(({ url }, response) => {
        if (url === "/shelly") return response.end(isGen1 ? '{"type":"SHEM"}' : '{"gen":2}');
        return response.writeHead(url === (isGen1 ? "/status" : "/rpc/Shelly.GetStatus") ? 200 : 404).end(answer);
      });
      const device = await start(settingsWith({ shelly: url, source }));
      const { power, voltage, current } = readingOf((await device.goOn(START)).reading);
      assert.deepEqual({ power, voltage, current }, expected);
    });
  }

  describe("tells a Shelly its password", () => {
    /** What stands before a Shelly and wants to know who asks; what it was told, by path. */
    async function guard(shelly: Shelly, rules: Partial<GuardRules> = {}) {
      const { isFree, uses, isStrict } = { isFree: true, uses: Number.POSITIVE_INFINITY, isStrict: false, ...rules };
      const told: { path: string; authorization: string }[] = [];
      const counts = new Map<string, number>();
      const challenge = () => {
        const nonce = randomBytes(8).toString("hex");
        counts.set(nonce, 0);
        return `Digest qop="auth", realm="shellyproem50", nonce="${nonce}", algorithm=SHA-256`;
      };
      /** As a Shelly that counts, and forgets a nonce without a word. */
      const lets = (method: string, path: string, authorization: string | undefined): boolean => {
        const { nonce = "", nc = "0" } = fieldsOf(authorization);
        const count = (counts.get(nonce) ?? Number.NaN) + 1;
        if (!isAuthorised(method, path, authorization) || !(count <= uses)) return false;
        counts.set(nonce, count);
        return !isStrict || Number.parseInt(nc, 16) === count;
      };
      const url = await serve(async ({ url: path = "", headers: { authorization }, method = "" }, response) => {
        if (authorization) told.push({ path, authorization });
        const isOpen = path === "/shelly" && isFree;
        // a Shelly takes no notice of who asks for what anybody may know, but its nonce is used
        if (isOpen && authorization) lets(method, path, authorization);
        if (!isOpen && !lets(method, path, authorization))
          return response.writeHead(401, { "www-authenticate": challenge() }).end();
        return response.writeHead(200).end(await answerOf(shelly, path));
      });
      return { url, told };
    }
    const startWith = async (url: string, password = "secret") => {
      const login = join(folder, "login");
      await writeFile(login, `admin:${password}\n`);
      return start(settingsWith({ shelly: url }), "--shelly-login", login);
    };
    /** How many of so many readings it takes, while the guard sees to it. */
    async function takes(url: string, readings: number): Promise<number> {
      const device = await startWith(url);
      let size = 0;
      for (let i = 0; i < readings; i++) ({ size } = await device.goOn(START + i * INTERVAL));
      return size;
    }

    it("nothing where it does not want to know who asks", async () => {
      for (const model of ["em", "pro-em"] as const) {
        const told: string[] = [];
        const shelly = await meter(model);
        const url = await serve(async ({ url = "", headers: { authorization } }, response) => {
          if (authorization) told.push(authorization);
          return response.writeHead(200).end(await answerOf(shelly, url));
        });
        const device = await startWith(url);
        assert.equal((await device.goOn(START)).size, 1);
        assert.deepEqual(told, []);
        await device.stop();
        await rm(join(folder, "data"), { recursive: true });
      }
    });

    it("by digest, and in clear to nobody that is not of the first generation", async () => {
      const { url, told } = await guard(await meter(), { isFree: false });
      const refused = await startWith(url, "wrong");
      assert.equal((await refused.goOn(START)).size, 0);
      await refused.stop();
      assert.equal(await takes(url, 1), 1);
      assert.ok(told.length > 0 && told.every(({ authorization }) => authorization.startsWith("Digest ")));
    });

    it("by basic to one of the first generation that asks for it", async () => {
      const shelly = await meter("em");
      const basic = `Basic ${Buffer.from("admin:secret").toString("base64")}`;
      const url = await serve(async ({ url = "", headers: { authorization } }, response) => {
        if (url !== "/shelly" && authorization !== basic)
          return response.writeHead(401, { "www-authenticate": 'Basic realm="shellyem"' }).end();
        return response.writeHead(200).end(await answerOf(shelly, url));
      });
      assert.equal(await takes(url, 3), 3);
    });

    it("nothing about what anybody may know", async () => {
      const { url, told } = await guard(await meter());
      assert.equal(await takes(url, 3), 3);
      assert.deepEqual(
        told.filter(({ path }) => path === "/shelly"),
        [],
      );
    });

    for (const isFree of [true, false])
      for (const uses of [1, 2, 3, 7, Number.POSITIVE_INFINITY])
        it(`that counts every use of a nonce, forgets it after ${uses}, and leaves /shelly ${isFree ? "free" : "guarded"}`, async () => {
          const { url } = await guard(await meter(), { isFree, uses, isStrict: true });
          assert.equal(await takes(url, 20), 20);
        });

    it("again after it was refused, or did not answer", async () => {
      const shelly = await meter();
      const { url } = await guard(shelly, { isStrict: true, uses: 2 });
      const device = await startWith(url);
      for (const [i, silent] of [false, true, true, false, true, false, false].entries()) {
        shelly.setSilent(silent);
        const { reading } = await device.goOn(START + i * INTERVAL);
        assert.equal(reading === undefined, silent, `reading ${i}`);
      }
    });
  });

  it("reads a settings file that an editor gave a byte order mark, and refuses another encoding", async () => {
    const text = settingsText(settingsWith());
    assert.match(await refusal(`\ufeff${text}colour red\r\n`), /settings:11: colour: there is no such setting/);
    const file = join(folder, "utf16");
    await writeFile(file, Buffer.from(`\ufeff${text}`, "utf16le"));
    assert.match(await refusal(text, "--settings", file), /utf16: is not UTF-8: save it as that\./);
  });

  it("takes no answer for one that lacks a channel which was there before", async () => {
    let channels = 2;
    const total = [1_000_000, 2_000_000];
    const shelly = await serve(({ url }, response) => {
      if (url === "/shelly") return response.end('{"gen":2}');
      const answer = [0, 1].slice(0, channels).flatMap((id) => [
        [`em1:${id}`, { act_power: -1000 }],
        [`em1data:${id}`, { total_act_ret_energy: total[id] }],
      ]);
      return response.end(JSON.stringify({ ...Object.fromEntries(answer), sys: { mac: "08F9E0E67204" } }));
    });
    const device = await start(settingsWith({ shelly, source: EXPORT_CHANNEL_0 | 0x0f }));
    assert.equal((await device.goOn(START)).size, 1);
    channels = 1;
    assert.equal((await device.goOn(START + INTERVAL)).reading, undefined);
    channels = 2;
    total[0] = 1_000_002;
    const { energy } = await device.goOn(START + 2 * INTERVAL);
    assert.equal(energy, 2000n);
  });

  it("lives by the system's clock until it is told to end", async () => {
    const shelly = await startShelly({ powerAt: () => 1_000_000n, start: START });
    stops.add(shelly.stop);
    const file = join(folder, "settings");
    await writeFile(file, settingsText(settingsWith({ shelly: shelly.url, interval: 5 })));
    const details = "01".repeat(32);
    const args = ["--settings", file, "--data", join(folder, "data"), "--trust-clock", "--register", details];
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    stops.add(() => child.kill("SIGKILL"));
    let stdout = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      if (/oracle was not reached/.test(stdout)) child.kill("SIGINT");
    });
    const [code] = await once(child, "close");
    assert.equal(code, 0);
    const [begins, begun, reading, ask, application] = stdout
      .split("\n")
      .map((line) => line.replace(/^\S+ \S+ {2}/, ""));
    assert.match(begins as string, /^a log begins with the next reading: there was no log/);
    assert.match(begun as string, /^epoch 1 begun: there was no log/);
    assert.match(reading as string, /^reading 0: 1000\.000 W, 0\.000000 kWh$/);
    assert.match(ask as string, /POST \/registrations/);
    assert.equal(JSON.parse(application as string).details, `0x${details}`);
    assert.match(stdout, /ended; everything is kept\n$/);
  });

  it("takes none between its moments, and leaves a missed one out", async () => {
    const shelly = await meter();
    const device = await start(settingsWith({ shelly: shelly.url }));
    const sizes: number[] = [];
    for (const after of [0, 5, 10, 33, 50]) sizes.push((await device.goOn(START + after)).size);
    assert.deepEqual(sizes, [1, 1, 2, 2, 3]);
  });

  it("resumes its log, register and counter when it is started again", async () => {
    const shelly = await meter();
    const settings = settingsWith({ shelly: shelly.url });
    await giveKey(join(folder, "data"), PRIVATE_KEY);
    const first = await start(settings);
    const begun = await first.goOn(START);
    assert.match(begun.cause as string, /there was no log/);
    shelly.advance(START + INTERVAL);
    const before = await first.goOn(START + INTERVAL);
    await first.stop();

    shelly.advance(START + 60);
    const again = await start(settings);
    const { cause, epoch, size, energy, acknowledged } = await again.goOn(START + 60);
    assert.deepEqual([cause, epoch, size, acknowledged], [undefined, 1, before.size + 1, 0]);
    assert.equal(energy, 60_000n);
    assert.equal(await readFile(join(folder, "data", "key.counter"), "utf8"), "1\n");
  });

  it("begins another epoch where its log is gone, and never the same twice", async () => {
    const shelly = await meter();
    const settings = settingsWith({ shelly: shelly.url });
    for (const epoch of [1, 2]) {
      const device = await start(settings);
      assert.equal((await device.goOn(START)).epoch, epoch);
      await device.stop();
      await rm(join(folder, "data", "store"));
    }
  });

  describe("beside an oracle", () => {
    let posts: Post[];
    let say: { status: number; body: string } | undefined;
    let oracle: Server;
    let url: string;
    beforeEach(async () => {
      posts = [];
      say = undefined;
      oracle = createServer((request, response) => {
        let body = "";
        request.on("data", (chunk) => {
          body += chunk;
        });
        request.on("end", () => {
          const post = JSON.parse(body) as Post;
          assert.equal(request.url, "/readings");
          assert.equal(request.headers["content-type"], "application/json");
          posts.push(post);
          const { status, body: text } = say ?? { status: 200, body: JSON.stringify({ size: post.size }) };
          response.writeHead(status, { "content-type": "application/json", location: "/elsewhere" }).end(text);
        });
      }).listen(0, "127.0.0.1");
      await once(oracle, "listening");
      url = `http://127.0.0.1:${(oracle.address() as AddressInfo).port}`;
      stops.add(() => {
        oracle.closeAllConnections();
        oracle.close();
      });
      await giveKey(join(folder, "data"), PRIVATE_KEY);
    });

    it("takes nothing for stored but what the oracle says it stored, and follows no redirect", async () => {
      const shelly = await meter();
      const device = await start(settingsWith({ shelly: shelly.url, oracle: url }));
      say = { status: 200, body: "<html>log in</html>" };
      assert.equal((await device.goOn(START)).acknowledged, 0);
      say = { status: 302, body: "{}" };
      const { acknowledged, status } = await device.goOn(START + 900);
      assert.deepEqual([acknowledged, status], [0, 302]);
      assert.equal(posts.length, 2);
      say = undefined;
      assert.equal((await device.goOn(START + 1800)).acknowledged, 3);
    });

    it("posts every reading under a head that everybody can verify, its s low", async () => {
      const shelly = await meter();
      const device = await start(settingsWith({ shelly: shelly.url, oracle: url }));
      const readings: Uint8Array[] = [];
      for (let i = 0; i < 20; i++) {
        shelly.advance(START + i * INTERVAL);
        const { reading, acknowledged, size } = await device.goOn(START + i * INTERVAL);
        readings.push(reading as Uint8Array);
        assert.equal(acknowledged, size);
      }
      assert.deepEqual(
        posts.flatMap((post) => post.readings),
        readings.map(toHex),
      );
      for (const { keyId, epoch, size, signature } of posts) {
        assert.equal(keyId, toHex(keyIdOf(PUBLIC_KEY)));
        const head = {
          epoch,
          size,
          reading: readings[size - 1] as Uint8Array,
          root: createLog(readings.slice(0, size)).root(),
        };
        const { ok } = await verify(encodeHead(domain("head", PLACE), head), fromHex(signature), PUBLIC_KEY);
        assert.ok(ok, `head of ${size}`);
      }
    });

    it("signs the claim of its owner over its newest head", async () => {
      const shelly = await meter();
      const device = await start(settingsWith({ shelly: shelly.url, oracle: url }));
      await device.goOn(START);
      const { reading } = await device.goOn(START + INTERVAL);
      const details = new Uint8Array(32).fill(7);
      const { baseline, claim, ...rest } = await device.registration(details);
      assert.deepEqual(rest, {
        ...{ publicKey: toHex(PUBLIC_KEY), owner: OWNER, capacity: 5000, source: EXPORT_CHANNEL_0 },
        details: toHex(details),
      });
      assert.deepEqual([baseline.epoch, baseline.size, baseline.reading], [1, 2, toHex(reading as Uint8Array)]);
      const head = { ...baseline, reading: fromHex(baseline.reading), root: fromHex(baseline.root) };
      const keyId = keyIdOf(PUBLIC_KEY);
      const statement = encodeClaim(domain("claim", PLACE), {
        ...{ meter: keyId, keyId, owner: OWNER },
        headHash: headHash(encodeHead(domain("head", PLACE), head)),
      });
      assert.ok((await verify(statement, fromHex(claim), PUBLIC_KEY)).ok);
    });
  });

  describe("as npm start -- --firmware", () => {
    const run = async (args: string[], interruptAt?: RegExp) => {
      const ports = { port: await freePort(), "chain-port": await freePort() };
      const options = Object.entries(ports).flatMap(([name, port]) => [`--${name}`, String(port)]);
      const env = { ...process.env, TMPDIR: folder };
      const child = spawn(process.execPath, [MAIN, "--firmware", ...args, ...options], { cwd: ROOT, env });
      let [stdout, stderr] = ["", ""];
      let isInterrupted = false;
      child.stdout.on("data", (chunk) => {
        stdout += chunk;
        if (isInterrupted || !interruptAt?.test(stdout)) return;
        isInterrupted = true;
        child.kill("SIGINT");
      });
      child.stderr.on("data", (chunk) => {
        stderr += chunk;
      });
      const [code] = await once(child, "close");
      assert.deepEqual(await readdir(folder), []);
      for (const port of Object.values(ports)) assert.equal(await isPortInUse(port), false);
      return { code, stdout, stderr };
    };

    it("settles every meter twice, and refuses every forgery", async () => {
      const { code, stdout, stderr } = await run(["--once", "--json"]);
      assert.equal(code, 0, stderr);
      const result = JSON.parse(stdout.trim().split("\n").at(-1) as string);
      assert.equal(result.meters, 3);
      assert.ok(result.settlements >= 6);
      assert.ok(result.energy_mwh > 0);
      assert.equal(BigInt(result.minted_units), BigInt(result.energy_mwh) * 10n ** 12n);
      assert.equal(result.forgeries_refused, result.forgeries_tried);
    });

    it("ends everything at Ctrl-C, also while time goes on", async () => {
      const { code, stderr } = await run([], /\d+ readings, /);
      assert.equal(code, 130);
      assert.equal(stderr.trim(), "stopping everything");
    });
  });
});

type GuardRules = {
  /** whether /shelly is for anybody */
  isFree: boolean;
  /** of one nonce, before it is forgotten */
  uses: number;
  /** whether the count of a nonce's uses must be right */
  isStrict: boolean;
};

const fieldsOf = (authorization = ""): Record<string, string | undefined> =>
  Object.fromEntries([...authorization.matchAll(/(\w+)="?([^",]+)"?/g)].map(([, key, value]) => [key, value]));

/** Whether a request is signed by the password "secret" (RFC 7616, SHA-256). */
function isAuthorised(method: string, url: string, authorization?: string): boolean {
  const hash = (...parts: (string | undefined)[]) => createHash("sha256").update(parts.join(":")).digest("hex");
  const { realm, nonce, nc, cnonce, qop, response } = fieldsOf(authorization);
  return response === hash(hash("admin", realm, "secret"), nonce, nc, cnonce, qop, hash(method, url));
}
