import assert from "node:assert/strict";
import { deployWattWitness, NEVER, type Wallet } from "../deploy.ts";
import { artifact, createChain, deployFixture, NETWORKS } from "./fixture.ts";

const P256_VERIFY = "0x0000000000000000000000000000000000000100";
/** Answers 1 to everything: PUSH1 1, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN */
const YES_TO_ALL = "0x60015f5260205ff3";

const Precompile = { absent: 0, working: 1 };

describe("the canary", () => {
  it("keeps WattWitness from a chain whose 0x100 accepts everything", async () => {
    const { request, publicClient, wallets } = await createChain("prague");
    await request("hardhat_setCode", [P256_VERIFY, YES_TO_ALL]);
    const deployer = { publicClient, wallet: wallets[0] as Wallet, artifact };
    await assert.rejects(
      deployWattWitness(deployer, { unattestedAfter: NEVER }),
      /0x100 .* accepts a bad P-256 signature/,
    );
  });

  for (const [network, where] of NETWORKS) {
    const expected = network === "prague" ? "absent" : "working";
    it(`finds 0x100 ${expected} on ${where}`, async () => {
      const { publicClient, wattWitness } = await deployFixture(network);
      const found = await publicClient.readContract({ ...wattWitness, functionName: "precompile" });
      assert.equal(found, Precompile[expected]);
    });
  }
});
