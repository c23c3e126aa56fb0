import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import hre from "hardhat";
import { type Abi, type Hex, hexToString, type PublicClient, parseEventLogs, stringToHex, toHex } from "viem";
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { type Deployer, deploy, type Wallet } from "../../contracts/deploy.ts";
import { fromHex } from "../../protocol/index.ts";
import { vectors } from "../../protocol/test/load-vectors.ts";
import {
  addConsumer,
  aggregate,
  type Commitment,
  confirmed,
  coordinatorAbi,
  createNodeKeys,
  createSubscription,
  type DonReport,
  decodeRequest,
  deployChainlink,
  encodeReport,
  fundSubscription,
  type LocalDon,
  type LocalDonOptions,
  type NodeKeys,
  reportContext,
  signReport,
  startLocalDon,
} from "../local-don/index.ts";
import type { Answer } from "../sandbox.ts";
import { ownTemporaryFolder, serve, until, verifyBatchSource } from "./helpers.ts";

const artifact = async (name: string) => {
  const { abi, bytecode } = await hre.artifacts.readArtifact(name);
  return { abi: abi as Abi, bytecode: bytecode as Hex };
};

/** Chainlink on a chain of its own, with a probe that may ask. */
async function createLocalChainlink() {
  const connection = await hre.network.create("default");
  const publicClient = (await connection.viem.getPublicClient()) as unknown as PublicClient;
  const [wallet, stranger] = (await connection.viem.getWalletClients()) as unknown as [Wallet, Wallet];
  const deployer: Deployer = { publicClient, wallet, artifact };
  const chainlink = await deployChainlink(deployer);
  const probe = await deploy(deployer, "FunctionsProbe", [chainlink.router]);
  const subscriptionId = await createSubscription(deployer, chainlink);
  await fundSubscription(deployer, chainlink, subscriptionId);
  await addConsumer(deployer, chainlink, subscriptionId, probe);

  const { abi } = await artifact("FunctionsProbe");
  const ask = async (source: string, args: string[] = [], bytesArgs: Hex[] = []): Promise<Commitment> => {
    const { logs } = await confirmed(
      deployer,
      wallet.writeContract({
        chain: wallet.chain,
        address: probe,
        abi,
        functionName: "request",
        args: [subscriptionId, chainlink.donId, source, args, bytesArgs],
      }),
    );
    const [asked] = parseEventLogs({ abi: coordinatorAbi, eventName: "OracleRequest", logs });
    assert.ok(asked);
    return asked.args.commitment;
  };
  const read = <T>(functionName: string) =>
    publicClient.readContract({ address: probe, abi, functionName }) as Promise<T>;
  const heard = async () => ({
    answers: await read<bigint>("answers"),
    response: await read<Hex>("lastResponse"),
    error: hexToString(await read<Hex>("lastError")),
  });
  return { connection, publicClient, wallet, stranger, deployer, chainlink, ask, heard };
}

const root: Hex = `0x${"ab".repeat(32)}`;
const lie: Hex = `0x${"0f".repeat(32)}`;
const answersRoot = `return new Uint8Array(32).fill(0xab)`;

describe("local DON", function () {
  this.timeout(120_000);
  const temporary = ownTemporaryFolder();
  let local: Awaited<ReturnType<typeof createLocalChainlink>>;
  let don: LocalDon | undefined;
  const reports: DonReport[] = [];
  const silences: Hex[] = [];
  const servers: Awaited<ReturnType<typeof serve>>[] = [];
  const errors: unknown[] = [];

  const start = async (options: Partial<LocalDonOptions> = {}): Promise<LocalDon> => {
    don = await startLocalDon(local.deployer, {
      chainlink: local.chainlink,
      pollingInterval: 10,
      onReport: (report) => reports.push(report),
      onNoQuorum: (requestId) => silences.push(requestId),
      onError: (error) => errors.push(error),
      ...options,
    });
    return don;
  };
  const serveUrl = async (listener: RequestListener): Promise<string> => {
    const server = await serve(listener);
    servers.push(server);
    return server.url("batch");
  };
  const reportOf = async ({ requestId }: Commitment): Promise<DonReport> => {
    const find = () => reports.find((report) => report.requestId === requestId);
    await until(() => errors.length > 0 || find() !== undefined);
    assert.deepEqual(errors, []);
    return find() as DonReport;
  };

  before(async () => {
    await temporary.make();
    local = await createLocalChainlink();
  });
  after(async () => {
    await local.connection.close();
    await temporary.remove();
  });
  afterEach(async () => {
    await don?.stop();
    don = undefined;
    for (const server of servers.splice(0)) await server.close();
    for (const list of [reports, silences, errors]) list.length = 0;
    assert.deepEqual(await temporary.files(), [], "a sandbox was left");
  });

  describe("coordinator", () => {
    const nodes = Array.from({ length: 4 }, createNodeKeys) as [NodeKeys, NodeKeys, NodeKeys, NodeKeys];
    const signers = nodes.map(({ signer }) => signer) as [PrivateKeyAccount, PrivateKeyAccount, PrivateKeyAccount];
    let commitment: Commitment;

    /** `transmit` from outside of the DON, which is down. */
    async function transmit(by: readonly PrivateKeyAccount[], from: PrivateKeyAccount | Hex) {
      const onCoordinator = { address: local.chainlink.coordinator, abi: coordinatorAbi } as const;
      const [, , digest] = await local.publicClient.readContract({
        ...onCoordinator,
        functionName: "latestConfigDetails",
      });
      const report = encodeReport(commitment, { response: root, error: "0x" });
      const call = {
        ...onCoordinator,
        functionName: "transmit",
        args: await signReport(reportContext(digest, 1), report, by),
        account: from,
        gas: 1_500_000n,
      } as const;
      await local.publicClient.simulateContract(call);
      return confirmed(local.deployer, local.wallet.writeContract({ ...call, chain: local.wallet.chain }));
    }

    beforeEach(async () => {
      const stopped = await start({ nodes });
      await stopped.stop();
      commitment = await local.ask(answersRoot);
    });

    const refusals: [string, () => [PrivateKeyAccount[], PrivateKeyAccount | Hex], RegExp][] = [
      ["two signatures", () => [signers.slice(0, 2), nodes[0].transmitter], /wrong number of signatures/],
      ["four signatures", () => [nodes.map((n) => n.signer), nodes[0].transmitter], /wrong number of signatures/],
      [
        "a forged signer",
        () => [[signers[0], signers[1], privateKeyToAccount(generatePrivateKey())], nodes[0].transmitter],
        /address not authorized to sign/,
      ],
      [
        "a transmitter's key as a signer",
        () => [[signers[0], signers[1], nodes[2].transmitter], nodes[0].transmitter],
        /address not authorized to sign/,
      ],
      ["a signer twice", () => [[signers[0], signers[1], signers[1]], nodes[0].transmitter], /non-unique signature/],
      [
        "a stranger as transmitter",
        () => [signers.slice(0, 3), local.stranger.account.address],
        /unauthorized transmitter/,
      ],
    ];
    for (const [name, report, reason] of refusals) {
      it(`refuses a report with ${name}`, async () => {
        await assert.rejects(transmit(...report()), reason);
      });
    }

    it("accepts a report with three signatures of its nodes, and once", async () => {
      const { answers } = await local.heard();
      await transmit(signers.slice(0, 3), nodes[3].transmitter);
      assert.deepEqual(await local.heard(), { answers: answers + 1n, response: root, error: "" });
      await transmit(signers.slice(0, 3), nodes[3].transmitter);
      assert.equal((await local.heard()).answers, answers + 1n);
    });
  });

  describe("nodes", () => {
    it("transmit nothing when two of them are down", async () => {
      const { answers } = await local.heard();
      const running = await start();
      running.behave(0, "down");
      running.behave(3, "down");
      const { requestId } = await local.ask(answersRoot);
      await until(() => silences.length > 0);
      assert.deepEqual(silences, [requestId]);
      assert.equal((await local.heard()).answers, answers);
      assert.deepEqual(reports, []);
    });

    it("are numbered from 0 to 3", async () => {
      const running = await start();
      for (const node of [-1, 4]) assert.throws(() => running.behave(node, "down"), RangeError);
      assert.deepEqual(running.behaviours(), ["honest", "honest", "honest", "honest"]);
    });

    it("answer with the error that the source throws", async () => {
      await start();
      const { error, response, delivered } = await reportOf(await local.ask("throw Error('no batch')"));
      assert.deepEqual(
        { error, response, delivered },
        { error: stringToHex("no batch"), response: "0x", delivered: true },
      );
      const heard = await local.heard();
      assert.deepEqual([heard.response, heard.error], ["0x", "no batch"]);
    });

    it("cut an error text that is too long", async () => {
      await start();
      await reportOf(await local.ask("throw Error('é'.repeat(200))"));
      assert.equal((await local.heard()).error, "é".repeat(128));
    });

    it("answer with an error when three err and one lies", async () => {
      const running = await start();
      running.behave(1, "liar", lie);
      await reportOf(await local.ask("throw Error('wrong root')"));
      assert.equal((await local.heard()).error, "wrong root");
    });

    it("answer a request", async () => {
      const { answers } = await local.heard();
      await start();
      const { signers, transmitter, delivered, gasUsed } = await reportOf(await local.ask(answersRoot));
      assert.deepEqual(signers, [0, 1, 2]);
      assert.ok(transmitter < 4 && delivered && gasUsed > 0n);
      assert.deepEqual(await local.heard(), { answers: answers + 1n, response: root, error: "" });
    });

    it("run the source once each", async () => {
      let count = 0;
      const url = await serveUrl((_, response) => response.end(String(++count)));
      await start();
      await reportOf(
        await local.ask("await Functions.makeHttpRequest({ url: args[0] }); return new Uint8Array(32)", [url]),
      );
      assert.equal(count, 4);
    });

    it("hand args and bytesArgs of the request to the source", async () => {
      await start();
      const source = "return Functions.encodeString(JSON.stringify([args, bytesArgs]))";
      const { response } = await reportOf(await local.ask(source, ["http://one", "$& é"], [root, "0x"]));
      assert.equal(
        hexToString(response),
        JSON.stringify([
          ["http://one", "$& é"],
          [root, "0x"],
        ]),
      );
    });

    for (const which of [0, 1, 2, 3]) {
      it(`answer the same when node ${which} lies, low or high`, async () => {
        const running = await start();
        running.behave(which, "liar", lie);
        assert.equal((await reportOf(await local.ask(answersRoot))).response, root);
        running.behave(which, "liar");
        assert.equal((await reportOf(await local.ask(answersRoot))).response, root);
      });

      it(`answer the same when node ${which} is down`, async () => {
        const running = await start();
        running.behave(which, "down");
        const { response, signers, transmitter } = await reportOf(await local.ask(answersRoot));
        assert.equal(response, root);
        assert.ok(!signers.includes(which) && transmitter !== which);
      });
    }

    it("answer again when a node comes back", async () => {
      const running = await start();
      running.behave(0, "down");
      running.behave(1, "down");
      await local.ask(answersRoot);
      await until(() => silences.length === 1);
      running.behave(1, "honest");
      assert.deepEqual((await reportOf(await local.ask(answersRoot))).signers, [1, 2, 3]);
    });

    it("say whatever they like when all of them lie", async () => {
      const running = await start();
      for (const node of [0, 1, 2, 3]) running.behave(node, "liar", lie);
      await reportOf(await local.ask("throw Error('bad signature')"));
      assert.equal((await local.heard()).response, lie);
    });

    it("answer many outstanding requests, each with its own answer", async () => {
      await start({ concurrency: 2 });
      const asked: [Commitment, string][] = [];
      for (const name of ["a", "b", "c", "d", "e"]) {
        asked.push([await local.ask("return Functions.encodeString(args[0])", [name]), name]);
      }
      for (const [commitment, name] of asked) {
        assert.equal(hexToString((await reportOf(commitment)).response), name);
      }
    });

    it("verify a batch", async () => {
      const vector = vectors.batch.find(({ name }) => name === "two meters, one of them new");
      assert.ok(vector?.root);
      const bytes = fromHex(vector.bytes);
      const url = await serveUrl((_, response) => response.end(bytes));
      await start();
      const bytesArgs = [vector.digest, vector.root] as Hex[];
      const { response } = await reportOf(await local.ask(verifyBatchSource, [url], bytesArgs));
      assert.equal(response, vector.root);
    });

    it("leave nothing behind when they are stopped in the middle of a request", async () => {
      let requests = 0;
      const url = await serveUrl(() => requests++);
      const running = await start();
      await local.ask("await Functions.makeHttpRequest({ url: args[0], timeout: 9000 })", [url]);
      await until(() => requests === 4);
      assert.equal((await temporary.files()).length, 4);
      await running.stop();
      assert.deepEqual(await temporary.files(), []);
      assert.deepEqual([reports, silences, errors], [[], [], []]);
    });
  });
});

describe("requests of the local DON", () => {
  it("refuses a request that is no CBOR", () => {
    for (const data of ["0x64", "0x6461626364", "0xff"] as Hex[]) {
      assert.deepEqual(decodeRequest(data), { error: "malformed request" });
    }
  });

  it("refuses a request larger than 30 KB", () => {
    assert.deepEqual(decodeRequest(toHex(new Uint8Array(30 * 1024 + 1))), { error: "request too large" });
  });

  it("refuses a request for code that is elsewhere", () => {
    // codeLocation: 1, language: 0
    const data = `0x6c${toText("codeLocation")}c2410168${toText("language")}c24100` as Hex;
    assert.deepEqual(decodeRequest(data), { error: "unsupported request" });
  });

  const toText = (text: string) => Buffer.from(text).toString("hex");
});

describe("aggregation of the local DON", () => {
  const ok = (byte: string): Answer => ({ response: `0x${byte.repeat(32)}` });
  const err = (error: string): Answer => ({ error });
  const response = (byte: string) => ({ response: `0x${byte.repeat(32)}`, error: "0x" });
  const error = (text: string) => ({ response: "0x", error: stringToHex(text) });

  it("makes nothing of two answers", () => {
    assert.equal(aggregate([]), undefined);
    assert.equal(aggregate([ok("aa"), ok("aa")]), undefined);
  });

  it("is the most frequent error where more erred than did not", () => {
    assert.deepEqual(aggregate([ok("aa"), err("x"), err("y"), err("y")]), error("y"));
    assert.deepEqual(aggregate([ok("aa"), err("x"), err("x")]), error("x"));
  });

  it("is the median, shorter answers before longer ones", () => {
    assert.deepEqual(aggregate([ok("aa"), ok("00"), ok("aa"), ok("aa")]), response("aa"));
    assert.deepEqual(aggregate([ok("aa"), ok("ff"), ok("aa")]), response("aa"));
    assert.deepEqual(aggregate([{ response: "0xff" }, ok("aa"), ok("aa"), ok("aa")]), response("aa"));
    assert.deepEqual(aggregate([{ response: "0xff" }, { response: "0x0000" }, ok("00")]), {
      response: "0x0000",
      error: "0x",
    });
  });

  it("is what two say where the two others erred", () => {
    assert.deepEqual(aggregate([ok("aa"), err("x"), ok("aa"), err("x")]), response("aa"));
  });
});
