import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { freePort } from "../../demo/processes/process.ts";
import { createDevice } from "../../meter/device.ts";
import { startContracts, startOracle } from "./oracle.ts";
import { needs, pathOf, run, textOf } from "./support.ts";

/** ms */
const PATIENCE = 20_000;
/** another address of this machine, so that it is told from Caddy's own */
const CLIENT = "127.0.0.2";

describe("Caddy before an oracle", function () {
  this.timeout(120_000);
  needs("caddy", "caddy");
  let folder: string;
  let contracts: Awaited<ReturnType<typeof startContracts>>;
  let oracle: Awaited<ReturnType<typeof startOracle>>;
  let caddy: ChildProcess;
  let session: ClientHttp2Session;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-caddy-"));
    contracts = await startContracts();
    oracle = await startOracle({ ...contracts.settings, WATTWITNESS_TRUST_PROXY: "yes" });
    const port = await freePort();
    // certificates of its own in a folder, and nothing on ports that others have
    const settings = `{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n\tstorage file_system ${folder}\n}\n`;
    const file = join(folder, "Caddyfile");
    await writeFile(file, settings + textOf("Caddyfile"));
    caddy = spawn("caddy", ["run", "--config", file, "--adapter", "caddyfile"], {
      env: {
        ...{ PATH: process.env["PATH"], HOME: folder },
        ...{ WATTWITNESS_SITE: `https://localhost:${port}`, WATTWITNESS_ORACLE: `127.0.0.1:${oracle.port}` },
      },
      stdio: "ignore",
    });
    session = await sessionTo(port);
  });
  after(async () => {
    session?.destroy();
    if (caddy && caddy.exitCode === null) {
      caddy.kill("SIGTERM");
      await once(caddy, "exit");
    }
    await oracle?.stop();
    await contracts?.chain.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** HTTP/2 over TLS, as soon as it has a certificate, which is verified. */
  async function sessionTo(port: number): Promise<ClientHttp2Session> {
    for (const end = Date.now() + PATIENCE; Date.now() < end; await delay(100)) {
      const ca = await readFile(join(folder, "pki/authorities/local/root.crt")).catch(() => undefined);
      if (ca === undefined) continue;
      const socket = connectTls({
        ...{ host: "127.0.0.1", port, localAddress: CLIENT, servername: "localhost", ca, ALPNProtocols: ["h2"] },
      });
      const isSecure = await once(socket, "secureConnect").catch(() => undefined);
      if (isSecure) return connect("https://localhost", { createConnection: () => socket });
    }
    throw new Error("Caddy does not answer");
  }

  /** Resolves with the answer's headers; `body` has arrived as far as it has. */
  async function ask(path: string, headers: Record<string, string> = {}, payload?: string) {
    const method = payload === undefined ? "GET" : "POST";
    const stream = session.request({ ":path": path, ":method": method, ...headers });
    let body = "";
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      body += text;
    });
    // an answer may come before all of a body that is too long
    stream.on("error", () => {});
    stream.end(payload);
    const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders & { ":status": number }];
    return { status: answer[":status"], headers: answer, body: () => body, stream };
  }

  async function until(what: string, isSo: () => boolean): Promise<void> {
    for (const end = Date.now() + PATIENCE; !isSo(); await delay(20)) {
      if (Date.now() > end) throw new Error(`it is not so that ${what}`);
    }
  }

  it("has a configuration that is valid as it stands", () => {
    const { code, said } = run(
      "caddy",
      "adapt",
      "--validate",
      "--adapter",
      "caddyfile",
      "--config",
      pathOf("Caddyfile"),
    );
    assert.equal(code, 0, said);
  });

  it("keeps the oracle's numbers to whoever runs it", async () => {
    for (const path of ["/metrics", "/metrics/"]) assert.equal((await ask(path)).status, 404);
    assert.equal((await fetch(new URL("metrics", oracle.url))).status, 200);
  });

  it("lets the oracle itself refuse a body that is too long", async () => {
    const { status, body, stream } = await ask("/readings", JSON_TYPE, `"${"0".repeat(1_200_000)}"`);
    await once(stream, "end");
    assert.equal(status, 413);
    assert.equal(JSON.parse(body()).rule, "too large");
  });

  it("says who asks, whatever who asks says", async () => {
    const path = "/health?who";
    assert.equal((await ask(path, { "x-forwarded-for": "203.0.113.7" })).status, 200);
    const told = () =>
      oracle
        .said()
        .split("\n")
        .find((line) => line.includes(path));
    await until("the oracle has told of the request", () => told() !== undefined);
    assert.equal(JSON.parse(told() as string).req.remoteAddress, CLIENT);
  });

  it("hands events on as they happen, while the stream stays open", async () => {
    const { status, headers, body, stream } = await ask("/api/v1/stream");
    assert.deepEqual([status, headers["content-type"]], [200, "text/event-stream"]);
    await until("the stream has begun", () => body().startsWith("retry:"));
    const post = await ask("/readings", JSON_TYPE, JSON.stringify(unknownMetersPost()));
    assert.equal(post.status, 404);
    await until("the refusal is told of", () => body().includes('"rule":"unknown meter"'));
    assert.equal(stream.closed, false);
    stream.close();
  });

  /** Of a meter that nobody registered: well made, and refused. */
  function unknownMetersPost() {
    const place = { chainId: 31337, registry: contracts.settings.WATTWITNESS_REGISTRY } as const;
    const device = createDevice({ privateKey: new Uint8Array(32).fill(7), epoch: 1, interval: 60, source: 0, place });
    device.synchronise(START);
    device.take(START, { power: 0n, register: 0n });
    return device.nextPost();
  }
});

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const JSON_TYPE = { "content-type": "application/json" };
