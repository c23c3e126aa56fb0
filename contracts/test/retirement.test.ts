import assert from "node:assert/strict";
import { getAddress, type Hex, parseEther, parseSignature, zeroAddress } from "viem";
import type { Wallet } from "../deploy.ts";
import { createMeter, deployFixture, type Fixture, refuses, START, STEP, UNITS } from "./fixture.ts";

const ONE = parseEther("1");
const DEADLINE = BigInt(START + 10 * 24 * 3600);
const TYPES = {
  Retire: [
    { name: "from", type: "address" },
    { name: "amount", type: "uint256" },
    { name: "beneficiary", type: "address" },
    { name: "name", type: "string" },
    { name: "purpose", type: "string" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
} as const;

const PERMIT = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
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

  const ADA: Hex = getAddress(`0x${"ada".padStart(40, "0")}`);
  const retire = (amount: bigint, by = owner, beneficiary: Hex = ADA) => {
    const args = [amount, beneficiary, "Ada", "a year of reading lamps"];
    return chain.send({ ...chain.token, functionName: "retire", args }, by);
  };
  const read = (functionName: "retirements" | "totalRetired" | "totalSupply") =>
    chain.publicClient.readContract({ ...chain.token, functionName });
  const record = (serial: bigint) =>
    chain.publicClient.readContract({ ...chain.token, functionName: "retirement", args: [serial] });

  type Signed = Record<"amount" | "nonce" | "deadline", bigint> & { beneficiary: Hex; name: string; purpose: string };
  const words = { beneficiary: ADA, name: "Ada", purpose: "reading lamps" };
  const honest: Signed = { amount: ONE, ...words, nonce: 0n, deadline: DEADLINE };
  const DOMAIN = () => ({
    name: "WattWitness kWh",
    version: "1",
    chainId: 31337,
    verifyingContract: chain.deployment.token,
  });
  const sign = (signed: Signed, by = owner) =>
    by.signTypedData({
      account: by.account,
      domain: DOMAIN(),
      types: TYPES,
      primaryType: "Retire",
      message: { from: by.account.address, ...signed },
    });
  const retireFor = (shown: Signed, signature: `0x${string}`) => {
    const { amount, beneficiary, name, purpose, deadline } = shown;
    const args = [owner.account.address, amount, beneficiary, name, purpose, deadline, signature];
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
    const { serial, from, amount, beneficiary, name, purpose, retiredAt } = await record(2n);
    assert.deepEqual(
      [serial, from, amount, beneficiary, name, purpose],
      [2n, getAddress(owner.account.address), 2n * ONE, ADA, "Ada", "a year of reading lamps"],
    );
    assert.equal(BigInt(retiredAt), (await chain.publicClient.getBlock()).timestamp);
    const [event] = await chain.publicClient.getContractEvents({ ...chain.token, eventName: "Retired" });
    assert.deepEqual((event as unknown as { args: object }).args, { serial, from, beneficiary, amount, name, purpose });
  });

  describe("keeps records", () => {
    const page = async (functionName: "retirementsBy" | "retirementsFor", of: Hex, start: bigint, count: bigint) => {
      const call = { ...chain.token, functionName, args: [of, start, count] } as const;
      return (await chain.publicClient.readContract(call)).map(({ serial }) => serial);
    };
    const sum = (functionName: "retiredBy" | "retiredFor" | "retirementCountBy" | "retirementCountFor", of: Hex) =>
      chain.publicClient.readContract({ ...chain.token, functionName, args: [of] });
    beforeEach(async () => {
      const args = [stranger.account.address, ONE];
      await chain.send({ ...chain.token, functionName: "transfer", args }, owner);
      for (const beneficiary of [ADA, zeroAddress, ADA]) await retire(ONE / 2n, owner, beneficiary);
      await retire(ONE / 4n, stranger);
    });

    it("by whoever retired, in pages", async () => {
      const account = owner.account.address;
      assert.deepEqual(await page("retirementsBy", account, 0n, 2n), [1n, 2n]);
      assert.deepEqual(await page("retirementsBy", account, 2n, 2n), [3n]);
      assert.deepEqual(await page("retirementsBy", account, 3n, 2n), []);
      assert.deepEqual(await page("retirementsBy", stranger.account.address, 0n, 9n), [4n]);
      assert.equal(await sum("retiredBy", account), (3n * ONE) / 2n);
      assert.equal(await sum("retirementCountBy", account), 3n);
    });

    it("by beneficiary, in pages, where he has an address", async () => {
      assert.deepEqual(await page("retirementsFor", ADA, 1n, 9n), [3n, 4n]);
      assert.deepEqual(await page("retirementsFor", zeroAddress, 0n, 9n), []);
      assert.equal(await sum("retiredFor", ADA), (5n * ONE) / 4n);
      assert.equal(await sum("retirementCountFor", ADA), 3n);
      assert.equal(await sum("retiredFor", zeroAddress), 0n);
      assert.equal(await sum("retirementCountFor", zeroAddress), 0n);
    });
  });

  describe("for somebody who signed it", () => {
    it("refuses a signature after its deadline", async () => {
      const signature = await sign(honest);
      await chain.at(Number(DEADLINE) + 1);
      await refuses(retireFor(honest, signature), "SignatureExpired");
    });

    const changes: [string, Partial<Signed>][] = [
      ["another amount", { amount: 2n * ONE }],
      ["another beneficiary", { beneficiary: zeroAddress }],
      ["another name", { name: "Eve" }],
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

    it("stays good though a permit that was signed beside it is used", async () => {
      const retirement = await sign(honest);
      const spender = chain.guardian.account.address;
      const permit = await owner.signTypedData({
        account: owner.account,
        domain: DOMAIN(),
        types: PERMIT,
        primaryType: "Permit",
        message: { owner: owner.account.address, spender, value: 1n, nonce: 0n, deadline: DEADLINE },
      });
      const { r, s, v } = parseSignature(permit);
      const args = [owner.account.address, spender, 1n, DEADLINE, Number(v), r, s];
      await chain.send({ ...chain.token, functionName: "permit", args }, stranger);
      await retireFor(honest, retirement);
      const nonceOf = { ...chain.token, functionName: "retirementNonces", args: [owner.account.address] } as const;
      assert.equal(await chain.publicClient.readContract(nonceOf), 1n);
    });

    it("retires in the name that was signed, whoever sends it", async () => {
      await retireFor(honest, await sign(honest));
      const { from, beneficiary, name, amount } = await record(1n);
      assert.deepEqual([from, beneficiary, name, amount], [getAddress(owner.account.address), ADA, "Ada", ONE]);
      assert.equal(await chain.balanceOf(owner.account.address), minted - ONE);
    });
  });
});
