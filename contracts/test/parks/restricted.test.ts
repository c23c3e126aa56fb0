import assert from "node:assert/strict";
import { getAddress, type Hex, zeroAddress } from "viem";
import type { Wallet } from "../../deploy.ts";
import { refuses } from "../fixture.ts";
import { DAY, told, world } from "./acts.ts";

const WEEK = 7 * DAY;
const EVERYTHING = 2n ** 256n - 1n;

describe("a park whose holders must be allowed", () => {
  /** The supervisor is the guardian. */
  const at = world(async ({ create, voteOf, newToken, guardian }) => {
    const park = await create({ supervisor: guardian.account.address });
    const vote = await voteOf(park);
    const coin = await newToken();
    await park.act("addKind", [coin.address], vote);
    return { park, vote, coin, supervisor: guardian };
  });
  const address = ({ account }: Wallet): Hex => getAddress(account.address);
  const allow = (who: Wallet | Hex, send: boolean, receive: boolean) => {
    const account = typeof who === "string" ? who : who.account.address;
    return at().park.act("allow", [account, send, receive], at().supervisor);
  };
  const freeze = (who: Wallet, amount: bigint) =>
    at().park.act("setFrozenTokens", [who.account.address, amount], at().supervisor);
  const transfer = (from: Wallet, to: Wallet, amount: bigint) =>
    at().park.act("transfer", [to.account.address, amount], from);
  const can = (from: Wallet, to: Wallet, amount: bigint): Promise<boolean> =>
    at().park.read("canTransfer", from.account.address, to.account.address, amount);
  const announce = (from: Wallet, to: Wallet, amount: bigint) =>
    at().park.act("announceForcedTransfer", [from.account.address, to.account.address, amount], at().supervisor);
  const force = (from: Wallet, to: Wallet, amount: bigint) =>
    at().park.act("forcedTransfer", [from.account.address, to.account.address, amount], at().supervisor);

  describe("is supervised", () => {
    it("by nobody but the supervisor: neither a holder, the vote nor the manager", async () => {
      const { park, vote, ada, bea, cem } = at();
      await park.act("appoint", [cem.account.address, 0xff], vote);
      const [from, to] = [ada.account.address, bea.account.address];
      for (const by of [ada, cem, vote])
        for (const [functionName, args] of [
          ["allow", [to, true, true]],
          ["setFrozenTokens", [from, 1n]],
          ["announceForcedTransfer", [from, to, 1n]],
          ["cancelForcedTransfer", [from, to, 1n]],
          ["forcedTransfer", [from, to, 1n]],
          ["handOver", [to]],
        ] as const) {
          await refuses(park.act(functionName, args, by), "CallerNotSupervisor", [address(by)]);
        }
    });

    it("never by nobody", async () => {
      const { park, supervisor } = at();
      await refuses(park.act("handOver", [zeroAddress], supervisor), "SupervisorZero");
    });

    it("by another, when he hands it over", async () => {
      const { park, supervisor, stranger } = at();
      const receipt = await park.act("handOver", [stranger.account.address], supervisor);
      assert.deepEqual(told(receipt, park), [
        { eventName: "SupervisorChanged", args: { supervisor: address(stranger) } },
        { eventName: "ContractURIUpdated", args: undefined },
      ]);
      assert.equal(await park.read("supervisor"), address(stranger));
      await refuses(park.act("allow", [address(stranger), true, true], supervisor), "CallerNotSupervisor");
      await park.act("allow", [address(stranger), true, true], stranger);
    });

    it("by who has no power over income, meters or the vote", async () => {
      const { park, supervisor, coin } = at();
      for (const [functionName, args] of [
        ["issue", [address(supervisor), 1n]],
        ["addKind", [coin.address]],
        ["appoint", [address(supervisor), 0xff]],
        ["setDocument", [`0x${"00".repeat(32)}`]],
      ] as const) {
        await refuses(park.act(functionName, args, supervisor), "CallerNotVote");
      }
      await coin.act("mint", park.address, 1_000n);
      await allow(supervisor, true, true);
      await at().claim(park, supervisor, [coin.address]);
      assert.equal(await coin.read("balanceOf", address(supervisor)), 0n);
    });
  });

  describe("moves no share", () => {
    it("to who may not receive, by a transfer or an issue", async () => {
      const { park, ada, bea, vote, stranger } = at();
      await refuses(transfer(ada, stranger, 1n), "ERC7943CannotReceive", [address(stranger)]);
      await refuses(park.act("issue", [address(stranger), 1n], vote), "ERC7943CannotReceive", [address(stranger)]);
      await allow(bea, true, false);
      await refuses(transfer(ada, bea, 1n), "ERC7943CannotReceive", [address(bea)]);
    });

    it("from who may not send, also by an allowance", async () => {
      const { park, ada, bea, cem } = at();
      await park.act("approve", [address(cem), 10n], ada);
      await allow(ada, false, true);
      await refuses(transfer(ada, bea, 1n), "ERC7943CannotSend", [address(ada)]);
      await refuses(park.act("transferFrom", [address(ada), address(bea), 1n], cem), "ERC7943CannotSend");
    });

    it("that is frozen; and of more than somebody has, it is said as of any token", async () => {
      const { ada, bea } = at();
      await freeze(ada, 400n);
      await refuses(transfer(ada, bea, 101n), "ERC7943InsufficientUnfrozenBalance", [address(ada), 101n, 100n]);
      await refuses(transfer(ada, bea, 500n), "ERC7943InsufficientUnfrozenBalance", [address(ada), 500n, 100n]);
      await refuses(transfer(ada, bea, 501n), "ERC20InsufficientBalance", [address(ada), 500n, 501n]);
      await transfer(ada, bea, 100n);
      await refuses(transfer(ada, bea, 1n), "ERC7943InsufficientUnfrozenBalance", [address(ada), 1n, 0n]);
    });

    it("of who has more frozen than he has", async () => {
      const { park, ada, bea } = at();
      await freeze(ada, EVERYTHING);
      assert.equal(await park.read("getFrozenTokens", address(ada)), EVERYTHING);
      await refuses(transfer(ada, bea, 1n), "ERC7943InsufficientUnfrozenBalance", [address(ada), 1n, 0n]);
      // what he receives is frozen, too
      await transfer(bea, ada, 100n);
      await refuses(transfer(ada, bea, 1n), "ERC7943InsufficientUnfrozenBalance");
    });

    it("to nobody, or to the park", async () => {
      const { park, ada } = at();
      await refuses(park.act("transfer", [zeroAddress, 1n], ada), "ERC20InvalidReceiver");
      await allow(park.address, true, true);
      await refuses(park.act("transfer", [park.address, 1n], ada), "ERC20InvalidReceiver", [park.address]);
    });
  });

  it("lets its first holders send and receive, and whom the supervisor allows", async () => {
    const { park, ada, stranger } = at();
    await transfer(ada, at().bea, 1n);
    const receipt = await allow(stranger, true, true);
    assert.deepEqual(told(receipt, park), [
      { eventName: "Allowed", args: { account: address(stranger), canSend: true, canReceive: true } },
    ]);
    await transfer(ada, stranger, 99n);
    await park.act("issue", [address(stranger), 1n], at().vote);
    assert.deepEqual(await park.read("holdingOf", address(stranger)), {
      ...{ shares: 100n, ofShares: 1001n, votes: 0n, canSend: true, canReceive: true, frozen: 0n },
    });
    const frozen = await freeze(stranger, 7n);
    assert.deepEqual(told(frozen, park), [{ eventName: "Frozen", args: { account: address(stranger), amount: 7n } }]);
    await allow(stranger, false, true);
    assert.deepEqual(await park.read("holdingOf", address(stranger)), {
      ...{ shares: 100n, ofShares: 1001n, votes: 0n, canSend: false, canReceive: true, frozen: 7n },
    });
    await allow(stranger, true, false);
    const holding = (await park.read("holdingOf", address(stranger))) as { canSend: boolean; canReceive: boolean };
    assert.deepEqual([holding.canSend, holding.canReceive], [true, false]);
  });

  describe("says as ERC-7943 asks", () => {
    it("that it is one: 0x3edbb4c4", async () => {
      const { park } = at();
      const supports = (id: Hex) => park.read("supportsInterface", id);
      assert.deepEqual(
        await Promise.all((["0x3edbb4c4", "0x01ffc9a7", "0xffffffff", "0x36372b07"] as Hex[]).map(supports)),
        [true, true, false, false],
      );
    });

    it("who can send and receive, of anybody", async () => {
      const { park, ada, stranger } = at();
      const views = async (account: Hex) => [
        await park.read("canSend", account),
        await park.read("canReceive", account),
      ];
      assert.deepEqual(await views(address(ada)), [true, true]);
      for (const nobody of [zeroAddress, park.address, address(stranger)])
        assert.deepEqual(await views(nobody), [false, false]);
    });

    it("what can be transferred, which never reverts, and is not about what somebody has", async () => {
      const { ada, bea, stranger } = at();
      assert.equal(await can(ada, bea, 500n), true);
      // that the balance is lower is the token's to say
      assert.equal(await can(ada, bea, EVERYTHING), true);
      assert.equal(await can(ada, stranger, 1n), false);
      assert.equal(await can(stranger, ada, 1n), false);
      await freeze(ada, 400n);
      assert.deepEqual([await can(ada, bea, 100n), await can(ada, bea, 101n)], [true, false]);
      await freeze(ada, EVERYTHING);
      assert.deepEqual(
        [await can(ada, bea, 0n), await can(ada, bea, 1n), await can(ada, bea, EVERYTHING)],
        [true, false, false],
      );
      await allow(ada, false, true);
      assert.equal(await can(ada, bea, 0n), false);
    });

    it("in its metadata, with the supervisor", async () => {
      const { park, supervisor } = at();
      const uri: string = await park.read("contractURI");
      const json = JSON.parse(Buffer.from(uri.slice(uri.indexOf(",") + 1), "base64").toString());
      assert.deepEqual([json.restricted, json.standard, json.supervisor], [true, "ERC-7943", address(supervisor)]);
    });
  });

  describe("keeps the income of who may not receive", () => {
    it("until he may", async () => {
      const { park, coin, ada, bea, cem } = at();
      await coin.act("mint", park.address, 1_000n);
      await allow(ada, false, false);
      await refuses(at().claim(park, ada, [coin.address]), "ERC7943CannotReceive", [address(ada)]);
      // nor does it go by another
      await refuses(at().claim(park, ada, [coin.address], address(bea)), "ERC7943CannotReceive", [address(ada)]);
      for (const by of [bea, cem]) await at().claim(park, by, [coin.address]);
      await coin.act("mint", park.address, 1_000n);
      assert.equal((await at().claimable(park, ada))[1], 1_000n);
      await allow(ada, false, true);
      await at().claim(park, ada, [coin.address]);
      assert.equal(await coin.read("balanceOf", address(ada)), 1_000n);
    });

    it("and pays nobody else who may not", async () => {
      const { park, coin, ada, bea, stranger } = at();
      await coin.act("mint", park.address, 1_000n);
      await refuses(at().claim(park, ada, [coin.address], address(stranger)), "ERC7943CannotReceive", [
        address(stranger),
      ]);
      await at().claim(park, ada, [coin.address], address(bea));
      assert.equal(await coin.read("balanceOf", address(bea)), 500n);
    });
  });

  describe("is moved by force", () => {
    it("only when that was announced a week ago", async () => {
      const { park, ada, bea, later, publicClient } = at();
      const refused = (executableAt: bigint) =>
        refuses(force(ada, bea, 10n), "ForcedTransferNotDue", [address(ada), address(bea), 10n, executableAt]);
      await refused(0n);
      const receipt = await announce(ada, bea, 10n);
      const { timestamp } = await publicClient.getBlock();
      const executableAt = timestamp + BigInt(WEEK);
      assert.deepEqual(told(receipt, park), [
        {
          eventName: "ForcedTransferAnnounced",
          args: { from: address(ada), to: address(bea), amount: 10n, executableAt },
        },
      ]);
      assert.equal(await park.read("forcedTransferFrom", address(ada), address(bea), 10n), executableAt);
      assert.equal(await park.read("FORCED_TRANSFER_DELAY"), BigInt(WEEK));
      await at().at(Number(executableAt) - 1);
      // asked in the second of the block that is there
      await refused(executableAt);
      await later(1);
      for (const [from, to, amount] of [
        [bea, ada, 10n],
        [ada, at().cem, 10n],
        [ada, bea, 11n],
      ] as const) {
        await refuses(force(from, to, amount), "ForcedTransferNotDue");
      }
      await force(ada, bea, 10n);
      assert.equal(await park.read("balanceOf", address(bea)), 310n);
      await refused(0n);
    });

    it("for a week, and not after", async () => {
      const { ada, bea, publicClient } = at();
      await announce(ada, bea, 10n);
      const { timestamp } = await publicClient.getBlock();
      await at().at(Number(timestamp) + 2 * WEEK);
      await refuses(force(ada, bea, 10n), "ForcedTransferNotDue");
    });

    it("up to the last second of it", async () => {
      const { park, ada, bea, publicClient, request } = at();
      await announce(ada, bea, 10n);
      const { timestamp } = await publicClient.getBlock();
      const last = Number(timestamp) + 2 * WEEK - 1;
      await at().at(last - 1);
      await request("evm_setNextBlockTimestamp", [`0x${last.toString(16)}`]);
      await force(ada, bea, 10n);
      assert.equal(await park.read("balanceOf", address(bea)), 310n);
    });

    it("not when it was cancelled", async () => {
      const { park, ada, bea, supervisor, later } = at();
      await announce(ada, bea, 10n);
      const receipt = await park.act("cancelForcedTransfer", [address(ada), address(bea), 10n], supervisor);
      const args = { from: address(ada), to: address(bea), amount: 10n };
      assert.deepEqual(told(receipt, park), [{ eventName: "ForcedTransferCancelled", args }]);
      await later(WEEK);
      await refuses(force(ada, bea, 10n), "ForcedTransferNotDue", [address(ada), address(bea), 10n, 0n]);
    });

    it("not from nobody, to nobody, to who may not receive, or of what is not there", async () => {
      const { park, ada, bea, stranger, supervisor, later } = at();
      const moves: [Hex, Hex, bigint, string][] = [
        [zeroAddress, address(ada), 1n, "ERC20InvalidSender"],
        [address(ada), zeroAddress, 1n, "ERC20InvalidReceiver"],
        [address(ada), address(stranger), 1n, "ERC7943CannotReceive"],
        [address(ada), address(bea), 501n, "ERC20InsufficientBalance"],
      ];
      await allow(zeroAddress, true, true);
      for (const [from, to, amount] of moves) await park.act("announceForcedTransfer", [from, to, amount], supervisor);
      await later(WEEK);
      for (const [from, to, amount, error] of moves)
        await refuses(park.act("forcedTransfer", [from, to, amount], supervisor), error);
    });

    it("whether its holder may send or not, what is frozen last, which is told before the transfer", async () => {
      const { park, coin, ada, bea, later } = at();
      await coin.act("mint", park.address, 1_000n);
      await allow(ada, false, false);
      await freeze(ada, 450n);
      for (const amount of [40n, 60n]) await announce(ada, bea, amount);
      await later(WEEK);
      const free = await force(ada, bea, 40n);
      const names = (receipt: typeof free) => told(receipt, park).map(({ eventName }) => eventName);
      assert.deepEqual(
        names(free).filter((name) => name !== "DelegateVotesChanged"),
        ["Received", "Transfer", "ForcedTransfer"],
      );
      const receipt = await force(ada, bea, 60n);
      assert.deepEqual(
        names(receipt).filter((name) => name !== "DelegateVotesChanged"),
        ["Frozen", "Transfer", "ForcedTransfer"],
      );
      const [frozen, moved] = [told(receipt, park)[0], told(receipt, park).at(-1)];
      assert.deepEqual(frozen?.args, { account: address(ada), amount: 400n });
      assert.deepEqual(moved?.args, { from: address(ada), to: address(bea), amount: 60n });
      assert.equal(await park.read("getFrozenTokens", address(ada)), 400n);
      // what came in before stays whose it was
      assert.deepEqual([(await at().claimable(park, ada))[1], (await at().claimable(park, bea))[1]], [500n, 300n]);
    });
  });
});
