import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import {
  type Abi,
  encodeFunctionData,
  getAddress,
  type Hex,
  keccak256,
  padHex,
  stringToHex,
  toHex as textToHex,
} from "viem";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { functionsAttestorAbi, meterRegistryAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import {
  CAPACITY_CEILING,
  closeSetup,
  deploy,
  deployFunctionsAttestor,
  deployWattWitness,
  NEVER,
  NOTICE,
  ROLES,
  THIRTY_DAYS,
} from "../../contracts/deploy.ts";
import { publicKeyParts, signatureParts } from "../../contracts/settlement.ts";
import { type LocalChain, startChain } from "../../demo/chain.ts";
import { deployerOf } from "../../demo/deployment.ts";
import { type Chainlink, deployChainlink } from "../../functions-source/local-don/index.ts";
import { createDevice } from "../../meter/device.ts";
import { createMeter } from "../../meter/meter.ts";
import { fromHex } from "../../protocol/index.ts";
import { NETWORKS_FILE, type Network, readNetworks, writeNetwork } from "../../subgraph/networks.ts";
import { ask } from "../ask.ts";
import { HELP, parseDeployOptions } from "../deploy-options.ts";
import { scheduledIn } from "../schedule.ts";

const DEPLOY = fileURLToPath(new URL("../deploy.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SOURCE_FILE = new URL("../../functions-source/verify-batch.js", import.meta.url);

const START = Date.UTC(2026, 2, 20, 8) / 1000;
const DON = "fun-local-1";
/** Which of the well-known accounts does what. */
const ACCOUNTS = {
  ...{ chainlink: 1, registrar: 2, operator: 3, guardian: 4, stranger: 5, deployer: 6, unlucky: 7, administrator: 8 },
};

const GAS_FILE = new URL("../../bench/gas.json", import.meta.url);
const YES = padHex("0x01", { size: 32 });

const NOBODY = padHex("0x1234", { size: 20 });
const KEY: Hex = `0x${"5a".repeat(32)}`;

type Environment = Record<string, string | undefined>;

/** What `npm run deploy -- ARGS` prints and ends with, without a terminal. */
async function run(args: string[], environment: Environment, onOutput?: (stdout: string, pid: number) => void) {
  const { WATTWITNESS_DEPLOYER_KEY: _, ...env } = process.env;
  const child = spawn(process.execPath, [DEPLOY, ...args], {
    ...{ cwd: ROOT, env: { ...env, ...environment } },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    onOutput?.(stdout, child.pid as number);
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, "close");
  return { code: code as number, stdout, stderr };
}

type Way = "pass" | "refuse" | "revert" | "silence" | { result: string };

/** A node that passes everything on to another, but answers the nth call of a method as `onCall` says, or never. */
async function nodeBefore(url: string, onCall: (nth: number) => Way, method = "eth_sendRawTransaction") {
  let called = 0;
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    const { id, method: asked } = JSON.parse(body.toString());
    const way = asked === method ? onCall(++called) : "pass";
    if (way === "silence") return;
    const said = { refuse: "the pool is full", revert: "execution reverted" };
    const answerOf = (told: Exclude<Way, "pass" | "silence">) =>
      typeof told === "object" ? told : { error: { code: -32000, message: said[told] } };
    const headers = { "content-type": "application/json" };
    response.writeHead(200, headers);
    const pass = async () => (await fetch(url, { method: "POST", headers, body })).text();
    response.end(way === "pass" ? await pass() : JSON.stringify({ jsonrpc: "2.0", id, ...answerOf(way) }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("npm run deploy", function () {
  this.timeout(120_000);

  let chain: LocalChain;
  let chainlink: Chainlink;
  let [folder, table] = ["", ""];

  before(async () => {
    chain = await startChain(0, START);
    chainlink = await deployChainlink(deployerOf(chain, ACCOUNTS.chainlink));
  });
  after(() => chain.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-deploy-"));
    table = join(folder, "networks.json");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const addressOf = (account: number): Hex => chain.wallet(account).account.address;
  const transactionsOf = (account: number) => chain.publicClient.getTransactionCount({ address: addressOf(account) });
  const keyOf = (account: number): Environment => ({ WATTWITNESS_DEPLOYER_KEY: chain.key(account) });
  const argsFor = (changed: Record<string, string> = {}): string[] => {
    const values = { network: "test-net", "rpc-url": chain.url, router: chainlink.router, "don-id": DON };
    return optionsOf({ ...values, "networks-file": table, ...changed });
  };
  const argsWithoutFunctions = (changed: Record<string, string> = {}): string[] => [
    ...optionsOf({ network: "test-net", "rpc-url": chain.url, "networks-file": table, ...changed }),
    "--without-functions",
  ];

  describe("refuses, in one sentence,", () => {
    const GOOD = ["--network", "base", "--rpc-url", "https://node.example/secret", "--router", NOBODY, "--don-id", DON];
    const refuses = (
      args: string[],
      sentence: RegExp,
      environment: Environment = { WATTWITNESS_DEPLOYER_KEY: KEY },
    ) => {
      const result = parseDeployOptions(args, environment);
      assert.ok(!result.ok);
      assert.match(result.problem, sentence);
      assert.ok(!result.problem.includes("\n"));
      assert.ok(!result.problem.includes(KEY.slice(2)), "the key is shown");
      assert.ok(!result.problem.includes("secret"), "the node's URL is shown");
    };

    it("an option that does not exist", () => refuses([...GOOD, "--force"], /--force.*--help/));

    it("what is no option", () => refuses([...GOOD, "now"], /now.*--help/));

    it("an option without its value", () => refuses([...GOOD, "--registrar"], /--registrar.*--help/));

    it("to go on without what it must be told, all of it", () => {
      refuses([], /^--network, --rpc-url, --router, --don-id are missing.*--help/);
      refuses(GOOD.slice(2), /^--network is missing/);
    });

    it("what goes with Functions where there is none", () => {
      const without = [...GOOD.slice(0, 4), "--without-functions"];
      refuses([...without, "--router", NOBODY], /^--router does not go with --without-functions/);
      refuses([...without, "--don-id", DON], /^--don-id does not go with --without-functions/);
      refuses(without.slice(2), /^--network is missing/);
    });

    it("contracts to check where something is deployed, and what is for deploying where it is not", () => {
      for (const name of ["registry", "watt-witness", "attestor"]) {
        refuses([...GOOD, `--${name}`, NOBODY], new RegExp(`^--${name} goes with --check only`));
      }
      const check = ["--check", ...GOOD.slice(2, 4), "--registry", NOBODY, "--watt-witness", NOBODY];
      refuses([...check, "--router", NOBODY], /^--router does not go with --check/);
      refuses([...check, "--yes"], /^--yes does not go with --check/);
      refuses(check.slice(0, 3), /^--registry, --watt-witness are missing/);
      for (const name of ["registry", "watt-witness", "attestor"]) {
        refuses([...check, `--${name}`, "0x12"], new RegExp(`^--${name} 0x12 is no address`));
      }
    });

    it("a network that the table could not name", () => {
      for (const name of ["Base", "8453", "a/b", "__proto__", ""]) {
        refuses([...GOOD, "--network", name], /^--network .*is no name/);
      }
    });

    it("a URL that is none", () => {
      for (const url of ["node.example/secret", "ws://node.example/secret", "http://"]) {
        refuses([...GOOD, "--rpc-url", url], /^--rpc-url is no URL/);
      }
    });

    it("an address that is none, or has a typing error", () => {
      for (const name of ["router", "predecessor", "administrator", "registrar", "operator", "guardian"]) {
        for (const address of ["0x12", "nobody.eth", "0x9a676e781A523b5d0C0e43731313A708CB607508"]) {
          refuses([...GOOD, `--${name}`, address], new RegExp(`^--${name} ${address} is no address`));
        }
      }
    });

    it("a DON id that does not fit", () => {
      for (const id of ["", "f".repeat(32), "fün-local-1", "fun local", "0x1234", `0x${"zz".repeat(32)}`]) {
        refuses([...GOOD, "--don-id", id], /^--don-id .*must be 1 to 31 ASCII characters, or 0x and 32 bytes/);
      }
    });

    it("a time that is none", () => {
      for (const time of ["soon", "", "1.5", "-1", "1e3", String(NEVER), "99999999999"]) {
        refuses([...GOOD, `--unattested-after=${time}`], /^--unattested-after .*must be seconds, never or always/);
      }
    });

    it("a capacity that is none, or that no meter can have", () => {
      for (const capacity of ["", "0", "-1", "1e3", "5kW", "4294967296", "99999999999"]) {
        refuses([...GOOD, `--capacity-ceiling=${capacity}`], /^--capacity-ceiling .*must be W, from 1 to 4294967295/);
      }
    });

    it("to go on without a key", () => {
      for (const key of [undefined, ""]) {
        refuses(GOOD, /^WATTWITNESS_DEPLOYER_KEY is missing/, { WATTWITNESS_DEPLOYER_KEY: key });
      }
    });

    it("a key that is none, without showing it", () => {
      for (const key of [KEY.slice(2), `${KEY}5a`, KEY.slice(0, -1), `0x${"00".repeat(32)}`, `0x${"ff".repeat(32)}`]) {
        refuses(GOOD, /^WATTWITNESS_DEPLOYER_KEY is no private key/, { WATTWITNESS_DEPLOYER_KEY: key });
      }
    });

    it("a key on the command line, without showing it", () => {
      refuses([...GOOD, KEY], /Unexpected argument/);
      refuses([...GOOD, "--operator", KEY], /^--operator … is no address/);
    });
  });

  it("tells its options", async () => {
    const { code, stdout } = await run(["--help"], {});
    assert.deepEqual([code, stdout.trimEnd()], [0, HELP]);
  });

  it("understands its options", () => {
    const args = ["--network", "base", "--rpc-url", "http://node", "--router", NOBODY, "--don-id", "fun-base-1"];
    const understood = (more: string[] = []) => {
      const result = parseDeployOptions([...args, ...more], { WATTWITNESS_DEPLOYER_KEY: KEY });
      assert.ok(result.ok && result.options !== "help" && !("check" in result.options));
      return result.options;
    };
    assert.deepEqual(understood(), {
      ...{ network: "base", rpcUrl: "http://node" },
      functions: { router: NOBODY, donId: stringToHex("fun-base-1", { size: 32 }) },
      ...{ roles: [], unattestedAfter: THIRTY_DAYS, networksFile: NETWORKS_FILE, yes: false, key: KEY },
      ...{ capacityCeiling: CAPACITY_CEILING, predecessor: undefined, keepOpen: false },
    });
    const more = understood(["--capacity-ceiling", "4294967295", "--predecessor", NOBODY.toLowerCase(), "--keep-open"]);
    assert.deepEqual([more.capacityCeiling, more.predecessor, more.keepOpen], [0xffff_ffff, NOBODY, true]);
    const donId = `0x${"ab".repeat(32)}`;
    assert.equal(understood(["--don-id", donId]).functions?.donId, donId);
    const without = parseDeployOptions([...args.slice(0, 4), "--without-functions"], { WATTWITNESS_DEPLOYER_KEY: KEY });
    assert.deepEqual(without, { ok: true, options: { ...understood(), functions: undefined } });
    const checked = ["--check", "--rpc-url", "http://node", "--registry", NOBODY, "--watt-witness", NOBODY];
    const check = { registry: NOBODY, wattWitness: NOBODY, attestor: undefined };
    assert.deepEqual(parseDeployOptions(checked, {}), { ok: true, options: { rpcUrl: "http://node", check } });
    assert.deepEqual(parseDeployOptions([...checked, "--attestor", NOBODY.toLowerCase()], {}), {
      ok: true,
      options: { rpcUrl: "http://node", check: { ...check, attestor: NOBODY } },
    });
    const times = { never: NEVER, always: 0, "0": 0, "86400": 86_400 };
    for (const [text, time] of Object.entries(times)) {
      assert.equal(understood(["--unattested-after", text]).unattestedAfter, time);
    }
    assert.deepEqual(understood(["--guardian", NOBODY, "--registrar", NOBODY, "--yes"]).roles, [
      { role: "registrar", account: NOBODY },
      { role: "guardian", account: NOBODY },
    ]);
  });

  it("deploys for a yes, and for nothing else", async () => {
    const answers = { "y\n": true, " YES \n": true, "\n": false, "n\n": false, "yellow\n": false, y: false, "": false };
    for (const [typed, yes] of Object.entries(answers)) {
      const input = new PassThrough();
      const asked = ask("Deploy? [y/N] ", input, new PassThrough());
      input.end(typed);
      assert.equal(await asked, yes, JSON.stringify(typed));
    }
  });

  describe("says in one sentence, ends with 1, and sends nothing,", () => {
    const refuses = async (
      args: string[],
      sentence: RegExp,
      environment: Environment = keyOf(ACCOUNTS.unlucky),
    ): Promise<string> => {
      const { code, stdout, stderr } = await run(args, environment);
      assert.equal(code, 1, stdout);
      assert.match(stderr, sentence);
      assert.equal(stderr.trim().split("\n").length, 1, stderr);
      assert.equal(await transactionsOf(ACCOUNTS.unlucky), 0);
      return stdout;
    };

    it("that an option does not exist", () => refuses(["--force"], /--force.*--help/));

    it("that the table is broken", async () => {
      await writeFile(table, '{"base":');
      await refuses(argsFor(), /networks\.json is no JSON/);
      assert.equal(await readFile(table, "utf8"), '{"base":');
    });

    it("that the network is in the table already", async () => {
      writeNetwork(table, "test-net", tableEntry(1));
      await refuses(argsFor(), /^test-net is in .*networks\.json already/);
      assert.deepEqual(readNetworks(table).get("test-net"), tableEntry(1));
    });

    it("that the table has no folder", () =>
      refuses(argsFor({ "networks-file": join(folder, "none", "networks.json") }), /networks\.json cannot be written/));

    it("that nobody answers", async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      await refuses(argsFor({ "rpc-url": `http://127.0.0.1:${port}/` }), /^The node at --rpc-url does not answer/);
    });

    it("that the deployer has nothing to pay with", async () => {
      const key = generatePrivateKey();
      const sentence = new RegExp(`^The deployer ${privateKeyToAddress(key)} has nothing to pay with on chain 31337`);
      await refuses(argsFor(), sentence, { WATTWITNESS_DEPLOYER_KEY: key });
    });

    it("that there is no contract at the router's address", () =>
      refuses(argsFor({ router: NOBODY }), new RegExp(`^--router ${NOBODY} has no code`)));

    it("that the contract there is no router", () =>
      refuses(argsFor({ router: chainlink.link }), /^--router .* or is no router of Chainlink Functions/));

    it("that the router does not know the DON", () =>
      refuses(argsFor({ "don-id": "fun-elsewhere-1" }), /^--router .* knows no DON fun-elsewhere-1/));

    it("that there is no contract at the predecessor's address", () =>
      refuses(argsFor({ predecessor: NOBODY }), new RegExp(`^--predecessor ${NOBODY} has no code`)));

    it("that the contract there is no registry", () =>
      refuses(argsFor({ predecessor: chainlink.link }), /^--predecessor .* is no MeterRegistry/));

    it("that it cannot ask, where there is no terminal; but what it would do", async () => {
      const stdout = await refuses(argsFor({ registrar: NOBODY }), /^There is no terminal to ask on.*--yes/);
      const told = [
        ...["test-net, chain 31337", addressOf(ACCOUNTS.unlucky), "has 10000 of", DON, `registrar      ${NOBODY}`],
        ...[`${THIRTY_DAYS} s old`, "operator       nobody yet", "FunctionsAttestor", "networks.json"],
        ...["Authority, MeterDescriptor", "Lens", `${CAPACITY_CEILING} W at most`, "predecessor    none"],
        ...["signatures     verified by the chain at 0x100: settling a day of a meter takes some", " gas"],
        ...["setting up     ends: whatever role is granted later begins after 5 days"],
      ];
      for (const part of told) assert.ok(stdout.includes(part), `${part} is not in\n${stdout}`);
      assert.doesNotMatch(stdout, /No administrator/);
    });

    it("that without administrator and registrar there are none for five days, unless the setting up stays open", async () => {
      const bare = /^No administrator but the deployer is named, and no registrar: .* 5 days ahead\.$/m;
      assert.match(await refuses(argsFor(), /--yes/), bare);
      for (const more of [["--keep-open"], ["--administrator", NOBODY]]) {
        assert.doesNotMatch(await refuses([...argsFor(), ...more], /--yes/), bare);
      }
    });
  });

  describe("leaves the table alone, and says what there is by then,", () => {
    const NAMES = ["Authority", "MeterDescriptor", "MeterRegistry", "WattWitness"];
    const deployedBy = async (stderr: string): Promise<string[]> => {
      const listed = [...stderr.matchAll(/^ {2}(\w+) +(0x[0-9a-fA-F]{40})$/gm)] as unknown as [string, string, Hex][];
      for (const [, name, address] of listed) assert.ok(await chain.publicClient.getCode({ address }), name);
      assert.deepEqual(await readdir(folder), []);
      return listed.map(([, name]) => name);
    };

    it("where the node takes a transaction no more", async () => {
      const node = await nodeBefore(chain.url, (nth) => (nth <= NAMES.length ? "pass" : "refuse"));
      const { code, stderr } = await run(
        [...argsFor({ "rpc-url": node.url }), "--yes"],
        keyOf(ACCOUNTS.unlucky),
      ).finally(node.close);
      assert.equal(code, 1);
      assert.match(stderr, /^The deployment failed: /);
      assert.deepEqual(await deployedBy(stderr), NAMES);
    });

    it("at Ctrl-C", async () => {
      // the next transaction is under way for ever, so that Ctrl-C always comes before the end
      const node = await nodeBefore(chain.url, (nth) => (nth <= NAMES.length ? "pass" : "silence"));
      const args = [...argsFor({ "rpc-url": node.url }), "--yes"];
      let interrupted = false;
      const { code, stderr } = await run(args, keyOf(ACCOUNTS.unlucky), (stdout, pid) => {
        if (interrupted || !stdout.includes("WattWitness is at")) return;
        interrupted = true;
        process.kill(pid, "SIGINT");
      }).finally(node.close);
      assert.equal(code, 130);
      assert.deepEqual(await deployedBy(stderr), NAMES);
    });
  });

  describe("deploys", () => {
    let output = "";
    let network: Required<Network>;
    let predecessor: Hex;
    let deployment: string;

    before(async () => {
      deployment = await mkdtemp(join(tmpdir(), "wattwitness-deployed-"));
      const file = join(deployment, "networks.json");
      writeNetwork(file, "zora", tableEntry(1));
      const { administrator, registrar, operator, guardian } = ACCOUNTS;
      const roles = { administrator, registrar, operator, guardian };
      const accounts = Object.fromEntries(Object.entries(roles).map(([role, account]) => [role, addressOf(account)]));
      const earlier = deployerOf(chain, ACCOUNTS.stranger);
      ({ registry: predecessor } = await deployWattWitness(earlier, { unattestedAfter: NEVER }));
      const terms = { "unattested-after": "86400", "capacity-ceiling": "5000", predecessor };
      const options = { ...accounts, ...terms, "networks-file": file };
      const { code, stdout, stderr } = await run([...argsFor(options), "--yes"], keyOf(ACCOUNTS.deployer));
      assert.deepEqual([code, stderr], [0, ""]);
      output = stdout;
      const networks = readNetworks(file);
      assert.deepEqual([...networks.keys()], ["zora", "test-net"]);
      assert.deepEqual(networks.get("zora"), tableEntry(1));
      assert.deepEqual(await readdir(deployment), ["networks.json"]);
      network = networks.get("test-net") as Required<Network>;
    });
    after(() => rm(deployment, { recursive: true, force: true }));

    const onRegistry = () => ({ address: network.MeterRegistry.address, abi: meterRegistryAbi }) as const;
    const onWattWitness = () => ({ address: network.WattWitness.address, abi: wattWitnessAbi }) as const;
    const onAttestor = () => ({ address: network.FunctionsAttestor.address, abi: functionsAttestorAbi }) as const;
    const { read, hasRole, setupOf } = readers(() => chain, onRegistry);

    it("four contracts that tell something, in the table with the block of the first", async () => {
      const { address, startBlock } = network.MeterRegistry;
      for (const [name, source] of Object.entries(network)) {
        assert.ok(await chain.publicClient.getCode({ address: source.address }), name);
        assert.equal(source.startBlock, startBlock);
      }
      const before = BigInt(startBlock - 1);
      assert.equal(await chain.publicClient.getCode({ address, blockNumber: before }), undefined);
    });

    it("them for each other: registry and WattWitness, WattWitness and its token, the attestor and both", async () => {
      assert.equal(await read(onRegistry(), "wattWitness"), network.WattWitness.address);
      assert.equal(await read(onWattWitness(), "registry"), network.MeterRegistry.address);
      assert.equal(await read(onWattWitness(), "token"), network.ProductionToken.address);
      assert.equal(await read(onAttestor(), "wattWitness"), network.WattWitness.address);
    });

    it("them with what they were told for good", async () => {
      assert.equal(await read(onWattWitness(), "unattestedAfter"), 86_400);
      assert.equal(await read(onRegistry(), "capacityCeiling"), 5000);
      assert.equal(getAddress((await read(onRegistry(), "predecessor")) as Hex), getAddress(predecessor));
    });

    it("an attestor for this DON and the source of this version, with its role", async () => {
      assert.equal(await read(onAttestor(), "donId"), chainlink.donId);
      assert.equal(await read(onAttestor(), "sourceHash"), keccak256(textToHex(await readFile(SOURCE_FILE, "utf8"))));
      assert.equal(await hasRole(ROLES.attestor, network.FunctionsAttestor.address), true);
    });

    it("with everybody in the role that was named, and the deployer as an administrator", async () => {
      for (const role of ["registrar", "operator", "guardian"] as const) {
        assert.equal(await hasRole(ROLES[role], addressOf(ACCOUNTS[role])), true, role);
        assert.equal(await hasRole(ROLES[role], addressOf(ACCOUNTS.deployer)), false, role);
      }
      for (const administrator of [ACCOUNTS.administrator, ACCOUNTS.deployer]) {
        assert.equal(await hasRole(ROLES.administrator, addressOf(administrator)), true);
      }
    });

    it("so that whatever role is granted from now on begins after five days", async () => {
      const { authority, closedAt } = await setupOf();
      assert.ok(closedAt > 0);
      assert.equal(await read(authority, "getRoleGrantDelay", ROLES.registrar), NOTICE);
    });

    it("so that the guardian can pause registry and attestor, and nobody else", async () => {
      for (const contract of [onRegistry(), onAttestor()]) {
        const pause = { ...contract, abi: contract.abi as Abi, functionName: "pause" } as const;
        await chain.publicClient.simulateContract({ ...pause, account: addressOf(ACCOUNTS.guardian) });
        const byAnother = chain.publicClient.simulateContract({ ...pause, account: addressOf(ACCOUNTS.registrar) });
        await assert.rejects(byAnother, /reverted/);
      }
    });

    it("so that the registrar can register a meter, and the first event is none too early for the table", async () => {
      const { args, keyId } = registrationOn(network.MeterRegistry.address, await chain.time());
      const register = { ...onRegistry(), functionName: "register", args } as const;
      const byAnother = { ...register, account: addressOf(ACCOUNTS.stranger) };
      await assert.rejects(chain.publicClient.simulateContract(byAnother), /reverted/);
      const wallet = chain.wallet(ACCOUNTS.registrar);
      const hash = await wallet.writeContract({ ...register, chain: wallet.chain });
      const { status, blockNumber } = await chain.publicClient.waitForTransactionReceipt({ hash });
      assert.equal(status, "success");
      assert.equal(await read(onRegistry(), "meterOfKey", keyId), keyId);

      const address = Object.values(network).map((source) => source.address);
      const logs = await chain.publicClient.getLogs({ address, fromBlock: 0n });
      assert.ok(logs.some((log) => log.blockNumber === blockNumber));
      for (const log of logs) assert.ok(log.blockNumber >= BigInt(network.MeterRegistry.startBlock));
    });

    it("and says what comes next, without the key", () => {
      const { MeterRegistry, WattWitness, FunctionsAttestor } = network;
      const told = [
        `WATTWITNESS_REGISTRY=${MeterRegistry.address}`,
        `WATTWITNESS_WATTWITNESS=${WattWitness.address}`,
        `WATTWITNESS_ATTESTOR=${FunctionsAttestor.address}`,
        `WATTWITNESS_FROM_BLOCK=${MeterRegistry.startBlock}`,
        "npm run subgraph:build -- --network test-net",
        "The setting up is over: whatever role is granted from now on begins after 5 days.",
        "In the Authority nothing is scheduled.",
        `The predecessor's administrator grants the registrar's role there to ${MeterRegistry.address}`,
      ];
      for (const part of told) assert.ok(output.includes(part), `${part} is not in\n${output}`);
      assert.ok(!output.includes(chain.key(ACCOUNTS.deployer).slice(2)), "the key is shown");
      assert.ok(!output.includes(chain.url), "the node's URL is shown");
      for (const name of ["Authority", "MeterDescriptor", "MeterRegistry", "Lens"]) {
        assert.match(output, new RegExp(`^  ${name} +0x[0-9a-fA-F]{40}$`, "m"));
      }
    });
  });

  it("says what settling costs on a chain without 0x100, as it was measured", async () => {
    const { default: hre } = await import("hardhat");
    const server = await hre.network.createServer("prague", "127.0.0.1", 0);
    const { port } = await server.listen();
    const gas = JSON.parse(await readFile(GAS_FILE, "utf8"));
    const { stdout } = await run(
      argsWithoutFunctions({ "rpc-url": `http://127.0.0.1:${port}` }),
      keyOf(ACCOUNTS.unlucky),
    ).finally(() => server.close());
    const [cheap, dear] = [gas.settle_1x8640, gas.without_precompile.settle_1x8640].map((n) => n.toLocaleString("en"));
    assert.ok(dear.length > 0 && cheap !== dear);
    assert.ok(stdout.includes(`not verified by this chain at 0x100, so in Solidity: settling`), stdout);
    assert.ok(stdout.includes(`some ${dear} gas, not ${cheap}`), stdout);
  });

  it("deploys nothing where 0x100 is something else", async () => {
    const ways: Way[] = [{ result: YES }, { result: "0x01" }, { result: padHex("0x02", { size: 32 }) }, "revert"];
    for (const way of ways) {
      const node = await nodeBefore(chain.url, () => way, "eth_call");
      const { code, stdout, stderr } = await run(
        [...argsWithoutFunctions({ "rpc-url": node.url }), "--yes"],
        keyOf(ACCOUNTS.unlucky),
      ).finally(node.close);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, /^0x100 of this chain accepts a bad P-256 signature, or reverts: [^\n]+\n$/);
    }
  });

  it("deploys without Chainlink, and says what comes next then", async () => {
    const args = [...argsWithoutFunctions({ "unattested-after": "always" }), "--yes"];
    const { code, stdout, stderr } = await run(args, keyOf(ACCOUNTS.deployer));
    assert.deepEqual([code, stderr], [0, ""]);
    const { WattWitness, ...others } = readNetworks(table).get("test-net") as Network;
    assert.deepEqual(Object.keys(others), ["MeterRegistry", "ProductionToken"]);
    assert.match(stdout, /^ {2}DON +none, and no attestor yet$/m);
    assert.match(stdout, /WATTWITNESS_OPERATOR_KEY=…/);
    assert.doesNotMatch(stdout, /FunctionsAttestor|WATTWITNESS_ATTESTOR|SUBSCRIPTION|PUBLIC_URLS|LINK/);
    const check = { "rpc-url": chain.url, registry: others.MeterRegistry.address, "watt-witness": WattWitness.address };
    const checked = await run(["--check", ...optionsOf(check)], {});
    assert.deepEqual([checked.code, checked.stderr], [0, ""]);
    assert.match(checked.stdout, /^They belong together: /);
  });

  describe("tells of contracts that do not belong together, in one sentence,", () => {
    type Deployed = { registry: Hex; wattWitness: Hex; attestor: Hex };
    let one: Deployed;
    let other: Deployed;
    let withoutRole: Hex;

    before(async () => {
      const deployer = deployerOf(chain, ACCOUNTS.stranger);
      const source = await readFile(SOURCE_FILE, "utf8");
      const anew = async () => {
        const deployment = await deployWattWitness(deployer, { unattestedAfter: NEVER });
        const attestor = await deployFunctionsAttestor(deployer, deployment, { ...chainlink, source });
        return { ...deployment, attestor };
      };
      const deployment = await anew();
      one = deployment;
      other = await anew();
      const args = [deployment.authority, chainlink.router, deployment.wattWitness, chainlink.donId, source];
      withoutRole = await deploy(deployer, "FunctionsAttestor", args);
    });

    const check = async ({ registry, wattWitness, attestor }: Partial<Deployed>) => {
      const contracts = { registry: registry ?? one.registry, "watt-witness": wattWitness ?? one.wattWitness };
      const args = optionsOf({ "rpc-url": chain.url, ...contracts, ...(attestor && { attestor }) });
      return run(["--check", ...args], {});
    };
    const refuses = async (contracts: Partial<Deployed>, sentence: RegExp) => {
      const { code, stdout, stderr } = await check(contracts);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, sentence);
      assert.equal(stderr.trim().split("\n").length, 1, stderr);
    };

    it("where there is none", async () => {
      for (const name of ["registry", "wattWitness", "attestor"]) {
        await refuses({ [name]: NOBODY }, new RegExp(`^There is no contract at ${NOBODY}`));
      }
    });

    it("where one is another kind of contract", async () => {
      await refuses({ registry: chainlink.link }, /is no MeterRegistry\.$/m);
      await refuses({ wattWitness: chainlink.link }, /is no WattWitness\.$/m);
      await refuses({ attestor: chainlink.link }, /is no FunctionsAttestor\.$/m);
    });

    it("where they are of two deployments", async () => {
      await refuses({ wattWitness: other.wattWitness }, /^The WattWitness .* is of another registry: /);
      await refuses({ registry: other.registry }, /^The WattWitness .* is of another registry: /);
      await refuses({ attestor: other.attestor }, /^The attestor .* attests to another WattWitness: /);
    });

    it("where the registry names another WattWitness than one that says it is its", async () => {
      const { setupOf } = readers(
        () => chain,
        () => ({ address: one.registry, abi: meterRegistryAbi }),
      );
      const { authority } = await setupOf();
      const args = [authority.address, one.registry, NEVER];
      const impostor = await deploy(deployerOf(chain, ACCOUNTS.stranger), "WattWitness", args);
      await refuses({ wattWitness: impostor }, /^The registry .* names another WattWitness: /);
    });

    it("where the attestor does not have its role", () =>
      refuses({ attestor: withoutRole }, /^The attestor .* does not have the attestor's role in 0x/));

    it("and nothing of those that do", async () => {
      for (const contracts of [{}, { attestor: one.attestor }]) {
        const { code, stderr } = await check(contracts);
        assert.deepEqual([code, stderr], [0, ""]);
      }
    });
  });

  it("tells what is scheduled in an Authority, as long as it is", async () => {
    const admin = deployerOf(chain, ACCOUNTS.stranger);
    const { authority, registry, fromBlock } = await deployWattWitness(admin, { unattestedAfter: NEVER });
    await closeSetup(admin, authority);
    const { abi } = await chain.artifact("Authority");
    const [target, { account }] = [authority, admin.wallet];
    const onAuthority = { address: authority, abi, chain: admin.wallet.chain, account } as const;
    const announced = async () => {
      const operations = await scheduledIn(chain.publicClient, authority, fromBlock);
      return operations.map(({ data }) => data);
    };
    assert.deepEqual(await announced(), []);
    const closing = [true, false].map((closed) =>
      encodeFunctionData({ abi, functionName: "setTargetClosed", args: [registry, closed] }),
    ) as [Hex, Hex];
    for (const data of closing) {
      await admin.wallet.writeContract({ ...onAuthority, functionName: "schedule", args: [target, data, 0] });
    }
    assert.deepEqual(await announced(), closing);
    await admin.wallet.writeContract({
      ...{ ...onAuthority, functionName: "cancel", args: [account.address, target, closing[0]] },
    });
    assert.deepEqual(await announced(), [closing[1]]);
    await chain.mineAt((await chain.time()) + NOTICE + 1);
    await admin.wallet.writeContract({ ...onAuthority, functionName: "execute", args: [target, closing[1]] });
    assert.deepEqual(await announced(), []);
  });

  it("keeps what it deployed in the table where the node does not tell what is scheduled, and says so", async () => {
    const node = await nodeBefore(chain.url, () => "refuse", "eth_getLogs");
    const args = [...argsFor({ "rpc-url": node.url }), "--yes"];
    const { code, stdout, stderr } = await run(args, keyOf(ACCOUNTS.deployer)).finally(node.close);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^What is scheduled in the Authority, the node does not tell \(.+\)\.$/m);
    assert.doesNotMatch(stdout, /nothing is scheduled/);
    assert.deepEqual([...readNetworks(table).keys()], ["test-net"]);
  });

  it("leaves the setting up open when it is told to, and says what that means", async () => {
    const { code, stdout } = await run([...argsFor(), "--keep-open", "--yes"], keyOf(ACCOUNTS.deployer));
    assert.equal(code, 0);
    assert.match(stdout, /^The setting up is open: until close is called on the Authority no delay holds/m);
    assert.doesNotMatch(stdout, /The setting up is over/);
    const { MeterRegistry } = readNetworks(table).get("test-net") as Network;
    const onRegistry = () => ({ address: MeterRegistry.address, abi: meterRegistryAbi }) as const;
    assert.equal((await readers(() => chain, onRegistry).setupOf()).closedAt, 0);
  });
});

const optionsOf = (values: Record<string, string>): string[] =>
  Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);

const tableEntry = (startBlock: number): Network => {
  const source = { address: "0x9A676e781A523b5d0C0e43731313A708CB607508", startBlock } as const;
  return { MeterRegistry: source, WattWitness: source, ProductionToken: source, FunctionsAttestor: source };
};

/** Views of the contracts, and who has which role. */
function readers(chain: () => LocalChain, onRegistry: () => { address: Hex; abi: Abi | readonly unknown[] }) {
  const read = (
    contract: { address: Hex; abi: Abi | readonly unknown[] },
    functionName: string,
    ...args: unknown[]
  ): Promise<unknown> =>
    chain().publicClient.readContract({ ...contract, abi: contract.abi as Abi, functionName, args });
  const onAuthority = async () => {
    const { abi } = await chain().artifact("Authority");
    return { address: (await read(onRegistry(), "authority")) as Hex, abi };
  };
  return {
    read,
    async hasRole(role: bigint, account: Hex): Promise<unknown> {
      const [isMember] = (await read(await onAuthority(), "hasRole", role, account)) as [boolean, number];
      return isMember;
    },
    async setupOf() {
      const authority = await onAuthority();
      return { authority, closedAt: (await read(authority, "closedAt")) as number };
    },
  };
}

/** What the registrar sends to register a meter with one reading, at this time (s). */
function registrationOn(registry: Hex, time: number) {
  const [interval, capacity, source] = [10, 5000, 0x10];
  const device = createDevice({
    ...{ privateKey: new Uint8Array(32).fill(9), epoch: 1, interval, source },
    place: { chainId: 31337, registry },
  });
  createMeter({ device, powerAt: () => 1_000_000n, start: time }).advance(time + interval);
  const { publicKey, claim, baseline, ...terms } = device.registration({
    ...{ owner: NOBODY, capacity, details: new Uint8Array(32) },
  });
  const registration = {
    ...terms,
    key: publicKeyParts(fromHex(publicKey)),
    baseline: { ...baseline, size: BigInt(baseline.size) },
    claim: signatureParts(fromHex(claim)),
  };
  return { args: [registration] as const, keyId: textToHex(device.keyId) };
}
