/**
 * From nothing to tokens, as on a public chain: a chain that knows nothing of us (anvil, in real time), keys that were just
 * made, and the command line from the installed package for everything else.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import hre from "hardhat";
import { type Abi, erc20Abi, type Hex } from "viem";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import type { Wallet } from "../../contracts/deploy.ts";
import { freePort } from "../../demo/processes/process.ts";
import { createStops, type Stops } from "../../demo/processes/stop.ts";
import { deployChainlink, startLocalDon } from "../../functions-source/local-don/index.ts";
import { type Anvil, startAnvil, whyNoAnvil } from "../../test/anvil.ts";
import { type Installation, installPackage } from "./installing.ts";
import { wattwitness } from "./support.ts";

const CHAIN_ID = 424_242;
const ETHER = 10n ** 18n;
/** ms until what was begun must have come to something */
const PATIENCE = 60_000;
/** Where it is noon now, so that the modelled sun shines at any hour of a test. */
const NOON = String(Math.round((12 - ((Date.now() / 3_600_000) % 24)) * 15));

const PEOPLE = ["deployer", "registrar", "operator", "owner", "buyer"] as const;
type Person = (typeof PEOPLE)[number];

const reason = whyNoAnvil();

describe(`a rehearsal of a public chain${reason ? ` (skipped: ${reason})` : ""}`, function () {
  this.timeout(240_000);
  let installation: Installation;
  before(async function () {
    const installed = reason === undefined ? await installPackage() : undefined;
    if (!installed) this.skip();
    installation = installed;
  });
  after(() => installation && rm(installation.folder, { recursive: true, force: true }));

  it("with a DON: deploys once, pays for it, registers, mints what it attested, sells, retires, is restored, and goes on", () =>
    rehearse("attested", [], withDon));

  it("without a DON, the same", () => rehearse("plain", [], async () => ({ deploy: ["--without-functions"] })));

  it("on a chain without the precompile, the same", () =>
    rehearse("dear", ["--hardfork", "prague"], async () => ({
      deploy: ["--without-functions", "--without-precompile"],
    })));

  async function rehearse(name: string, chainOptions: string[], attesting: Attesting): Promise<void> {
    const stops = createStops();
    try {
      const folder = join(installation.folder, name);
      await mkdir(folder);
      const more = ["--block-time", "1", ...chainOptions];
      const anvil = await startAnvil(stops, { accounts: 1, chainId: CHAIN_ID, more });
      const stage = await createStage(folder, installation, anvil, stops);
      const don = await attesting(stage, stops);
      await deploysOnce(stage, don.deploy);
      const subscription = (await don.subscribe?.()) ?? [];
      const port = await freePort();
      const start = (data: string) => stage.startNode(port, data, subscription);
      let node = await start("data");
      const meter = await producesAndIsRegistered(stage, node.url);
      await mints(stage, meter, "owner");
      await isSold(stage, meter);
      await mints(stage, meter, "buyer");
      await retires(stage, "buyer");
      await node.stop();
      await stage.run(["node", "backup", "backup", "--data", "data"]);
      await rm(join(folder, "data"), { recursive: true });
      await stage.run(["node", "restore", "backup", "--data", "elsewhere"]);
      const verified = await stage.run(["node", "verify", "--data", "elsewhere"]);
      assert.ok(Number(verified["readings"]) > 0, JSON.stringify(verified));
      node = await start("elsewhere");
      await mints(stage, meter, "buyer");
      await node.stop();
    } finally {
      await stops.stopAll();
    }
  }
});

type Stage = {
  folder: string;
  anvil: Anvil;
  addressOf: (person: Person) => Hex;
  /** What a command answers, with --json. Throws what it says where it does not end with 0. */
  run: (args: readonly string[], as?: Person) => Promise<Record<string, unknown>>;
  /** A command that goes on until it is stopped. */
  start: (args: readonly string[], settings?: Record<string, string>) => ChildProcess;
  startNode: (port: number, data: string, more: string[]) => Promise<{ url: string; stop: () => Promise<void> }>;
};

/** What `deploy` is told of a DON, and how the operator pays for one: the options with which the node asks it. */
type Attesting = (stage: Stage, stops: Stops) => Promise<{ deploy: string[]; subscribe?: () => Promise<string[]> }>;

/** Chainlink's contracts and a DON of four nodes, as a public chain has them, and LINK for the operator. */
const withDon: Attesting = async ({ anvil, folder, addressOf, run }, stops) => {
  const artifact = async (name: string) => {
    const { abi, bytecode } = await hre.artifacts.readArtifact(name);
    return { abi: abi as Abi, bytecode: bytecode as Hex };
  };
  const deployer = { publicClient: anvil.publicClient, wallet: anvil.wallets[0] as Wallet, artifact };
  const chainlink = await deployChainlink(deployer);
  const don = await startLocalDon(deployer, { chainlink, folder });
  stops.add(() => don.stop());
  const { router, link, donId } = chainlink;
  const transfer = { address: link, abi: erc20Abi, functionName: "transfer", chain: null } as const;
  const hash = await deployer.wallet.writeContract({ ...transfer, args: [addressOf("operator"), 100n * ETHER] });
  await anvil.publicClient.waitForTransactionReceipt({ hash });
  const onRouter = ["--router", router];
  return {
    deploy: [...onRouter, "--don-id", donId],
    async subscribe() {
      const { subscription } = await run(["subscription", "create", ...onRouter], "operator");
      const id = String(subscription);
      await run(["subscription", "fund", id, "50", "--link", link, ...onRouter], "operator");
      await run(["subscription", "consumer", "add", id, ...onRouter], "operator");
      return ["--subscription", id];
    },
  };
};

async function createStage(folder: string, installation: Installation, anvil: Anvil, stops: Stops): Promise<Stage> {
  const main = join(installation.folder, "node_modules/wattwitness/cli/main.js");
  const environment = { WATTWITNESS_RPC_URL: anvil.rpcUrl, WATTWITNESS_NETWORK: "rehearsal" };
  const keys = new Map<Person, Hex>();
  for (const person of PEOPLE) {
    const key = generatePrivateKey();
    keys.set(person, key);
    await writeFile(join(folder, `${person}.key`), key, { mode: 0o600 });
    await anvil.request("anvil_setBalance", [privateKeyToAddress(key), `0x${(10n * ETHER).toString(16)}`]);
  }

  const start: Stage["start"] = (args, settings = {}) => {
    const child = spawn(process.execPath, [main, ...args], {
      ...{ cwd: folder, env: { PATH: process.env["PATH"], ...environment, ...settings }, stdio: "ignore" },
    });
    stops.add(() => ended(child));
    return child;
  };

  return {
    ...{ folder, anvil, start },
    addressOf: (person) => privateKeyToAddress(keys.get(person) as Hex),
    async run(args, as) {
      const sender = as ? ["--key-file", join(folder, `${as}.key`), "--yes"] : [];
      const { code, out, err } = await wattwitness([...args, ...sender, "--json"], environment, main, { cwd: folder });
      assert.equal(code, 0, `wattwitness ${args.join(" ")}: ${out}\n${err}`);
      return JSON.parse(out);
    },
    async startNode(port, data, more) {
      const url = `http://127.0.0.1:${port}/`;
      const isAttested = more.length > 0;
      const options = { port, data, "key-file": join(folder, "operator.key"), "settle-every": 5 };
      const args = Object.entries({ ...options, ...(isAttested && { "public-url": url }) });
      const node = start(["node", "start", ...more, ...args.flatMap(([to, value]) => [`--${to}`, `${value}`])], {
        ...{ WATTWITNESS_CONFIRMATIONS: "1", WATTWITNESS_POLL_EVERY: "1", WATTWITNESS_RETRY_AFTER: "2" },
        ...{ WATTWITNESS_ALIGNMENT: "0", LOG_LEVEL: "warn" },
      });
      await come("the node is ready", async () => (await fetch(new URL("ready", url)).catch(() => undefined))?.ok);
      return { url, stop: () => ended(node) };
    },
  };
}

async function deploysOnce({ run, addressOf, anvil }: Stage, options: readonly string[]): Promise<void> {
  const roles = (["registrar", "operator"] as const).flatMap((role) => [`--${role}`, addressOf(role)]);
  const deploy = () => run(["deploy", "--network", "rehearsal", ...roles, ...options], "deployer");
  const nonce = () => anvil.publicClient.getTransactionCount({ address: addressOf("deployer") });
  assert.equal((await deploy())["sent"], true);
  const sent = await nonce();
  assert.equal((await deploy())["sent"], false);
  assert.equal(await nonce(), sent);
}

/** Returns the meter. */
async function producesAndIsRegistered({ run, start, addressOf, folder }: Stage, oracle: string): Promise<string> {
  const roof = {
    oracle,
    owner: addressOf("owner"),
    longitude: NOON,
    latitude: 0,
    interval: 1,
    key: join(folder, "meter.json"),
  };
  start(["simulate", ...Object.entries(roof).flatMap(([to, value]) => [`--${to}=${value}`])]);
  await come("the meter has applied", async () => {
    const response = await fetch(new URL("registrations", oracle));
    return ((await response.json()) as { registrations?: unknown[] }).registrations?.length;
  });
  await run(["meter", "register", "--oracle", oracle], "registrar");
  const { meters } = (await run(["meter", "list"])) as { meters: { meter: string }[] };
  assert.equal(meters.length, 1);
  return (meters[0] as { meter: string }).meter;
}

const unitsOf = async ({ run, addressOf }: Stage, person: Person): Promise<bigint> =>
  BigInt((await run(["token", "balance", addressOf(person)]))["balance_units"] as string);

/** Waits until a person has more tokens than now, and holds what the meter produced against all tokens. */
async function mints(stage: Stage, meter: string, person: Person): Promise<void> {
  const before = await unitsOf(stage, person);
  await come(`${person} has more tokens`, async () => (await unitsOf(stage, person)) > before);
  assert.ok(BigInt((await stage.run(["meter", "show", meter]))["produced_mwh"] as string) > 0n);
}

async function isSold({ run, addressOf }: Stage, meter: string): Promise<void> {
  await run(["meter", "transfer", meter, addressOf("buyer")], "owner");
  assert.equal((await run(["meter", "show", meter]))["owner"], addressOf("buyer"));
}

async function retires({ run, addressOf }: Stage, person: Person): Promise<void> {
  await run(["token", "retire", "0.000001", "--purpose", "charged a car"], person);
  assert.equal((await run(["token", "balance", addressOf(person)]))["retired_units"], String(10n ** 12n));
  const { purpose, units } = await run(["token", "certificate", "1"]);
  assert.deepEqual([purpose, units], ["charged a car", String(10n ** 12n)]);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

/** Looks until it is so. */
async function come(what: string, look: () => Promise<unknown>): Promise<void> {
  for (const end = Date.now() + PATIENCE; !(await look()); await delay(200)) {
    assert.ok(Date.now() < end, `not within ${PATIENCE / 1000} s: ${what}`);
  }
}
