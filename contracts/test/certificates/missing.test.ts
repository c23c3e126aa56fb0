import assert from "node:assert/strict";
import type { TransactionReceipt } from "viem";
import { bent, createMeter, produce, refuses, START } from "../fixture.ts";
import { deployParks, type Parks } from "../parks/fixture.ts";
import { at, certificatesOf, HOUR, idOf, metersOf, PER_QUARTER, QUARTER, quarters, runOf } from "./fixture.ts";

describe("where the reading at a full hour is missing", () => {
  let chain: Parks;
  let certificates: ReturnType<typeof certificatesOf>;
  let settled: ReturnType<typeof metersOf>["settled"];
  let settledNext: ReturnType<typeof metersOf>["settledNext"];
  beforeEach(async () => {
    chain = await deployParks();
    certificates = certificatesOf(chain);
    ({ settled, settledNext } = metersOf(chain));
    await certificates.approve();
  });

  const issued = (receipt: TransactionReceipt) => certificates.issuedBy(receipt);

  it("the shortest span of whole hours that is proven is one certificate, and its id says so", async () => {
    // the readings at 1:00 and 2:00 are not there
    const meter = await settled(at([0, 1, 2, 3, 5, 6, 7, 9, 12, 16]));
    const receipt = await certificates.issue(meter.id, [runOf(meter, [0, 3, 4, 6, 7, 8, 9], 10)]);
    assert.deepEqual(issued(receipt), [
      [0, 3, 12n * PER_QUARTER],
      [3, 4, 4n * PER_QUARTER],
    ]);
    const id = idOf(meter.id, START, START + 3 * HOUR);
    const certificate: { start: number; end: number } = await certificates.read("certificateOf", id);
    assert.deepEqual([certificate.start, certificate.end], [START, START + 3 * HOUR]);
    // each of its hours is issued with it, and nothing else is called by its first hour
    await refuses(certificates.issue(meter.id, [runOf(meter, [0, 3, 4, 6, 7, 8], 10)]), "HourAlreadyIssued");
    await refuses(certificates.read("certificateOf", idOf(meter.id, START, START + HOUR)), "CertificateUnknown");
    await refuses(certificates.read("certificateOf", idOf(meter.id, START, START + 2 * HOUR)), "CertificateUnknown");
  });

  it("it has to be shown for every full hour that is passed over", async () => {
    const meter = await settled(at([0, 1, 2, 3, 5, 6, 7, 9, 12, 16]));
    await refuses(certificates.issue(meter.id, [runOf(meter, [0, 3, 4, 8], 10)]), "HourSkipped", [
      BigInt(START + 2 * HOUR),
    ]);
    await refuses(certificates.issue(meter.id, [runOf(meter, [0, 6, 7, 8], 10)]), "HourSkipped", [
      BigInt(START + HOUR),
    ]);
  });

  it("a reading at a full hour whose clock is in doubt is no boundary, but has to be shown", async () => {
    const meter = await settled(at([0, 1, 2, 3, { quarter: 4, conditions: 1 }, 5, 6, 7, 8]));
    await refuses(certificates.issue(meter.id, [runOf(meter, [0, 3, 5, 8], 9)]), "HourSkipped", [BigInt(START + HOUR)]);
    const receipt = await certificates.issue(meter.id, [runOf(meter, [0, 4, 8], 9)]);
    assert.deepEqual(issued(receipt), [[0, 2, 8n * PER_QUARTER]]);
  });

  it("a condition that harms no settlement harms no boundary", async () => {
    const meter = await settled(at([0, { quarter: 4, conditions: 6 }, 8]));
    const receipt = await certificates.issue(meter.id, [runOf(meter, [0, 1, 2], 3)]);
    assert.equal(issued(receipt).length, 2);
  });

  describe("over epochs", () => {
    it("what the register rose from one log to the next counts", async () => {
      const meter = await settled(at([...quarters(0, 5)]));
      await settledNext(meter, 2, at(quarters(7, 8)), START + 5 * QUARTER);
      const runs = [runOf(meter, [0, 4, 5], 6), runOf(meter, [0, 1], 2, 2)];
      assert.deepEqual(issued(await certificates.issue(meter.id, runs)), [
        [0, 1, 4n * PER_QUARTER],
        [1, 2, 4n * PER_QUARTER],
      ]);
    });

    it("where the register was lost, what was lost is nobody's", async () => {
      const meter = await settled(at(quarters(0, 5)));
      const lost = at([
        { quarter: 6, energy: 0n },
        { quarter: 8, energy: 2n * PER_QUARTER },
      ]);
      await settledNext(meter, 2, lost, START + 5 * QUARTER);
      const runs = [runOf(meter, [4, 5], 6), runOf(meter, [0, 1], 2, 2)];
      assert.deepEqual(issued(await certificates.issue(meter.id, runs)), [[1, 2, 3n * PER_QUARTER]]);
    });

    it("a full hour between two logs is missing where the one ends and the next begins", async () => {
      const meter = await settled(at(quarters(0, 3)));
      await settledNext(meter, 2, at(quarters(5, 8)), START + 3 * QUARTER);
      const [end, next] = [runOf(meter, [0, 3], 4), runOf(meter, [0, 3], 4, 2)];
      // neither a reading before the last of the one, nor one after the first of the next, shows it
      await refuses(certificates.issue(meter.id, [runOf(meter, [0, 2], 4), next]), "HourSkipped");
      await refuses(certificates.issue(meter.id, [end, runOf(meter, [1, 3], 4, 2)]), "HourSkipped");
      assert.deepEqual(issued(await certificates.issue(meter.id, [end, next])), [[0, 2, 8n * PER_QUARTER]]);
    });

    it("a full hour is not missing where a log that has it is left out", async () => {
      const meter = await settled(at(quarters(0, 3)));
      await settledNext(meter, 2, at(quarters(4, 5)), START + 3 * QUARTER);
      await settledNext(meter, 4, at(quarters(6, 8)), START + 5 * QUARTER);
      const without = [runOf(meter, [0, 3], 4), runOf(meter, [0, 2], 3, 4)];
      await refuses(certificates.issue(meter.id, without), "HourSkipped", [BigInt(START + HOUR)]);
      const all = [runOf(meter, [0, 3], 4), runOf(meter, [0, 1], 2, 2), runOf(meter, [0, 2], 3, 4)];
      assert.equal(issued(await certificates.issue(meter.id, all)).length, 2);
    });

    it("runs of logs in the wrong order are refused", async () => {
      const meter = await settled(at(quarters(0, 4)));
      await settledNext(meter, 2, at(quarters(5, 8)), START + 4 * QUARTER);
      const runs = [runOf(meter, [3], 4, 2), runOf(meter, [4], 5)];
      await refuses(certificates.issue(meter.id, runs), "EpochNotForward", [meter.id, 1, 2]);
    });

    it("two logs that tell of one time are not gone through by turns, to count a rise twice", async () => {
      const meter = await settled(at([0, 2, 3]));
      // the clock had been ahead: the next log tells of the same time again
      const again = at([
        { quarter: 1, energy: 3n * PER_QUARTER, after: 1 },
        { quarter: 4, energy: 4n * PER_QUARTER },
      ]);
      await settledNext(meter, 2, again, START + 3 * QUARTER);
      const [first, second] = [runOf(meter, [0], 3), runOf(meter, [0], 2, 2)];
      const turns = [first, second, runOf(meter, [1, 2], 3), runOf(meter, [1], 2, 2)];
      await refuses(certificates.issue(meter.id, turns), "EpochNotForward", [meter.id, 1, 2]);
    });
  });

  describe("over keys", () => {
    /** A meter whose first key settled up to `last`, and whose second one's readings begin at `baseline`. */
    async function rotated(last: number, baseline: number) {
      const meter = await chain.registered(createMeter(chain.place, 1, at(quarters(0, last))));
      await chain.at(START + last * QUARTER + 60);
      await chain.settleAttested({ meter, to: last + 1 });
      const device = createMeter(chain.place, 2, at(quarters(baseline, 8)));
      await chain.at(START + baseline * QUARTER + 60);
      await chain.rotate(meter.id, meter, device);
      await chain.at(START + 24 * HOUR);
      const count = 9 - baseline;
      await chain.settleAttested({ meter: device, to: count });
      return { meter, device, count };
    }

    it("each measures what it measured, and what lies between them is nobody's", async () => {
      const { meter, device, count } = await rotated(5, 6);
      const runs = [runOf(meter, [0, 4, 5], 6), runOf(device, [0, 2], count)];
      assert.deepEqual(issued(await certificates.issue(meter.id, runs)), [
        [0, 1, 4n * PER_QUARTER],
        [1, 2, 3n * PER_QUARTER],
      ]);
    });

    it("a full hour is missing where the one key's last log ends and the next one's baseline is", async () => {
      const { meter, device, count } = await rotated(3, 5);
      const next = runOf(device, [0, 3], count);
      await refuses(certificates.issue(meter.id, [runOf(meter, [0, 2], 4), next]), "HourSkipped");
      const later = runOf(device, [1, 3], count);
      await refuses(certificates.issue(meter.id, [runOf(meter, [0, 3], 4), later]), "HourSkipped");
      assert.deepEqual(issued(await certificates.issue(meter.id, [runOf(meter, [0, 3], 4), next])), [
        [0, 2, 6n * PER_QUARTER],
      ]);
    });

    it("a full hour is not missing where a later log of the first key may have it", async () => {
      const meter = await chain.registered(createMeter(chain.place, 1, at(quarters(0, 3))));
      await chain.at(START + 5 * QUARTER + 60);
      await chain.settleAttested({ meter, to: 4 });
      await settledNext(meter, 2, at([4, 5]), START + 3 * QUARTER);
      const device = createMeter(chain.place, 2, at(quarters(6, 8)));
      await chain.at(START + 6 * QUARTER + 60);
      await chain.rotate(meter.id, meter, device);
      await chain.at(START + 24 * HOUR);
      await chain.settleAttested({ meter: device, to: 3 });
      const runs = [runOf(meter, [0, 3], 4), runOf(device, [0, 2], 3)];
      await refuses(certificates.issue(meter.id, runs), "HourSkipped", [BigInt(START + HOUR)]);
    });
  });

  it("a register that goes back within a log is refused", async () => {
    // the DON refuses such a log; without it, it can settle
    const readings = at([0, { quarter: 4, energy: 9n * PER_QUARTER }, { quarter: 8, energy: 8n * PER_QUARTER }]);
    const meter = await settled(readings);
    const call = certificates.issue(meter.id, [runOf(meter, [0, 1, 2], 3)]);
    await refuses(call, "RegisterBackward", [8n * PER_QUARTER, 9n * PER_QUARTER]);
  });

  it("a reading just beside a full hour is none at it", async () => {
    const meter = await settled([
      ...at([0]),
      bent(at([4])[0] as Uint8Array, { timestamp: START + HOUR + 1 }),
      ...at([8]),
    ]);
    const receipt = await certificates.issue(meter.id, [runOf(meter, [0, 1, 2], 3)]);
    assert.deepEqual(issued(receipt), [[0, 2, 8n * PER_QUARTER]]);
  });

  it("a span of 512 hours is too long for one certificate, and 2^38 mWh are too much", async () => {
    const spanning = async (seed: number, hours: number) => {
      const meter = createMeter(chain.place, seed, at([0, 4 * hours]));
      await chain.registered(meter);
      return meter;
    };
    const [longest, longer] = [await spanning(1, 511), await spanning(2, 512)];
    await chain.at(START + 513 * HOUR);
    for (const meter of [longest, longer]) await chain.settleAttested({ meter, to: 2 });
    await certificates.issue(longest.id, [runOf(longest, [0, 1], 2)]);
    const energy = 4n * 512n * PER_QUARTER;
    await refuses(certificates.issue(longer.id, [runOf(longer, [0, 1], 2)]), "CertificateTooLarge", [energy, 512n]);
  });

  it("a span over the end of a word of 256 hours is whole", async () => {
    const end = (Math.floor(START / HOUR / 256) + 1) * 256 * HOUR;
    const timestamp = end - 2 * HOUR;
    const meter = createMeter(chain.place, 9, produce({ count: 2, from: { timestamp }, interval: 5 * HOUR }));
    await chain.at(timestamp);
    await chain.registered(meter);
    await chain.at(timestamp + 6 * HOUR);
    await chain.settleAttested({ meter, to: 2 });
    await certificates.issue(meter.id, [runOf(meter, [0, 1], 2)]);
    const word = BigInt(end / HOUR / 256);
    assert.equal(await certificates.read("issuedHours", meter.id, word - 1n), 0b11n << 254n);
    assert.equal(await certificates.read("issuedHours", meter.id, word), 0b111n);
    await certificates.act("unissue", [idOf(meter.id, timestamp, timestamp + 5 * HOUR)]);
    assert.equal(await certificates.read("issuedHours", meter.id, word - 1n), 0n);
    assert.equal(await certificates.read("issuedHours", meter.id, word), 0n);
  });
});
