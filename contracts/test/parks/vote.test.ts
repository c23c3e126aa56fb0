import assert from "node:assert/strict";
import {
  encodeFunctionData,
  getAddress,
  type Hex,
  keccak256,
  parseAbi,
  toHex as textToHex,
  zeroAddress,
  zeroHash,
} from "viem";
import { restrictedParkAbi, solarParkAbi } from "../../abi.ts";
import type { Wallet } from "../../deploy.ts";
import { refuses } from "../fixture.ts";
import { DAY, proposal, world } from "./acts.ts";
import { type Park, RULES } from "./fixture.ts";

/** IGovernor.ProposalState */
const STATE = { Pending: 0, Active: 1, Canceled: 2, Defeated: 3, Succeeded: 4, Queued: 5, Executed: 7 } as const;
const AGAINST = 0;
const ABSTAIN = 2;

describe("the vote of a park", () => {
  const at = world(async ({ create }) => ({ park: await create() }));
  const issue = (park = at().park) => proposal(at(), park, [["issue", [at().stranger.account.address, 24n]]]);
  const supply = (park = at().park): Promise<bigint> => park.read("totalSupply");

  describe("decides nothing", () => {
    it("that somebody without enough votes proposes", async () => {
      const { stranger, create, cem } = at();
      await refuses(issue().propose(stranger), "GovernorInsufficientProposerVotes");
      const high = await create({ rules: { proposalThreshold: 201 } });
      await refuses(issue(high).propose(cem), "GovernorInsufficientProposerVotes", [
        getAddress(cem.account.address),
        200n,
        201n,
      ]);
    });

    it("before the vote is open, over, queued and the delay is past", async () => {
      const { ada, later } = at();
      const steps = issue();
      const refusedNow = async (...calls: (() => Promise<unknown>)[]) => {
        for (const call of calls) await assert.rejects(call());
      };
      await steps.propose(ada);
      const [vote, queue, execute] = [() => steps.vote(ada), () => steps.queue(ada), () => steps.execute(ada)];
      await refusedNow(vote, queue, execute);
      await later(RULES.votingDelay - 60);
      await refusedNow(vote, queue, execute);
      await later(61);
      await steps.vote(ada);
      await later(RULES.votingPeriod - 60);
      await refusedNow(vote, queue, execute);
      await later(61);
      await refusedNow(vote, execute);
      await steps.queue(ada);
      await later(RULES.executionDelay - 60);
      await refusedNow(execute);
      await later(61);
      await steps.execute(ada);
      await refusedNow(execute);
      assert.equal(await supply(), 1024n);
    });

    it("without the quorum", async () => {
      const { create, cem, ada } = at();
      const strict = await create({ rules: { quorum: 21 } });
      const steps = issue(strict);
      await steps.propose(cem);
      await steps.open();
      await steps.vote(cem);
      await steps.close();
      assert.equal(await steps.ask("state", await steps.id()), STATE.Defeated);
      await refuses(steps.queue(ada), "GovernorUnexpectedProposalState");
    });

    it("against more votes, or as many", async () => {
      const { ada, bea, cem } = at();
      const steps = issue();
      await steps.propose(ada);
      await steps.open();
      await steps.vote(ada);
      for (const by of [bea, cem]) await steps.vote(by, AGAINST);
      await refuses(steps.vote(cem), "GovernorAlreadyCastVote");
      await steps.close();
      assert.equal(await steps.ask("state", await steps.id()), STATE.Defeated);
    });

    it("with shares that were bought after the vote began", async () => {
      const { park, ada, bea } = at();
      const steps = issue();
      await steps.propose(ada);
      await steps.open();
      await park.act("transfer", [bea.account.address, 500n], ada);
      await steps.vote(bea);
      const [against, inFavour] = (await steps.ask("proposalVotes", await steps.id())) as [bigint, bigint, bigint];
      assert.deepEqual([against, inFavour], [0n, 300n]);
    });

    it("that its proposer took back before it began", async () => {
      const { ada, bea } = at();
      const steps = issue();
      await steps.propose(ada);
      await refuses(steps.cancel(bea), "GovernorUnableToCancel");
      await steps.cancel(ada);
      assert.equal(await steps.ask("state", await steps.id()), STATE.Canceled);
    });
  });

  it("is for whom the most votes are, and does it once the delay is past", async () => {
    const { ada, cem } = at();
    const steps = issue();
    await steps.propose(cem);
    assert.equal(await steps.ask("state", await steps.id()), STATE.Pending);
    assert.equal(await steps.ask("proposalNeedsQueuing", await steps.id()), true);
    await steps.open();
    assert.equal(await steps.ask("state", await steps.id()), STATE.Active);
    await steps.vote(cem);
    await steps.vote(ada, ABSTAIN);
    await steps.close();
    assert.equal(await steps.ask("state", await steps.id()), STATE.Succeeded);
    await steps.queue(cem);
    assert.equal(await steps.ask("state", await steps.id()), STATE.Queued);
    await steps.wait();
    await steps.execute(at().guardian);
    assert.equal(await steps.ask("state", await steps.id()), STATE.Executed);
    assert.equal(await supply(), 1024n);
  });

  it("has rules, of which the quorum is rounded up", async () => {
    const { create, publicClient } = at();
    const park = await create({ shares: [501n, 300n, 200n], rules: { quorum: 33, proposalThreshold: 7 } });
    const { ask } = issue(park);
    const { timestamp } = await publicClient.getBlock();
    assert.equal(await ask("votingDelay"), BigInt(RULES.votingDelay));
    assert.equal(await ask("votingPeriod"), BigInt(RULES.votingPeriod));
    assert.equal(await ask("proposalThreshold"), 7n);
    assert.equal(await ask("quorum", timestamp - 1n), 331n);
    assert.equal(await ask("token"), park.address);
    assert.equal(await ask("timelock"), park.timelock);
    assert.equal(await ask("CLOCK_MODE"), "mode=timestamp");
  });

  it("is cast by whom holders delegated to, or signed for, too", async () => {
    const { park, ada, bea, cem, stranger } = at();
    await park.act("delegate", [cem.account.address], ada);
    const steps = issue();
    await steps.propose(cem);
    await steps.open();
    const message = { proposalId: await steps.id(), support: 1, voter: bea.account.address, nonce: 0n };
    const Ballot = [
      { name: "proposalId", type: "uint256" },
      { name: "support", type: "uint8" },
      { name: "voter", type: "address" },
      { name: "nonce", type: "uint256" },
    ] as const;
    const domain = { name: "WattWitness park", version: "1", chainId: 31337, verifyingContract: park.governor };
    const sign = (by: Wallet) =>
      by.signTypedData({ account: by.account, domain, types: { Ballot }, primaryType: "Ballot", message });
    const cast = async (signature: Hex) =>
      steps.act("castVoteBySig", [message.proposalId, 1, bea.account.address, signature], stranger);
    await refuses(cast(await sign(ada)), "GovernorInvalidSignature");
    await cast(await sign(bea));
    await steps.vote(cem);
    const votes = (await steps.ask("proposalVotes", message.proposalId)) as bigint[];
    assert.deepEqual(votes, [0n, 1000n, 0n]);
  });

  describe("cannot", () => {
    it("take what is somebody's: no share, no income, no meter, though all agree", async () => {
      const { park, ada, bea, cem, produce, token, stranger } = at();
      await produce(park.address, 1_000n);
      const to = stranger.account.address;
      const everybody = [ada, bea, cem] as [Wallet, Wallet, Wallet];
      const taken = proposal(at(), park, [["transferFrom", [ada.account.address, to, 1n]]]);
      await refuses(taken.pass(...everybody), "ERC20InsufficientAllowance");
      // the vote claims like anybody else: what is its own, which is nothing
      await proposal(at(), park, [["claim", [[token.address], to]]]).pass(...everybody);
      assert.equal(await at().balanceOf(to), 0n);
      assert.deepEqual(await at().claimable(park, ada), [500n]);
      // nor does it have what the park has of a token
      const tokens = proposal(at(), park, [["transferFrom", [park.address, to, 1n]]], token.address);
      await assert.rejects(tokens.pass(...everybody), /0xfb8f41b2|ERC20InsufficientAllowance/);
    });

    it("do but what is written here", () => {
      const changing = (abi: typeof solarParkAbi | typeof restrictedParkAbi) =>
        abi
          .flatMap((item) => (item.type === "function" && !/view|pure/.test(item.stateMutability) ? [item.name] : []))
          .sort();
      const open = [
        ...["addKind", "admit", "appoint", "approve", "buy", "cancelProposal", "claim", "count", "decommission"],
        ...["delegate", "delegateBySig", "issue", "mark", "nameIssuer", "offer", "permit", "permitKey", "rotate"],
        ...["setDocument", "setWatcher", "strike", "transfer", "transferFrom"],
      ];
      assert.deepEqual(changing(solarParkAbi), open);
      const restricted = [
        ...["allow", "announceForcedTransfer", "cancelForcedTransfer", "forcedTransfer", "handOver", "setFrozenTokens"],
      ];
      assert.deepEqual(changing(restrictedParkAbi), [...open, ...restricted].sort());
      const payable = [...solarParkAbi, ...restrictedParkAbi].filter(
        (item) => "stateMutability" in item && (item.stateMutability as string) === "payable",
      );
      assert.deepEqual(payable, []);
    });
  });

  describe("has a timelock", () => {
    const role = (name: string): Hex => (name ? keccak256(textToHex(name)) : zeroHash);
    const abi = parseAbi([
      "function hasRole(bytes32 role, address account) view returns (bool)",
      "function getMinDelay() view returns (uint256)",
      "function schedule(address target, uint256 value, bytes data, bytes32 predecessor, bytes32 salt, uint256 delay)",
      "event RoleGranted(bytes32 indexed role, address indexed account, address indexed sender)",
      "error AccessControlUnauthorizedAccount(address account, bytes32 neededRole)",
    ]);

    it("that nobody but itself administers, and only the governor proposes to", async () => {
      const { park, factory, admin, publicClient, ada, send } = at();
      const timelock = { address: park.timelock, abi };
      const has = (name: string, account: Hex) =>
        publicClient.readContract({ ...timelock, functionName: "hasRole", args: [role(name), account] });
      const granted = await publicClient.getContractEvents({ ...timelock, eventName: "RoleGranted", fromBlock: 0n });
      const accounts = new Set(granted.map(({ args }) => args.account));
      assert.deepEqual(
        [...accounts].sort(),
        [park.timelock, factory.address, park.governor, zeroAddress].map((account) => getAddress(account)).sort(),
      );
      for (const account of [factory.address, park.governor, admin.account.address, zeroAddress])
        assert.equal(await has("", account), false);
      assert.equal(await has("", park.timelock), true);
      for (const name of ["PROPOSER_ROLE", "CANCELLER_ROLE"]) {
        assert.equal(await has(name, park.governor), true);
        for (const account of [park.timelock, factory.address, zeroAddress])
          assert.equal(await has(name, account), false);
      }
      assert.equal(await has("EXECUTOR_ROLE", zeroAddress), true);
      assert.equal(
        await publicClient.readContract({ ...timelock, functionName: "getMinDelay" }),
        BigInt(RULES.executionDelay),
      );
      const data = encodeFunctionData({
        abi: restrictedParkAbi,
        functionName: "issue",
        args: [admin.account.address, 1n],
      });
      const args = [park.address, 0n, data, zeroHash, zeroHash, 86_400n];
      for (const by of [ada, admin])
        await refuses(send({ ...timelock, functionName: "schedule", args }, by), "AccessControlUnauthorizedAccount");
    });
  });

  describe("of one holder", () => {
    const isVote = (park: Park, { account }: Wallet): Promise<boolean> => park.read("isVote", account.address);

    it("is his, without a vote", async () => {
      const { sole, ada, stranger } = at();
      const park = await sole();
      assert.equal(await isVote(park, ada), true);
      assert.equal(await isVote(park, stranger), false);
      await park.act("issue", [stranger.account.address, 1n], ada);
    });

    it("is no longer his once anybody else has a share", async () => {
      const { sole, ada, stranger } = at();
      const park = await sole();
      await park.act("transfer", [stranger.account.address, 1n], ada);
      assert.equal(await isVote(park, ada), false);
      await refuses(park.act("issue", [ada.account.address, 1n], ada), "CallerNotVote");
      // and is the timelock's, still
      assert.equal(await park.read("isVote", park.timelock), true);
    });

    it("is not his who votes for all, or has all, without the other", async () => {
      const { sole, ada, bea, later } = at();
      const park = await sole();
      await park.act("delegate", [bea.account.address], ada);
      await later(10);
      assert.deepEqual([await isVote(park, ada), await isVote(park, bea)], [false, false]);
      await park.act("delegate", [ada.account.address], ada);
      await later(10);
      assert.equal(await isVote(park, ada), true);
    });

    it("becomes his who buys all shares and votes for himself, from the next second on", async () => {
      const { park, ada, bea, cem, later } = at();
      await park.act("transfer", [ada.account.address, 300n], bea);
      assert.equal(await isVote(park, ada), false);
      await later(10);
      await park.act("transfer", [ada.account.address, 200n], cem);
      // a view is of the second of the last block
      assert.equal(await isVote(park, ada), false);
      await later(1);
      assert.equal(await isVote(park, ada), true);
    });

    it("grows into a vote of many, which decides where he alone did", async () => {
      const { sole, ada, bea, cem, stranger } = at();
      const park = await sole();
      await park.act("transfer", [bea.account.address, 300n], ada);
      await park.act("transfer", [cem.account.address, 200n], ada);
      for (const by of [bea, cem]) await park.act("delegate", [by.account.address], by);
      await at().later(DAY);
      await issue(park).pass(ada, bea);
      assert.equal(await park.read("balanceOf", stranger.account.address), 24n);
    });
  });
});
