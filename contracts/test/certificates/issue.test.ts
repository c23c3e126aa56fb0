import assert from "node:assert/strict";
import { getAddress, zeroAddress } from "viem";
import { fromHex, toHex } from "../../../protocol/index.ts";
import { bent, createMeter, placed, produce, refuses, START, type TestMeter, UNITS } from "../fixture.ts";
import { deployParks, type Parks } from "../parks/fixture.ts";
import { certificatesOf, fullHours, HOUR, HOURLY, idOf, PER_HOUR, runOf } from "./fixture.ts";

/** Four full hours, and half of a fifth. */
const SIZE = 4 * PER_HOUR + PER_HOUR / 2;

describe("issuing certificates of hours", () => {
  let chain: Parks;
  let meter: TestMeter;
  let certificates: ReturnType<typeof certificatesOf>;
  beforeEach(async () => {
    chain = await deployParks();
    certificates = certificatesOf(chain);
    meter = await chain.registered(createMeter(chain.place, 1, produce({ count: SIZE })));
    await chain.at(START + 5 * HOUR);
    await chain.settleAttested({ meter, to: SIZE });
    await certificates.approve();
  });

  const hours = (from: number, to: number) => [
    runOf(
      meter,
      fullHours(meter, SIZE).filter((_, hour) => hour >= from && hour <= to),
      SIZE,
    ),
  ];
  const idAt = (hour: number, span = 1) => idOf(meter.id, START + hour * HOUR, START + (hour + span) * HOUR);

  describe("is refused", () => {
    it("to a stranger, and to whom an owner let before he sold the meter", async () => {
      await refuses(certificates.issue(meter.id, hours(0, 1), chain.stranger), "IssuerNotNamed", [
        meter.id,
        getAddress(chain.stranger.account.address),
      ]);
      await certificates.act("nameIssuer", [meter.id, chain.stranger.account.address]);
      const sale = [chain.owner.account.address, chain.guardian.account.address, BigInt(meter.id)];
      await chain.registryCall("transferFrom", sale, chain.owner);
      await refuses(certificates.issue(meter.id, hours(0, 1), chain.stranger), "IssuerNotNamed");
      assert.equal(await certificates.read("issuerOf", meter.id), zeroAddress);
    });

    it("of a meter that is not registered", async () => {
      await refuses(certificates.issue(toHex(new Uint8Array(32).fill(7)), hours(0, 1)), "ERC721NonexistentToken");
    });

    it("for what another meter's key measured", async () => {
      const other = await chain.registered(createMeter(chain.place, 2, produce({ count: 2 })));
      await refuses(certificates.issue(other.id, hours(0, 1)), "KeyNotOfMeter", [meter.id, other.id]);
    });

    it("with a reading that is not in the settled log: changed, moved, or not settled yet", async () => {
      const [run] = hours(0, 1) as [ReturnType<typeof runOf>];
      const [first, second] = run.readings as [ReturnType<typeof placed>, ReturnType<typeof placed>];
      const more = toHex(bent(fromHex(second.reading), { energy: 10n ** 9n }));
      for (const [last, index] of [
        [{ ...second, reading: more }, 360n],
        [{ ...second, index: 361n }, 361n],
        [placed(meter, 360, 361), 360n],
      ] as const) {
        const bad = [{ ...run, readings: [first, last] }];
        await refuses(certificates.issue(meter.id, bad), "BoundaryNotProven", [meter.id, 1, index]);
      }
    });

    it("with readings that go back, or stand still", async () => {
      const [run] = hours(0, 1) as [ReturnType<typeof runOf>];
      const back = [{ ...run, readings: run.readings.toReversed() }];
      await refuses(certificates.issue(meter.id, back), "ReadingsNotForward", [START, START + HOUR]);
      const still = [{ ...run, readings: [run.readings[0], run.readings[0]] as never }];
      await refuses(certificates.issue(meter.id, still), "ReadingsNotForward", [START, START]);
    });

    it("over a full hour of which there is a reading", async () => {
      const two = [runOf(meter, [0, 2 * PER_HOUR], SIZE)];
      await refuses(certificates.issue(meter.id, two), "HourSkipped", [BigInt(START + HOUR)]);
      // nor with readings on both sides of it that are not beside each other
      const around = [runOf(meter, [0, PER_HOUR - 1, PER_HOUR + 1, 2 * PER_HOUR], SIZE)];
      await refuses(certificates.issue(meter.id, around), "HourSkipped", [BigInt(START + HOUR)]);
    });

    it("of an hour that is issued, alone or within a longer call", async () => {
      await certificates.issue(meter.id, hours(1, 2));
      const args = [meter.id, BigInt(START + HOUR), BigInt(START + 2 * HOUR)];
      await refuses(certificates.issue(meter.id, hours(1, 2)), "HourAlreadyIssued", args);
      await refuses(certificates.issue(meter.id, hours(0, 4)), "HourAlreadyIssued", args);
    });

    it("without two full hours", async () => {
      for (const runs of [[], [runOf(meter, [], SIZE)], [runOf(meter, [0], SIZE)], [runOf(meter, [1, 2, 3], SIZE)]])
        await refuses(certificates.issue(meter.id, runs), "NothingToIssue");
    });

    it("without the tokens, or without letting them be taken", async () => {
      await certificates.approve(chain.owner, HOURLY * UNITS - 1n);
      await refuses(certificates.issue(meter.id, hours(0, 1)), "ERC20InsufficientAllowance");
      await certificates.approve();
      const args = [chain.stranger.account.address, await chain.balanceOf(chain.owner.account.address)];
      await chain.send({ ...chain.token, functionName: "transfer", args }, chain.owner);
      await refuses(certificates.issue(meter.id, hours(0, 1)), "ERC20InsufficientBalance");
    });
  });

  it("takes exactly the hours' energy in tokens, and gives as many mWh of certificates", async () => {
    const before = await certificates.accounts();
    const receipt = await certificates.issue(meter.id, hours(0, 4));
    assert.deepEqual(
      certificates.issuedBy(receipt),
      [0, 1, 2, 3].map((hour) => [hour, hour + 1, HOURLY]),
    );
    const after = await certificates.accounts();
    assert.deepEqual(after, {
      ...{ free: before.free - 4n * HOURLY, locked: 4n * HOURLY, retired: 0n },
    });
    for (const hour of [0, 1, 2, 3]) {
      assert.equal(await certificates.held(chain.owner.account.address, idAt(hour)), HOURLY);
      assert.deepEqual(await certificates.read("certificateOf", idAt(hour)), {
        ...{ meter: meter.id, start: START + hour * HOUR, end: START + (hour + 1) * HOUR },
        ...{ energy: HOURLY, redeemed: 0n },
      });
    }
  });

  it("leaves the other hours open", async () => {
    await certificates.issue(meter.id, hours(2, 3));
    await certificates.issue(meter.id, hours(0, 2));
    await certificates.issue(meter.id, hours(3, 4));
    const word = BigInt(Math.floor(START / HOUR / 256));
    const bits: bigint = await certificates.read("issuedHours", meter.id, word);
    assert.equal(bits >> BigInt((START / HOUR) % 256), 0b1111n);
  });

  it("leaves an hour without energy open, and makes the next one what it is", async () => {
    const night = createMeter(chain.place, 3, [
      ...produce({ count: PER_HOUR, power: 0n }),
      ...produce({ count: PER_HOUR + 1, from: { timestamp: START + HOUR } }),
    ]);
    await chain.registered(night);
    const size = 2 * PER_HOUR + 1;
    await chain.settleAttested({ meter: night, to: size });
    const receipt = await certificates.issue(night.id, [runOf(night, fullHours(night, size), size)]);
    assert.deepEqual(certificates.issuedBy(receipt), [[1, 2, HOURLY]]);
    await refuses(certificates.issue(night.id, [runOf(night, [0, PER_HOUR], size)]), "NothingToIssue");
  });

  it("is for whom the owner lets: one, or who comes first", async () => {
    const { stranger, guardian, owner } = chain;
    await refuses(
      certificates.act("nameIssuer", [meter.id, stranger.account.address], stranger),
      "CallerNotMetersOwner",
    );
    const args = [stranger.account.address, 3n * HOURLY * UNITS];
    await chain.send({ ...chain.token, functionName: "transfer", args }, owner);
    await certificates.approve(stranger);
    await certificates.act("nameIssuer", [meter.id, stranger.account.address]);
    await certificates.issue(meter.id, hours(0, 1), stranger);
    assert.equal(await certificates.held(stranger.account.address, idAt(0)), HOURLY);

    await certificates.act("nameIssuer", [meter.id, guardian.account.address]);
    await refuses(certificates.issue(meter.id, hours(1, 2), stranger), "IssuerNotNamed");
    await certificates.act("nameIssuer", [meter.id, await certificates.read("ANYONE")]);
    await certificates.issue(meter.id, hours(1, 2), stranger);
    // the owner may always
    await certificates.issue(meter.id, hours(2, 3), owner);
  });
});
