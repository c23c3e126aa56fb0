import assert from "node:assert/strict";
import { type Abi, encodeFunctionData, erc20Abi, getAddress, type Hex } from "viem";
import { restrictedParkAbi } from "../../abi.ts";
import type { Wallet } from "../../deploy.ts";
import { refuses } from "../fixture.ts";
import { told, world } from "./acts.ts";

const onPark = (address: Hex) => ({ address, abi: restrictedParkAbi });
/** HostileToken.Answer */
const ANSWER = { Honest: 0, Revert: 1, Burn: 2, Nothing: 3, Everything: 4, Bomb: 5, Slow: 6 } as const;
const BALANCE_GAS_LEFT = 110_000n;

describe("a token that a park divides", () => {
  /** `bad` is a kind before `coin`, so that whatever it does comes first. */
  const at = world(async ({ shared, newToken }) => {
    const [bad, coin] = [await newToken(), await newToken()];
    const park = await shared(bad, coin);
    return { bad, coin, park };
  });
  const parts = async (by: Wallet) => (await at().claimable(at().park, by)) as [bigint, bigint, bigint];
  const call = (functionName: string, ...args: unknown[]): Hex =>
    encodeFunctionData({ abi: restrictedParkAbi as Abi, functionName, args });

  const othersOf = ([production, , coin]: [bigint, bigint, bigint]) => [production, coin];

  /** Whatever the bad token does, the others are divided and paid, and shares move. */
  async function harmsNothingElse() {
    const { park, coin, produce, ada, bea, cem, token } = at();
    await coin.act("mint", park.address, 1_000n);
    await produce(park.address, 1_000n);
    await park.act("transfer", [bea.account.address, 100n], ada);
    await coin.act("mint", park.address, 1_000n);
    await park.act("mark", [], cem);
    assert.deepEqual(othersOf(await parts(ada)), [500n, 900n]);
    assert.deepEqual(othersOf(await parts(bea)), [300n, 700n]);
    for (const by of [ada, bea, cem]) await at().claim(park, by, [token.address, coin.address]);
    const paid = await Promise.all([ada, bea, cem].map(({ account }) => coin.read("balanceOf", account.address)));
    assert.deepEqual(paid, [900n, 700n, 400n]);
    assert.equal(await at().balanceOf(park.address), 0n);
  }

  describe("harms neither another kind nor the transfer of shares when it", () => {
    for (const [what, answer] of [
      ["reverts", ANSWER.Revert],
      ["uses up all gas", ANSWER.Burn],
      ["answers nothing", ANSWER.Nothing],
      ["says that it has everything", ANSWER.Everything],
      ["answers a megabyte", ANSWER.Bomb],
      ["is slow", ANSWER.Slow],
    ] as const) {
      it(what, async () => {
        await at().bad.act("behave", answer);
        await harmsNothingElse();
      });
    }

    it("blocks the park", async () => {
      const { bad, park, ada } = at();
      await bad.act("mint", park.address, 1_000n);
      await bad.act("block_", park.address, true);
      await harmsNothingElse();
      await assert.rejects(at().claim(park, ada, [bad.address]), /blocked/);
      // it is his still
      assert.equal((await parts(ada))[1], 500n);
      await bad.act("block_", park.address, false);
      await at().claim(park, ada, [bad.address]);
      assert.equal(await bad.read("balanceOf", ada.account.address), 500n);
    });

    it("blocks a holder, who has it paid to another account", async () => {
      const { bad, park, ada, stranger } = at();
      await bad.act("mint", park.address, 1_000n);
      await bad.act("block_", ada.account.address, true);
      await harmsNothingElse();
      await assert.rejects(at().claim(park, ada, [bad.address]), /blocked/);
      await at().claim(park, ada, [bad.address], stranger.account.address);
      assert.equal(await bad.read("balanceOf", stranger.account.address), 500n);
    });

    it("is another token's every kind: eight of them that use up all gas", async () => {
      const { park, newToken, voteOf } = at();
      const vote = await voteOf(park);
      for (let i = 3; i < 8; i++) {
        const burner = await newToken();
        await burner.act("behave", ANSWER.Burn);
        await park.act("addKind", [burner.address], vote);
      }
      await at().bad.act("behave", ANSWER.Burn);
      await harmsNothingElse();
    });
  });

  describe("is divided by what arrives when it", () => {
    it("takes a fee", async () => {
      const { bad, park, ada, bea, cem, admin, send } = at();
      await bad.act("mint", admin.account.address, 10_000n);
      await bad.act("take", 10n);
      await send({ address: bad.address, abi: erc20Abi, functionName: "transfer", args: [park.address, 10_000n] });
      assert.deepEqual((await parts(ada))[1], 4_500n);
      for (const by of [ada, bea, cem]) await at().claim(park, by, [bad.address]);
      assert.equal(await bad.read("balanceOf", park.address), 0n);
      assert.equal(await bad.read("balanceOf", ada.account.address), 4_050n);
      await harmsNothingElse();
    });

    it("grows", async () => {
      const { bad, park, ada, bea } = at();
      await bad.act("mint", park.address, 1_000n);
      await park.act("count", [], ada);
      await bad.act("rebase", 200n);
      assert.deepEqual([(await parts(ada))[1], (await parts(bea))[1]], [1_000n, 600n]);
      await harmsNothingElse();
    });

    it("shrinks: nothing is income before it is more again", async () => {
      const { bad, park, ada, bea } = at();
      await bad.act("mint", park.address, 1_000n);
      await park.act("count", [], ada);
      await bad.act("rebase", 50n);
      assert.deepEqual([(await parts(ada))[1], (await parts(bea))[1]], [500n, 300n]);
      await bad.act("mint", park.address, 1_000n);
      assert.equal((await at().accountOf(park, bad.address)).received, 1_000n);
      await bad.act("mint", park.address, 2_000n);
      assert.deepEqual([(await parts(ada))[1], (await parts(bea))[1]], [1_000n, 600n]);
      await harmsNothingElse();
    });

    it("is honest again, after it answered nothing", async () => {
      const { bad, park, ada } = at();
      await bad.act("mint", park.address, 1_000n);
      await bad.act("behave", ANSWER.Revert);
      assert.equal((await parts(ada))[1], 0n);
      await park.act("count", [], ada);
      await bad.act("behave", ANSWER.Honest);
      assert.equal((await parts(ada))[1], 500n);
    });
  });

  describe("cannot, while it is transferred,", () => {
    /** Everything that could be done twice; the token has shares of its own, so that it could. */
    const calls: [string, () => Hex][] = [
      ["claim", () => call("claim", [at().bad.address, at().coin.address], at().bad.address)],
      ["transfer shares", () => call("transfer", at().ada.account.address, 1n)],
      ["count", () => call("count")],
      ["mark", () => call("mark")],
      ["buy a meter", () => call("buy", `0x${"00".repeat(32)}`, at().bad.address, 0n)],
      ["ask what somebody can claim", () => call("claimableOf", at().ada.account.address)],
      ["ask what came in", () => call("accountOf", at().bad.address)],
    ];
    for (const [what, data] of calls) {
      it(`${what}`, async () => {
        const { park, bad, coin, ada, cem } = at();
        await park.act("transfer", [bad.address, 200n], cem);
        await bad.act("mint", park.address, 1_000n);
        await coin.act("mint", park.address, 1_000n);
        await bad.act("reenter", park.address, data());
        // with gas enough: what it is told to do is not to fail for want of it
        const gas = 5_000_000n;
        const claim = {
          ...onPark(park.address),
          functionName: "claim",
          args: [[bad.address], ada.account.address],
          gas,
        };
        await at().send(claim, ada);
        assert.equal(await bad.read("reentered"), false);
        assert.equal(await bad.read("balanceOf", ada.account.address), 500n);
        assert.equal(await park.read("balanceOf", bad.address), 200n);
        assert.equal(await coin.read("balanceOf", bad.address), 0n);
        // at another time it may: so it was the moment that was refused
        if (what !== "buy a meter") {
          const args = [ada.account.address, 0n];
          await at().send({ address: bad.address, abi: erc20Abi, functionName: "transfer", args, ...{ gas } }, cem);
          assert.equal(await bad.read("reentered"), true);
        }
      });
    }
  });

  describe("is asked with enough gas, or nothing is done:", () => {
    it("a transfer, a claim and a count with too little say so", async () => {
      const { park, bad, ada, bea, publicClient } = at();
      const kinds = [bad.address];
      for (const [functionName, args] of [
        ["transfer", [bea.account.address, 1n]],
        ["claim", [kinds, ada.account.address]],
        ["count", []],
      ] as const) {
        const call = { address: park.address, abi: restrictedParkAbi, functionName, args, account: ada.account };
        // what a transaction costs before it begins is some 22,000
        const gas = BALANCE_GAS_LEFT + 20_000n;
        await refuses(publicClient.simulateContract({ ...call, gas } as never), "GasTooLow", undefined);
      }
    });

    for (const [what, answer] of [
      ["honest", ANSWER.Honest],
      ["slow", ANSWER.Slow],
    ] as const) {
      it(`whatever the limit, a transfer counts a token that is ${what}, or fails`, async function () {
        this.timeout(120_000);
        const { park, bad, ada, bea, request, publicClient } = at();
        await bad.act("behave", answer);
        await bad.act("mint", park.address, 1_000n);
        let snapshot = await request("evm_snapshot");
        let succeeded = 0;
        let failed = 0;
        for (let gas = 60_000n; gas < 500_000n; gas += 5_000n) {
          const transaction = { to: park.address, data: call("transfer", bea.account.address, 500n), gas };
          const hash = await ada
            .sendTransaction({ ...transaction, account: ada.account, chain: ada.chain })
            .catch(() => undefined);
          if (hash) {
            succeeded += 1;
            const [first] = told(await publicClient.getTransactionReceipt({ hash }), park);
            assert.deepEqual(first, { eventName: "Received", args: { kind: getAddress(bad.address), amount: 1_000n } });
          } else failed += 1;
          await request("evm_revert", [snapshot]);
          snapshot = await request("evm_snapshot");
        }
        assert.ok(succeeded > 10 && failed > 10);
      });
    }
  });
});
