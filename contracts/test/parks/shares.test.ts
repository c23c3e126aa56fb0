import assert from "node:assert/strict";
import { getAddress, getContractAddress, type Hex, parseSignature, zeroAddress } from "viem";
import { restrictedParkAbi, solarParkAbi } from "../../abi.ts";
import type { Wallet } from "../../deploy.ts";
import { refuses, START } from "../fixture.ts";
import { DAY, impersonate, told, world } from "./acts.ts";
import type { Park } from "./fixture.ts";

const LIMIT = 2n ** 32n;
const DEADLINE = BigInt(START + 10 * DAY);

describe("shares of a park", () => {
  const at = world(async ({ create }) => ({ park: await create() }));
  const sharesOf = (park: Park, { account }: Wallet): Promise<bigint> => park.read("balanceOf", account.address);

  describe("are not made", () => {
    it("where there would be none", async () => {
      const { create, ada } = at();
      await refuses(create({ holders: [], shares: [] }), "SharesOutOfRange", [0n]);
      await refuses(create({ holders: [ada.account.address], shares: [0n] }), "SharesOutOfRange", [0n]);
    });

    it("for other holders than there are amounts", async () => {
      await refuses(at().create({ shares: [1n, 2n] }), "HoldersInvalid", [3n, 2n]);
      await refuses(at().create({ shares: [1n, 2n, 3n, 4n] }), "HoldersInvalid", [3n, 4n]);
    });

    it("when they would be 2^32, at once or in sum", async () => {
      const { create, ada, sole } = at();
      const holders = [ada.account.address, ada.account.address];
      await refuses(create({ holders: holders.slice(1), shares: [LIMIT] }), "SharesOutOfRange", [LIMIT]);
      await refuses(create({ holders, shares: [LIMIT - 1n, 1n] }), "SharesOutOfRange", [1n]);
      await refuses(create({ holders, shares: [1n, 2n ** 256n - 1n] }), "SharesOutOfRange", [2n ** 256n - 1n]);
      const full = await sole(LIMIT - 1n);
      await refuses(full.act("issue", [ada.account.address, 1n], ada), "SharesOutOfRange", [1n]);
    });

    it("by anybody but the vote", async () => {
      const { park, ada } = at();
      const by = getAddress(ada.account.address);
      await refuses(park.act("issue", [by, 1n], ada), "CallerNotVote", [by]);
    });
  });

  it("are never the park's own, whose income nobody could claim", async () => {
    const { park, ada, create, factory, voteOf, publicClient } = at();
    await refuses(park.act("transfer", [park.address, 1n], ada), "ERC20InvalidReceiver", [park.address]);
    const vote = await voteOf(park);
    await refuses(park.act("issue", [park.address, 1n], vote), "ERC20InvalidReceiver", [park.address]);
    // nor where it is made: the factory's next contract but one
    const nonce = BigInt(await publicClient.getTransactionCount({ address: factory.address }));
    const next = getContractAddress({ from: factory.address, nonce: nonce + 1n });
    await refuses(create({ holders: [next], shares: [1n] }), "ERC20InvalidReceiver", [next]);
  });

  it("are never fewer: nobody can burn any, so that no income is without a share", async () => {
    const { park, ada, sole } = at();
    const all = await sole();
    await refuses(all.act("transfer", [zeroAddress, 1000n], ada), "ERC20InvalidReceiver", [zeroAddress]);
    await refuses(park.act("transfer", [zeroAddress, 1n], ada), "ERC20InvalidReceiver", [zeroAddress]);
    const burning = [...solarParkAbi, ...restrictedParkAbi].filter(
      (item) => item.type === "function" && /burn|redeem|withdraw/i.test(item.name),
    );
    assert.deepEqual(burning, []);
  });

  it("are not transferred by who does not have them, or was not allowed", async () => {
    const { park, ada, bea, stranger } = at();
    await refuses(park.act("transfer", [bea.account.address, 501n], ada), "ERC20InsufficientBalance");
    const take = park.act("transferFrom", [ada.account.address, bea.account.address, 1n], stranger);
    await refuses(take, "ERC20InsufficientAllowance");
  });

  it("are whole", async () => {
    assert.equal(await at().park.read("decimals"), 0);
  });

  it("are up to 2^32 - 1", async () => {
    const { sole, ada } = at();
    assert.equal(await sharesOf(await sole(LIMIT - 1n), ada), LIMIT - 1n);
  });

  it("are there from the beginning, with votes for whoever has them", async () => {
    const { park, ada, bea, cem, create } = at();
    for (const [holder, shares] of [
      [ada, 500n],
      [bea, 300n],
      [cem, 200n],
    ] as const) {
      const { address } = holder.account;
      assert.deepEqual(await park.read("holdingOf", address), {
        ...{ shares, ofShares: 1000n, votes: shares, canSend: true, canReceive: true, frozen: 0n },
      });
      assert.equal(await park.read("delegates", address), getAddress(address));
    }
    // who is named twice has both
    const twice = await create({ holders: [ada, ada].map(({ account }) => account.address), shares: [1n, 2n] });
    assert.equal(await twice.read("getVotes", ada.account.address), 3n);
  });

  it("are issued by the vote, to whoever is to have them", async () => {
    const { park, stranger, voteOf } = at();
    await park.act("issue", [stranger.account.address, 24n], await voteOf(park));
    assert.equal(await sharesOf(park, stranger), 24n);
    assert.equal(await park.read("totalSupply"), 1024n);
  });

  it("vote as their holder says, whose votes go with a transfer", async () => {
    const { park, ada, bea, cem } = at();
    await park.act("delegate", [cem.account.address], ada);
    assert.equal(await park.read("getVotes", cem.account.address), 700n);
    await park.act("transfer", [bea.account.address, 100n], ada);
    assert.equal(await park.read("getVotes", cem.account.address), 600n);
    assert.equal(await park.read("getVotes", bea.account.address), 400n);
    const holding = await park.read("holdingOf", ada.account.address);
    assert.deepEqual(holding, {
      ...{ shares: 400n, ofShares: 1000n, votes: 0n, canSend: true, canReceive: true, frozen: 0n },
    });
  });

  it("count votes in Unix time", async () => {
    const { park, publicClient } = at();
    assert.equal(await park.read("CLOCK_MODE"), "mode=timestamp");
    const { timestamp } = await publicClient.getBlock();
    assert.equal(BigInt(await park.read("clock")), timestamp);
  });

  describe("by a signature", () => {
    const domain = async (park: Park) => ({
      ...{ name: "Roofs of the Test", version: "1", chainId: 31337, verifyingContract: park.address },
    });
    const PERMIT = ["owner address", "spender address", "value uint256", "nonce uint256", "deadline uint256"];
    const DELEGATION = ["delegatee address", "nonce uint256", "expiry uint256"];
    const typed = (fields: string[]) =>
      fields.map((f) => ({ name: f.split(" ")[0] ?? "", type: f.split(" ")[1] ?? "" }));
    const sign = async (park: Park, by: Wallet, primaryType: string, fields: string[], message: object) => {
      const types = { [primaryType]: typed(fields) };
      const account = by.account;
      const signature = await by.signTypedData({
        account,
        domain: await domain(park),
        types,
        primaryType,
        message,
      } as never);
      const { r, s, v } = parseSignature(signature as Hex);
      return [Number(v), r, s];
    };

    it("may be spent by whom their holder names, once, and delegated", async () => {
      const { park, ada, bea, stranger } = at();
      const [owner, spender] = [ada.account.address, stranger.account.address];
      const permit = { owner, spender, value: 10n, nonce: 0n, deadline: DEADLINE };
      const signature = await sign(park, ada, "Permit", PERMIT, permit);
      await park.act("permit", [owner, spender, 10n, DEADLINE, ...signature], stranger);
      await refuses(
        park.act("permit", [owner, spender, 10n, DEADLINE, ...signature], stranger),
        "ERC2612InvalidSigner",
      );
      await park.act("transferFrom", [owner, spender, 10n], stranger);
      assert.equal(await sharesOf(park, stranger), 10n);

      assert.equal(await park.read("nonces", owner), 1n);
      const delegation = { delegatee: bea.account.address, nonce: 1n, expiry: DEADLINE };
      const delegated = await sign(park, ada, "Delegation", DELEGATION, delegation);
      await park.act("delegateBySig", [bea.account.address, 1n, DEADLINE, ...delegated], stranger);
      assert.equal(await park.read("getVotes", bea.account.address), 790n);
      assert.equal(await park.read("nonces", owner), 2n);
    });
  });

  describe("with a name", () => {
    const json = async (park: Park) => {
      const uri: string = await park.read("contractURI");
      const prefix = "data:application/json;base64,";
      assert.ok(uri.startsWith(prefix));
      return JSON.parse(Buffer.from(uri.slice(prefix.length), "base64").toString());
    };

    it("say what they are, whatever is in the name", async () => {
      const document: Hex = `0x${"ab".repeat(32)}`;
      const odd = await at().create({ name: 'Sun "&" Sons\\\n\u0001', symbol: '"},{"', document });
      assert.deepEqual(await json(odd), {
        name: 'Sun "&" Sons\\\n\u0001',
        symbol: '"},{"',
        description: "Shares in a solar park: each is an equal part of what its meters produce.",
        document,
        restricted: false,
      });
      assert.equal(await odd.read("name"), 'Sun "&" Sons\\\n\u0001');
      assert.equal(await odd.read("symbol"), '"},{"');
    });

    it("have another document when the vote says so, and tell it", async () => {
      const { park, ada, voteOf } = at();
      const document: Hex = `0x${"cd".repeat(32)}`;
      await refuses(park.act("setDocument", [document], ada), "CallerNotVote");
      const receipt = await park.act("setDocument", [document], await voteOf(park));
      assert.deepEqual(
        told(receipt, park).map(({ eventName }) => eventName),
        ["ContractURIUpdated"],
      );
      assert.equal(await park.read("document"), document);
      assert.equal((await json(park)).document, document);
    });
  });

  it("are nobody's to move but their holder's: neither the vote's nor the factory's", async () => {
    const { park, factory, ada, bea, voteOf } = at();
    for (const by of [
      await voteOf(park),
      await impersonate(at(), factory.address),
      await impersonate(at(), park.governor),
    ]) {
      const taken = park.act("transferFrom", [ada.account.address, bea.account.address, 1n], by);
      await refuses(taken, "ERC20InsufficientAllowance");
    }
  });
});
