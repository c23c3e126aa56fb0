/**
 * A small world beside the contracts: meters that settle over several hours, one of them a park's with three holders, of whom
 * one sells shares between two settlements; certificates that are issued, redeemed, un-issued and issued again.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Abi, type AbiEvent, encodeAbiParameters, encodeEventTopics, type Hex, zeroHash } from "viem";
import { certificatesOf, HOUR, idOf, type Run, runOf } from "../../contracts/test/certificates/fixture.ts";
import {
  createMeter,
  type Part,
  produce,
  START,
  segmentOf,
  UNITS,
  unattestedItem,
} from "../../contracts/test/fixture.ts";
import { deployParks, hostileTokenOn } from "../../contracts/test/parks/fixture.ts";
import { batchDigest, encodeBatch, toHex } from "../../protocol/index.ts";
import type { ChainReader } from "../../verification/chain/reader.ts";
import { type Audit, type AuditOptions, audit, createPool, placeOf } from "../index.ts";
import { put } from "./world.ts";

const QUARTER = 900;
/** mWh that the meters make in an hour */
export const HOURLY = 3_600_000n;

export type Besides = Awaited<ReturnType<typeof createBesides>>;

export async function createBesides() {
  const chain = await deployParks("default", 0);
  const folder = await mkdtemp(join(tmpdir(), "wattwitness-beside-"));
  const certificates = certificatesOf(chain);
  const { ada, bea, cem, owner, stranger, deployment } = chain;
  const address = (wallet: typeof ada) => wallet.account.address;
  const quarters = (count: number, more = {}) => produce({ count, interval: QUARTER, ...more });

  /** Settles it on the device's signature alone, with a batch that shows it. */
  async function settle(part: Part): Promise<string> {
    const batch = encodeBatch({ domain: part.meter.headDomain, segments: [segmentOf(part)] });
    const path = `batches/${toHex(batchDigest(batch))}`;
    await put(folder, path, batch);
    await chain.settle(zeroHash, [unattestedItem(part)]);
    return path;
  }

  // a park of one, who is the vote, and then of three
  const park = await chain.create({ holders: [address(ada)], shares: [1000n] });
  const coin = await hostileTokenOn(chain);
  await park.act("addKind", [coin.address], ada);
  const roof = await chain.registered(createMeter(chain.place, 1, quarters(17)));
  const barn = createMeter(chain.place, 2, quarters(6));
  barn.begin(2, quarters(11, { from: { timestamp: START + 6 * QUARTER, energy: 6n * 900_000n } }));
  const next = createMeter(chain.place, 3, quarters(5, { from: { timestamp: START + 17 * QUARTER } }));
  await chain.registered(barn);
  await chain.registryCall("approve", [park.address, BigInt(roof.id)], owner);
  await park.act("admit", [roof.id], ada);
  await park.act("nameIssuer", [roof.id, address(ada)], ada);
  await park.act("transfer", [address(bea), 300n], ada);
  await park.act("transfer", [address(cem), 200n], ada);

  await chain.at(START + 4 * HOUR + QUARTER);
  const early = await settle({ meter: roof, to: 9 });
  await park.act("transfer", [address(bea), 99n], ada);
  await coin.act("mint", park.address, 1_000_003n);
  await settle({ meter: roof, to: 17, settled: 9 });
  await settle({ meter: barn, to: 6 });
  const late = await settle({ meter: barn, epoch: 2, to: 11, settled: 0, settledTimestamp: START + 5 * QUARTER });
  await chain.rotate(barn.id, barn, next);
  await chain.at(START + 6 * HOUR);
  await settle({ meter: next, to: 5 });
  await park.act("claim", [[chain.token.address, coin.address], address(ada)], ada);
  await park.act("claim", [[chain.token.address], address(stranger)], bea);
  await park.act("mark", [], cem);

  await certificates.approve(ada);
  const sold = await certificates.issue(roof.id, [runOf(roof, [0, 4], 17)], ada);
  await certificates.approve(owner);
  const runs: Run[] = [runOf(barn, [0, 4, 5], 6), runOf(barn, [0, 2, 6, 10], 11, 2)];
  await certificates.issue(barn.id, runs);
  const ids = [0, 1, 2, 3].map((hour) => idOf(barn.id, START + hour * HOUR, START + (hour + 1) * HOUR));
  const [first, second, third] = ids as [bigint, bigint, bigint];
  await certificates.act("redeem", [first, HOURLY / 2n, address(stranger), "a night of servers"]);
  await certificates.act("safeTransferFrom", [address(owner), address(stranger), second, HOURLY / 4n, "0x"]);
  await certificates.act("unissue", [third]);
  await certificates.issue(barn.id, [runOf(barn, [2, 6], 11, 2)]);
  await certificates.act("redeem", [third, HOURLY, address(bea), ""]);

  const pool = createPool(1);
  const reader: ChainReader = { request: ({ method, params }) => chain.request(method, params as unknown[]) };
  const beside = {
    certificates: chain.certificates.address.toLowerCase() as Hex,
    factory: chain.factory.address.toLowerCase() as Hex,
  };
  const registry = deployment.registry.toLowerCase() as Hex;

  /** As contracts would that check nothing: in one transaction, and then they are themselves again. */
  async function tell(events: readonly [by: { address: Hex; abi: Abi | readonly unknown[] }, string, object][]) {
    const told = events.map(([{ address: by, abi }, eventName, args]) => {
      const item = (abi as Abi).find((each): each is AbiEvent => each.type === "event" && each.name === eventName);
      const plain = (item as AbiEvent).inputs.filter(({ indexed }) => !indexed);
      const values = plain.map(({ name }) => (args as Record<string, unknown>)[name as string]);
      return {
        by,
        topics: encodeEventTopics({ abi: [item], eventName, args } as never),
        data: encodeAbiParameters(plain, values),
      };
    });
    const puppet = await chain.deploy("Puppet");
    const at = [...new Set(told.map(({ by }) => by))];
    const codeOf = (each: Hex) => chain.publicClient.getCode({ address: each });
    const codes = await Promise.all(at.map(codeOf));
    const code = await codeOf(puppet);
    for (const each of at) await chain.request("hardhat_setCode", [each, code]);
    const { abi } = await chain.deployer.artifact("Puppet");
    await chain.send({ address: at[0] as Hex, abi, functionName: "tell", args: [told, "0x"] }, stranger);
    for (const [i, each] of at.entries()) await chain.request("hardhat_setCode", [each, codes[i]]);
  }

  return {
    ...{ chain, folder, park, coin, roof, barn, next, ids, beside, certificates, early, late, sold, tell },
    audit: (change: Partial<AuditOptions> = {}): Promise<Audit> =>
      audit({ chain: reader, registry, places: [placeOf(folder)], pool, beside, ...change }),
    close: async () => {
      await pool.close();
      await rm(folder, { recursive: true });
    },
  };
}

export { HOUR, START, UNITS };
