import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hex } from "viem";
import { generatePrivateKey } from "viem/accounts";
import { functionsAttestorAbi } from "../../contracts/abi.ts";
import { deploy, deployFunctionsAttestor, deployWattWitness, grant, NEVER, ROLES } from "../../contracts/deploy.ts";
import { type LocalChain, startChain } from "../../demo/chain.ts";
import { ACCOUNTS, deployEverything, deployerOf, type Everything } from "../../demo/deployment.ts";
import { addConsumer, createSubscription } from "../../functions-source/local-don/index.ts";
import { describeWithServer, PASSWORD } from "../../oracle/test/store/postgres/server.ts";
import { type Examined, examine } from "../commands/doctor/examining.ts";
import type { Finding } from "../commands/doctor/finding.ts";
import { wattwitness } from "./support.ts";

const NOBODY = `0x${"12".repeat(20)}`;
const NO_KEY = "0x5ec2e7";
const DAY = 86_400;
const YES = `0x${"00".repeat(31)}01`;
/** An account that nothing was done with. */
const STRANGER = 15;

type Environment = Record<string, string | undefined>;
type Server = { url: string; close(): Promise<void> };

async function serve(answer: RequestListener): Promise<Server> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Call = { id: number; method: string; params: { to?: string }[] };

/** A node that answers what `instead` says, and else as the chain does. */
const nodeInstead = (url: string, instead: (call: Call) => unknown): Promise<Server> =>
  serve(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const headers = { "content-type": "application/json" };
    const call = body === "" ? undefined : (JSON.parse(body) as Call);
    const result = call && instead(call);
    const passed = async () => (await fetch(url, { method: "POST", headers, body })).text();
    response.writeHead(200, headers);
    response.end(result === undefined ? await passed() : JSON.stringify({ jsonrpc: "2.0", id: call?.id, result }));
  });

describe("wattwitness doctor", function () {
  this.timeout(120_000);
  let chain: LocalChain;
  let everything: Everything;
  let folder: string;
  let environment: Environment;
  let outside: Server;
  /** what answers there, by path */
  const pages: Record<string, { status: number; body: string }> = {};
  /** another deployment, which settles nothing without attestation, and its attestors */
  let other: {
    registry: Hex;
    wattWitness: Hex;
    attestor: Hex;
    paused: Hex;
    foreign: Hex;
    powerless: Hex;
    impostor: Hex;
  };
  const open: Server[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-doctor-"));
    chain = await startChain(0, Math.floor(Date.now() / 1000) - 60);
    everything = await deployEverything(chain);
    outside = await serve(({ url }, response) => {
      const { status, body } = pages[url ?? ""] ?? { status: 404, body: "" };
      response.writeHead(status).end(body);
    });
    const { deployment, attestor, chainlink, subscriptionId } = everything;
    environment = {
      ...{ WATTWITNESS_RPC_URL: chain.url, WATTWITNESS_REGISTRY: deployment.registry },
      ...{ WATTWITNESS_WATTWITNESS: deployment.wattWitness, WATTWITNESS_ATTESTOR: attestor },
      ...{ WATTWITNESS_SUBSCRIPTION_ID: String(subscriptionId), WATTWITNESS_FUNCTIONS_ROUTER: chainlink.router },
      ...{ WATTWITNESS_OPERATOR_KEY: chain.key(ACCOUNTS.operator), WATTWITNESS_PUBLIC_URLS: outside.url },
      ...{ WATTWITNESS_DATA_DIR: join(folder, "data"), WATTWITNESS_FROM_BLOCK: String(deployment.fromBlock) },
    };
    other = await deployOther();
  });
  after(async () => {
    await chain?.stop();
    await outside?.close();
    await rm(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const server of open.splice(0)) await server.close();
    for (const path of Object.keys(pages)) delete pages[path];
  });

  async function deployOther(): Promise<typeof other> {
    const deployer = deployerOf(chain, ACCOUNTS.admin);
    const deployment = await deployWattWitness(deployer, { unattestedAfter: NEVER });
    const { authority } = deployment;
    for (const role of [ROLES.operator, ROLES.guardian]) {
      await grant(deployer, authority, role, chain.wallet(ACCOUNTS.operator).account.address);
    }
    const source = await readFile(new URL("../../functions-source/verify-batch.js", import.meta.url), "utf8");
    const anew = (text: string) =>
      deployFunctionsAttestor(deployer, deployment, { ...everything.chainlink, source: text });
    const [attestor, paused, foreign] = [await anew(source), await anew(source), await anew("return 1")];
    const wallet = chain.wallet(ACCOUNTS.operator);
    const pause = { address: paused, abi: functionsAttestorAbi, functionName: "pause" } as const;
    const hash = await wallet.writeContract({ ...pause, chain: wallet.chain });
    await chain.publicClient.waitForTransactionReceipt({ hash });
    const { router, donId } = everything.chainlink;
    const args = [authority, router, deployment.wattWitness, donId, source];
    const powerless = await deploy(deployer, "FunctionsAttestor", args);
    const impostor = await deploy(deployer, "WattWitness", [authority, everything.deployment.registry, NEVER]);
    return { ...deployment, attestor, paused, foreign, powerless, impostor };
  }

  /** A node that is not what it should be, until the test ends. */
  async function node(instead: (call: Call) => unknown): Promise<Environment> {
    const server = await nodeInstead(chain.url, instead);
    open.push(server);
    return { WATTWITNESS_RPC_URL: server.url };
  }

  async function nowhere(): Promise<string> {
    const server = await serve(() => {});
    await server.close();
    return server.url;
  }

  const lineOf = ({ at, says, remedy }: Finding) => `${at}: ${says} → ${remedy}`;
  const wrongIn = (findings: readonly Finding[]) => findings.filter(({ is }) => is === "wrong");
  const of = (registry: Hex, wattWitness: Hex, attestor?: Hex): Environment => ({
    ...{ WATTWITNESS_REGISTRY: registry, WATTWITNESS_WATTWITNESS: wattWitness, WATTWITNESS_FROM_BLOCK: "0" },
    ...{ WATTWITNESS_ATTESTOR: attestor, WATTWITNESS_FUNCTIONS_ROUTER: undefined },
  });
  const withoutDon = { WATTWITNESS_ATTESTOR: undefined, WATTWITNESS_FUNCTIONS_ROUTER: undefined };

  type Broken = [
    what: string,
    line: RegExp,
    changed: () => Environment | Promise<Environment>,
    examined?: () => Examined | Promise<Examined>,
  ];

  const BROKEN: Broken[] = [
    /* SETTINGS */
    ["no node is named", /^settings: WATTWITNESS_RPC_URL is missing.* → set it/, () => ({ WATTWITNESS_RPC_URL: "" })],
    [
      "the node's URL is none",
      /^settings: WATTWITNESS_RPC_URL must be a URL: [^"]* → mend it/,
      () => ({ WATTWITNESS_RPC_URL: "node" }),
    ],
    [
      "an address has too few digits",
      /^settings: WATTWITNESS_REGISTRY must be an address.*"0x12" → mend it/,
      () => ({ WATTWITNESS_REGISTRY: "0x12" }),
    ],
    [
      "a setting's name is misspelt",
      /^settings: WATTWITNESS_REGISTERY is no setting.* → remove it, or mend its name/,
      () => ({ WATTWITNESS_REGISTERY: NOBODY }),
    ],
    [
      "an attestor has no subscription",
      /^settings: WATTWITNESS_SUBSCRIPTION_ID is missing: .* → set it/,
      () => ({ WATTWITNESS_SUBSCRIPTION_ID: undefined }),
    ],
    [
      "the file with the operator's key is not there",
      /^settings: WATTWITNESS_OPERATOR_KEY_FILE cannot be read: .* → mend it/,
      () => ({ ...withoutDon, WATTWITNESS_OPERATOR_KEY: undefined, WATTWITNESS_OPERATOR_KEY_FILE: join(folder, "no") }),
    ],
    [
      "the operator's key is none",
      /^settings: WATTWITNESS_OPERATOR_KEY must be a private key.* → mend it/,
      () => ({ WATTWITNESS_OPERATOR_KEY: NO_KEY }),
    ],
    [
      "a number is none",
      /^settings: WATTWITNESS_SETTLE_EVERY must be a whole number.*"daily" → mend it/,
      () => ({ WATTWITNESS_SETTLE_EVERY: "daily" }),
    ],
    /* CHAIN */
    [
      "the node does not run",
      /^node of the chain: does not answer: .* → does it run/,
      async () => ({ WATTWITNESS_RPC_URL: await nowhere() }),
    ],
    [
      "what answers is no node",
      /^node of the chain: does not answer: .* → does it run/,
      () => ({ WATTWITNESS_RPC_URL: outside.url }),
    ],
    [
      "the node is one of another chain",
      /^node of the chain: is a node of chain 31337, not of 8453 → set WATTWITNESS_RPC_URL/,
      () => ({}),
      () => ({ chainId: 8453 }),
    ],
    /* CONTRACTS */
    ...["WATTWITNESS_REGISTRY", "WATTWITNESS_WATTWITNESS", "WATTWITNESS_ATTESTOR"].flatMap((name): Broken[] => [
      [
        `there is no contract at ${name}`,
        /^contracts: There is no contract at 0x1212.* → set WATTWITNESS_REGISTRY/,
        () => ({ [name]: NOBODY }),
      ],
      [
        `another contract is at ${name}`,
        /^contracts: 0x\w+ is no (MeterRegistry|WattWitness|FunctionsAttestor)\. → set/,
        () => ({ [name]: everything.chainlink.link }),
      ],
    ]),
    [
      "the registry names another WattWitness than one that says it is its",
      /^contracts: The registry 0x\w+ names another WattWitness: 0x.* → set/,
      () => ({ WATTWITNESS_WATTWITNESS: other.impostor }),
    ],
    [
      "the attestor does not have its role",
      /^contracts: The attestor 0x\w+ does not have the attestor's role in 0x.* → set/,
      () => of(other.registry, other.wattWitness, other.powerless),
    ],
    [
      "WattWitness is of another deployment",
      /^contracts: The WattWitness .* is of another registry: .* → set/,
      () => ({ WATTWITNESS_WATTWITNESS: other.wattWitness }),
    ],
    [
      "the attestor is of another deployment",
      /^contracts: The attestor .* attests to another WattWitness: .* → set/,
      () => ({ WATTWITNESS_ATTESTOR: other.attestor }),
    ],
    [
      "the first block is yet to come",
      /^first block: WATTWITNESS_FROM_BLOCK is 999999, .* → set WATTWITNESS_FROM_BLOCK/,
      () => ({ WATTWITNESS_FROM_BLOCK: "999999" }),
    ],
    [
      "the first block is after the deployment",
      /^first block: The registry was there before block .* → set WATTWITNESS_FROM_BLOCK/,
      () => ({ WATTWITNESS_FROM_BLOCK: String(everything.deployment.fromBlock + 3) }),
    ],
    [
      "a contract's code is another version's",
      /^code of ProductionToken: is not what is compiled here \(0x.*\) → run the version that was deployed/,
      async () => {
        const { token } = everything.deployment;
        const address = (params: Call["params"]) => String(params[0]).toLowerCase();
        return node(({ method, params }) =>
          method === "eth_getCode" && address(params) === token.toLowerCase() ? "0x60015f5260205ff3" : undefined,
        );
      },
    ],
    [
      "the DON is to run another source",
      /^code of the DON: the attestor was deployed for another source .* → run the version/,
      () => of(other.registry, other.wattWitness, other.foreign),
    ],
    /* SIGNATURES */
    [
      "0x100 accepts every signature",
      /^signatures: 0x100 of this chain accepts a bad P-256 signature, or reverts → deploy on another chain/,
      () =>
        node(({ method, params }) =>
          method === "eth_call" && params[0]?.to?.endsWith("0100") && /^0x0{37}100$/.test(params[0].to)
            ? YES
            : undefined,
        ),
    ],
    [
      "nothing settles without a DON, and there is none",
      /^DON: none, and this deployment settles nothing without an attestation → set WATTWITNESS_ATTESTOR/,
      () => of(other.registry, other.wattWitness),
    ],
    [
      "the attestor is paused",
      /^DON: the attestor is paused by a guardian: nothing is attested → ask the guardian/,
      () => of(other.registry, other.wattWitness, other.paused),
    ],
    /* MONEY */
    [
      "the operator has nothing to pay with",
      /^operator: 0x\w+ has 0 of the chain's coin: settling a day of a meter takes 0\.\d+ → send it some/,
      () => ({ ...withoutDon, WATTWITNESS_OPERATOR_KEY: generatePrivateKey() }),
    ],
    [
      "the operator does not have his role",
      /^operator's role: 0x\w+ does not have it.* → an administrator grants role 2 in 0x/,
      () => ({ WATTWITNESS_OPERATOR_KEY: chain.key(STRANGER), WATTWITNESS_FUNCTIONS_ROUTER: undefined }),
    ],
    [
      "gas is dearer than the node may pay",
      /^price of gas: gas costs 1000 gwei, more than WATTWITNESS_MAX_GAS_PRICE allows → wait, or raise/,
      () => node(({ method }) => (method === "eth_gasPrice" ? "0xe8d4a51000" : undefined)),
    ],
    [
      "there is no such subscription",
      /^subscription: The router 0x\w+ keeps no subscription 999\. → as the operator: wattwitness subscription create/,
      () => ({ WATTWITNESS_SUBSCRIPTION_ID: "999" }),
    ],
    [
      "the router is another contract",
      /^subscription: The router 0x\w+ keeps no subscription \d+\. → as the operator: wattwitness subscription create/,
      () => ({ WATTWITNESS_FUNCTIONS_ROUTER: everything.chainlink.link }),
    ],
    [
      "the subscription is another's",
      /^subscription: The subscription \d+ is of 0x\w+, and the operator is 0x\w+: .* → as the operator: wattwitness subscription create/,
      () => ({ WATTWITNESS_SUBSCRIPTION_ID: String(everything.conspirator.subscriptionId) }),
    ],
    [
      "the attestor is none of the subscription's consumers",
      /^subscription: The subscription \d+ does not have the attestor 0x\w+ as consumer\. → .*consumer add/,
      () => ({
        ...of(other.registry, other.wattWitness, other.attestor),
        WATTWITNESS_FUNCTIONS_ROUTER: everything.chainlink.router,
      }),
    ],
    [
      "there is no LINK in the subscription",
      /^subscription: \d+ has 0 LINK, and a request takes up to \d.* → pay LINK into it/,
      async () => {
        const operator = deployerOf(chain, ACCOUNTS.operator);
        const id = await createSubscription(operator, everything.chainlink);
        await addConsumer(operator, everything.chainlink, id, everything.attestor);
        return { WATTWITNESS_SUBSCRIPTION_ID: String(id) };
      },
    ],
    /* CLOCK */
    [
      "the newest block is old",
      /^newest block: the newest block is \d+ s old → the node lags/,
      () => {
        const timestamp = `0x${(Math.floor(Date.now() / 1000) - DAY).toString(16)}`;
        const block = { number: "0x2", timestamp, gasLimit: "0x1", gasUsed: "0x0", transactions: [] };
        return node(({ method, params }) =>
          method === "eth_getBlockByNumber" && (params[0] as unknown) === "latest" ? block : undefined,
        );
      },
    ],
    /* STORE */
    [
      "the data's folder is a file",
      /^store: .*file is no folder → mend WATTWITNESS_DATA_DIR/,
      async () => {
        await writeFile(join(folder, "file"), "");
        return { WATTWITNESS_DATA_DIR: join(folder, "file") };
      },
    ],
    [
      "the data's folder would be in a file",
      /^store: .*data cannot be written \(ENOTDIR\) → mend WATTWITNESS_DATA_DIR/,
      async () => {
        await writeFile(join(folder, "file"), "");
        return { WATTWITNESS_DATA_DIR: join(folder, "file", "data") };
      },
    ],
    [
      "another process has the data's folder",
      /^store: .* is in use by process \d+, and no node with this registry answers at .* → end process \d+/,
      async () => {
        const taken = join(folder, "taken");
        await mkdir(taken, { recursive: true });
        await writeFile(join(taken, "oracle.pid"), String(process.ppid));
        return { WATTWITNESS_DATA_DIR: taken, PORT: new URL(await nowhere()).port };
      },
    ],
    [
      "the database does not run",
      /^store: The database at WATTWITNESS_DATABASE_URL does not answer: .*ECONNREFUSED.* → does it run/,
      async () => ({
        WATTWITNESS_DATABASE_URL: `postgres://oracle:${PASSWORD}@127.0.0.1:${new URL(await nowhere()).port}/x`,
      }),
    ],
    [
      "the folder to publish in is a file",
      /^publisher: .*file is no folder → mend WATTWITNESS_PUBLISH_DIR/,
      async () => {
        await writeFile(join(folder, "file"), "");
        return { WATTWITNESS_PUBLISH_DIR: join(folder, "file") };
      },
    ],
    /* THE OUTSIDE */
    [
      "nobody answers at a public URL",
      /^public URL: http:\/\/127\.0\.0\.1:\d+ does not answer: ECONNREFUSED → start what serves it/,
      async () => ({ WATTWITNESS_PUBLIC_URLS: `${outside.url}, ${await nowhere()}` }),
    ],
    [
      "a proxy answers at a public URL, and nothing behind it",
      /^public URL: http.* answers 502 → start what serves it/,
      () => {
        pages["/"] = { status: 502, body: "" };
        return {};
      },
    ],
    [
      "a public URL does not serve what was published",
      /^public URL: .*\/batches\/0xab answers 404 → start what serves it/,
      () => publishing("elsewhere"),
    ],
    [
      "a public URL serves other bytes than were published",
      /^public URL: .*\/batches\/0xab serves other bytes → start what serves it/,
      () => {
        pages["/batches/0xab"] = { status: 200, body: "other" };
        return publishing("changed");
      },
    ],
    [
      "the subgraph does not answer",
      /^subgraph: it does not answer: ECONNREFUSED → does its indexer run/,
      () => ({}),
      async () => ({ subgraph: await nowhere() }),
    ],
    [
      "what answers is no subgraph",
      /^subgraph: what answers there is no subgraph → name the URL/,
      () => ({}),
      () => ({ subgraph: outside.url }),
    ],
    [
      "the subgraph met an error",
      /^subgraph: it met an error, .* → look at the indexer's log/,
      () => {
        const body = JSON.stringify({ data: { _meta: { block: { number: 7 }, hasIndexingErrors: true } } });
        pages["/graphql"] = { status: 200, body };
        return {};
      },
      () => ({ subgraph: `${outside.url}/graphql` }),
    ],
  ];

  async function publishing(name: string): Promise<Environment> {
    await mkdir(join(folder, name, "batches"), { recursive: true });
    await writeFile(join(folder, name, "batches", "0xab"), "a batch");
    return { WATTWITNESS_PUBLISH_DIR: join(folder, name) };
  }

  describe("says in one line, with what to do, that", () => {
    for (const [what, line, changed, examined] of BROKEN) {
      it(what, async () => {
        const findings = await examine({ ...environment, ...(await changed()) }, await examined?.());
        const lines = wrongIn(findings).map(lineOf);
        assert.equal(lines.length, 1, lines.join("\n"));
        assert.match(lines[0] as string, line);
        const all = findings.map(({ says }) => says).join("\n");
        assert.doesNotMatch(lines[0] as string, /\n|undefined/);
        for (const secret of [PASSWORD, NO_KEY, chain.key(ACCOUNTS.operator)]) assert.ok(!all.includes(secret), all);
      });
    }

    it("this machine's clock is wrong, in either direction", async () => {
      for (const [off, said] of [
        [DAY, /^clock: 86\d+ s ahead of what 127\.0\.0\.1:\d+ says → set this machine's clock/],
        [-DAY, /^clock: 86\d+ s behind what 127\.0\.0\.1:\d+ says → set this machine's clock/],
      ] as const) {
        const findings = await examine(environment, { now: () => Date.now() + off * 1000 });
        const lines = wrongIn(findings).map(lineOf);
        assert.equal(lines.length, 2, lines.join("\n"));
        assert.match(
          lines[0] as string,
          /^newest block: the newest block is \d+ s (old|ahead of this machine's clock)/,
        );
        assert.match(lines[1] as string, said);
      }
    });

    it("several things are, each in its own", async () => {
      const changed = { WATTWITNESS_SUBSCRIPTION_ID: "999", WATTWITNESS_PUBLIC_URLS: await nowhere() };
      const lines = wrongIn(await examine({ ...environment, ...changed })).map(({ at }) => at);
      assert.deepEqual(lines, ["subscription", "public URL"]);
    });
  });

  describeWithServer("beside a database", (server) => {
    it("says that it has no tables yet, and with what command it gets them", async () => {
      const url = await server().newDatabase();
      const [line, more] = wrongIn(await examine({ ...environment, WATTWITNESS_DATABASE_URL: url })).map(lineOf);
      assert.match(
        line as string,
        /^store: The database .* is empty: run npm run oracle:migrate or wattwitness node migrate, .* → /,
      );
      assert.equal(more, undefined);
    });

    it("finds nothing wrong with one that has them", async () => {
      const url = await server().newStoreDatabase();
      assert.deepEqual(wrongIn(await examine({ ...environment, WATTWITNESS_DATABASE_URL: url })), []);
    });
  });

  it("takes the folder of the node that it is asked about for one in its place", async () => {
    const taken = join(folder, "own");
    await mkdir(taken);
    await writeFile(join(taken, "oracle.pid"), String(process.ppid));
    pages["/health"] = { status: 200, body: JSON.stringify({ registry: everything.deployment.registry }) };
    const changed = { WATTWITNESS_DATA_DIR: taken, PORT: new URL(outside.url).port };
    assert.deepEqual(wrongIn(await examine({ ...environment, ...changed })), []);
  });

  it("tells a contract by every byte of its code", async () => {
    const { token } = everything.deployment;
    const code = (await chain.publicClient.getCode({ address: token })) as string;
    /** With one other byte, so many before its end. */
    const looksWith = async (fromEnd: number) => {
      const at = code.length - 2 * fromEnd;
      const changed = `${code.slice(0, at)}${code.slice(at, at + 2) === "00" ? "01" : "00"}${code.slice(at + 2)}`;
      const lying = await node(({ method, params }) =>
        method === "eth_getCode" && String(params[0]).toLowerCase() === token.toLowerCase() ? changed : undefined,
      );
      return wrongIn(await examine({ ...environment, ...lying })).map(({ at }) => at);
    };
    for (const fromEnd of [1, 20, 60]) assert.deepEqual(await looksWith(fromEnd), ["code of ProductionToken"]);
  });

  it("serves what was published, and finds nothing wrong", async () => {
    pages["/batches/0xab"] = { status: 200, body: "a batch" };
    const findings = await examine({ ...environment, ...(await publishing("well")) });
    assert.deepEqual(wrongIn(findings), []);
    assert.ok(findings.some(({ says }) => says.endsWith("serves what was published")));
  });

  it("says where there is no DON that meters settle on their devices' signatures alone", async () => {
    const findings = await examine({ ...environment, ...withoutDon });
    assert.deepEqual(wrongIn(findings), []);
    const [don] = findings.filter(({ at }) => at === "DON");
    assert.equal(don?.is, "skipped");
    assert.match(don?.says ?? "", /^none: meters settle on their devices' signatures alone, when what they settled is/);
  });

  it("ends with 0 where nothing is wrong, and changes nothing", async () => {
    const { code, out, err } = await wattwitness(["doctor"], environment as Record<string, string>);
    assert.deepEqual([code, err], [0, ""], out);
    assert.doesNotMatch(out, /✖/);
    const looked = [
      ...["settings", "node of the chain", "contracts", "first block", "code of WattWitness", "signatures", "DON"],
      ...[
        "operator",
        "operator's role",
        "price of gas",
        "subscription",
        "newest block",
        "clock",
        "store",
        "public URL",
      ],
    ];
    for (const at of looked) assert.match(out, new RegExp(`^✔ ${at} +\\S`, "m"));
    assert.match(out, /^– subgraph/m);
    await assert.rejects(readFile(join(folder, "data", "oracle.pid")), /ENOENT/);
  });

  it("is told as a node is: by the contracts' address and a file with the key", async () => {
    const { WATTWITNESS_RPC_URL: rpcUrl, WATTWITNESS_REGISTRY: registry } = environment as Record<string, string>;
    const key = join(folder, "operator.key");
    await writeFile(key, chain.key(ACCOUNTS.operator), { mode: 0o600 });
    const args = [
      "--rpc-url",
      `${rpcUrl}`,
      "--registry",
      `${registry}`,
      "--key-file",
      key,
      "--data",
      join(folder, "x"),
    ];
    // a name for other commands is no setting of an oracle
    const { code, out } = await wattwitness(["doctor", ...args], { WATTWITNESS_NETWORK: "another" });
    assert.equal(code, 0, out);
    assert.match(out, /^✔ contracts +\S/m);
    assert.match(out, /^✔ operator +\S/m);
  });

  it("says in one line that contracts which only a name tells are not found", async () => {
    const args = ["doctor", "--network", "nowhere", "--rpc-url", chain.url];
    const { code, out } = await wattwitness(args, { WATTWITNESS_NETWORK: "ignored" });
    assert.equal(code, 1);
    assert.match(out, /^✖ contracts {2}.* has no network nowhere\. It has: .* → nothing else is looked at/);
    assert.equal(out.split("\n").length, 1);
  });

  it("ends with 1 where something is, and tells programs, too", async () => {
    const { code, out, err } = await wattwitness(["doctor", "--json"]);
    assert.deepEqual([code, err], [1, ""]);
    const { well, findings } = JSON.parse(out);
    assert.equal(well, false);
    assert.deepEqual(
      findings.map(({ is }: Finding) => is),
      ["wrong", "wrong", "wrong", "skipped"],
    );
    const said = await wattwitness(["doctor"]);
    assert.match(said.out, /^✖ settings +WATTWITNESS_RPC_URL is missing: .* → set it/m);
  });
});
