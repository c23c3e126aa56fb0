/** What others install: packed, installed once into an empty folder, and used as they would. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { startChain } from "../../demo/chain.ts";
import { ACCOUNTS, deployEverything } from "../../demo/deployment.ts";
import { freePort } from "../../demo/processes/process.ts";
import { describeWithServer } from "../../oracle/test/store/postgres/server.ts";
import { toHex } from "../../protocol/index.ts";
import { installPackage } from "./installing.ts";
import { wattwitness as run } from "./support.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const require = createRequire(import.meta.url);
const execute = promisify(execFile);

/** bytes that an installation may take; its time is printed, and depends on the machine */
const INSTALLED_SIZE = 150_000_000;
/** bytes of a page's script that verifies readings, minified */
const VERIFYING_SIZE = 30_000;
/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
/** ms */
const PATIENCE = 30_000;

describe("the package", function () {
  this.timeout(180_000);
  let folder: string;
  let said: string;
  let took: number;

  before(async function () {
    const installation = await installPackage();
    if (!installation) this.skip();
    ({ folder, said, took } = installation);
  });
  after(() => folder && rm(folder, { recursive: true, force: true }));

  const installed = (path: string) => join(folder, "node_modules/wattwitness", path);
  const wattwitness = (args: readonly string[], environment: Record<string, string> = {}) =>
    run(args, environment, installed("cli/main.js"));
  const resolved = (name: string) => createRequire(join(folder, "any.js")).resolve(name);
  const imported = (subpath: string) => import(pathToFileURL(resolved(`wattwitness/${subpath}`)).href);

  describe("as it is packed", () => {
    let files: string[];
    before(async () => {
      const entries = await readdir(installed(""), { recursive: true, withFileTypes: true });
      const paths = entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
      files = paths.map((path) => relative(installed(""), path));
    });

    it("has no tests, and no TypeScript that Node would have to strip", () => {
      const strange = files.filter((file) => /(^|\/)test\/|\.test\.|(?<!\.d)\.[cm]?tsx?$/.test(file));
      assert.deepEqual(strange, []);
    });

    it("has the threads, which nothing imports", () => {
      for (const file of ["oracle/accepting/verifying-thread.js", "auditor/evidence/thread.js"])
        assert.ok(files.includes(file), file);
    });

    it("has nothing of the machine it was made on, and no secret", async () => {
      const words = [ROOT, `${homedir()}/`, `${tmpdir()}/`, "PRIVATE KEY", "test test test", "sourceMappingURL"];
      for (const file of files) {
        const text = await readFile(installed(file), "latin1");
        for (const word of words) assert.ok(!text.includes(word), `${word} is in ${file}`);
      }
    });

    it("says what it is, by whose leave, and of what else it is made", () => {
      for (const file of ["README.md", "LICENSE", "LICENSES"]) assert.ok(files.includes(file), file);
    });
  });

  describe("installed", () => {
    type Installed = { hasInstallScript?: boolean; deprecated?: string };
    const packages = async (): Promise<Record<string, Installed>> =>
      JSON.parse(await readFile(join(folder, "node_modules/.package-lock.json"), "utf8")).packages;

    it("runs no script, compiles nothing, and nothing of it is deprecated", async () => {
      assert.doesNotMatch(said, /deprecated|warn|gyp|> /i);
      const strange = Object.entries(await packages()).filter(
        ([, { hasInstallScript, deprecated }]) => hasInstallScript || deprecated !== undefined,
      );
      assert.deepEqual(strange, []);
    });

    it("is the same on every machine: nothing of it is made for one processor", async () => {
      type Made = { os?: string[]; cpu?: string[] };
      const limited = Object.entries((await packages()) as Record<string, Made>).filter(([, { os, cpu }]) => os ?? cpu);
      assert.deepEqual(limited, []);
      const files = await readdir(join(folder, "node_modules"), { recursive: true });
      const compiled = files.filter((file) => /\.(node|so|dylib|dll|exe)$/.test(file));
      assert.deepEqual(compiled, []);
    });

    it("is small", async () => {
      const files = await readdir(join(folder, "node_modules"), { recursive: true, withFileTypes: true });
      const paths = files.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
      let bytes = 0;
      for (const path of paths) bytes += (await stat(path)).blocks * 512;
      const count = Object.keys(await packages()).length;
      console.log(`      ${(took / 1000).toFixed(1)} s, ${(bytes / 1e6).toFixed(0)} MB, ${count} packages`);
      assert.ok(bytes < INSTALLED_SIZE);
    });
  });

  describe("as a library", () => {
    it("lets nobody import what it does not export", () => {
      for (const name of ["", "/oracle/config.js", "/cli/main.js", "/vendor/viem.js", "/contracts/abi.js"]) {
        assert.throws(() => resolved(`wattwitness${name}`), { code: "ERR_PACKAGE_PATH_NOT_EXPORTED" });
      }
    });

    it("has in each part what it is for", async () => {
      for (const [subpath, names] of Object.entries({
        protocol: ["decodeReading", "createLog", "keyIdOf"],
        verify: ["verifyReading", "verifyEnergy", "proofFromText", "rpc"],
        contracts: ["meterRegistryAbi", "wattWitnessAbi", "productionTokenAbi", "REFUSALS", "NETWORKS"],
        meter: ["createDevice", "createMeter", "upload"],
      })) {
        const part = await imported(subpath);
        for (const name of names) assert.notEqual(part[name], undefined, `${subpath}: ${name}`);
      }
    });

    it("has types, which need neither Node's nor a browser's", async () => {
      await writeFile(join(folder, "consumer.ts"), CONSUMER);
      for (const resolution of [{ module: "nodenext" }, { module: "esnext", moduleResolution: "bundler" }]) {
        const settings = { strict: true, noEmit: true, target: "es2022", lib: ["es2023"], types: [], ...resolution };
        const config = { compilerOptions: settings, files: ["consumer.ts"] };
        await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
        const tsc = require.resolve("typescript/lib/tsc.js");
        const { stdout } = await execute(process.execPath, [tsc, "-p", folder]).catch((error) => error);
        assert.equal(stdout, "");
      }
    });

    it("brings a page no more than it uses", async () => {
      const sizeOf = async (contents: string) => {
        const { outputFiles } = await build({
          ...{ stdin: { contents, resolveDir: folder }, bundle: true, minify: true, write: false },
          ...{ format: "esm", platform: "browser", logLevel: "silent" },
        });
        return (outputFiles[0] as { contents: Uint8Array }).contents.length;
      };
      const size = await sizeOf('export { verifyReading } from "wattwitness/verify"');
      console.log(`      verifyReading: ${size.toLocaleString("en")} bytes`);
      assert.ok(size < VERIFYING_SIZE);
      assert.ok((await sizeOf('import "wattwitness/contracts"; import "wattwitness/protocol"')) === 0);
    });

    it("has interfaces that others' contracts import", async () => {
      const solc = require("solc");
      const names = await readdir(installed("contracts/interfaces"));
      const imports = names.map((name) => `import "wattwitness/contracts/interfaces/${name}";`).join("\n");
      const content = `pragma solidity ^0.8.37;\n${imports}\n${CONTRACT}`;
      const sources: Record<string, string> = {};
      for (const name of [...content.matchAll(IMPORTED)].map(([, name]) => name as string))
        await collect(name, sources);
      const input = {
        language: "Solidity",
        sources: Object.fromEntries(
          Object.entries({ ...sources, "Counter.sol": content }).map(([name, content]) => [name, { content }]),
        ),
        settings: { outputSelection: { "Counter.sol": { Counter: ["evm.bytecode.object"] } } },
      };
      const { contracts, errors = [] } = JSON.parse(solc.compile(JSON.stringify(input)));
      const told = errors.filter(({ severity }: { severity: string }) => severity === "error");
      assert.deepEqual(told, []);
      assert.ok(contracts["Counter.sol"].Counter.evm.bytecode.object.length > 0);
    });

    /** A file and all that it imports, by the names that solc knows them by. */
    async function collect(name: string, sources: Record<string, string>): Promise<void> {
      if (name in sources) return;
      const text = await readFile(resolved(name), "utf8");
      sources[name] = text;
      for (const [, path = ""] of text.matchAll(IMPORTED)) {
        await collect(path.startsWith(".") ? join(name, "..", path) : path, sources);
      }
    }
  });

  describe("as a command line", () => {
    let chain: Awaited<ReturnType<typeof startChain>>;
    let environment: Record<string, string>;
    let registry: `0x${string}`;
    const running: ChildProcess[] = [];

    before(async () => {
      chain = await startChain(0, START);
      ({ registry } = (await deployEverything(chain)).deployment);
      await chain.mineAt(START + 600);
      environment = {
        ...{ WATTWITNESS_RPC_URL: chain.url, WATTWITNESS_REGISTRY: registry, LOG_LEVEL: "warn" },
        ...{ WATTWITNESS_POLL_EVERY: "1", WATTWITNESS_CONFIRMATIONS: "1" },
      };
    });
    after(async () => {
      for (const child of running) child.kill("SIGKILL");
      await chain?.stop();
    });

    /** The URL of an oracle that answers. */
    async function start(settings: Record<string, string>): Promise<{ url: string; stop(): Promise<number> }> {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}/`;
      const args = [installed("cli/main.js"), "node", "start", "--port", String(port)];
      const env = { PATH: process.env["PATH"], ...environment, ...settings };
      const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
      running.push(child);
      let said = "";
      for (const output of [child.stdout, child.stderr]) {
        output.on("data", (text) => {
          said += text;
        });
      }
      for (const end = Date.now() + PATIENCE; Date.now() < end && child.exitCode === null; await delay(100)) {
        const answer = await fetch(new URL("health", url)).catch(() => undefined);
        if (!answer?.ok) continue;
        return {
          url,
          async stop() {
            assert.equal(said, "");
            child.kill("SIGTERM");
            const [code] = await once(child, "exit");
            return code;
          },
        };
      }
      throw new Error(`It does not answer: ${said}`);
    }

    it("refuses what it does not know", async () => {
      assert.equal((await wattwitness(["metre"])).code, 2);
    });

    it("says its version", async () => {
      const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
      const start = performance.now();
      const { code, out, err } = await wattwitness(["--version"]);
      console.log(`        ${(performance.now() - start).toFixed(0)} ms`);
      assert.deepEqual([code, out, err], [0, version, ""]);
    });

    it("is found by its name, and has help", async () => {
      const bin = join(folder, "node_modules/.bin/wattwitness");
      const { stdout } = await execute(process.platform === "win32" ? `${bin}.cmd` : bin, ["--help"]);
      for (const text of ["meter", "token", "node", "Examples:"]) assert.ok(stdout.includes(text), text);
    });

    it("runs an oracle with its pages, and registers, lists and takes readings of a meter", async () => {
      const { url, stop } = await start({ WATTWITNESS_DATA_DIR: join(folder, "data") });
      const page = await fetch(url, { headers: { accept: "text/html" } });
      const html = await page.text();
      const [, script = ""] = /<script[^>]* src="([^"]+)"/.exec(html) ?? [];
      assert.equal((await fetch(new URL(script, url))).headers.get("content-type"), "text/javascript; charset=utf-8");
      for (const path of ["docs/", "docs/static/swagger-ui-bundle.js"]) {
        assert.equal((await fetch(new URL(path, url))).status, 200, path);
      }

      const { createDevice, createMeter, sendTo, upload }: typeof import("../../meter/index.ts") =
        await imported("meter");
      const place = { chainId: 31337, registry };
      const device = createDevice({ privateKey: new Uint8Array(32).fill(7), epoch: 1, interval: 60, source: 0, place });
      const roof = createMeter({ device, powerAt: () => 1_000_000n, start: START });
      roof.advance(START + 600);
      const owner = chain.wallet(ACCOUNTS.firstOwner).account.address;
      const body = JSON.stringify(device.registration({ owner, capacity: 5000, details: new Uint8Array(32) }));
      const headers = { "content-type": "application/json" };
      assert.equal((await fetch(new URL("registrations", url), { method: "POST", headers, body })).status, 200);
      const registered = await wattwitness(["meter", "register", "--oracle", url, "--yes"], {
        ...{ ...environment, WATTWITNESS_KEY: chain.key(ACCOUNTS.registrar) },
      });
      assert.equal(registered.code, 0, registered.err);
      const listed = await wattwitness(["meter", "list", "--json"], environment);
      assert.deepEqual(
        JSON.parse(listed.out).meters.map(({ meter }: { meter: string }) => meter),
        [toHex(device.keyId)],
      );

      for (const end = Date.now() + PATIENCE; device.acknowledged < device.size && Date.now() < end; await delay(200)) {
        await upload(device, sendTo(url), () => roof.now).catch(() => {});
      }
      assert.equal(device.acknowledged, device.size);
      const status = await wattwitness(["node", "status", url, "--json"]);
      assert.equal(JSON.parse(status.out).active, 1, status.err);
      assert.equal(await stop(), 0);
    });

    it("deploys the contracts once, and finds them by the name that it gave them", async () => {
      const table = ["--network", "mine", "--networks-file", join(folder, "networks.json")];
      const terms = [
        "--without-functions",
        "--unattested-after",
        "always",
        "--journal",
        join(folder, "journal"),
        "--yes",
      ];
      const rpc = { WATTWITNESS_RPC_URL: chain.url };
      const { address } = chain.wallet(ACCOUNTS.firstOwner).account;
      const asDeployer = { ...rpc, WATTWITNESS_KEY: chain.key(ACCOUNTS.firstOwner) };
      const first = await wattwitness(["deploy", ...table, ...terms], asDeployer);
      assert.equal(first.code, 0, first.err);
      assert.match((await wattwitness(["meter", "list", ...table], rpc)).out, /No meter is registered yet/);
      const sent = await chain.publicClient.getTransactionCount({ address });
      const second = await wattwitness(["deploy", ...table, ...terms], asDeployer);
      assert.equal(second.code, 0, second.err);
      const after = await chain.publicClient.getTransactionCount({ address });
      assert.equal(after, sent);
    });

    describeWithServer("with PostgreSQL", (server) => {
      it("does not start in an empty database, makes the tables, and starts", async () => {
        const database = { WATTWITNESS_DATABASE_URL: await server().newDatabase() };
        await assert.rejects(start(database), /is empty: run .*wattwitness node migrate/);
        const migrated = await wattwitness(["node", "migrate"], database);
        assert.equal(migrated.code, 0, migrated.err);
        assert.equal(await (await start(database)).stop(), 0);
      });
    });
  });
});

const IMPORTED = /import [^"]*"([^"]+)";/g;

const CONTRACT = `
contract Counter {
    function keys(IMeterRegistry registry, bytes32 meter) external view returns (uint256) {
        return registry.meterOf(meter).keyCount;
    }
}`;

/** Where a type is lost an error is missing, which is one. */
const CONSUMER = `
import { decodeReading, keyIdOf } from "wattwitness/protocol";
import { type Verification, verifyReading } from "wattwitness/verify";
import { meterRegistryAbi, NETWORKS, REFUSALS } from "wattwitness/contracts";
import { createDevice } from "wattwitness/meter";

export const kind: "event" = ({} as Extract<(typeof meterRegistryAbi)[number], { name: "MeterRegistered" }>).type;
export const address: \`0x\${string}\` | undefined = NETWORKS["localhost"]?.MeterRegistry.address;
export const why: string = REFUSALS.RootZero;
export const keyId: Uint8Array = keyIdOf(new Uint8Array(64));
export const verification: Promise<Verification> = verifyReading({} as never, {} as never);
// @ts-expect-error
createDevice({});
// @ts-expect-error
decodeReading("0x");
// @ts-expect-error
verifyReading("proof");
// @ts-expect-error
meterRegistryAbi.nothing;
`;
