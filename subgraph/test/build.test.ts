import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse } from "yaml";
import { CONTRACTS, type Network, networkOf, writeNetwork } from "../networks.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const GRAPH = join(ROOT, "node_modules", ".bin", "graph");
const BUILD = join(ROOT, "subgraph", "build.ts");

type DataSource = {
  name: keyof Network;
  network: string;
  source: { address: string; startBlock: number };
  mapping: { file: string };
};

const addressOf = (digit: string) => `0x${digit.repeat(40)}` as const;
const network = networkOf(
  {
    ...{ authority: addressOf("9"), descriptor: addressOf("8"), lens: addressOf("7") },
    ...{ registry: addressOf("1"), wattWitness: addressOf("2"), token: addressOf("3") },
    fromBlock: 4711,
  },
  addressOf("4"),
) as Required<Network>;

/** What a command prints, and what it ends with. */
async function run(command: string, args: string[], cwd = ROOT): Promise<{ code: number; output: string }> {
  const env = { ...process.env, NO_COLOR: "1", PATH: `${join(ROOT, "node_modules", ".bin")}:${process.env["PATH"]}` };
  const { code, stdout, stderr } = await promisify(execFile)(command, args, { env, cwd }).then(
    (printed) => ({ code: 0, ...printed }),
    (error) => error as { code: number; stdout: string; stderr: string },
  );
  return { code, output: stdout + stderr };
}

describe("building the subgraph", function () {
  this.timeout(120_000);
  let folder: string;
  let table: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-build-test-"));
    table = join(folder, "networks.json");
    writeNetwork(table, "testnet", network);
    const { FunctionsAttestor: _, ...without } = network;
    writeNetwork(table, "testnet-without", without);
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
    for (const name of ["testnet", "testnet-without"]) {
      await rm(join(ROOT, "subgraph", "build", name), { recursive: true, force: true });
    }
  });
  const build = (...args: string[]) => run(process.execPath, [BUILD, "--networks-file", table, ...args]);

  it("refuses a network that is not in the table, and names those that are", async () => {
    const { code, output } = await build("--network", "mainnet");
    assert.equal(code, 1);
    assert.match(output, /mainnet.*testnet/);
    assert.equal(output.trim().split("\n").length, 1, output);
  });

  it("refuses an option that it does not have, in one sentence", async () => {
    const { code, output } = await build("--netwrok", "testnet");
    assert.equal(code, 1);
    assert.match(output, /--netwrok.*--help/);
    assert.equal(output.trim().split("\n").length, 1, output);
  });

  it("leaves the attestor out where there is none", async () => {
    const { code, output } = await build("--network", "testnet-without");
    assert.equal(code, 0, output);
    const built = join(ROOT, "subgraph", "build", "testnet-without", "build", "subgraph.yaml");
    const { dataSources } = parse(await readFile(built, "utf8"));
    const names = (dataSources as DataSource[]).map(({ name }) => name);
    assert.deepEqual(names, ["MeterRegistry", "WattWitness", "ProductionToken"]);
  });

  describe("for a network of the table", () => {
    const manifest = join(ROOT, "subgraph", "build", "testnet", "subgraph.yaml");
    let unbuilt: string;
    const changes = async () =>
      (await run("git", ["status", "--porcelain"])).output + (await run("git", ["diff"])).output;
    before(async () => {
      unbuilt = await changes();
      const { code, output } = await build("--network", "testnet");
      assert.equal(code, 0, output);
    });

    const builtSources = async (): Promise<DataSource[]> =>
      parse(await readFile(join(dirname(manifest), "build", "subgraph.yaml"), "utf8")).dataSources;

    it("puts name, addresses and start blocks into what graph-node runs", async () => {
      assert.deepEqual(
        (await builtSources()).map(({ name, network, source }) => [name, network, source.address, source.startBlock]),
        CONTRACTS.map((name) => [name, "testnet", network[name].address, 4711]),
      );
    });

    it("changes nothing that is part of the repository", async () => {
      assert.equal(await changes(), unbuilt);
    });

    it("makes a manifest that The Graph's CLI deploys as it is: to stand-ins for IPFS and graph-node", async () => {
      const { server, uploads, calls } = await standIns();
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const to = ["--node", url, "--ipfs", url, "--version-label", "0.1.0"];
      const { code, output } = await run(GRAPH, ["deploy", "wattwitness", ...to], dirname(manifest));
      server.closeAllConnections();
      server.close();
      assert.equal(code, 0, output);
      const uploaded = uploads.join("\n");
      for (const name of CONTRACTS) assert.match(uploaded, new RegExp(network[name].address));
      assert.match(uploaded, /type Settlement @entity/);
      const mappings = new Set((await builtSources()).map(({ mapping }) => mapping.file));
      assert.ok(mappings.size > 0);
      assert.equal(uploads.filter((body) => body.includes("\0asm")).length, mappings.size);
      assert.deepEqual(calls, ["subgraph_deploy"]);
    });
  });
});

/** Takes what is uploaded and what is asked, as IPFS and graph-node would, and does nothing with it. */
async function standIns(): Promise<{ server: Server; uploads: string[]; calls: string[] }> {
  const [uploads, calls]: [string[], string[]] = [[], []];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString("latin1");
    response.setHeader("content-type", "application/json");
    const answer = (value: object) => response.end(`${JSON.stringify(value)}\n`);
    if (request.url?.startsWith("/api/v0/add")) {
      uploads.push(body);
      return answer({ Name: "file", Hash: cidOf(body), Size: String(body.length) });
    }
    const pinned = request.url?.match(/^\/api\/v0\/pin\/add.*arg=(\w+)/)?.[1];
    if (pinned) return answer({ Pins: [pinned] });
    const { id, method } = JSON.parse(body) as { id: string; method: string };
    calls.push(method);
    return answer({ jsonrpc: "2.0", id, result: { playground: ":8000/playground", queries: ":8000/queries" } });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, uploads, calls };
}

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** A CID of version 0: multihash in base 58. */
function cidOf(content: string): string {
  const digest = createHash("sha256").update(content).digest("hex");
  let text = "";
  for (let value = BigInt(`0x1220${digest}`); value > 0n; value /= 58n) text = ALPHABET[Number(value % 58n)] + text;
  return text;
}
