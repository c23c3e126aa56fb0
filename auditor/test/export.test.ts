import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Hex, keccak256, zeroHash } from "viem";
import {
  bent,
  createMeter,
  deployFixture,
  type Fixture,
  type Part,
  produce,
  START,
  segmentOf,
  unattestedItem,
} from "../../contracts/test/fixture.ts";
import { batchDigest, encodeBatch, toHex } from "../../protocol/index.ts";
import type { ChainReader } from "../../verification/chain/reader.ts";
import {
  type Audit,
  audit,
  type Certified,
  createCertifying,
  csvOf,
  detailsIn,
  energyTagOf,
  type Naming,
  ndjsonOf,
  placeOf,
} from "../index.ts";
import { put } from "./world.ts";

const HOUR = 3600;
const TEN_MINUTES = 600;
/** mW: 1234.567 Wh an hour, of which no hour has a whole number */
const POWER = 1_234_567n;
const DOCUMENT = Buffer.from(
  JSON.stringify({ name: '=1+1,"roof"', technology: "PV", location: "Ulm", commercial_operation_date: "2025-04-01" }),
);

describe("an export of certificates", function () {
  this.timeout(120_000);
  let fixture: Fixture;
  let folder: string;
  let result: Audit;
  let certified: Certified;
  let ids: Record<"roof" | "barn" | "shed" | "next" | "opened" | "twice", Hex>;
  before(async () => {
    fixture = await deployFixture("default", 0);
    folder = await mkdtemp(join(tmpdir(), "wattwitness-export-"));
    await live();
    const { certifying, ...first } = await audited();
    result = first.result;
    certified = certifying.certified(result);
  });
  after(() => rm(folder, { recursive: true }));

  /** Settles it on the device's signature alone, with a batch that shows it. */
  async function settle(part: Part): Promise<void> {
    const batch = encodeBatch({ domain: part.meter.headDomain, segments: [segmentOf(part)] });
    await put(folder, `batches/${toHex(batchDigest(batch))}`, batch);
    await fixture.settle(zeroHash, [unattestedItem(part)]);
  }

  async function live(): Promise<void> {
    const { place } = fixture;
    const steady = (more: object = {}) => produce({ count: 40, power: POWER, interval: TEN_MINUTES, ...more });
    const roof = createMeter(place, 1, steady());
    const barn = createMeter(place, 2, steady());
    const next = createMeter(place, 3, steady({ from: { timestamp: START + 2 * HOUR } }));
    const shed = createMeter(place, 4, steady({ interval: 700 }));
    // its clock drifted at 01:00, and its case was open at 04:00
    const flags = new Map([
      [6, 0b0001],
      [24, 0b1000],
    ]);
    const flagged = steady().map((each, i) => bent(each, { conditions: flags.get(i) ?? 0 }));
    const opened = createMeter(place, 5, flagged);
    const twice = createMeter(place, 6, steady());
    ids = { roof: roof.id, barn: barn.id, shed: shed.id, next: next.id, opened: opened.id, twice: twice.id };
    await fixture.register(roof, { details: keccak256(DOCUMENT) });
    await fixture.register(barn);
    await fixture.register(shed);
    await fixture.register(opened);
    await fixture.register(twice);
    await fixture.at(START + 2 * HOUR + 60);
    await settle({ meter: barn, to: 12 });
    await fixture.rotate(barn.id, barn, next);
    await fixture.at(START + 5 * HOUR + 60);
    await settle({ meter: next, to: 8 });
    await settle({ meter: shed, to: 20 });
    await settle({ meter: roof, to: 11 }); // to 01:40
    await settle({ meter: roof, to: 19, settled: 11 }); // to 03:00
    roof.begin(2, steady({ from: { timestamp: START + 3 * HOUR + TEN_MINUTES, energy: 4_000_000n } }));
    await settle({ meter: roof, epoch: 2, to: 12, settled: 0, settledTimestamp: START + 3 * HOUR });
    await settle({ meter: opened, to: 30 });
    // another log, of which the readings begin with those of the first, and the register goes on from its end
    await settle({ meter: twice, to: 13 }); // to 02:00
    twice.begin(2, steady({ from: { timestamp: START, energy: 2n * POWER } }));
    await settle({ meter: twice, epoch: 2, to: 25, settled: 0, settledTimestamp: START + 2 * HOUR });
  }

  const chain: ChainReader = {
    request: ({ method, params }) => fixture.request(method, params as unknown[]),
  };

  async function audited(from = folder) {
    const certifying = createCertifying();
    const registry = fixture.deployment.registry.toLowerCase() as Hex;
    const asked = { chain, registry, places: [placeOf(from)], onHours: certifying.onHours };
    return { result: await audit(asked), certifying };
  }

  const hoursOf = (of: Certified, meter: Hex) =>
    of.certificates.filter((each) => each.meter === meter).map(({ from }) => (from - START) / HOUR);
  const whyOf = (of: Certified, meter: Hex) =>
    of.uncertified
      .filter((each) => each.meter === meter)
      .map(({ from, to, why }) => [(from - START) / HOUR, (to - START) / HOUR, why]);

  const NAMING: Naming = { details: new Map(), isAnyRetired: false };

  it("certifies no hour of which a reading at an end is missing: nothing is interpolated", () => {
    assert.deepEqual(hoursOf(certified, ids.shed), []);
    assert.deepEqual(whyOf(certified, ids.shed), [
      [0, 1, "no verified reading at its end"],
      [1, 4, "no verified reading at either end"],
    ]);
  });

  it("certifies no hour across two epochs or two keys, between whose registers nothing leads", () => {
    assert.deepEqual(whyOf(certified, ids.roof), [[3, 4, "its two readings are of two logs"]]);
    assert.deepEqual(whyOf(certified, ids.barn), [
      [1, 2, "its two readings are of two logs"],
      [3, 4, "no verified reading at its end"],
    ]);
  });

  it("certifies no hour that begins or ends with a reading of a clock that drifts, or of an opened case", () => {
    assert.deepEqual(hoursOf(certified, ids.opened), [2]);
    assert.deepEqual(whyOf(certified, ids.opened), [
      [0, 1, "no verified reading at its end"],
      [1, 2, "no verified reading at its start"],
      [3, 4, "no verified reading at its end"],
      [4, 5, "no verified reading at either end"],
    ]);
  });

  it("certifies no hour that two logs have, so that no energy is in two certificates", () => {
    assert.deepEqual(whyOf(certified, ids.twice), [[0, 2, "two logs have it"]]);
    assert.deepEqual(hoursOf(certified, ids.twice), [2, 3]);
    const own = certified.certificates.filter(({ meter }) => meter === ids.twice);
    assert.ok(own.every(({ epoch }) => epoch === 2));
  });

  it("certifies no more of any meter than was minted for it", () => {
    for (const [name, id] of Object.entries(ids)) {
      const energy = certified.certificates.reduce((sum, each) => sum + (each.meter === id ? each.energy : 0n), 0n);
      const settlements = (result.read?.settlements ?? []).filter(({ meter }) => meter === id);
      const minted = settlements.reduce((sum, { produced }) => sum + produced, 0n);
      assert.ok(energy <= minted, `${name}: ${energy} of ${minted}`);
    }
  });

  it("certifies no hour of which less was minted than the register rose", async () => {
    const { certifying } = await audited();
    const settlements = (result.read?.settlements ?? []).map((each) =>
      each.meter === ids.roof && each.fromSize === 11 ? { ...each, produced: each.produced - 1n } : each,
    );
    const less = certifying.certified({ ...result, read: { ...result.read, settlements } } as Audit);
    assert.deepEqual(whyOf(less, ids.roof), [
      [1, 3, "not all of it was minted"],
      [3, 4, "its two readings are of two logs"],
    ]);
  });

  it("certifies nothing of readings that nobody has", async () => {
    const empty = await mkdtemp(join(tmpdir(), "wattwitness-export-"));
    try {
      const none = await audited(empty);
      assert.equal(none.result.verdict, "cannot tell");
      assert.deepEqual(none.certifying.certified(none.result).certificates, []);
    } finally {
      await rm(empty, { recursive: true });
    }
  });

  it("takes an hour across two settlements from the register, and hands what is below 1 Wh on to the next hour", () => {
    assert.equal(result.verdict, "verified");
    const own = certified.certificates.filter(({ meter }) => meter === ids.roof);
    assert.deepEqual(
      own.map(({ from, energy, faceValue, epoch, startIndex, endIndex }) => [
        ...[(from - START) / HOUR, energy, faceValue, epoch, startIndex, endIndex],
      ]),
      [
        [0, 1_234_567n, 1234n, 1, 0, 6], // 567 left
        [1, 1_234_567n, 1235n, 1, 6, 12], // 134
        [2, 1_234_567n, 1234n, 1, 12, 18], // 701
        [4, 1_234_567n, 1235n, 2, 5, 11], // 268
      ],
    );
    const sum = own.reduce((all, { energy }) => all + energy, 0n);
    assert.equal(
      own.reduce((all, { faceValue }) => all + faceValue, 0n),
      sum / 1000n,
    );
    assert.deepEqual(hoursOf(certified, ids.barn), [0, 2]);
    assert.deepEqual(
      certified.certificates.filter(({ meter }) => meter === ids.barn).map(({ keyId }) => keyId),
      [ids.barn, ids.next],
    );
  });

  it("names as its evidence the settlement that has the hour's last reading", () => {
    const settlements = result.read?.settlements ?? [];
    for (const each of certified.certificates) {
      const settled = settlements.find(({ where }) => where.transaction === each.transaction);
      assert.ok(settled && settled.fromSize <= each.endIndex && each.endIndex < settled.size);
      assert.deepEqual([settled.root, settled.keyId, settled.epoch], [each.root, each.keyId, each.epoch]);
      assert.equal(each.issuedAt, result.read?.history.blocks.get(each.block)?.timestamp);
    }
  });

  it("has EnergyTag's fields, of a document only where its hash is the chain's", () => {
    const [bundle] = energyTagOf(certified, NAMING).granular_certificate_bundles;
    const { evidence, issuance_time, ...fields } = bundle as NonNullable<typeof bundle>;
    assert.deepEqual(fields, {
      ...{ device_id: ids.roof, device_name: "", device_technology_type: "", device_capacity: 5000 },
      ...{ device_location: "", commercial_operation_date: "", energy_carrier: "electricity", energy_source: "" },
      ...{ production_starting_interval: "2026-03-20T00:00:00Z", production_ending_interval: "2026-03-20T01:00:00Z" },
      ...{ face_value: 1234, country_of_issuance: "", issuing_body: "" },
      ...{ certificate_bundle_status: "Active", beneficiary: "" },
    });
    assert.match(issuance_time, /^2026-03-20T05:/);
    assert.deepEqual([evidence.start_index, evidence.end_index, evidence.produced_mwh], [0, 6, "1234567"]);
    const naming = { ...NAMING, details: new Map(detailsIn(DOCUMENT)), country: "DE", isAnyRetired: true };
    const named = energyTagOf(certified, naming).granular_certificate_bundles;
    const roof = named.find(({ device_id }) => device_id === ids.roof);
    assert.deepEqual(
      [roof?.device_technology_type, roof?.device_location, roof?.commercial_operation_date],
      ["PV", "Ulm", "2025-04-01"],
    );
    assert.deepEqual([roof?.country_of_issuance, roof?.certificate_bundle_status], ["DE", ""]);
    assert.equal(named.find(({ device_id }) => device_id === ids.barn)?.device_location, "");
    const other = new Map(detailsIn(Buffer.from(`${DOCUMENT} `)));
    const unnamed = energyTagOf(certified, { ...NAMING, details: other }).granular_certificate_bundles;
    assert.ok(unnamed.every(({ device_name }) => device_name === ""));
    const sha256 = `0x${createHash("sha256").update(DOCUMENT).digest("hex")}`;
    assert.ok(detailsIn(DOCUMENT).some(([hash]) => hash === sha256));
    assert.deepEqual(detailsIn(Buffer.from("no document")), []);
  });

  it("writes CSV that no spreadsheet takes for a formula, and a line of NDJSON for everything", () => {
    const csv = csvOf(certified, { ...NAMING, details: new Map(detailsIn(DOCUMENT)) });
    const lines = csv.split("\r\n");
    assert.equal(lines.length, 1 + certified.certificates.length + 1);
    assert.ok(lines[0]?.startsWith("device_id,device_name,"));
    assert.ok(lines[1]?.includes(`,"'=1+1,""roof""",PV,`));
    const told = ndjsonOf(certified, NAMING)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal(told.length, certified.certificates.length + certified.uncertified.length);
    assert.equal(told.at(-1).not_certifiable.why, certified.uncertified.at(-1)?.why);
  });
});
