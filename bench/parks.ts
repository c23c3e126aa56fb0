/** What parks and certificates cost: rows of `npm run bench:gas`. */
import type { Hex } from "viem";
import { deploy, type Wallet } from "../contracts/deploy.ts";
import { headParts, publicKeyParts, settlementItem, signatureParts } from "../contracts/settlement.ts";
import {
  artifact,
  createMeter,
  type Fixture,
  leafAt,
  produce,
  registrationOf,
  sparseRange,
  UNITS,
} from "../contracts/test/fixture.ts";
import { parksOn } from "../contracts/test/parks/fixture.ts";
import {
  attestationLeaf,
  attestationRoot,
  domain,
  encodeClaim,
  encodeHead,
  type Head,
  headHash,
  inclusionProof,
  keyIdOf,
  sign,
  timestampOf,
  toHex,
} from "../protocol/index.ts";

const HOUR = 360;
const DAY = 24 * HOUR;
/** Readings before the day that is certified: three million with it. */
const BEFORE = 3_000_000 - DAY;

const used = async (sent: Promise<{ gasUsed: bigint }>): Promise<number> => Number((await sent).gasUsed);

export async function gasOfParks(chain: Fixture) {
  const parks = await parksOn(chain);
  const { ada, bea, cem } = parks;
  const [seller, buyer, another] = [ada, bea, cem].map(({ account }) => account.address) as [Hex, Hex, Hex];
  const park = await parks.create({ holders: [seller], shares: [1_000_000n] });
  const coin = await deploy({ publicClient: chain.publicClient, wallet: chain.admin, artifact }, "ProductionToken", []);
  const { abi } = chain.token;
  await park.act("addKind", [coin], ada);
  /** Something comes in of both kinds, and is new to the park. */
  const pay = async () => {
    await chain.send({ ...chain.token, functionName: "transfer", args: [park.address, UNITS] }, chain.owner);
    await chain.send({ address: coin, abi, functionName: "mint", args: [park.address, 1_000_003n] });
  };
  const transfer = async (to: Hex, by: Wallet) => {
    await pay();
    return used(park.act("transfer", [to, 1_000n], by));
  };
  // whoever has shares, and has received both kinds, pays for no storage that is paid once
  for (const to of [buyer, another]) for (let i = 0; i < 2; i++) await transfer(to, ada);
  const transferred = await transfer(buyer, cem);
  const voting = await transfer(buyer, ada);
  await park.act("delegate", [buyer], bea);
  await transfer(buyer, ada);
  const bothVoting = await transfer(buyer, ada);
  const claim = () => park.act("claim", [[chain.token.address], seller], ada);
  await claim();
  await pay();
  const claimed = await used(claim());
  return {
    create_park: Number(park.receipt.gasUsed),
    transfer_shares: transferred,
    transfer_shares_voting: voting,
    transfer_shares_both_voting: bothVoting,
    claim: claimed,
    ...(await gasOfCertificates(parks)),
  };
}

/** A day's 24 hours of a log of three million readings, of which only those at full hours are there. */
async function gasOfCertificates(chain: Awaited<ReturnType<typeof parksOn>>) {
  const { certificates, owner, place } = chain;
  const now = Number((await chain.publicClient.getBlock()).timestamp);
  const midnight = Math.ceil(now / 86_400) * 86_400;
  const device = createMeter(place, 99, produce({ count: 1 }));
  const readings = produce({ count: DAY + 1, from: { timestamp: midnight, energy: 10n ** 9n } });
  const points = Array.from({ length: 25 }, (_, hour) => BEFORE + hour * HOUR);
  const range = sparseRange(points, (index) => readings[index - BEFORE] ?? leafAt(index));
  const headAt = (size: number): Head => ({
    ...{ epoch: 1, size, reading: readings[size - 1 - BEFORE] as Uint8Array, root: range(0, size) },
  });

  const baseline = headAt(BEFORE + 1);
  const keyId = keyIdOf(device.publicKey);
  const hash = headHash(encodeHead(device.headDomain, baseline));
  const claim = encodeClaim(domain("claim", place), {
    ...{ meter: keyId, keyId, owner: owner.account.address, headHash: hash },
  });
  await chain.at(midnight + 60);
  await chain.registryCall("register", [
    {
      ...registrationOf(device, owner.account.address),
      key: publicKeyParts(device.publicKey),
      baseline: headParts(baseline),
      claim: signatureParts(sign(claim, device.privateKey)),
    },
  ]);

  const head = headAt(BEFORE + DAY + 1);
  const leaf = attestationLeaf({
    ...{ keyId, epoch: 1, from: BEFORE, capacity: 5000, headHash: headHash(encodeHead(device.headDomain, head)) },
  });
  const item = settlementItem({
    ...{ publicKey: device.publicKey, head, settledSize: BEFORE + 1, capacity: 5000, range },
    signature: sign(encodeHead(device.headDomain, head), device.privateKey),
    settledTimestamp: timestampOf(readings[0] as Uint8Array),
    firstReading: undefined,
    attested: { from: BEFORE, leaves: [leaf], index: 0 },
  });
  await chain.at(midnight + 86_400 + 60);
  const root = toHex(attestationRoot([leaf]));
  await chain.attest(root);
  await chain.settle(root, [item]);

  const run = {
    ...{ keyId: toHex(keyId), epoch: 1 },
    readings: points.map((index) => ({
      index: BigInt(index),
      reading: toHex(readings[index - BEFORE] as Uint8Array),
      proof: inclusionProof(range, index, head.size).map(toHex),
    })),
  };
  const act = (functionName: string, args: readonly unknown[]) =>
    chain.send({ ...certificates, functionName, args }, owner);
  const idOf = (hour: number) =>
    chain.publicClient.readContract({
      ...certificates,
      functionName: "idOf",
      args: [toHex(keyId), BigInt(midnight + hour * 3600), BigInt(midnight + (hour + 1) * 3600)],
    });
  await chain.send({ ...chain.token, functionName: "approve", args: [certificates.address, 2n ** 255n] }, owner);
  const issued = await used(act("issue", [toHex(keyId), [run]]));
  const redeem = async (hour: number) => act("redeem", [await idOf(hour), 1_000_000, owner.account.address, "servers"]);
  // the first of all pays for storage that is paid once
  await redeem(0);
  const redeemed = await used(redeem(2));
  const taken = await used(act("unissue", [await idOf(23)]));
  return { issue_24_hours_per_hour: Math.round(issued / 24), redeem: redeemed, unissue: taken };
}

/** What is measured. */
export const PARK_ROWS = [
  ["create_park", "make a park with what decides for it"],
  ["transfer_shares", "transfer shares, two kinds of income, nobody votes"],
  ["transfer_shares_voting", "the same, of one who votes"],
  ["transfer_shares_both_voting", "the same, between two who vote"],
  ["claim", "claim one kind of income"],
  ["issue_24_hours_per_hour", "issue a day of a log of 3,000,000 readings, an hour"],
  ["redeem", "redeem a certificate"],
  ["unissue", "un-issue a certificate"],
] as const;
