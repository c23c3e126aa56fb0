import assert from "node:assert/strict";
import { deployWattWitness, NEVER, type Wallet } from "../deploy.ts";
import { artifact, createChain, createMeter, deployFixture, deployOn, NETWORKS } from "./fixture.ts";

const P256_VERIFY = "0x0000000000000000000000000000000000000100";
/** What may be at 0x100 instead of P256VERIFY, as code. */
const BROKEN = {
  // PUSH1 1, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN
  "accepts everything": "0x60015f5260205ff3",
  "answers 2 to everything, which is no less than yes": "0x60025f5260205ff3",
  // PUSH1 64, CALLDATALOAD, PUSH1 1, EQ, PUSH1 1, SHL, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN
  "answers 2 to what is signed well": "0x60403560011460011b5f5260205ff3",
  "answers a single byte": "0x60015f5360015ff3",
  // PUSH0, PUSH0, REVERT
  reverts: "0x5f5ffd",
  // INVALID
  "burns all gas": "0xfe",
} as const;
/** Answers zero to everything, as nothing does: PUSH1 32, PUSH0, RETURN */
const NO_TO_ALL = "0x60205ff3";

const Precompile = { absent: 0, working: 1 };

describe("the canary", () => {
  for (const [name, code] of Object.entries(BROKEN)) {
    it(`keeps WattWitness from a chain whose 0x100 ${name}`, async () => {
      const { request, publicClient, wallets } = await createChain("prague");
      await request("hardhat_setCode", [P256_VERIFY, code]);
      const deployer = { publicClient, wallet: wallets[0] as Wallet, artifact };
      const deployment = deployWattWitness(deployer, { unattestedAfter: NEVER });
      await assert.rejects(deployment, /0x100 of this chain accepts a bad P-256 signature, or reverts/);
    });
  }

  it("takes a 0x100 that never says yes for an absent one", async () => {
    const chain = await createChain("prague");
    await chain.request("hardhat_setCode", [P256_VERIFY, NO_TO_ALL]);
    const { lens, registered, place } = await deployOn(chain);
    assert.equal(await chain.publicClient.readContract({ ...lens, functionName: "precompile" }), Precompile.absent);
    await registered(createMeter(place, 1));
  });

  for (const [network, where] of NETWORKS) {
    const expected = network === "prague" ? "absent" : "working";
    it(`finds 0x100 ${expected} on ${where}`, async () => {
      const { publicClient, lens } = await deployFixture(network);
      const found = await publicClient.readContract({ ...lens, functionName: "precompile" });
      assert.equal(found, Precompile[expected]);
    });
  }
});
