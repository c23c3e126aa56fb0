import assert from "node:assert/strict";
import { encodeAbiParameters, encodeFunctionData, getAddress, type Hex, parseAbi, zeroAddress } from "viem";
import { createSubscription } from "../../functions-source/local-don/index.ts";
import { ROLES } from "../deploy.ts";
import { artifact, deployFixture, type Fixture, refuses } from "./fixture.ts";
import { type Functions, withFunctions } from "./functions.ts";

const digest: Hex = `0x${"d1".repeat(32)}`;
const root: Hex = `0x${"a7".repeat(32)}`;
const URL = "http://127.0.0.1:1/batch";

const routerAbi = parseAbi([
  "function proposeSubscriptionOwnerTransfer(uint64 subscriptionId, address newOwner)",
  "function acceptSubscriptionOwnerTransfer(uint64 subscriptionId)",
  "function cancelSubscription(uint64 subscriptionId, address to)",
]);

/** Answers as its first argument says. */
const SOURCE = `// §: not one byte per character
const bytes = (hex) => Uint8Array.from(hex.slice(2).match(/../g), (pair) => parseInt(pair, 16));
if (args[0].endsWith("refuse")) throw Error("bad signature");
if (args[0].endsWith("digest")) return bytes(bytesArgs[0]);
if (args[0].endsWith("long")) return new Uint8Array([...bytes(bytesArgs[1]), 0]);
return bytes(bytesArgs[1]);
`;

describe("FunctionsAttestor", function () {
  this.timeout(120_000);
  let chain: Fixture;
  let functions: Functions;
  before(async () => {
    chain = await deployFixture();
    functions = await withFunctions(chain, SOURCE);
  });
  after(() => functions.don.stop());

  const eventsOf = async (eventName: string) => {
    const events = await chain.publicClient.getContractEvents({
      ...functions.contract,
      eventName,
      fromBlock: 0n,
    } as never);
    return events.map((event) => (event as unknown as { args: Record<string, unknown> }).args);
  };
  const rootOf = (n: number): Hex => `0x${n.toString(16).padStart(64, "0")}`;

  describe("refuses to ask", () => {
    it("for anybody but an operator", async () => {
      await refuses(functions.request(digest, root, [URL], chain.owner), "AccessManagedUnauthorized");
    });

    it("for the root zero: there is no such attestation", async () => {
      await refuses(functions.request(digest, rootOf(0), [URL]), "RootZero");
      await refuses(order(rootOf(0)), "RootZero");
    });

    it("at the cost of a subscription that is none", async () => {
      const args = [digest, root, [URL], 99n];
      const call = chain.send({ ...functions.contract, functionName: "request", args }, functions.operator);
      await refuses(call, "CallerNotSubscriptionOwner", [getAddress(functions.operator.account.address), 99n]);
    });

    it("without a URL, or with more than five", async () => {
      await refuses(functions.request(digest, root, []), "UrlCountInvalid", [0n]);
      await refuses(functions.request(digest, root, Array(6).fill(URL)), "UrlCountInvalid", [6n]);
    });

    it("at the cost of somebody else's subscription", async () => {
      const { otherOperator, subscriptionId } = functions;
      const by = getAddress(otherOperator.account.address);
      const call = functions.request(digest, root, [URL], otherOperator);
      await refuses(call, "CallerNotSubscriptionOwner", [by, subscriptionId]);
    });

    it("for what is attested already", async () => {
      await functions.ask(digest, rootOf(1), [URL]);
      await refuses(functions.request(digest, rootOf(1), [URL]), "AlreadyAttested", [rootOf(1)]);
    });
  });

  describe("attests nothing", () => {
    it("when somebody other than the router answers", async () => {
      const call = { ...functions.contract, functionName: "handleOracleFulfillment", args: [digest, root, "0x"] };
      await refuses(chain.send(call), "OnlyRouterCanFulfill");
    });

    it("when the DON refuses, and tells why", async () => {
      await functions.ask(digest, rootOf(2), [`${URL}/refuse`]);
      assert.equal(await functions.attestedBy(rootOf(2)), zeroAddress);
      const refusal = (await eventsOf("AttestationRefused")).find((event) => event["root"] === rootOf(2));
      assert.equal(refusal?.["reason"], "bad signature");
    });

    it("when the DON answers with another root", async () => {
      await functions.ask(digest, rootOf(3), [`${URL}/digest`]);
      assert.equal(await functions.attestedBy(rootOf(3)), zeroAddress);
      assert.equal(await functions.attestedBy(digest), zeroAddress);
      const refusal = (await eventsOf("AttestationRefused")).find((event) => event["root"] === rootOf(3));
      assert.equal(refusal?.["reason"], "");
    });

    it("when the DON answers with the root and something more", async () => {
      await functions.ask(digest, rootOf(4), [`${URL}/long`]);
      assert.equal(await functions.attestedBy(rootOf(4)), zeroAddress);
    });
  });

  it("attests when the DON answers with the root it was asked for", async () => {
    const { report } = await functions.ask(digest, rootOf(5), [URL, URL]);
    assert.ok(report.delivered);
    assert.equal(await functions.attestedBy(rootOf(5)), getAddress(functions.attestor));
    const [requested] = (await eventsOf("AttestationRequested")).filter((event) => event["root"] === rootOf(5));
    assert.equal(requested?.["digest"], digest);
    assert.equal(requested?.["subscriptionId"], functions.subscriptionId);
    const pending = { ...functions.contract, functionName: "pendingRoot", args: [report.requestId] } as const;
    assert.equal(await chain.publicClient.readContract(pending), rootOf(0));
  });

  it("shows the very source that the nodes run", async () => {
    const read = { ...functions.contract, functionName: "source" } as const;
    assert.equal(await chain.publicClient.readContract(read), SOURCE);
  });

  it("asks again what the DON refused before", async () => {
    await functions.ask(digest, rootOf(6), [`${URL}/refuse`]);
    await functions.ask(digest, rootOf(6), [URL]);
    assert.equal(await functions.attestedBy(rootOf(6)), getAddress(functions.attestor));
  });

  describe("paused by a guardian", () => {
    const pausing = (functionName: "pause" | "unpause", by = chain.guardian) =>
      chain.send({ ...functions.contract, functionName, args: [] }, by);

    it("asks nobody, until it goes on; what was asked may be answered", async () => {
      await refuses(pausing("pause", chain.stranger), "AccessManagedUnauthorized");
      const report = functions.reported();
      await functions.request(digest, rootOf(7), [URL]);
      await pausing("pause");
      await report;
      assert.equal(await functions.attestedBy(rootOf(7)), getAddress(functions.attestor));
      await refuses(functions.request(digest, rootOf(8), [URL]), "EnforcedPause");
      await refuses(order(rootOf(8)), "EnforcedPause");
      await refuses(pausing("unpause", chain.stranger), "AccessManagedUnauthorized");
      await pausing("unpause");
    });

    it("needs no upkeep", async () => {
      await order(rootOf(9));
      assert.equal(await isNeeded(), true);
      await pausing("pause");
      assert.equal(await isNeeded(), false);
      await pausing("unpause");
    });
  });

  const order = (of: Hex, urls: readonly string[] = [URL], by = functions.operator) =>
    chain.send(
      { ...functions.contract, functionName: "order", args: [digest, of, urls, functions.subscriptionId] },
      by,
    );
  const operatorData = () => encodeAbiParameters([{ type: "address" }], [functions.operator.account.address]);
  const check = (data = operatorData()) =>
    chain.publicClient.readContract({ ...functions.contract, functionName: "checkUpkeep", args: [data] } as const);
  const ordered = () => {
    const args = [functions.operator.account.address] as const;
    return chain.publicClient.readContract({ ...functions.contract, functionName: "orderOf", args });
  };
  const isNeeded = async () => (await check())[0];
  /** By anyone: a keeper has no role. */
  const perform = (data = operatorData()) =>
    chain.send({ ...functions.contract, functionName: "performUpkeep", args: [data] }, chain.owner);
  const pass = async (seconds: number) => {
    const { timestamp } = await chain.publicClient.getBlock();
    await chain.at(Number(timestamp) + seconds);
  };

  describe("an order", () => {
    it("is left by nobody but an operator, on the terms of a request", async () => {
      await refuses(order(root, [URL], chain.owner), "AccessManagedUnauthorized");
      await refuses(order(root, []), "UrlCountInvalid", [0n]);
      await refuses(order(rootOf(5)), "AlreadyAttested", [rootOf(5)]);
      await refuses(order(root, [URL], functions.otherOperator), "CallerNotSubscriptionOwner");
    });

    it("of nobody is not performed", async () => {
      const data = encodeAbiParameters([{ type: "address" }], [chain.owner.account.address]);
      assert.equal((await check(data))[0], false);
      await refuses(perform(data), "OrderNotDue", [getAddress(chain.owner.account.address)]);
    });

    it("is requested by any keeper, and is over when the root is attested", async () => {
      await order(rootOf(10));
      assert.deepEqual(await check(), [true, operatorData()]);
      const report = functions.reported();
      await perform();
      await report;
      assert.equal(await functions.attestedBy(rootOf(10)), getAddress(functions.attestor));
      await pass(3600);
      assert.equal(await isNeeded(), false);
      await refuses(perform(), "OrderNotDue", [getAddress(functions.operator.account.address)]);
    });

    it("is requested again ten minutes after a refusal, five times at most", async () => {
      await order(rootOf(11), [`${URL}/refuse`]);
      for (let attempt = 1; attempt <= 5; attempt++) {
        const report = functions.reported();
        await perform();
        await report;
        await refuses(perform(), "OrderNotDue");
        const requestedAt = Number((await ordered()).requestedAt);
        await chain.at(requestedAt + 599);
        assert.equal(await isNeeded(), false);
        await chain.at(requestedAt + 600);
        assert.equal(await isNeeded(), attempt < 5);
      }
      const { attempts, root: orderedRoot } = await ordered();
      assert.deepEqual([attempts, orderedRoot], [5, rootOf(11)]);
    });

    it("is replaced by another", async () => {
      await order(rootOf(12), [`${URL}/refuse`]);
      await order(rootOf(13));
      const report = functions.reported();
      await perform();
      await report;
      assert.equal(await functions.attestedBy(rootOf(13)), getAddress(functions.attestor));
    });

    it("spends nothing of a subscription that is its operator's no more", async () => {
      const { chainlink, subscriptionId, operator, otherOperator } = functions;
      await order(rootOf(14));
      const router = { address: chainlink.router, abi: routerAbi } as const;
      const propose = [subscriptionId, otherOperator.account.address] as const;
      await chain.send({ ...router, functionName: "proposeSubscriptionOwnerTransfer", args: propose }, operator);
      const accept = { ...router, functionName: "acceptSubscriptionOwnerTransfer", args: [subscriptionId] };
      await chain.send(accept, otherOperator);
      await refuses(perform(), "OrderNotDue");
      const back = [subscriptionId, operator.account.address] as const;
      await chain.send({ ...router, functionName: "proposeSubscriptionOwnerTransfer", args: back }, otherOperator);
      await chain.send(accept, operator);
      assert.equal(await isNeeded(), true);
    });

    it("needs no upkeep, and makes none revert, once its subscription is cancelled", async () => {
      const own = await createSubscription({ ...chain.deployer, wallet: functions.operator }, functions.chainlink);
      const args = [digest, rootOf(16), [URL], own];
      await chain.send({ ...functions.contract, functionName: "order", args }, functions.operator);
      assert.equal(await isNeeded(), true);
      const cancelArgs = [own, functions.operator.account.address] as const;
      const router = { address: functions.chainlink.router, abi: routerAbi } as const;
      await chain.send({ ...router, functionName: "cancelSubscription", args: cancelArgs }, functions.operator);
      assert.deepEqual(await check(), [false, operatorData()]);
      await refuses(perform(), "OrderNotDue");
    });

    it("is not requested once its operator is none any more", async () => {
      await order(rootOf(15));
      const { abi } = await artifact("Authority");
      const args = [ROLES.operator, functions.operator.account.address];
      await chain.send({ address: chain.deployment.authority, abi, functionName: "revokeRole", args });
      await refuses(perform(), "OrderNotDue");
    });
  });
});

describe("FunctionsAttestor, of a router that delivers both", () => {
  it("attests nothing where an error comes with the root", async () => {
    const chain = await deployFixture();
    const functions = await withFunctions(chain, SOURCE);
    await functions.don.stop();
    const { router } = functions.chainlink;
    await functions.request(digest, root, [URL]);
    const [asked] = await chain.publicClient.getContractEvents({
      ...functions.contract,
      eventName: "AttestationRequested",
      fromBlock: 0n,
    });
    await chain.request("hardhat_impersonateAccount", [router]);
    await chain.request("hardhat_setBalance", [router, "0xde0b6b3a7640000"]);
    const abi = parseAbi(["function handleOracleFulfillment(bytes32 requestId, bytes response, bytes err)"]);
    const args = [asked?.args.requestId as Hex, root, "0x6f6f7073"] as const;
    const data = encodeFunctionData({ abi, functionName: "handleOracleFulfillment", args });
    await chain.request("eth_sendTransaction", [{ from: router, to: functions.attestor, gas: "0x7a120", data }]);
    assert.equal(await functions.attestedBy(root), zeroAddress);
    const refusals = { ...functions.contract, eventName: "AttestationRefused", fromBlock: 0n } as const;
    const [refused] = await chain.publicClient.getContractEvents(refusals);
    assert.equal(refused?.args.reason, "oops");
  });
});
