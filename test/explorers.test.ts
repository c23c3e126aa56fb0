import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import hre from "hardhat";
import { keccak256 } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { compiled } from "../cli/chain/artifacts.ts";
import { wattwitness } from "../cli/test/support.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const CHAIN_ID = 424_242;
/** Of the first of the well-known accounts. */
const KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/** What takes solc little time. */
const COMPILED = ["MeterDescriptor", "ProductionToken"];

type Given = { stdJsonInput: unknown; contractIdentifier: string; compilerVersion: string };

describe("npm run explorers", function () {
  this.timeout(120_000);
  let [folder, rpcUrl] = ["", ""];
  let chain: Awaited<ReturnType<typeof hre.network.createServer>>;
  let sourcify: Sourcify;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-explorers-"));
    chain = await hre.network.createServer({ network: "default", override: { chainId: CHAIN_ID } }, "127.0.0.1", 0);
    rpcUrl = `http://127.0.0.1:${(await chain.listen()).port}`;
    sourcify = await startSourcify();
    const journal = ["--journal", join(folder, "journal"), "--networks-file", join(folder, "networks.json")];
    const args = ["deploy", "--network", "trial", "--rpc-url", rpcUrl, ...journal, "--without-functions", "--yes"];
    const { code, err } = await wattwitness(args, { WATTWITNESS_KEY: KEY }, undefined, { cwd: ROOT });
    assert.equal(code, 0, err);
  });
  after(async () => {
    await chain.close();
    sourcify.server.close();
    await rm(folder, { recursive: true });
  });

  const give = (journal: string, on = "sourcify") =>
    promisify(execFile)(
      process.execPath,
      [
        ...["scripts/explorers.ts", "--network", "trial", "--rpc-url", rpcUrl, "--journal", journal],
        ...(on === "sourcify" ? ["--sourcify-url", sourcify.url] : ["--blockscout-url", sourcify.url]),
        ...["--on", on],
      ],
      { cwd: ROOT },
    ).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );

  it("says that the journal is missing", async () => {
    const { code, stderr } = await give(join(folder, "nothing"));
    assert.equal(code, 1);
    assert.match(stderr, /nothing is not there, or deployed nothing: --journal FILE names it\.\n$/);
  });

  it("says which contract an explorer does not take, and ends with 1", async () => {
    sourcify.refuses = "Lens";
    const { code, stderr } = await give(join(folder, "journal"));
    assert.equal(code, 1);
    assert.match(stderr, /^Lens at 0x\w{40} is not verified on sourcify: /m);
    sourcify.refuses = "";
  });

  it("gives every contract's sources, which compile to what was deployed", async () => {
    sourcify.given.clear();
    const { code, stderr } = await give(join(folder, "journal"));
    assert.equal(code, 0, stderr);
    const names = [...sourcify.given.values()].map(({ contractIdentifier }) => contractIdentifier.split(":")[1]);
    assert.deepEqual(names.toSorted(), [
      ...["Authority", "Lens", "MeterDescriptor", "MeterRegistry", "ProductionToken", "WattWitness"],
    ]);
    for (const { stdJsonInput, contractIdentifier, compilerVersion } of sourcify.given.values()) {
      assert.match(compilerVersion, /^v0\.8\.37\+commit\./);
      const [file = "", name = ""] = contractIdentifier.split(":");
      if (!COMPILED.includes(name)) continue;
      const output = createRequire(import.meta.url)("solc").compile(JSON.stringify(stdJsonInput));
      const { bytecode } = JSON.parse(output).contracts[file][name].evm;
      assert.equal(keccak256(`0x${bytecode.object}`), keccak256((await compiled(name)).bytecode), name);
    }
  });

  it("tells Blockscout with what each was constructed", async () => {
    const { code, stderr } = await give(join(folder, "journal"), "blockscout");
    assert.equal(code, 0, stderr);
    const told = sourcify.forms.map((form) => [form.get("contractname")?.split(":")[1], form] as const);
    assert.equal(told.length, 6);
    const args = Object.fromEntries(told.map(([name, form]) => [name, form.get("constructorArguments")]));
    assert.deepEqual([args["MeterDescriptor"], args["ProductionToken"]], ["", ""]);
    const { address } = privateKeyToAccount(KEY);
    assert.equal(args["Authority"], address.slice(2).toLowerCase().padStart(64, "0"));
  });
});

type Sourcify = { server: Server; url: string; given: Map<string, Given>; forms: URLSearchParams[]; refuses: string };

/** A stand-in for Sourcify and for a Blockscout: it keeps what it is given, and takes all but one contract. */
async function startSourcify(): Promise<Sourcify> {
  const sourcify = { given: new Map<string, Given>(), forms: [] as URLSearchParams[], refuses: "" };
  const server = createServer(async (request, response) => {
    const tell = (status: number, body: object) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    if (request.url?.startsWith("/api")) {
      const isPolling = request.url.includes("checkverifystatus");
      if (request.method !== "POST")
        return tell(200, isPolling ? { status: "1", result: "Pass - Verified" } : { status: "0" });
      sourcify.forms.push(new URLSearchParams(Buffer.concat(await request.toArray()).toString()));
      return tell(200, { status: "1", result: "1" });
    }
    const [, , what, , address = ""] = (request.url ?? "").split("/");
    if (what === "contract") {
      return tell(404, { match: null, creationMatch: null, runtimeMatch: null, chainId: CHAIN_ID, address });
    }
    if (request.method === "POST") {
      const given: Given = JSON.parse(Buffer.concat(await request.toArray()).toString());
      if (given.contractIdentifier.endsWith(`:${sourcify.refuses}`)) {
        return tell(400, { customCode: "no", message: "it is not taken", errorId: "1" });
      }
      sourcify.given.set(address, given);
      return tell(202, { verificationId: "1" });
    }
    const contract = { match: "match", creationMatch: "match", runtimeMatch: "match", chainId: CHAIN_ID, address };
    return tell(200, { isJobCompleted: true, verificationId: "1", jobStartTime: "2026-01-01T00:00:00Z", contract });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(sourcify, { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}
