import assert from "node:assert/strict";
import { getAddress, type Hex, zeroAddress } from "viem";
import { deployFixture, type Fixture, refuses } from "./fixture.ts";
import { type Functions, withFunctions } from "./functions.ts";

const digest: Hex = `0x${"d1".repeat(32)}`;
const root: Hex = `0x${"a7".repeat(32)}`;
const URL = "http://127.0.0.1:1/batch";

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
});
