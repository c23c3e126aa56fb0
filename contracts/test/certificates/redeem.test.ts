import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { getAddress, type Hex, keccak256, parseEventLogs, zeroAddress } from "viem";
import { hourlyCertificatesAbi } from "../../abi.ts";
import { createMeter, dice, produce, refuses, START, type TestMeter, UNITS } from "../fixture.ts";
import { deployParks, type Parks } from "../parks/fixture.ts";
import { certificatesOf, fullHours, HOUR, HOURLY, idOf, PER_HOUR, runOf } from "./fixture.ts";

const SIZE = 4 * PER_HOUR + 1;
const ADA: Hex = getAddress(`0x${"ada".padStart(40, "0")}`);
const DOCUMENT = new TextEncoder().encode('{"technology":"solar","location":"a roof \\" in Graz"}');

describe("certificates", () => {
  let chain: Parks;
  let meter: TestMeter;
  let certificates: ReturnType<typeof certificatesOf>;
  let ids: bigint[];
  beforeEach(async () => {
    chain = await deployParks();
    certificates = certificatesOf(chain);
    meter = createMeter(chain.place, 1, produce({ count: SIZE }));
    await chain.register(meter, { details: `0x${createHash("sha256").update(DOCUMENT).digest("hex")}` });
    await chain.at(START + 5 * HOUR);
    await chain.settleAttested({ meter, to: SIZE });
    await certificates.approve();
    await certificates.issue(meter.id, [runOf(meter, fullHours(meter, SIZE), SIZE)]);
    ids = [0, 1, 2, 3].map((hour) => idOf(meter.id, START + hour * HOUR, START + (hour + 1) * HOUR));
  });

  const redeem = (id: bigint, energy: bigint, by = chain.owner, beneficiary: Hex = ADA) =>
    certificates.act("redeem", [id, energy, beneficiary, "a night of servers"], by);
  const give = (to: Hex, id: bigint, amount: bigint, by = chain.owner) =>
    certificates.act("safeTransferFrom", [by.account.address, to, id, amount, "0x"], by);
  const certificateOf = (id: bigint): Promise<{ redeemed: bigint; energy: bigint }> =>
    certificates.read("certificateOf", id);

  describe("redeeming", () => {
    it("is refused for nothing, for more than the hour had, and of what another holds", async () => {
      const [id] = ids as [bigint];
      await refuses(redeem(id, 0n), "EnergyZero");
      await refuses(redeem(id, HOURLY + 1n), "ERC1155InsufficientBalance");
      await refuses(redeem(id, 2n ** 64n - 1n), "ERC1155InsufficientBalance");
      await refuses(redeem(id, 1n, chain.stranger), "ERC1155InsufficientBalance");
    });

    it("is refused of what was never issued: another length, another hour, another meter", async () => {
      const [id] = ids as [bigint];
      for (const other of [id + BigInt(HOUR), id + (BigInt(5 * HOUR) << 32n), id ^ (1n << 200n), 0n]) {
        await refuses(redeem(other, 1n), "ERC1155InsufficientBalance");
      }
    });

    it("retires the tokens beneath, with the token's own record, and says which part of the hour it was", async () => {
      const [id] = ids as [bigint];
      await redeem(id, 1_000_000n);
      const receipt = await redeem(id, 600_000n, chain.owner, zeroAddress);
      const [event] = parseEventLogs({ abi: hourlyCertificatesAbi, eventName: "Redeemed", logs: receipt.logs });
      assert.deepEqual(event?.args, {
        ...{ id, serial: 2n, holder: getAddress(chain.owner.account.address), beneficiary: zeroAddress },
        ...{ from: 1_000_000n, energy: 600_000n },
      });
      const record = await chain.publicClient.readContract({
        ...{ ...chain.token, functionName: "retirement", args: [1n] },
      });
      assert.deepEqual(
        [record.amount, record.beneficiary, record.purpose, record.from],
        [1_000_000n * UNITS, ADA, "a night of servers", getAddress(chain.certificates.address)],
      );
      assert.deepEqual(await certificateOf(id), { ...(await certificateOf(id)), energy: HOURLY, redeemed: 1_600_000n });
      assert.deepEqual(await certificates.accounts(), {
        ...{ free: 0n, locked: 4n * HOURLY - 1_600_000n, retired: 1_600_000n },
      });
    });

    it("is whoever's who holds it, and leaves the hours beside it alone", async () => {
      const [first, second] = ids as [bigint, bigint];
      await give(chain.stranger.account.address, second, HOURLY);
      await redeem(second, HOURLY, chain.stranger);
      assert.equal((await certificateOf(second)).redeemed, HOURLY);
      assert.equal((await certificateOf(first)).redeemed, 0n);
      assert.equal(await certificates.held(chain.owner.account.address, first), HOURLY);
    });
  });

  describe("un-issuing", () => {
    const unissue = (id: bigint, by = chain.owner) => certificates.act("unissue", [id], by);

    it("is refused while another holds a part, once a part was redeemed, and of what is not issued", async () => {
      const [first, second] = ids as [bigint, bigint];
      await give(chain.stranger.account.address, first, 1n);
      await refuses(unissue(first), "NotAllHeld", [first, HOURLY - 1n, HOURLY]);
      await refuses(unissue(first, chain.stranger), "NotAllHeld", [first, 1n, HOURLY]);
      await redeem(second, 1n);
      await refuses(unissue(second), "NotAllHeld", [second, HOURLY - 1n, HOURLY]);
      await refuses(unissue(first + BigInt(HOUR)), "CertificateUnknown", [first + BigInt(HOUR)]);
    });

    it("gives the tokens back, and the hour can be issued again, once", async () => {
      const [, id] = ids as [bigint, bigint];
      const before = await chain.balanceOf(chain.owner.account.address);
      const receipt = await unissue(id);
      const [event] = parseEventLogs({ abi: hourlyCertificatesAbi, eventName: "Unissued", logs: receipt.logs });
      assert.deepEqual(event?.args, {
        ...{ id, meter: meter.id, holder: getAddress(chain.owner.account.address), energy: HOURLY },
      });
      assert.equal(await chain.balanceOf(chain.owner.account.address), before + HOURLY * UNITS);
      await refuses(certificateOf(id), "CertificateUnknown");
      await refuses(unissue(id), "CertificateUnknown");
      const run = [runOf(meter, [PER_HOUR, 2 * PER_HOUR], SIZE)];
      await certificates.issue(meter.id, run);
      await refuses(certificates.issue(meter.id, run), "HourAlreadyIssued");
      assert.equal((await certificateOf(id)).energy, HOURLY);
    });
  });

  it("are transferable, and whoever moves them, free, certificates and retired make what was minted", async () => {
    const roll = dice(7);
    const wallets = [chain.owner, chain.stranger, chain.guardian];
    for (let round = 0; round < 60; round++) {
      const by = wallets[roll(3)] as typeof chain.owner;
      const id = ids[roll(4)] as bigint;
      const has = await certificates.held(by.account.address, id);
      if (has === 0n) continue;
      const some = 1n + BigInt(roll(Number(has)));
      if (roll(2)) await redeem(id, some, by);
      else await give((wallets[roll(3)] as typeof by).account.address, id, some, by);
      const { free, locked, retired } = await certificates.accounts();
      assert.equal(free + locked + retired, 4n * HOURLY);
      let held = 0n;
      for (const id of ids) for (const { account } of wallets) held += await certificates.held(account.address, id);
      assert.equal(held, locked);
    }
  });

  describe("say what they are", () => {
    const metadataOf = async (id: bigint) => {
      const uri: string = await certificates.read("uri", id);
      const [head, data] = uri.split(",") as [string, string];
      assert.equal(head, "data:application/json;base64");
      return JSON.parse(Buffer.from(data, "base64").toString());
    };

    it("nothing, where they are not issued", async () => {
      await refuses(certificates.read("uri", (ids[0] as bigint) + 1n), "CertificateUnknown");
    });

    it("meter, start, end, energy and status, by EnergyTag's names", async () => {
      const [id, second] = ids as [bigint, bigint];
      await redeem(id, 1_000_500n);
      const { name, decimals, properties } = await metadataOf(id);
      assert.equal(name, "3600 Wh, 2026-03-20T00:00:00Z to 2026-03-20T01:00:00Z");
      assert.equal(decimals, 0);
      assert.deepEqual(properties, {
        ...{ device_id: meter.id, device_capacity: 5000, energy_carrier: "electricity" },
        issuing_body: `eip155:31337:${getAddress(chain.certificates.address)}`,
        production_starting_interval: "2026-03-20T00:00:00Z",
        production_ending_interval: "2026-03-20T01:00:00Z",
        ...{ face_value: 3600, energy_mwh: "3600000", redeemed_mwh: "1000500", certificate_bundle_status: "Active" },
        ...{ details_hash: `0x${createHash("sha256").update(DOCUMENT).digest("hex")}`, details: "" },
      });
      await redeem(second, HOURLY);
      assert.equal((await metadataOf(second)).properties.certificate_bundle_status, "Cancelled");
    });

    it("technology and place, where somebody puts the document of the meter's details on chain", async () => {
      const other = `0x${Buffer.from('{"technology":"coal"}').toString("hex")}`;
      await refuses(certificates.act("tellDetails", [meter.id, other], chain.stranger), "DetailsDiffer");
      const document: Hex = `0x${Buffer.from(DOCUMENT).toString("hex")}`;
      await certificates.act("tellDetails", [meter.id, document], chain.stranger);
      const { properties } = await metadataOf(ids[0] as bigint);
      const told = JSON.parse(Buffer.from(properties.details.split(",")[1], "base64").toString());
      assert.deepEqual(told, { technology: "solar", location: 'a roof " in Graz' });

      const hashed = createMeter(chain.place, 4, produce({ count: 2, from: { timestamp: START + 5 * HOUR } }));
      await chain.register(hashed, { details: keccak256(document) });
      await certificates.act("tellDetails", [hashed.id, document], chain.stranger);
    });
  });

  it("are of one registry's meters: an id is the first 24 bytes of the meter, start and length", async () => {
    const start = START + HOUR;
    const id = await certificates.read("idOf", meter.id, BigInt(start), BigInt(start + HOUR));
    assert.equal(id, ids[1]);
  });
});
