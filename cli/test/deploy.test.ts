import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Abi, encodeFunctionData, getAddress, type Hex, keccak256, padHex, toHex as textToHex } from "viem";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { functionsAttestorAbi, meterRegistryAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import {
  CAPACITY_CEILING,
  closeSetup,
  deployWattWitness,
  FACTORY,
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
import { type Network, readNetworks, writeNetwork } from "../../subgraph/networks.ts";
import { scheduledIn } from "../commands/deploy/schedule.ts";
import { MAIN } from "./support.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SOURCE_FILE = new URL("../../functions-source/verify-batch.js", import.meta.url);

const START = Date.UTC(2026, 2, 20, 8) / 1000;
const DON = "fun-local-1";
/** Which of the well-known accounts does what. */
const ACCOUNTS = {
  ...{
    chainlink: 1,
    registrar: 2,
    operator: 3,
    guardian: 4,
    stranger: 5,
    deployer: 6,
    unlucky: 7,
    administrator: 8,
    careless: 9,
  },
};

/** Transactions of a deployment without Functions, and without roles. */
const STEPS = 10;

const GAS_FILE = new URL("../../bench/gas.json", import.meta.url);
const YES = padHex("0x01", { size: 32 });

/** The factory's, as it is on public chains. */
const FACTORY_CODE =
  "0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3";

const NOBODY = padHex("0x1234", { size: 20 });
const KEY: Hex = `0x${"5a".repeat(32)}`;

type Environment = Record<string, string | undefined>;

/** What `wattwitness deploy ARGS` says and ends with, without a terminal; `onSaid` is told of what it said so far. */
async function run(args: string[], environment: Environment, onSaid?: (stderr: string, pid: number) => void) {
  const child = spawn(process.execPath, [MAIN, "deploy", ...args], {
    ...{ cwd: ROOT, env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...environment } },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
    onSaid?.(stderr, child.pid as number);
  });
  const [code] = await once(child, "close");
  return { code: code as number, stdout, stderr };
}

type Way = "pass" | "refuse" | "revert" | "silence" | "lose" | { result: string };

/** A node that passes everything on to another, but answers the nth call of a method as `onCall` says, or never. */
async function nodeBefore(url: string, onCall: (nth: number) => Way, method = "eth_sendRawTransaction") {
  let called = 0;
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    const { id, method: asked } = JSON.parse(body.toString());
    const way = asked === method ? onCall(++called) : "pass";
    if (way === "silence") return;
    const said = { refuse: "the pool is full", revert: "execution reverted", lose: "the answer was lost" };
    const answerOf = (told: Exclude<Way, "pass" | "silence">) =>
      typeof told === "object" ? told : { error: { code: -32000, message: said[told] } };
    const headers = { "content-type": "application/json" };
    response.writeHead(200, headers);
    const pass = async () => (await fetch(url, { method: "POST", headers, body })).text();
    if (way === "lose") await pass();
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

describe("wattwitness deploy", function () {
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
  const keyOf = (account: number): Environment => ({ WATTWITNESS_KEY: chain.key(account) });
  const argsFor = (changed: Record<string, string> = {}): string[] => {
    const values = { network: "test-net", "rpc-url": chain.url, router: chainlink.router, "don-id": DON };
    return optionsOf({ ...values, "networks-file": table, journal: join(folder, "journal"), ...changed });
  };
  const argsWithoutFunctions = (changed: Record<string, string> = {}): string[] => [
    ...optionsOf({ network: "test-net", "rpc-url": chain.url, "networks-file": table }),
    ...["--without-functions", ...optionsOf({ journal: join(folder, "journal"), ...changed })],
  ];

  describe("refuses what is written wrongly, with 2,", () => {
    const GOOD = ["--network", "base", "--rpc-url", "http://127.0.0.1:1/secret"];
    const refuses = async (args: string[], sentence: RegExp) => {
      const { code, stdout, stderr } = await run(args, { WATTWITNESS_KEY: KEY });
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, sentence);
      assert.ok(!stderr.includes(KEY.slice(2)), "the key is shown");
      assert.ok(!stderr.includes("secret"), "the node's URL is shown");
    };

    it("an option that does not exist", () => refuses([...GOOD, "--force"], /--force/));

    it("what is no option", () => refuses([...GOOD, "now"], /too many arguments/));

    it("to go on without a name for the network", () => refuses(GOOD.slice(2), /--network/));

    it("to go on without a DON, unless it is told that there is none", async () => {
      for (const more of [[], ["--router", NOBODY], ["--don-id", DON]]) {
        await refuses([...GOOD, ...more], /^Which DON\? --router 0x… and --don-id ID, or --without-functions/);
      }
    });

    it("what goes with a DON where there is none", () =>
      refuses([...GOOD, "--without-functions", "--don-id", DON], /do not go with --without-functions/));

    for (const [what, option, values, sentence] of [
      ["a network that the table could not name", "network", ["Base", "8453", "a/b", "__proto__"], /It is no name/],
      ["an address that is none", "router", ["0x12", "nobody.eth"], /It is no address/],
      [
        "an address with a typing error",
        "operator",
        ["0x9a676e781A523b5d0C0e43731313A708CB607508"],
        /It is no address, or has a typing error/,
      ],
      ["a key for an address, without showing it", "guardian", [KEY], /It is no address/],
      [
        "a DON id that does not fit",
        "don-id",
        ["f".repeat(32), "fün-local-1", "fun local", "0x1234", `0x${"zz".repeat(32)}`],
        /It must be 1 to 31 ASCII characters, or 0x and 32 bytes/,
      ],
      ["a time that is none", "unattested-after", ["soon", "1.5", "-1", String(NEVER)], /It must be seconds, never or/],
      ["a capacity that no meter can have", "capacity-ceiling", ["0", "5kW", "4294967296"], /It is no power in W/],
    ] as const) {
      it(what, async () => {
        for (const value of values) await refuses([...GOOD, `--${option}=${value}`], sentence);
      });
    }
  });

  describe("says in one sentence, ends with 1, and sends nothing,", () => {
    const refuses = async (
      args: string[],
      sentence: RegExp,
      environment: Environment = keyOf(ACCOUNTS.unlucky),
    ): Promise<string> => {
      const { code, stdout, stderr } = await run(args, environment);
      assert.deepEqual([code, stdout], [1, ""], stderr);
      const lines = stderr.trim().split("\n");
      assert.match(lines.pop() as string, sentence);
      assert.ok(lines.length === 0 || /^WattWitness on test-net, chain 31337:$/.test(lines[0] as string), stderr);
      assert.equal(await transactionsOf(ACCOUNTS.unlucky), 0);
      assert.equal(existsSync(join(folder, "journal")), false);
      return stderr;
    };

    it("that nobody said whose account sends", () => refuses(argsFor(), /^Whose account sends it\?/, {}));

    it("that the journal is of another deployment", async () => {
      const journal = join(folder, "other");
      await writeFile(journal, `${JSON.stringify({ network: "moon", chainId: 1, deployer: NOBODY })}\n`);
      await refuses(argsFor({ journal }), /other is of another deployment, .*moon.*: go on with that one, or name/);
    });

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
      await refuses(argsFor(), sentence, { WATTWITNESS_KEY: key });
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
      const said = await refuses(argsFor({ registrar: NOBODY }), /^There is no terminal to ask on.*--yes/);
      const told = [
        ...["test-net, chain 31337", addressOf(ACCOUNTS.unlucky), "has 10000 of", DON, `registrar      ${NOBODY}`],
        ...[`${THIRTY_DAYS} s old`, "operator       nobody yet", "FunctionsAttestor", "networks.json"],
        ...["Authority, MeterDescriptor", "Lens", `${CAPACITY_CEILING} W at most`, "predecessor    none"],
        ...["signatures     verified by the chain at 0x100: settling a day of a meter takes some", " gas"],
        ...["setting up     ends: whatever role is granted later begins after 5 days"],
      ];
      for (const part of told) assert.ok(said.includes(part), `${part} is not in\n${said}`);
      assert.doesNotMatch(said, /No administrator/);
    });

    it("that without administrator and registrar there are none for five days, unless the setting up stays open", async () => {
      const bare = /^No administrator but the deployer is named, and no registrar: .* 5 days ahead\.$/m;
      assert.match(await refuses(argsFor(), /--yes/), bare);
      for (const more of [["--keep-open"], ["--administrator", NOBODY]]) {
        assert.doesNotMatch(await refuses([...argsFor(), ...more], /--yes/), bare);
      }
    });
  });

  describe("goes on where it broke off, and deploys nothing twice,", () => {
    const NAMES = ["Authority", "MeterDescriptor", "MeterRegistry", "WattWitness"];
    const addressesIn = (stderr: string): string[] =>
      [...stderr.matchAll(/ (\w+) is at (0x[0-9a-fA-F]{40})$/gm)].map(([, name, address]) => `${name} ${address}`);

    /** `others`: transactions that its account sends between the two. */
    type Interlude = {
      onSaid?: (stderr: string, pid: number) => void;
      between?: () => Promise<void>;
      others?: number;
    };

    /** Deploys by a node that does not pass the fifth transaction on, or its answer back; then by one that does. */
    async function goesOn(
      way: Way,
      { onSaid, between, others = 0 }: Interlude = {},
    ): Promise<{ code: number; first: string; second: string }> {
      const before = await transactionsOf(ACCOUNTS.careless);
      const node = await nodeBefore(chain.url, (nth) => (nth <= NAMES.length ? "pass" : way));
      const all = [...argsWithoutFunctions(), "--yes"];
      const first = await run(
        all.map((arg) => (arg === chain.url ? node.url : arg)),
        keyOf(ACCOUNTS.careless),
        onSaid,
      ).finally(node.close);
      assert.deepEqual(await readdir(folder), ["journal"]);
      assert.deepEqual(
        addressesIn(first.stderr).map((line) => line.split(" ")[0]),
        NAMES,
      );
      await between?.();
      const second = await run(all, keyOf(ACCOUNTS.careless));
      assert.equal(second.code, 0, second.stderr);
      assert.deepEqual(addressesIn(second.stderr).slice(0, NAMES.length), addressesIn(first.stderr));
      assert.equal((await transactionsOf(ACCOUNTS.careless)) - before, STEPS + others);
      assert.deepEqual([...readNetworks(table).keys()], ["test-net"]);
      return { code: first.code, first: first.stderr, second: second.stderr };
    }

    it("where the node takes a transaction no more", async () => {
      const { code, first, second } = await goesOn("refuse");
      assert.equal(code, 1);
      assert.match(first, /^The deployment broke off: .*\nWhat was sent is in .*journal: run again with the same/m);
      assert.match(second, /journal: 5 transactions were sent before, and are not sent again$/m);
    });

    it("where the node took one and never said so", async () => {
      const { code, first } = await goesOn("lose");
      assert.equal(code, 1);
      assert.match(first, /^The deployment broke off: /m);
    });

    it("at Ctrl-C", async () => {
      // the next transaction is under way for ever, so that Ctrl-C always comes before the end
      let interrupted = false;
      const { code } = await goesOn("silence", {
        onSaid(stderr, pid) {
          if (interrupted || !stderr.includes("WattWitness is at")) return;
          interrupted = true;
          process.kill(pid, "SIGINT");
        },
      });
      assert.equal(code, 130);
    });

    it("where it died while it wrote its journal", async () => {
      const { second } = await goesOn("refuse", { between: () => truncate(join(folder, "journal"), 99) });
      assert.match(second, /4 transactions were sent before/);
    });

    it("where its account has sent something else meanwhile", async () => {
      const wallet = chain.wallet(ACCOUNTS.careless);
      const between = async () => {
        const hash = await wallet.sendTransaction({ to: NOBODY, value: 1n, chain: wallet.chain });
        await chain.publicClient.waitForTransactionReceipt({ hash });
      };
      await goesOn("refuse", { between, others: 1 });
    });

    it("but not with other options, and not as another", async () => {
      const { first } = await goesOn("refuse");
      assert.ok(first.length > 0);
      const changed = [...argsWithoutFunctions({ "capacity-ceiling": "77" }), "--yes"];
      const before = await transactionsOf(ACCOUNTS.careless);
      const { code, stderr } = await run(changed, keyOf(ACCOUNTS.careless));
      assert.equal(code, 1);
      assert.match(stderr, /journal has begun with other options, or with contracts of another version/);
      assert.equal(await transactionsOf(ACCOUNTS.careless), before);
      const other = await run([...argsWithoutFunctions(), "--yes"], keyOf(ACCOUNTS.deployer));
      assert.equal(other.code, 1);
      assert.match(other.stderr, /journal is of another deployment/);
    });

    it("and asks nobody and changes nothing where all is deployed, and says so", async () => {
      const first = await run([...argsFor(), "--yes", "--json"], keyOf(ACCOUNTS.careless));
      assert.equal(first.code, 0, first.stderr);
      const before = await transactionsOf(ACCOUNTS.careless);
      const [journal, networks] = [await readFile(join(folder, "journal")), await readFile(table)];
      const again = await run([...argsFor(), "--json"], keyOf(ACCOUNTS.careless));
      assert.equal(again.code, 0, again.stderr);
      assert.deepEqual(JSON.parse(again.stdout), { ...JSON.parse(first.stdout), sent: false });
      assert.equal(JSON.parse(first.stdout).sent, true);
      assert.equal(await transactionsOf(ACCOUNTS.careless), before);
      assert.deepEqual([await readFile(join(folder, "journal")), await readFile(table)], [journal, networks]);
      const told = await run(argsFor(), keyOf(ACCOUNTS.careless));
      assert.match(told.stdout, /^Nothing was sent: it was deployed before, from block \d+ on:$/m);
      assert.match(told.stdout, /^A DON attests batches/m);
    });

    it("and leaves an entry of the table alone that names other contracts", async () => {
      await goesOn("refuse");
      await writeFile(table, "{}");
      writeNetwork(table, "test-net", tableEntry(1));
      const { code, stdout } = await run(argsWithoutFunctions(), keyOf(ACCOUNTS.careless));
      assert.equal(code, 1);
      assert.match(stdout, /has other contracts as test-net, and was left as it is/);
      assert.deepEqual(readNetworks(table).get("test-net"), tableEntry(1));
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
      const options = { ...accounts, ...terms, "networks-file": file, journal: join(deployment, "journal") };
      const { code, stdout, stderr } = await run([...argsFor(options), "--yes"], keyOf(ACCOUNTS.deployer));
      assert.equal(code, 0, stderr);
      output = stdout;
      const networks = readNetworks(file);
      assert.deepEqual([...networks.keys()], ["zora", "test-net"]);
      assert.deepEqual(networks.get("zora"), tableEntry(1));
      assert.deepEqual(await readdir(deployment), ["journal", "networks.json"]);
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

  describe("by CREATE2", () => {
    const put = (on: LocalChain) =>
      on.publicClient.request({ method: "hardhat_setCode", params: [FACTORY, FACTORY_CODE] } as never);
    const create2 = (on: LocalChain, more: Record<string, string> = {}) =>
      run(
        [...argsWithoutFunctions({ "rpc-url": on.url, create2: "first", ...more }), "--yes"],
        keyOf(ACCOUNTS.deployer),
      );

    it("refuses a chain without the factory", async () => {
      const { code, stderr } = await create2(chain);
      assert.equal(code, 1);
      assert.match(stderr, /^This chain has no CREATE2 factory at 0x4e59b44847b379578588920cA78FbF26c0B4956C: /);
    });

    it("has no hash of the sources in the code, which would change with what else is compiled at once", async () => {
      for (const name of [
        "Authority",
        "MeterDescriptor",
        "MeterRegistry",
        "WattWitness",
        "Lens",
        "FunctionsAttestor",
      ]) {
        const { bytecode } = await chain.artifact(name);
        // Solidity's documentation, "Contract Metadata": CBOR of {"solc": version}, and its length; no "ipfs"
        assert.match(bytecode, /a164736f6c6343[0-9a-f]{6}000a/, name);
        assert.ok(!bytecode.includes("64697066735822"), name);
      }
    });

    it("deploys to the same addresses on another chain, says where before, and goes on from its journal", async () => {
      const other = await startChain(0, START);
      try {
        await Promise.all([put(chain), put(other)]);
        // another nonce there: by CREATE the addresses would be others
        await other.wallet(ACCOUNTS.deployer).sendTransaction({ to: NOBODY } as never);
        const here = await create2(chain);
        assert.equal(here.code, 0, here.stderr);
        const entry = readNetworks(table).get("test-net") as Network;
        const authority = /the Authority's is (0x\w{40})$/m.exec(here.stderr)?.[1];
        assert.match(here.stdout, new RegExp(`^ {2}Authority +${authority}$`, "m"));

        const more = { "networks-file": join(folder, "other.json"), journal: join(folder, "other") };
        const there = await create2(other, more);
        assert.equal(there.code, 0, there.stderr);
        const theirs = readNetworks(more["networks-file"]).get("test-net") as Network;
        for (const [name, { address }] of Object.entries(entry)) {
          assert.equal(theirs[name as keyof Network]?.address, address, name);
        }
        const code = await other.publicClient.getCode({ address: entry.WattWitness.address });
        assert.ok(code && code.length > 2);

        const again = await create2(other, more);
        assert.equal(again.code, 0, again.stderr);
        assert.match(again.stdout, /^Nothing was sent: it was deployed before/);

        const twice = await create2(other, { ...more, journal: join(folder, "third"), network: "another" });
        assert.equal(twice.code, 1);
        assert.match(twice.stderr, new RegExp(`has deployed here before: ${authority} is there\\. Choose another\\.`));
      } finally {
        await other.stop();
      }
    });
  });

  it("refuses a chain that is not the one everybody knows by that name", async () => {
    const { code, stderr } = await run(
      [...argsWithoutFunctions({ network: "base" }), "--yes"],
      keyOf(ACCOUNTS.deployer),
    );
    assert.equal(code, 1);
    assert.equal(stderr, "base is chain 8453, and the node at --rpc-url is of chain 31337.\n");
  });

  describe("on a chain without 0x100", () => {
    const onPrague = async (more: string[]) => {
      const { default: hre } = await import("hardhat");
      const server = await hre.network.createServer("prague", "127.0.0.1", 0);
      const { port } = await server.listen();
      const args = [...argsWithoutFunctions({ "rpc-url": `http://127.0.0.1:${port}` }), ...more];
      return run(args, keyOf(ACCOUNTS.unlucky)).finally(() => server.close());
    };

    it("refuses, unless dear signatures are acceptable", async () => {
      const { code, stdout, stderr } = await onPrague(["--yes"]);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(
        stderr,
        /^This chain verifies no P-256 signature at 0x100, .*--without-precompile accepts that\.\n$/,
      );
    });

    it("says what settling costs, as it was measured, and deploys nothing when it is dry", async () => {
      const gas = JSON.parse(await readFile(GAS_FILE, "utf8"));
      const { code, stdout, stderr } = await onPrague(["--without-precompile", "--dry-run"]);
      assert.deepEqual([code, stdout], [0, "Nothing was sent.\n"]);
      const [cheap, dear] = [gas.settle_1x8640, gas.without_precompile.settle_1x8640].map((n) =>
        n.toLocaleString("en"),
      );
      assert.ok(dear.length > 0 && cheap !== dear);
      assert.ok(stderr.includes("not verified by this chain at 0x100, so in Solidity: settling"), stderr);
      assert.ok(stderr.includes(`some ${dear} gas, not ${cheap}`), stderr);
    });

    it("deploys where they are", async () => {
      const { code, stderr } = await onPrague(["--without-precompile", "--yes"]);
      assert.equal(code, 0, stderr);
    });
  });

  it("deploys nothing where 0x100 is something else, whatever is acceptable", async () => {
    const ways: Way[] = [{ result: YES }, { result: "0x01" }, { result: padHex("0x02", { size: 32 }) }, "revert"];
    for (const way of ways) {
      const node = await nodeBefore(chain.url, () => way, "eth_call");
      const { code, stdout, stderr } = await run(
        [...argsWithoutFunctions({ "rpc-url": node.url }), "--yes", "--without-precompile"],
        keyOf(ACCOUNTS.unlucky),
      ).finally(node.close);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, /^0x100 of this chain accepts a bad P-256 signature, or reverts: [^\n]+\n$/);
    }
  });

  it("deploys without Chainlink, and says what that means and what comes next", async () => {
    const args = [...argsWithoutFunctions(), "--yes"];
    const { code, stdout, stderr } = await run(args, keyOf(ACCOUNTS.deployer));
    assert.equal(code, 0, stderr);
    const network = readNetworks(table).get("test-net") as Network;
    assert.deepEqual(Object.keys(network), ["MeterRegistry", "WattWitness", "ProductionToken"]);
    assert.match(stderr, /^ {2}DON +none: meters settle on their devices' signatures alone$/m);
    assert.match(stderr, /^ {2}unattested +a meter settles on its signature alone: always; that is for good$/m);
    assert.match(stdout, /^No DON attests batches: meters settle on their devices' signatures alone\.$/m);
    assert.match(stdout, /WATTWITNESS_OPERATOR_KEY=…/);
    assert.doesNotMatch(stdout, /FunctionsAttestor|WATTWITNESS_ATTESTOR|SUBSCRIPTION|PUBLIC_URLS|LINK/);
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
    assert.equal(code, 0, stderr);
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

/** Takes the end of a file away, in bytes. */
async function truncate(file: string, bytes: number): Promise<void> {
  const text = await readFile(file);
  await writeFile(file, text.subarray(0, text.length - bytes));
}

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
