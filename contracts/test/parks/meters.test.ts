import assert from "node:assert/strict";
import { getAddress, type Hex, parseAbi, zeroAddress } from "viem";
import { hourlyCertificatesAbi, meterRegistryAbi } from "../../abi.ts";
import type { Wallet } from "../../deploy.ts";
import { publicKeyParts } from "../../settlement.ts";
import {
  CHANGE,
  createMeter,
  newKeyOf,
  produce,
  refuses,
  rotationOf,
  START,
  STATUS,
  STEP,
  type TestMeter,
  UNITS,
  ZERO,
} from "../fixture.ts";
import { DAY, told, type World, world } from "./acts.ts";
import type { Park } from "./fixture.ts";

/** s into the log of the meters, when a new key begins */
const ROTATION = 5000;
const POWER = { PermitKey: 0, NameIssuer: 1, CancelProposal: 2, Decommission: 3 } as const;
const ALL = 0xff;
const ANYONE: Hex = "0xffffffffffffffffffffffffffffffffffffffff";

/** Ada, Bea and Cem's park, with the meter of `device`; `other` is a meter that is still its owner's. */
async function withMeter(parks: World) {
  const [device, other] = [createMeter(parks.place, 1), createMeter(parks.place, 2)];
  for (const meter of [device, other]) await parks.register(meter);
  const park = await parks.create();
  const vote = await parks.voteOf(park);
  await parks.registryCall("approve", [park.address, BigInt(device.id)], parks.owner);
  await park.act("admit", [device.id], vote);
  return { device, other, meter: device.id, park, vote };
}

const ownerOf = ({ publicClient, registry }: World, { id }: TestMeter) =>
  publicClient.readContract({
    address: registry.address,
    abi: meterRegistryAbi,
    functionName: "ownerOf",
    args: [BigInt(id)],
  });

/** A device whose key is to succeed that of the park's meter. */
const successor = ({ place }: World) =>
  createMeter(place, 3, produce({ count: 2, from: { timestamp: START + ROTATION } }));

/** The arguments that rotate the park's meter to the key of `next`. */
const rotationArgs = (park: Park, device: TestMeter, next: TestMeter) => [
  device.id,
  newKeyOf(next, device.id, park.address),
  publicKeyParts(device.publicKey),
  rotationOf(device, device.id, next.id),
];

describe("meters of a park", () => {
  const at = world(withMeter);

  describe("are not", () => {
    it("admitted, offered or watched by anybody but the vote", async () => {
      const { park, meter, other, ada, token, stranger } = at();
      const by = getAddress(ada.account.address);
      for (const [functionName, args] of [
        ["admit", [other.id]],
        ["offer", [meter, zeroAddress, token.address, 1n]],
        ["setWatcher", [meter, stranger.account.address]],
      ] as const) {
        await refuses(park.act(functionName, args, ada), "CallerNotVote", [by]);
      }
    });

    it("admitted twice, or without their owner's consent", async () => {
      const { park, meter, other, vote } = at();
      await refuses(park.act("admit", [meter], vote), "MeterAlreadyAdmitted", [meter]);
      await refuses(park.act("admit", [other.id], vote), "ERC721InsufficientApproval");
      assert.equal(await park.read("meterCount"), 1n);
    });

    it("asked for anything, if they are another's", async () => {
      const { park, other, vote, token, stranger } = at();
      for (const [functionName, args] of [
        ["offer", [other.id, zeroAddress, token.address, 1n]],
        ["strike", [other.id]],
        ["permitKey", [other.id, other.id]],
        ["decommission", [other.id]],
        ["cancelProposal", [other.id, CHANGE.Owner]],
        ["setWatcher", [other.id, stranger.account.address]],
        ["nameIssuer", [other.id, stranger.account.address]],
      ] as const) {
        await refuses(park.act(functionName, args, vote), "MeterNotOfPark", [other.id]);
      }
    });

    it("offered in a token that is no income of the park", async () => {
      const { park, meter, vote, newToken } = at();
      const { address } = await newToken();
      await refuses(park.act("offer", [meter, zeroAddress, address, 1n], vote), "KindUnknown", [getAddress(address)]);
    });

    it("what else is sent to the park", async () => {
      const { park, stranger } = at();
      const received = ["0x0000000000000000000000000000000000000001", zeroAddress, 1n, "0x"];
      await refuses(park.act("onERC721Received", received, stranger), "NotAMeter", [
        getAddress(stranger.account.address),
      ]);
    });

    it("moved by the timelock, the manager or a holder but through the park", async () => {
      const { park, ada, vote, registry, send, meter } = at();
      await park.act("appoint", [ada.account.address, ALL], vote);
      for (const by of [vote, ada]) {
        const args = [park.address, by.account.address, BigInt(meter)];
        await refuses(send({ ...registry, functionName: "transferFrom", args }, by), "ERC721InsufficientApproval");
        await refuses(send({ ...registry, functionName: "approve", args: args.slice(1) }, by), "ERC721InvalidApprover");
      }
    });
  });

  it("are admitted from their owner, or where they were sent, and tell it", async () => {
    const { park, device, other, vote, owner } = at();
    assert.equal(await ownerOf(at(), device), getAddress(park.address));
    const abi = parseAbi(["function safeTransferFrom(address from, address to, uint256 tokenId)"]);
    const args = [owner.account.address, park.address, BigInt(other.id)];
    await at().send({ address: at().registry.address, abi, functionName: "safeTransferFrom", args }, owner);
    assert.equal(await park.read("meterCount"), 1n);
    const receipt = await park.act("admit", [other.id], vote);
    assert.deepEqual(told(receipt, park), [{ eventName: "MeterAdmitted", args: { meter: other.id } }]);
    assert.equal(await park.read("meterCount"), 2n);
    assert.deepEqual(await park.read("meters", 0n, 9n), [device.id, other.id]);
    assert.deepEqual(await park.read("meters", 1n, 9n), [other.id]);
    assert.deepEqual(await park.read("meters", 0n, 1n), [device.id]);
    assert.deepEqual(await park.read("meters", 2n, 1n), []);
  });

  it("are told with what they make", async () => {
    const { park, device, publicClient, lens, settleAttested, at: mine } = at();
    await mine(START + 6000);
    await settleAttested({ meter: device, to: 600 });
    const args = [park.address, 0n, 9n] as const;
    const [ids, meters] = await publicClient.readContract({ ...lens, functionName: "metersOfPark", args });
    assert.deepEqual(ids, [device.id]);
    assert.deepEqual(
      meters.map(({ owner, produced }) => [owner, produced]),
      [[getAddress(park.address), 599n * STEP]],
    );
  });

  it("produce for whoever had the shares between two settlements", async () => {
    const { park, device, ada, bea, stranger, settleAttested, token, at: mine } = at();
    await mine(START + 6000);
    await settleAttested({ meter: device, to: 301 });
    await park.act("transfer", [stranger.account.address, 500n], ada);
    await settleAttested({ meter: device, to: 600, settled: 301 });
    const first = 300n * STEP * UNITS;
    const second = 299n * STEP * UNITS;
    assert.deepEqual(await Promise.all([ada, stranger].map((by) => at().claimable(park, by))), [
      [first / 2n],
      [second / 2n],
    ]);
    for (const by of [ada, bea, at().cem, stranger]) await at().claim(park, by, [token.address]);
    assert.equal(await at().balanceOf(park.address), 0n);
    const paid = await Promise.all([ada, bea, at().cem, stranger].map((by) => at().balanceOf(by.account.address)));
    const all = first + second;
    assert.deepEqual(paid, [first / 2n, (all * 3n) / 10n, all / 5n, second / 2n]);
  });

  describe("are sold", () => {
    const price = 1_000n;
    const offer = (buyer: Hex = zeroAddress, kind: Hex = at().token.address) =>
      at().park.act("offer", [at().meter, buyer, kind, price], at().vote);
    const buy = (by: Wallet, change: { kind?: Hex; price?: bigint } = {}) => {
      const { kind = at().token.address } = change;
      return at().park.act("buy", [at().meter, kind, change.price ?? price], by);
    };
    beforeEach(async () => {
      const { produce: mint, stranger, park, send, token } = at();
      await mint(stranger.account.address, 5_000n);
      await send({ ...token, functionName: "approve", args: [park.address, 5_000n] }, stranger);
    });

    it("only if they are offered, to whom, in what and for how much they are", async () => {
      const { stranger, ada, token, meter, newToken, park } = at();
      const kind = getAddress(token.address);
      await refuses(buy(stranger), "NotOffered", [meter, kind, price]);
      await refuses(buy(stranger, { kind: zeroAddress, price: 0n }), "NotOffered", [meter, zeroAddress, 0n]);
      await offer(ada.account.address);
      await refuses(buy(stranger), "NotOffered", [meter, kind, price]);
      await offer();
      await refuses(buy(stranger, { price: price - 1n }), "NotOffered", [meter, kind, price - 1n]);
      await refuses(buy(stranger, { price: price + 1n }), "NotOffered");
      const other = getAddress((await newToken()).address);
      await refuses(buy(stranger, { kind: other }), "NotOffered", [meter, other, price]);
      await offer(zeroAddress, zeroAddress);
      await refuses(buy(stranger), "NotOffered");
      await refuses(buy(stranger, { kind: zeroAddress }), "NotOffered");
      assert.equal(await ownerOf(at(), at().device), getAddress(park.address));
    });

    it("not to who cannot pay", async () => {
      const { ada } = at();
      await offer();
      await refuses(buy(ada), "ERC20InsufficientAllowance");
    });

    it("for income of the shares", async () => {
      const { park, stranger, device, token, meter, ada } = at();
      const [kind, buyer] = [getAddress(token.address), getAddress(stranger.account.address)];
      const offered = await offer(buyer);
      assert.deepEqual(told(offered, park), [{ eventName: "MeterOffered", args: { meter, buyer, kind, price } }]);
      assert.deepEqual(await park.read("offerOf", meter), { buyer, kind, price });
      await park.act("permitKey", [meter, device.id], at().vote);
      const receipt = await buy(stranger);
      assert.deepEqual(told(receipt, park), [{ eventName: "MeterSold", args: { meter, buyer, kind, price } }]);
      assert.equal(await ownerOf(at(), device), buyer);
      assert.deepEqual(await at().claimable(park, ada), [500n]);
      assert.equal(await park.read("meterCount"), 0n);
      // nothing of it is left here
      assert.deepEqual(await park.read("offerOf", meter), { buyer: zeroAddress, kind: zeroAddress, price: 0n });
      assert.equal(await park.read("permittedKeyOf", meter), ZERO);
      await refuses(buy(stranger), "NotOffered");
    });

    it("with what they produced and is not settled, from then on the buyer's", async () => {
      const { park, stranger, device, settleAttested, at: mine } = at();
      await offer();
      await buy(stranger);
      await mine(START + 6000);
      await settleAttested({ meter: device, to: 600 });
      assert.equal(await at().balanceOf(park.address), price);
      assert.equal(await at().balanceOf(stranger.account.address), 4_000n + 599n * STEP * UNITS);
    });
  });

  describe("that their registrar gives to another owner", () => {
    const lose = async () => {
      const { meter, stranger, registryCall, later } = at();
      await registryCall("proposeOwner", [meter, stranger.account.address]);
      await later(14 * DAY);
      await registryCall("recoverOwner", [meter]);
    };

    it("are not struck off the list while they are the park's", async () => {
      const { park, meter, stranger } = at();
      await refuses(park.act("strike", [meter], stranger), "MeterNotLost", [meter, getAddress(park.address)]);
    });

    it("are struck off the list by anyone, with what was permitted and offered", async () => {
      const { park, meter, vote, token, device } = at();
      await park.act("offer", [meter, zeroAddress, token.address, 0n], vote);
      await park.act("permitKey", [meter, device.id], vote);
      await lose();
      // what is not the park's is not sold
      await refuses(park.act("buy", [meter, token.address, 0n], at().cem), "ERC721InsufficientApproval");
      const receipt = await park.act("strike", [meter], at().cem);
      assert.deepEqual(told(receipt, park), [{ eventName: "MeterLost", args: { meter } }]);
      assert.equal(await park.read("meterCount"), 0n);
      assert.equal(((await park.read("offerOf", meter)) as { kind: Hex }).kind, zeroAddress);
      assert.equal(await park.read("permittedKeyOf", meter), ZERO);
    });

    it("stay the park's, where the vote or its watcher cancels that", async () => {
      const { park, meter, vote, cem, registryCall, stranger } = at();
      await registryCall("proposeOwner", [meter, stranger.account.address]);
      await park.act("cancelProposal", [meter, CHANGE.Owner], vote);
      await park.act("setWatcher", [meter, cem.account.address], vote);
      await registryCall("proposeOwner", [meter, stranger.account.address]);
      await registryCall("cancelProposal", [meter, CHANGE.Owner], cem);
      await refuses(registryCall("recoverOwner", [meter]), "ProposalUnknown");
    });
  });

  describe("are rotated", () => {
    const current = () =>
      at().publicClient.readContract({
        address: at().registry.address,
        abi: meterRegistryAbi,
        functionName: "keyOf",
        args: [at().meter],
      });

    it("to no key that was not permitted", async () => {
      const { park, device, meter, vote, stranger, at: mine } = at();
      const next = successor(at());
      await mine(START + ROTATION);
      const rotate = () => park.act("rotate", rotationArgs(park, device, next), stranger);
      await refuses(rotate(), "KeyNotPermitted", [meter, next.id]);
      await park.act("permitKey", [meter, device.id], vote);
      await refuses(rotate(), "KeyNotPermitted", [meter, next.id]);
      await park.act("permitKey", [meter, next.id], vote);
      await park.act("permitKey", [meter, ZERO], vote);
      await refuses(rotate(), "KeyNotPermitted", [meter, next.id]);
    });

    it("by anyone within the hour, to the key that was permitted, once", async () => {
      const { park, device, meter, vote, stranger, at: mine } = at();
      const next = successor(at());
      const receipt = await park.act("permitKey", [meter, next.id], vote);
      assert.deepEqual(told(receipt, park), [{ eventName: "KeyPermitted", args: { meter, keyId: next.id } }]);
      assert.equal(await park.read("permittedKeyOf", meter), next.id);
      await mine(START + ROTATION);
      await park.act("rotate", rotationArgs(park, device, next), stranger);
      assert.equal(await current(), next.id);
      assert.equal(await park.read("permittedKeyOf", meter), ZERO);
      await refuses(park.act("rotate", rotationArgs(park, device, next), stranger), "KeyNotPermitted");
    });

    it("to none without the old key's rotation", async () => {
      const { park, device, meter, vote, stranger, at: mine } = at();
      const next = successor(at());
      await park.act("permitKey", [meter, next.id], vote);
      await mine(START + ROTATION);
      const args = rotationArgs(park, device, next).with(3, rotationOf(next, meter, next.id));
      await refuses(park.act("rotate", args, stranger), "RotationInvalid");
      assert.equal(await park.read("permittedKeyOf", meter), next.id);
    });

    it("to a key that a manager permitted", async () => {
      const { park, device, meter, vote, cem, stranger, at: mine } = at();
      const next = successor(at());
      await park.act("appoint", [cem.account.address, 1 << POWER.PermitKey], vote);
      await mine(START + ROTATION);
      await park.act("permitKey", [meter, next.id], cem);
      await park.act("rotate", rotationArgs(park, device, next), stranger);
      assert.equal(await current(), next.id);
    });
  });

  it("have their issuer of certificates from the vote", async () => {
    const { park, meter, vote, certificates, publicClient } = at();
    await park.act("nameIssuer", [meter, ANYONE], vote);
    const { address } = certificates;
    const issuer = { address, abi: hourlyCertificatesAbi, functionName: "issuerOf", args: [meter] } as const;
    assert.equal(await publicClient.readContract(issuer), getAddress(ANYONE));
  });

  it("are taken down by the vote", async () => {
    const { park, meter, vote, registryView } = at();
    await park.act("decommission", [meter], vote);
    assert.equal(((await registryView("meterOf", meter)) as { status: number }).status, STATUS.Decommissioned);
  });
});

describe("a manager of a park", () => {
  const at = world(async (parks) => ({ ...(await withMeter(parks)), manager: parks.guardian }));
  const appoint = (powers: number, manager = at().manager) =>
    at().park.act("appoint", [manager.account.address, powers], at().vote);
  /** What each power is for; each succeeds as it stands. */
  const acts = (): Record<keyof typeof POWER, [string, readonly unknown[]]> => ({
    PermitKey: ["permitKey", [at().meter, at().other.id]],
    NameIssuer: ["nameIssuer", [at().meter, at().stranger.account.address]],
    CancelProposal: ["cancelProposal", [at().meter, CHANGE.Owner]],
    Decommission: ["decommission", [at().meter]],
  });
  beforeEach(() => at().registryCall("proposeOwner", [at().meter, at().stranger.account.address]));

  it("is appointed by the vote alone", async () => {
    const { park, ada, manager } = at();
    await appoint(ALL);
    for (const by of [ada, manager]) {
      const refused = park.act("appoint", [by.account.address, ALL], by);
      await refuses(refused, "CallerNotVote", [getAddress(by.account.address)]);
    }
  });

  for (const [power, place] of Object.entries(POWER) as [keyof typeof POWER, number][]) {
    it(`does what ${power} is for with that power, and with no other`, async () => {
      const { park, manager, stranger } = at();
      const [functionName, args] = acts()[power];
      const by = getAddress(manager.account.address);
      await refuses(park.act(functionName, args, manager), "CallerNotManager", [by, place]);
      await appoint(ALL ^ (1 << place));
      await refuses(park.act(functionName, args, manager), "CallerNotManager", [by, place]);
      await appoint(1 << place);
      const other = getAddress(stranger.account.address);
      await refuses(park.act(functionName, args, stranger), "CallerNotManager", [other, place]);
      await park.act(functionName, args, manager);
      for (const [others, [name, values]] of Object.entries(acts()))
        if (others !== power) await refuses(park.act(name, values, manager), "CallerNotManager");
    });

    it(`is not needed where the vote does what ${power} is for`, async () => {
      const [functionName, args] = acts()[power];
      await at().park.act(functionName, args, at().vote);
    });
  }

  it("with every power moves no meter, no share and no income, and is not the vote", async () => {
    const { park, manager, meter, other, token, produce: mint, newToken, ada, bea } = at();
    await appoint(ALL);
    await mint(park.address, 1_000n);
    const by = getAddress(manager.account.address);
    for (const [functionName, args] of [
      ["issue", [by, 1n]],
      ["addKind", [(await newToken()).address]],
      ["admit", [other.id]],
      ["offer", [meter, by, token.address, 0n]],
      ["setWatcher", [meter, by]],
      ["appoint", [by, ALL]],
      ["setDocument", [ZERO]],
    ] as const) {
      await refuses(park.act(functionName, args, manager), "CallerNotVote", [by]);
    }
    await refuses(park.act("buy", [meter, token.address, 0n], manager), "NotOffered");
    const taken = park.act("transferFrom", [ada.account.address, bea.account.address, 1n], manager);
    await refuses(taken, "ERC20InsufficientAllowance");
    await at().claim(park, manager, [token.address]);
    assert.equal(await at().balanceOf(by), 0n);
    assert.equal(await park.read("isVote", by), false);
  });

  it("is told, and is followed by another, or nobody", async () => {
    const { park, manager, vote } = at();
    const receipt = await appoint(5);
    const by = getAddress(manager.account.address);
    assert.deepEqual(told(receipt, park), [{ eventName: "Appointed", args: { manager: by, powers: 5 } }]);
    assert.deepEqual([await park.read("manager"), await park.read("powers")], [by, 5]);
    await park.act("appoint", [zeroAddress, ALL], vote);
    const [functionName, args] = acts().PermitKey;
    await refuses(park.act(functionName, args, manager), "CallerNotManager", [by, 0]);
  });
});
