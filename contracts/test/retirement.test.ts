import assert from "node:assert/strict";
import { getAddress, parseEther } from "viem";
import type { Wallet } from "../deploy.ts";
import { createMeter, deployFixture, type Fixture, refuses, START, STEP, UNITS } from "./fixture.ts";

const ONE = parseEther("1");
const DEADLINE = BigInt(START + 10 * 24 * 3600);
const TYPES = {
  Retire: [
    { name: "from", type: "address" },
    { name: "amount", type: "uint256" },
    { name: "beneficiary", type: "string" },
    { name: "purpose", type: "string" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
} as const;

describe("retiring tokens", () => {
  const minted = 599n * STEP * UNITS;
  let chain: Fixture;
  let owner: Wallet;
  let stranger: Wallet;
  beforeEach(async () => {
    chain = await deployFixture();
    ({ owner, stranger } = chain);
    const meter = await chain.registered(createMeter(chain.place, 1));
    await chain.at(START + 6000);
    await chain.settleAttested({ meter, to: 600 });
  });

  const retire = (amount: bigint, by = owner) =>
    chain.send({ ...chain.token, functionName: "retire", args: [amount, "Ada", "a year of reading lamps"] }, by);
  const read = (functionName: "retirements" | "totalRetired" | "totalSupply") =>
    chain.publicClient.readContract({ ...chain.token, functionName });
  const record = (serial: bigint) =>
    chain.publicClient.readContract({ ...chain.token, functionName: "retirement", args: [serial] });

  type Signed = { amount: bigint; beneficiary: string; purpose: string; nonce: bigint; deadline: bigint };
  const honest: Signed = { amount: ONE, beneficiary: "Ada", purpose: "reading lamps", nonce: 0n, deadline: DEADLINE };
  const sign = (signed: Signed, by = owner) =>
    by.signTypedData({
      account: by.account,
      domain: {
        name: "WattWitness kWh",
        version: "1",
        chainId: 31337,
        verifyingContract: chain.deployment.token,
      },
      types: TYPES,
      primaryType: "Retire",
      message: { from: by.account.address, ...signed },
    });
  const retireFor = (shown: Signed, signature: `0x${string}`) => {
    const { amount, beneficiary, purpose, deadline } = shown;
    const args = [owner.account.address, amount, beneficiary, purpose, deadline, signature];
    return chain.send({ ...chain.token, functionName: "retireFor", args }, stranger);
  };

  it("refuses to retire nothing", () => refuses(retire(0n), "AmountZero"));

  it("refuses to retire more than there is, or anybody else's", async () => {
    await refuses(retire(minted + 1n), "ERC20InsufficientBalance");
    await refuses(retire(1n, stranger), "ERC20InsufficientBalance");
  });

  it("refuses to tell of a retirement that does not exist", async () => {
    await refuses(record(0n), "RetirementUnknown", [0n]);
    await refuses(record(1n), "RetirementUnknown", [1n]);
  });

  it("burns the tokens and keeps the record", async () => {
    await retire(ONE);
    await retire(2n * ONE);
    assert.equal(await chain.supply(), minted - 3n * ONE);
    assert.equal(await read("totalRetired"), 3n * ONE);
    assert.equal(await read("retirements"), 2n);
    const { from, amount, beneficiary, purpose, retiredAt } = await record(2n);
    assert.deepEqual(
      [from, amount, beneficiary, purpose],
      [getAddress(owner.account.address), 2n * ONE, "Ada", "a year of reading lamps"],
    );
    assert.equal(BigInt(retiredAt), (await chain.publicClient.getBlock()).timestamp);
    const [event] = await chain.publicClient.getContractEvents({ ...chain.token, eventName: "Retired" });
    assert.deepEqual((event as unknown as { args: object }).args, { serial: 2n, from, amount, beneficiary, purpose });
  });

  describe("for somebody who signed it", () => {
    it("refuses a signature after its deadline", async () => {
      const signature = await sign(honest);
      await chain.at(Number(DEADLINE) + 1);
      await refuses(retireFor(honest, signature), "SignatureExpired");
    });

    const changes: [string, Partial<Signed>][] = [
      ["another amount", { amount: 2n * ONE }],
      ["another beneficiary", { beneficiary: "Eve" }],
      ["another purpose", { purpose: "a party" }],
      ["another deadline", { deadline: DEADLINE + 1n }],
      ["another nonce", { nonce: 1n }],
    ];
    for (const [name, change] of changes) {
      it(`refuses a signature over ${name}`, async () => {
        await refuses(retireFor(honest, await sign({ ...honest, ...change })), "RetirementNotSigned");
      });
    }

    it("refuses somebody else's signature", async () => {
      await refuses(retireFor(honest, await sign(honest, stranger)), "RetirementNotSigned");
    });

    it("refuses a signature twice", async () => {
      const signature = await sign(honest);
      await retireFor(honest, signature);
      await refuses(retireFor(honest, signature), "RetirementNotSigned");
    });

    it("retires in the name that was signed, whoever sends it", async () => {
      await retireFor(honest, await sign(honest));
      const { from, beneficiary, amount } = await record(1n);
      assert.deepEqual([from, beneficiary, amount], [getAddress(owner.account.address), "Ada", ONE]);
      assert.equal(await chain.balanceOf(owner.account.address), minted - ONE);
    });
  });
});
