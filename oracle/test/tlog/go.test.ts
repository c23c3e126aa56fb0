import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Meter } from "../../../meter/meter.ts";
import { toHex } from "../../../protocol/index.ts";
import { buildApp } from "../../http/app.ts";
import { originOf } from "../../tlog/checkpoint.ts";
import { newWorld, PLACE, removeDirectories, START, silent, type World } from "../support.ts";

const run = promisify(execFile);

/** Where Debian's golang-golang-x-mod-dev puts sources. */
const GOPATH = "/usr/share/gocode";
const SOURCE = fileURLToPath(new URL("verify.go", import.meta.url));
const READINGS = 1000;
/** Enough for a full tile of level 1, and the first hash of level 2. */
const MANY = 256 * 256 + 300;
const INDEX = 700;

async function missing(): Promise<string | undefined> {
  const hasGo = await run("go", ["version"]).then(
    () => true,
    () => false,
  );
  if (!hasGo) return "go is missing: apt-get install golang-go";
  if (existsSync(join(GOPATH, "src/golang.org/x/mod/sumdb/tlog"))) return undefined;
  return "golang.org/x/mod is missing: apt-get install golang-golang-x-mod-dev";
}

describe("Go's packages for transparency logs", () => {
  let world: World;
  let meter: Meter;
  let app: ReturnType<typeof buildApp>;
  let directory: string | undefined;
  let verifier: string;
  let url: string;
  let path: string;
  let origin: string;
  let vkey: string;
  const servers: Server[] = [];

  before(async function () {
    const what = await missing();
    if (what !== undefined) {
      console.log(`    skipped: ${what}`);
      this.skip();
    }
    directory = await mkdtemp(join(tmpdir(), "wattwitness-"));
    verifier = join(directory, "verify");
    const env = { ...process.env, GOPATH, GO111MODULE: "off", GOFLAGS: "", GOCACHE: join(directory, "cache") };
    await run("go", ["build", "-o", verifier, SOURCE], { env });
  });
  after(async () => {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  beforeEach(async () => {
    world = await newWorld();
    meter = await world.newMeter();
    await growTo(READINGS);

    const keyId = toHex(meter.device.keyId);
    // a log's every tile is asked for again and again
    const limits = { perAddress: 1_000_000 };
    app = buildApp({ oracle: world.oracle, chain: world.chain, logger: silent, limits });
    url = await app.listen({ host: "127.0.0.1", port: 0 });
    path = `/tlog/${keyId}/1`;
    origin = originOf(PLACE, keyId, 1);
    vkey = (await (await fetch(`${url}${path}/vkeys`)).text()).split("\n")[1] as string;
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
    await app.close();
    await removeDirectories();
  });

  async function growTo(size: number): Promise<void> {
    await world.live(meter, START + size * 10);
    assert.equal(meter.device.size, size);
  }

  async function verify(at: string, more: { origin?: string; vkey?: string; index?: number } = {}): Promise<string> {
    const given = { origin, vkey, index: INDEX, ...more };
    const args = [`${at}${path}`, given.origin, given.vkey, String(given.index)];
    const { stdout } = await run(verifier, args).catch((error) => error);
    return stdout.trim();
  }

  type Forge = (file: Buffer) => Buffer | string;

  /** Serves what the oracle serves, but one file otherwise. */
  async function forging(name: string, forge: Forge): Promise<string> {
    const server = createServer(async (request, response) => {
      const served = await fetch(`${url}${request.url}`);
      const bytes = Buffer.from(await served.arrayBuffer());
      response.writeHead(served.status).end(request.url === `${path}/${name}` ? forge(bytes) : bytes);
    });
    servers.push(server.listen(0, "127.0.0.1"));
    await new Promise((resolve) => server.once("listening", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const replaced = (from: RegExp, to: string) => (file: Buffer) => {
    const forged = file.toString().replace(from, to);
    assert.notEqual(forged, file.toString());
    return forged;
  };
  const flipped = (at: number) => (file: Buffer) => {
    file[at] = (file[at] as number) ^ 1;
    return file;
  };
  /** Flips a bit of the signature in a line, behind the key's id. */
  const signatureFlipped = (line: number, at: number) => (file: Buffer) => {
    const lines = file.toString().split("\n");
    const [dash, name, text = ""] = (lines[line] as string).split(" ");
    lines[line] = [dash, name, flipped(at)(Buffer.from(text, "base64")).toString("base64")].join(" ");
    return lines.join("\n");
  };

  const FORGERIES: [what: string, name: string, forge: Forge, answer: RegExp][] = [
    ["a checkpoint of another size", "checkpoint", replaced(/\n1000\n/, "\n999\n"), /^refused: checkpoint: invalid/],
    ["a checkpoint that only the oracle signed", "checkpoint", replaced(/— .*\n/, ""), /have not both signed/],
    ["a checkpoint with another signature of the device", "checkpoint", signatureFlipped(4, 40), /invalid signature/],
    ["a checkpoint with another last reading", "checkpoint", signatureFlipped(4, 5), /invalid signature/],
    ["a checkpoint with another signature of the oracle", "checkpoint", signatureFlipped(5, 9), /invalid signature/],
    ["another key of the device", "vkeys", replaced(/\+[^+\n]*\n/, `+${"A".repeat(80)}\n`), /^refused: vkeys/],
    ["a tile with another hash", "tile/0/002", flipped(100), /^refused: tiles: .* other hashes/],
    ["a partial tile with another hash", "tile/1/000.p/3", flipped(3), /^refused: tiles: .* other hashes/],
    [
      "a bundle with another reading",
      "tile/entries/002",
      flipped(34 * 3 + 9),
      /^refused: readings: their root is another/,
    ],
    ["a proof of another reading", `${INDEX}.tlog-proof`, replaced(/extra .{8}/, "extra AAAAAAAA"), /^refused: proof/],
    [
      "a proof with another hash",
      `${INDEX}.tlog-proof`,
      replaced(/(index \d+\n).{8}/, "$1AAAAAAAA"),
      /^refused: proof/,
    ],
    ["a proof of another index", `${INDEX}.tlog-proof`, replaced(/index 700/, "index 701"), /^refused: proof/],
    ["a proof under another checkpoint", `${INDEX}.tlog-proof`, replaced(/\n1000\n/, "\n1001\n"), /^refused: proof/],
  ];
  for (const [what, name, forge, answer] of FORGERIES) {
    it(`refuse ${what}: ${name}`, async () => {
      assert.match(await verify(await forging(name, forge)), answer);
    });
  }

  it("refuse another log's origin, and another oracle's key", async () => {
    assert.match(await verify(url, { origin: `${origin}0` }), /^refused: vkeys: not of this origin/);
    const other = `${origin}+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k`;
    assert.match(await verify(url, { vkey: other }), /^refused: invalid verifier hash/);
  });

  it("verify a log of this oracle: checkpoint, every tile and reading, a proof", async () => {
    // full ones and every width of those that are not
    for (const [size, tiles] of [
      [READINGS, 3 + 232 + 3],
      [MANY, 257 + 44 + (1 + 1) + 1],
    ] as const) {
      await growTo(size);
      for (const index of [INDEX, 0, size - 1]) {
        assert.equal(await verify(url, { index }), `verified ${size} readings, ${tiles} tiles`);
      }
    }
  });
});
