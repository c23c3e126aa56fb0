import assert from "node:assert/strict";
import { getAddress, getContractAddress, type Hex, zeroAddress } from "viem";
import type { Wallet } from "../../deploy.ts";
import { artifact, dice, refuses } from "../fixture.ts";
import { impersonate, SCALE, sum, told, world } from "./acts.ts";

describe("income of a park", () => {
  const at = world(async ({ shared, newToken }) => {
    const coin = await newToken();
    const park = await shared(coin);
    return { coin, park };
  });
  const pay = (amount: bigint, { coin, park } = at()) => coin.act("mint", park.address, amount);
  /** Of the coin. */
  const claimable = async (by: Wallet, { park } = at()) => (await at().claimable(park, by))[1] as bigint;
  const claim = (by: Wallet, { coin, park } = at()) => at().claim(park, by, [coin.address]);
  const holdersOf = ({ ada, bea, cem }: { ada: Wallet; bea: Wallet; cem: Wallet }) => [ada, bea, cem];
  const balance = (of: Hex): Promise<bigint> => at().coin.read("balanceOf", of);

  describe("is not", () => {
    it("of a kind that only a holder, and not the vote, admits", async () => {
      const { park, ada, newToken } = at();
      const by = getAddress(ada.account.address);
      await refuses(park.act("addKind", [(await newToken()).address], ada), "CallerNotVote", [by]);
    });

    it("of a kind that is no contract, the park itself, or admitted already", async () => {
      const { park, coin, token, stranger, voteOf } = at();
      const vote = await voteOf(park);
      for (const kind of [stranger.account.address, zeroAddress, park.address, coin.address, token.address]) {
        await refuses(park.act("addKind", [kind], vote), "KindInvalid", [getAddress(kind)]);
      }
    });

    it("of a ninth kind", async () => {
      const { park, newToken, voteOf } = at();
      const vote = await voteOf(park);
      const kinds = [];
      for (let i = 2; i < 8; i++) {
        const { address } = await newToken();
        kinds.push(getAddress(address));
        await park.act("addKind", [address], vote);
      }
      await refuses(park.act("addKind", [(await newToken()).address], vote), "TooManyKinds");
      assert.deepEqual(((await park.read("kinds")) as Hex[]).slice(2), kinds);
    });

    it("asked of a token that the park does not divide", async () => {
      const { park, ada, newToken } = at();
      const other = getAddress((await newToken()).address);
      await refuses(at().claim(park, ada, [other]), "KindUnknown", [other]);
      await refuses(park.read("accountOf", other), "KindUnknown", [other]);
      await refuses(park.read("receivedBetween", other, 0, 1), "KindUnknown", [other]);
    });
  });

  it("is each holder's part of all that came in, of each kind", async () => {
    const { park, coin, produce, token } = at();
    await pay(1_000n);
    await produce(park.address, 2_000n);
    const parts = await Promise.all(holdersOf(at()).map((by) => at().claimable(park, by)));
    assert.deepEqual(parts, [
      [1_000n, 500n],
      [600n, 300n],
      [400n, 200n],
    ]);
    assert.deepEqual(await park.read("claimableOf", at().ada.account.address), [
      { kind: getAddress(token.address), amount: 1_000n },
      { kind: getAddress(coin.address), amount: 500n },
    ]);
  });

  it("is claimed by whoever has it, to an account he names", async () => {
    const { park, coin, token, produce, ada, bea, stranger } = at();
    await pay(1_000n);
    await produce(park.address, 2_000n);
    const to = getAddress(stranger.account.address);
    const receipt = await at().claim(park, ada, [coin.address, token.address], to);
    const holder = getAddress(ada.account.address);
    const kinds = { coin: getAddress(coin.address), token: getAddress(token.address) };
    assert.deepEqual(told(receipt, park), [
      { eventName: "Received", args: { kind: kinds.coin, amount: 1_000n } },
      { eventName: "Claimed", args: { kind: kinds.coin, holder, to, amount: 500n } },
      { eventName: "Received", args: { kind: kinds.token, amount: 2_000n } },
      { eventName: "Claimed", args: { kind: kinds.token, holder, to, amount: 1_000n } },
    ]);
    assert.deepEqual([await balance(to), await at().balanceOf(to)], [500n, 1_000n]);
    assert.deepEqual(await at().claimable(park, ada), [0n, 0n]);
    assert.deepEqual(await at().claimable(park, bea), [600n, 300n]);
    assert.deepEqual(await at().accountOf(park, coin.address), { received: 1_000n, claimed: 500n, carried: 0n });
  });

  it("is claimed once: nothing is passed over", async () => {
    const { park, coin, ada } = at();
    assert.deepEqual(told(await claim(ada), park), []);
    await pay(1_000n);
    const receipt = await at().claim(park, ada, [coin.address, coin.address]);
    assert.deepEqual(
      told(receipt, park).map(({ eventName }) => eventName),
      ["Received", "Claimed"],
    );
    assert.deepEqual(told(await claim(ada), park), []);
    assert.equal(await balance(ada.account.address), 500n);
  });

  it("is nothing to who has no share", async () => {
    await pay(1_000n);
    const { park, stranger } = at();
    assert.equal(await claimable(stranger), 0n);
    const receipt = await claim(stranger);
    assert.deepEqual(
      told(receipt, park).map(({ eventName }) => eventName),
      ["Received"],
    );
  });

  it("is counted by anyone, and told once", async () => {
    const { park, coin, stranger } = at();
    await pay(7n);
    const kind = getAddress(coin.address);
    const counted = await park.act("count", [], stranger);
    assert.deepEqual(told(counted, park), [{ eventName: "Received", args: { kind, amount: 7n } }]);
    assert.deepEqual(told(await park.act("count", [], stranger), park), []);
  });

  it("that was there before a kind was admitted is divided with it", async () => {
    const { park, newToken, voteOf, ada } = at();
    const late = await newToken();
    await late.act("mint", park.address, 1_000n);
    const receipt = await park.act("addKind", [late.address], await voteOf(park));
    assert.deepEqual(told(receipt, park), [{ eventName: "KindAdded", args: { kind: getAddress(late.address) } }]);
    assert.deepEqual(await at().claimable(park, ada), [0n, 0n, 500n]);
  });

  it("that was there before the park was is its first holders'", async () => {
    const { factory, create, publicClient, produce, stranger, ada } = at();
    const nonce = BigInt(await publicClient.getTransactionCount({ address: factory.address }));
    const next = getContractAddress({ from: factory.address, nonce: nonce + 1n });
    await produce(next, 1_000n);
    const park = await create();
    assert.equal(park.address, next);
    await park.act("transfer", [stranger.account.address, 500n], ada);
    assert.deepEqual(await at().claimable(park, ada), [500n]);
    assert.deepEqual(await at().claimable(park, stranger), [0n]);
  });

  describe("stays whose it was", () => {
    it("when shares are transferred, all or some, or to the holder himself", async () => {
      const { park, ada, bea, stranger } = at();
      await pay(1_000n);
      await park.act("transfer", [stranger.account.address, 500n], ada);
      await park.act("transfer", [bea.account.address, 300n], bea);
      assert.deepEqual([await claimable(ada), await claimable(bea), await claimable(stranger)], [500n, 300n, 0n]);
      await pay(1_000n);
      assert.deepEqual([await claimable(ada), await claimable(bea), await claimable(stranger)], [500n, 600n, 500n]);
    });

    it("when shares are issued, or spent by an allowance", async () => {
      const { park, ada, bea, stranger, voteOf } = at();
      await pay(1_000n);
      await park.act("issue", [stranger.account.address, 1_000n], await voteOf(park));
      await park.act("approve", [stranger.account.address, 100n], ada);
      await park.act("transferFrom", [ada.account.address, bea.account.address, 100n], stranger);
      assert.deepEqual([await claimable(ada), await claimable(bea), await claimable(stranger)], [500n, 300n, 0n]);
      await pay(1_000n);
      assert.deepEqual([await claimable(ada), await claimable(bea), await claimable(stranger)], [700n, 500n, 500n]);
    });

    it("when they are lent for one transaction, which neither takes any nor is the vote", async () => {
      const { park, ada, bea, cem, coin, deployed, send, later } = at();
      const pool = { address: await deployed("Pool"), abi: (await artifact("Pool")).abi };
      const borrower = { address: await deployed("Borrower"), abi: (await artifact("Borrower")).abi };
      for (const [by, shares] of [
        [ada, 500n],
        [bea, 300n],
        [cem, 200n],
      ] as const) {
        await park.act("transfer", [pool.address, shares], by);
      }
      await pay(1_000n);
      await later(60);
      await send({ ...pool, functionName: "lend", args: [park.address, borrower.address] });
      assert.equal(await balance(borrower.address), 0n);
      const ask = (functionName: string) => at().publicClient.readContract({ ...borrower, functionName });
      assert.deepEqual([await ask("wasVote"), await ask("issued")], [false, false]);
      assert.equal(await park.read("totalSupply"), 1000n);
      await send({ ...pool, functionName: "claim", args: [park.address, ada.account.address] });
      assert.equal(await balance(ada.account.address), 1_000n);
      assert.equal((await at().accountOf(park, coin.address)).claimed, 1_000n);
    });
  });

  describe("is exact", () => {
    it("however often it is counted: nobody loses by rounding", async () => {
      const { park, coin, stranger, create, voteOf, ada } = at();
      const holders = holdersOf(at());
      const odd = await create({ shares: [3n, 3n, 1n] });
      await odd.act("addKind", [coin.address], await voteOf(odd));
      for (let i = 1n; i <= 40n; i++) {
        await coin.act("mint", odd.address, 1n);
        await odd.act("count", [], stranger);
        // what divides to less than 2^-32 units a share is carried, so that nothing depends on the steps
        const each = (i * SCALE) / 7n;
        assert.equal((await at().accountOf(odd, coin.address)).carried, (i * SCALE) % 7n);
        assert.equal((await at().claimable(odd, ada))[1], (3n * each) / SCALE);
      }
      for (const by of holders) await at().claim(odd, by, [coin.address]);
      assert.deepEqual(await Promise.all(holders.map((by) => balance(by.account.address))), [17n, 17n, 5n]);
      assert.notEqual(park.address, odd.address);
    });

    it("where an increment is less than a unit for anybody: it is carried", async () => {
      const { create, coin, voteOf, bea, stranger } = at();
      const many = await create({ shares: [2n ** 20n - 1n, 1n, 2n ** 20n] });
      await many.act("addKind", [coin.address], await voteOf(many));
      for (let i = 0; i < 8; i++) {
        await coin.act("mint", many.address, 2n ** 18n);
        await many.act("count", [], stranger);
        assert.equal((await at().claimable(many, bea))[1], i === 7 ? 1n : 0n);
      }
    });

    it("where the shares are the most there can be, and a unit is next to nothing", async () => {
      const { coin, sole, ada, stranger } = at();
      const shares = 2n ** 32n - 1n;
      const full = await sole(shares);
      await full.act("addKind", [coin.address], ada);
      for (let i = 1n; i <= 3n; i++) {
        await coin.act("mint", full.address, 1n);
        await full.act("count", [], stranger);
        assert.equal((await at().accountOf(full, coin.address)).carried, i);
      }
      // 2^-32 of each of three units is carried
      assert.equal((await at().claimable(full, ada))[1], 2n);
      await coin.act("mint", full.address, 2n ** 32n - 4n);
      assert.equal((await at().claimable(full, ada))[1], 2n ** 32n - 1n);
      assert.equal((await at().accountOf(full, coin.address)).carried, 0n);
    });

    it("to the last who claims, whatever came in", async () => {
      const { park, coin } = at();
      let paid = 0n;
      for (const amount of [10n ** 18n + 1n, 7n, 3n, 999_999_999_999_999_989n, 1n]) {
        await pay(amount);
        paid += amount;
        for (const by of holdersOf(at())) await claim(by);
      }
      const claimed = sum(await Promise.all(holdersOf(at()).map(({ account }) => balance(account.address))));
      assert.equal(claimed + (await balance(park.address)), paid);
      // what is left is less than a unit for each
      assert.ok((await balance(park.address)) < 3n);
      assert.equal((await at().accountOf(park, coin.address)).claimed, claimed);
    });

    it("under actors of chance: received is claimed, claimable and the parts of units", async function () {
      this.timeout(120_000);
      const { park, coin, token, produce, guardian, voteOf } = at();
      const people = [...holdersOf(at()), guardian];
      const kinds = [token.address, coin.address] as const;
      const vote = await voteOf(park);
      const roll = dice(20_260_320);
      const [received, taken] = [
        [0n, 0n],
        [0n, 0n],
      ];
      let before = people.map(() => [0n, 0n]);
      for (let step = 0; step < 150; step++) {
        const by = people[roll(4)] as Wallet;
        const other = people[roll(4)] as Wallet;
        const amount = BigInt(roll(10) === 0 ? roll(1_000_000_000) : roll(5)) * 10n ** BigInt(roll(3) * 6);
        const act = roll(8);
        let claimant: Wallet | undefined;
        if (act < 2) {
          await produce(park.address, amount);
          received[0] = (received[0] as bigint) + amount;
        } else if (act < 4) {
          await coin.act("mint", park.address, amount);
          received[1] = (received[1] as bigint) + amount;
        } else if (act === 4) {
          const kind = roll(2);
          claimant = by;
          taken[kind] = (taken[kind] as bigint) + ((await at().claimable(park, by))[kind] as bigint);
          await at().claim(park, by, [kinds[kind] as Hex]);
        } else if (act === 5 && roll(6) === 0) {
          await park.act("issue", [other.account.address, BigInt(1 + roll(50))], vote);
        } else if (act === 5) {
          await park.act(roll(2) === 0 ? "count" : "mark", [], other);
        } else {
          const has: bigint = await park.read("balanceOf", by.account.address);
          await park.act("transfer", [other.account.address, (has * BigInt(roll(5))) / 4n], by);
        }
        const now = await Promise.all(people.map((person) => at().claimable(park, person)));
        for (const [i, person] of people.entries())
          for (const kind of [0, 1])
            if (person !== claimant)
              assert.ok((now[i]?.[kind] as bigint) >= (before[i]?.[kind] as bigint), `${step}: somebody's part fell`);
        before = now;
        for (const [i, kind] of kinds.entries()) {
          const account = await at().accountOf(park, kind);
          assert.deepEqual([account.received, account.claimed], [received[i], taken[i]]);
          const open = account.received - account.claimed - sum(now.map((parts) => parts[i] as bigint));
          // no more than the parts of a unit that each of four has
          assert.ok(open >= 0n && open <= 4n, `${step}: ${open} units are nobody's`);
          assert.ok(account.carried < ((await park.read("totalSupply")) as bigint));
        }
      }
      assert.ok((received[0] as bigint) > 0n && (taken[0] as bigint) > 0n && (taken[1] as bigint) > 0n);
      // and all of them can take it
      for (const person of people) await at().claim(park, person, [...kinds]);
    });
  });

  describe("is more by a donation", () => {
    it("for everybody, and less for nobody", async () => {
      const { park, coin, stranger } = at();
      await pay(1_000n);
      await park.act("count", [], stranger);
      await coin.act("mint", stranger.account.address, 2_000n);
      const before = await Promise.all(holdersOf(at()).map((by) => claimable(by)));
      const given = [1_000n, 600n, 400n];
      const { abi } = await artifact("HostileToken");
      const transfer = { address: coin.address, abi, functionName: "transfer", args: [park.address, 2_000n] };
      await at().send(transfer, stranger);
      const after = await Promise.all(holdersOf(at()).map((by) => claimable(by)));
      assert.deepEqual(
        after.map((part, i) => part - (before[i] as bigint)),
        given,
      );
    });

    it("also by who claims to the park", async () => {
      const { park, coin, ada } = at();
      await pay(1_000n);
      await at().claim(park, ada, [coin.address], park.address);
      assert.deepEqual(await Promise.all(holdersOf(at()).map((by) => claimable(by))), [250n, 450n, 300n]);
      assert.deepEqual(await at().accountOf(park, coin.address), { received: 1_500n, claimed: 500n, carried: 0n });
    });
  });

  it("is nobody's to take but the holders': neither the vote's, the governor's nor the factory's", async () => {
    const { park, coin, factory, voteOf } = at();
    await pay(1_000n);
    for (const by of [
      await voteOf(park),
      ...(await Promise.all([factory.address, park.governor].map((a) => impersonate(at(), a)))),
    ])
      await at().claim(park, by, [coin.address]);
    assert.equal(await balance(park.address), 1_000n);
  });

  describe("between two times", () => {
    it("is what was marked between them", async () => {
      const { park, coin, stranger, publicClient, later } = at();
      const mark = async () => {
        const receipt = await park.act("mark", [], stranger);
        const { timestamp } = await publicClient.getBlock();
        return { receipt, time: Number(timestamp) };
      };
      const between = (from: number, to: number): Promise<bigint> =>
        park.read("receivedBetween", coin.address, from, to);
      await pay(5n);
      const first = await mark();
      const kinds = (await park.read("kinds")) as Hex[];
      assert.deepEqual(told(first.receipt, park), [
        { eventName: "Received", args: { kind: kinds[1], amount: 5n } },
        { eventName: "Marked", args: { kind: kinds[0], received: 0n } },
        { eventName: "Marked", args: { kind: kinds[1], received: 5n } },
      ]);
      await later(100);
      await pay(1_000n);
      await claim(at().ada);
      const second = await mark();
      assert.equal(await between(first.time, second.time), 1_000n);
      assert.equal(await between(first.time, second.time - 1), 0n);
      assert.equal(await between(first.time - 1, second.time), 1_005n);
      assert.equal(await between(second.time, first.time), 0n);
      assert.equal(await between(second.time, second.time + 100), 0n);
      const other = await park.read("receivedBetween", kinds[0], first.time, second.time);
      assert.equal(other, 0n);
    });
  });
});
