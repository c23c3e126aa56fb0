import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Hex } from "viem";
import { parse } from "yaml";
import { whyNoIndexer } from "../../demo/indexer/platform.ts";
import {
  ALICE,
  attests,
  BASELINE,
  BOB,
  CAROL,
  cancels,
  changesHands,
  confirms,
  DAY,
  DETAILS,
  decommissions,
  equivocates,
  executes,
  HOUR,
  MIDNIGHT,
  mints,
  moves,
  NOBODY,
  proposes,
  records,
  refuses,
  registers,
  requests,
  retires,
  rotates,
  settles,
  skips,
  UNITS,
  word,
  X,
  Y,
} from "./events.ts";
import {
  ADDRESSES,
  all,
  at,
  type Block,
  createRunner,
  type Expectation,
  event,
  hash,
  looks,
  one,
  type Shape,
  schema,
} from "./gnd.ts";

/** ms until a test has its answer: it waits for its turn */
const PATIENCE = 180_000;

/** One begins with a zero byte, the other with a bit that would be a sign. */
const METER: Hex = `0x00${"a7".repeat(31)}`;
const OTHER: Hex = `0xff${"b8".repeat(31)}`;
const SECOND: Hex = `0xff${"c9".repeat(31)}`;
const THIRD: Hex = `0x00${"da".repeat(31)}`;

const ROOT: Hex = `0x${"ee".repeat(32)}`;
const REQUEST: Hex = `0x${"4e".repeat(32)}`;
const DIGEST: Hex = `0x${"d1".repeat(32)}`;

/** The ids of a log, and of a head. */
const logId = (keyId: Hex, epoch: number): Hex => `${keyId}${word(epoch).slice(-8)}`;
const headId = (keyId: Hex, epoch: number, size: number | bigint): Hex =>
  `${logId(keyId, epoch)}${word(size).slice(-16)}`;
/** The id of what an event tells: `index` counts the block's events from 0. */
const eventId = (index: number, block: number, transaction = 1): Hex =>
  `${hash(block, transaction)}${word(index).slice(-8)}`;
/** The id of what a meter produced in the hour or on the day that begins then. */
const periodId = (meter: Hex, start: number): Hex => `${meter}${word(start).slice(-8)}`;

/** The block in which METER is registered. */
const registered = at(MIDNIGHT + 60, registers(METER));

const protocol = (shape: Shape, block?: number) => one("Protocol", "wattwitness", shape, block);

const problem = whyNoIndexer();

describe(problem ? `the subgraph (skipped: ${problem})` : "the subgraph", function () {
  this.timeout(PATIENCE);
  const runner = createRunner();
  before(async function () {
    if (problem) return this.skip();
    await runner.start();
  });
  after(() => runner.stop());

  /** After these blocks, the subgraph says that. */
  const scenario = (title: string, blocks: readonly Block[], ...expectations: Expectation[]) => {
    const result = runner.add(blocks, expectations);
    it(title, async () => {
      const complaint = await result();
      if (complaint) throw new Error(complaint);
    });
  };

  describe("tells of the protocol", () => {
    const paused = (contract: "MeterRegistry" | "FunctionsAttestor") => event(contract, "Paused", { account: ALICE });
    const unpaused = (contract: "MeterRegistry" | "FunctionsAttestor") =>
      event(contract, "Unpaused", { account: ALICE });

    scenario(
      "which contracts it has, and that nothing happened yet",
      [at(MIDNIGHT, event("MeterRegistry", "WattWitnessNamed", { wattWitness: ADDRESSES.WattWitness }))],
      protocol({
        registry: ADDRESSES.MeterRegistry,
        wattWitness: ADDRESSES.WattWitness,
        registrationPaused: false,
        requestsPaused: false,
        meterCount: 0,
        settlementCount: 0,
        recordCount: 0,
        skipCount: 0,
        attestationCount: 0,
        equivocationCount: 0,
        retirementCount: 0,
        readings: 0,
        produced: 0,
        supply: 0,
        retired: 0,
      }),
    );

    scenario(
      "what is paused, each by its own guardian's word, and that it goes on",
      [
        at(MIDNIGHT, paused("MeterRegistry")),
        at(MIDNIGHT + 1, paused("FunctionsAttestor")),
        at(MIDNIGHT + 2, unpaused("MeterRegistry")),
        at(MIDNIGHT + 3, unpaused("FunctionsAttestor")),
      ],
      protocol({ registrationPaused: true, requestsPaused: false, registry: "0x", wattWitness: null }, 1),
      protocol({ registrationPaused: true, requestsPaused: true }, 2),
      protocol({ registrationPaused: false, requestsPaused: true }, 3),
      protocol({ registrationPaused: false, requestsPaused: false }, 4),
    );
  });

  describe("tells of a meter", () => {
    scenario(
      "that it is registered, and counts from its baseline, which mints nothing",
      [registered],
      one("Meter", METER, {
        owner: ALICE,
        payout: ALICE,
        key: METER,
        status: "ACTIVE",
        capacity: 5000,
        source: 0x1f,
        details: DETAILS,
        produced: 0,
        readings: 3,
        settlementCount: 0,
        lastReadingAt: MIDNIGHT,
        lastSettledAt: MIDNIGHT + 60,
        log: logId(METER, 1),
        proposedKey: null,
        proposedOwner: null,
        proposedCapacity: null,
        registeredAt: MIDNIGHT + 60,
        transaction: hash(1),
        keys: [METER],
        settlements: [],
        gaps: [],
        equivocations: [],
        proposals: [],
        transfers: [eventId(2, 1)],
        hours: [],
        days: [],
      }),
      one("Key", METER, {
        meter: METER,
        x: X,
        y: Y,
        status: "ACTIVE",
        since: MIDNIGHT,
        until: null,
        predecessor: null,
        produced: 0,
        lastReadingAt: MIDNIGHT,
        energy: BASELINE.energy,
        logs: [logId(METER, 1)],
        settlements: [],
        equivocations: [],
      }),
      one("Log", logId(METER, 1), {
        key: METER,
        meter: METER,
        epoch: 1,
        size: 3,
        root: word(3),
        beganAt: null,
        beganEnergy: null,
        previous: null,
        gap: null,
        heads: [headId(METER, 1, 3)],
        settlements: [],
      }),
      one("Head", headId(METER, 1, 3), {
        log: logId(METER, 1),
        size: 3,
        root: word(3),
        timestamp: MIDNIGHT,
        energy: BASELINE.energy,
        settlement: null,
      }),
      one("MeterTransfer", eventId(2, 1), {
        meter: METER,
        from: null,
        to: ALICE,
        transferredAt: MIDNIGHT + 60,
        block: 1,
        transaction: hash(1),
      }),
      all("Owner", [{ id: ALICE, meters: [METER] }]),
      protocol({ meterCount: 1, settlementCount: 0, readings: 3, produced: 0 }),
    );

    scenario(
      "that another one is somebody else's",
      [at(MIDNIGHT, registers(METER), registers(OTHER, { owner: BOB, capacity: 2 ** 32 - 1, source: 0 }))],
      all("Meter", [
        { id: METER, owner: ALICE, key: METER, capacity: 5000, source: 0x1f },
        { id: OTHER, owner: BOB, key: OTHER, capacity: 2 ** 32 - 1, source: 0 },
      ]),
      protocol({ meterCount: 2, readings: 6 }),
    );

    scenario(
      "who receives what it produces",
      [registered, at(MIDNIGHT + 70, event("MeterRegistry", "PayoutChanged", { meter: METER, payout: CAROL }))],
      one("Meter", METER, { owner: ALICE, payout: CAROL }),
    );

    scenario(
      "that it is sold, which clears the payout address",
      [
        registered,
        at(MIDNIGHT + 70, event("MeterRegistry", "PayoutChanged", { meter: METER, payout: CAROL })),
        at(MIDNIGHT + 80, changesHands(METER, ALICE, BOB)),
      ],
      one("Meter", METER, {
        owner: BOB,
        payout: BOB,
        transfers: [
          { from: null, to: ALICE },
          { from: ALICE, to: BOB },
        ],
      }),
      all("Owner", [
        { id: ALICE, meters: [] },
        { id: BOB, meters: [METER] },
      ]),
      one("MeterTransfer", eventId(0, 3), {
        meter: METER,
        from: ALICE,
        to: BOB,
        transferredAt: MIDNIGHT + 80,
        block: 3,
        transaction: hash(3),
      }),
      protocol({ meterCount: 1 }),
    );

    scenario(
      "that its owner sold it to himself, which clears the payout address, too",
      [
        registered,
        at(
          MIDNIGHT + 70,
          event("MeterRegistry", "PayoutChanged", { meter: METER, payout: CAROL }),
          changesHands(METER, ALICE, ALICE),
        ),
      ],
      one("Meter", METER, { owner: ALICE, payout: ALICE }),
      all("Owner", [{ id: ALICE, meters: [METER] }]),
    );

    scenario(
      "in the block of its sale what is the seller's, to the payee he named, and what the buyer's",
      [
        registered,
        at(MIDNIGHT + 70, event("MeterRegistry", "PayoutChanged", { meter: METER, payout: CAROL })),
        at(
          MIDNIGHT + 900,
          settles(METER, { payee: CAROL, size: [3, 6], timestamp: MIDNIGHT + 300, energy: 1500n, produced: 500n }),
          changesHands(METER, ALICE, BOB),
          settles(METER, { payee: BOB, size: [6, 8], timestamp: MIDNIGHT + 800, energy: 1570n, produced: 70n }),
        ),
      ],
      all("Settlement", [
        { payee: CAROL, produced: 500, from: MIDNIGHT, timestamp: MIDNIGHT + 300, transaction: hash(3, 1) },
        { payee: BOB, produced: 70, from: MIDNIGHT + 300, timestamp: MIDNIGHT + 800, transaction: hash(3, 3) },
      ]),
      all("TokenHolder", [
        { id: CAROL, balance: 500n * UNITS },
        { id: BOB, balance: 70n * UNITS },
      ]),
      one("Meter", METER, { owner: BOB, payout: BOB, produced: 570, settlementCount: 2 }),
    );

    scenario(
      "that its capacity is another",
      [registered, at(MIDNIGHT + 70, event("MeterRegistry", "CapacityChanged", { meter: METER, capacity: 4000 }))],
      one("Meter", METER, { capacity: 4000 }),
    );

    scenario(
      "that it was taken down, and until when its key's readings count",
      [registered, at(MIDNIGHT + 90, decommissions(METER, METER, MIDNIGHT + 91))],
      one("Meter", METER, { status: "DECOMMISSIONED", key: { status: "DECOMMISSIONED", until: MIDNIGHT + 91 } }),
    );
  });

  describe("tells of proposals", () => {
    const due = MIDNIGHT + 14 * DAY;

    scenario(
      "what is proposed: a key, an owner, a capacity, and since when",
      [
        registered,
        at(
          MIDNIGHT + 90,
          proposes(METER, "KEY", THIRD),
          proposes(METER, "OWNER", BOB),
          proposes(METER, "CAPACITY", 9000),
        ),
      ],
      one("Meter", METER, {
        proposedKey: eventId(0, 2, 1),
        proposedOwner: eventId(1, 2, 2),
        proposedCapacity: eventId(2, 2, 3),
        proposals: [eventId(0, 2, 1), eventId(1, 2, 2), eventId(2, 2, 3)],
        key: METER,
        owner: ALICE,
        capacity: 5000,
      }),
      one("Proposal", eventId(0, 2, 1), {
        meter: METER,
        change: "KEY",
        keyId: THIRD,
        owner: null,
        capacity: null,
        status: "PENDING",
        proposedAt: MIDNIGHT + 90,
        executableAt: due,
        closedAt: null,
        transaction: hash(2, 1),
      }),
      one("Proposal", eventId(1, 2, 2), { change: "OWNER", keyId: null, owner: BOB, capacity: null }),
      one("Proposal", eventId(2, 2, 3), { change: "CAPACITY", keyId: null, owner: null, capacity: 9000 }),
    );

    scenario(
      "what is proposed where a key or an address begins with zeros, or is nothing but zeros",
      [
        registered,
        at(MIDNIGHT + 90, proposes(METER, "KEY", word(0x0a)), proposes(METER, "OWNER", `0x${"00".repeat(19)}0b`)),
        at(MIDNIGHT + 91, proposes(METER, "KEY", word(0))),
      ],
      all("Proposal", [
        { keyId: word(0x0a), owner: null },
        { keyId: null, owner: `0x${"00".repeat(19)}0b` },
        { keyId: word(0), owner: null },
      ]),
    );

    scenario(
      "that one is cancelled, and the others stand",
      [
        registered,
        at(
          MIDNIGHT + 90,
          proposes(METER, "KEY", SECOND),
          proposes(METER, "OWNER", BOB),
          proposes(METER, "CAPACITY", 9000),
        ),
        at(MIDNIGHT + 99, cancels(METER, "OWNER")),
      ],
      one("Meter", METER, { proposedKey: eventId(0, 2, 1), proposedOwner: null, proposedCapacity: eventId(2, 2, 3) }),
      all("Proposal", [
        { change: "KEY", status: "PENDING", closedAt: null },
        { change: "OWNER", status: "CANCELLED", closedAt: MIDNIGHT + 99 },
        { change: "CAPACITY", status: "PENDING", closedAt: null },
      ]),
    );

    scenario(
      "that one was replaced by another of its kind",
      [
        registered,
        at(MIDNIGHT + 90, proposes(METER, "CAPACITY", 9000)),
        at(MIDNIGHT + 99, proposes(METER, "CAPACITY", 8000, due + 9)),
      ],
      one("Meter", METER, { proposedCapacity: eventId(0, 3) }),
      all("Proposal", [
        { capacity: 9000, status: "REPLACED", closedAt: MIDNIGHT + 99, executableAt: due },
        { capacity: 8000, status: "PENDING", closedAt: null, executableAt: due + 9 },
      ]),
    );

    scenario(
      "that a capacity is raised as it was proposed",
      [
        registered,
        at(MIDNIGHT + 90, proposes(METER, "CAPACITY", 9000)),
        at(due, [
          executes(METER, "CAPACITY", 9000),
          event("MeterRegistry", "CapacityChanged", { meter: METER, capacity: 9000 }),
        ]),
      ],
      one("Meter", METER, { capacity: 9000, proposedCapacity: null }),
      all("Proposal", [{ status: "EXECUTED", closedAt: due, capacity: 9000 }]),
    );

    scenario(
      "that an owner who lost his wallet has a meter again",
      [
        registered,
        at(MIDNIGHT + 90, proposes(METER, "OWNER", BOB)),
        at(due, [executes(METER, "OWNER", BOB), changesHands(METER, ALICE, BOB)]),
      ],
      one("Meter", METER, { owner: BOB, payout: BOB, proposedOwner: null }),
      all("Proposal", [{ status: "EXECUTED", closedAt: due, owner: BOB }]),
    );

    scenario(
      "that a sale cancels the proposal of another owner: the wallet is not lost",
      [
        registered,
        at(MIDNIGHT + 90, proposes(METER, "OWNER", BOB)),
        at(MIDNIGHT + 99, [changesHands(METER, ALICE, CAROL), cancels(METER, "OWNER")]),
      ],
      one("Meter", METER, { owner: CAROL, payout: CAROL, proposedOwner: null }),
      all("Proposal", [{ status: "CANCELLED", closedAt: MIDNIGHT + 99, owner: BOB }]),
    );

    scenario(
      "that a dead chip's key is replaced",
      [
        registered,
        at(MIDNIGHT + 90, proposes(METER, "KEY", SECOND)),
        at(due, [
          executes(METER, "KEY", SECOND),
          ...rotates(METER, METER, SECOND, { timestamp: due - 10, energy: 4n }),
        ]),
      ],
      one("Meter", METER, { key: SECOND, status: "ACTIVE", proposedKey: null }),
      all("Proposal", [{ status: "EXECUTED", closedAt: due, keyId: SECOND }]),
    );
  });

  describe("tells of a rotation", () => {
    const rotated = at(
      MIDNIGHT + 2000,
      rotates(METER, METER, SECOND, { epoch: 4, size: 2, timestamp: MIDNIGHT + 1990, energy: 77n }),
    );
    const settledBefore = at(
      MIDNIGHT + 1000,
      settles(METER, { size: [3, 8], timestamp: MIDNIGHT + 900, energy: 3000n, produced: 2000n }),
    );

    scenario(
      "which key is the meter's and which was, and that what was produced in between was not minted",
      [registered, settledBefore, rotated],
      one("Meter", METER, {
        key: SECOND,
        status: "ACTIVE",
        log: logId(SECOND, 4),
        produced: 2000,
        readings: 8 + 2,
        lastReadingAt: MIDNIGHT + 1990,
        lastSettledAt: MIDNIGHT + 2000,
        settlementCount: 1,
        keys: [METER, SECOND],
        gaps: [logId(SECOND, 4)],
      }),
      one("Key", METER, {
        status: "SUPERSEDED",
        since: MIDNIGHT,
        until: MIDNIGHT + 1990,
        produced: 2000,
        lastReadingAt: MIDNIGHT + 900,
        energy: 3000,
      }),
      one("Key", SECOND, {
        meter: METER,
        x: Y,
        y: X,
        status: "ACTIVE",
        since: MIDNIGHT + 1990,
        until: null,
        predecessor: METER,
        produced: 0,
        lastReadingAt: MIDNIGHT + 1990,
        energy: 77,
      }),
      one("Log", logId(SECOND, 4), { previous: logId(METER, 1), gap: logId(SECOND, 4), beganAt: null, size: 2 }),
      one("Gap", logId(SECOND, 4), {
        meter: METER,
        reason: "NEW_KEY",
        from: MIDNIGHT + 900,
        to: MIDNIGHT + 1990,
        duration: 1090,
        energy: null,
        before: logId(METER, 1),
        after: logId(SECOND, 4),
        settlements: [],
      }),
      protocol({ meterCount: 1, settlementCount: 1, readings: 10, produced: 2000 }),
    );

    scenario(
      "what the new key mints: from its baseline on, for the same meter",
      [
        registered,
        settledBefore,
        rotated,
        at(
          MIDNIGHT + 3000,
          settles(SECOND, { epoch: 4, size: [2, 6], timestamp: MIDNIGHT + 2990, energy: 107n, produced: 30n }),
        ),
      ],
      all(
        "Settlement",
        [{ meter: METER, from: MIDNIGHT + 1990, fromIndex: 2, toIndex: 5, produced: 30, gap: null, energy: 107 }],
        { key: SECOND },
      ),
      one("Meter", METER, { produced: 2030, readings: 8 + 6, settlementCount: 2, lastReadingAt: MIDNIGHT + 2990 }),
      one("Key", METER, { produced: 2000, energy: 3000 }),
      one("Key", SECOND, { produced: 30, energy: 107 }),
    );

    scenario(
      "that it makes a frozen meter work again",
      [registered, at(MIDNIGHT + 90, equivocates(METER, true)), rotated],
      one("Meter", METER, { status: "FROZEN", key: { status: "FROZEN" } }, 2),
      one("Meter", METER, { status: "ACTIVE", key: { status: "ACTIVE" } }),
      one("Key", METER, { status: "SUPERSEDED", until: MIDNIGHT + 1990 }),
    );

    scenario(
      "what is recorded of the key before: readings, and nothing else of the meter",
      [
        registered,
        settledBefore,
        rotated,
        at(MIDNIGHT + 2500, records(METER, { size: [8, 12], timestamp: MIDNIGHT + 1300, energy: 3500n })),
      ],
      all(
        "Settlement",
        [
          {
            outcome: "RECORDED",
            key: METER,
            from: null,
            fromIndex: 8,
            toIndex: 11,
            timestamp: MIDNIGHT + 1300,
            energy: 3500,
            produced: 0,
            payee: null,
            gap: logId(SECOND, 4),
          },
        ],
        { outcome: "RECORDED" },
      ),
      one("Meter", METER, {
        key: SECOND,
        status: "ACTIVE",
        log: logId(SECOND, 4),
        produced: 2000,
        readings: 12 + 2,
        settlementCount: 1,
        lastReadingAt: MIDNIGHT + 1990,
        lastSettledAt: MIDNIGHT + 2000,
      }),
      one("Key", METER, { status: "SUPERSEDED", energy: 3000, lastReadingAt: MIDNIGHT + 900, produced: 2000 }),
      one("Log", logId(METER, 1), { size: 12, root: word(12), gap: null }),
      one("Gap", logId(SECOND, 4), { settlements: [eventId(0, 4)] }),
      all("MeterHour", [{ energy: 2000, covered: 900 }]),
      protocol({ settlementCount: 1, recordCount: 1, readings: 14, produced: 2000 }),
    );

    scenario(
      "which key came after which, twice",
      [
        registered,
        rotated,
        at(MIDNIGHT + 3000, rotates(METER, SECOND, THIRD, { timestamp: MIDNIGHT + 2900, energy: 0n })),
      ],
      all("Key", [
        { id: METER, status: "SUPERSEDED", predecessor: null, until: MIDNIGHT + 1990 },
        { id: SECOND, status: "SUPERSEDED", predecessor: METER, until: MIDNIGHT + 2900 },
        { id: THIRD, status: "ACTIVE", predecessor: SECOND, until: null },
      ]),
      all("Gap", [
        { reason: "NEW_KEY", from: MIDNIGHT, to: MIDNIGHT + 1990, before: logId(METER, 1), after: logId(SECOND, 4) },
        {
          reason: "NEW_KEY",
          from: MIDNIGHT + 1990,
          to: MIDNIGHT + 2900,
          before: logId(SECOND, 4),
          after: logId(THIRD, 1),
        },
      ]),
    );
  });

  describe("tells of what is offered", () => {
    const offered = at(
      MIDNIGHT + HOUR,
      settles(METER, { size: [3, 10], timestamp: MIDNIGHT + 1800, energy: 6000n, produced: 5000n, under: ROOT }),
    );

    scenario(
      "that it settled: what it minted, for whom, and who vouched for it",
      [registered, at(MIDNIGHT + 2000, attests(ROOT)), offered],
      one("Settlement", eventId(1, 3), {
        outcome: "SETTLED",
        skipReason: null,
        meter: METER,
        key: METER,
        log: logId(METER, 1),
        head: headId(METER, 1, 10),
        epoch: 1,
        fromIndex: 3,
        toIndex: 9,
        from: MIDNIGHT,
        timestamp: MIDNIGHT + 1800,
        energy: 6000,
        produced: 5000,
        payee: ALICE,
        attestation: ROOT,
        attestor: ADDRESSES.FunctionsAttestor,
        gap: null,
        sender: NOBODY,
        settledAt: MIDNIGHT + HOUR,
        block: 3,
        transaction: hash(3),
      }),
      one("Meter", METER, {
        produced: 5000,
        readings: 10,
        settlementCount: 1,
        lastReadingAt: MIDNIGHT + 1800,
        lastSettledAt: MIDNIGHT + HOUR,
        log: logId(METER, 1),
        settlements: [eventId(1, 3)],
        hours: [periodId(METER, MIDNIGHT)],
        days: [periodId(METER, MIDNIGHT)],
      }),
      one("Key", METER, {
        produced: 5000,
        lastReadingAt: MIDNIGHT + 1800,
        energy: 6000,
        since: MIDNIGHT,
        settlements: [eventId(1, 3)],
      }),
      one("Log", logId(METER, 1), {
        size: 10,
        root: word(10),
        heads: [headId(METER, 1, 3), headId(METER, 1, 10)],
        settlements: [eventId(1, 3)],
      }),
      one("Head", headId(METER, 1, 10), {
        log: logId(METER, 1),
        size: 10,
        root: word(10),
        timestamp: MIDNIGHT + 1800,
        energy: 6000,
        settlement: eventId(1, 3),
      }),
      one("Attestation", ROOT, { settlementCount: 1, settlements: [eventId(1, 3)] }),
      one("TokenHolder", ALICE, {
        balance: 5000n * UNITS,
        minted: 5000n * UNITS,
        retired: 0,
        settlements: [eventId(1, 3)],
        retirements: [],
      }),
      all("TokenTransfer", []),
      protocol({
        settlementCount: 1,
        recordCount: 0,
        skipCount: 0,
        readings: 10,
        produced: 5000,
        supply: 5000n * UNITS,
      }),
    );

    scenario(
      "that it settled on the device's signature alone",
      [
        registered,
        at(MIDNIGHT + 600, settles(METER, { size: [3, 4], timestamp: MIDNIGHT + 60, energy: 1001n, produced: 1n })),
      ],
      all("Settlement", [{ outcome: "SETTLED", attestation: null, attestor: null, produced: 1 }]),
      all("Attestation", []),
    );

    scenario(
      "that it settled and minted nothing, at night",
      [
        registered,
        at(MIDNIGHT + 600, settles(METER, { size: [3, 9], timestamp: MIDNIGHT + 60, energy: 1000n, produced: 0n })),
      ],
      all("Settlement", [{ outcome: "SETTLED", produced: 0, payee: ALICE, from: MIDNIGHT, timestamp: MIDNIGHT + 60 }]),
      all("TokenHolder", [{ id: ALICE, balance: 0, minted: 0 }]),
      one("Meter", METER, { produced: 0, settlementCount: 1, lastReadingAt: MIDNIGHT + 60, readings: 9 }),
    );

    scenario(
      "what each meter of a batch minted, and which of them were skipped",
      [
        at(MIDNIGHT, registers(METER), registers(OTHER, { owner: BOB }), registers(SECOND)),
        at(MIDNIGHT + 800, attests(ROOT)),
        at(MIDNIGHT + 900, [
          ...settles(METER, { size: [3, 6], timestamp: MIDNIGHT + 700, energy: 1500n, produced: 500n, under: ROOT }),
          skips(SECOND, "OVERTAKEN", { under: ROOT }),
          ...settles(OTHER, {
            payee: BOB,
            size: [3, 5],
            timestamp: MIDNIGHT + 600,
            energy: 1040n,
            produced: 40n,
            under: ROOT,
          }),
        ]),
      ],
      one("Attestation", ROOT, {
        settlementCount: 2,
        settlements: [
          { meter: METER, outcome: "SETTLED", payee: ALICE, produced: 500 },
          { meter: SECOND, outcome: "SKIPPED", payee: null, produced: 0 },
          { meter: OTHER, outcome: "SETTLED", payee: BOB, produced: 40 },
        ],
      }),
      all("Meter", [
        { id: METER, produced: 500, readings: 6, settlementCount: 1 },
        { id: OTHER, produced: 40, readings: 5, settlementCount: 1 },
        { id: SECOND, produced: 0, readings: 3, settlementCount: 0 },
      ]),
      protocol({ settlementCount: 2, skipCount: 1, readings: 14, produced: 540, supply: 540n * UNITS }),
    );

    scenario(
      "that it was skipped: what the caller said of it, and nothing of meter or log",
      [
        registered,
        at(MIDNIGHT + 800, attests(ROOT)),
        at(MIDNIGHT + 900, skips(METER, "OVERTAKEN", { epoch: 3, size: 40n, under: ROOT })),
      ],
      one("Settlement", eventId(0, 3), {
        outcome: "SKIPPED",
        skipReason: "OVERTAKEN",
        meter: METER,
        key: METER,
        log: null,
        head: null,
        epoch: 3,
        fromIndex: null,
        toIndex: 39,
        from: null,
        timestamp: null,
        energy: null,
        produced: 0,
        payee: null,
        attestation: ROOT,
        attestor: ADDRESSES.FunctionsAttestor,
        gap: null,
        settledAt: MIDNIGHT + 900,
        block: 3,
        transaction: hash(3),
      }),
      one("Attestation", ROOT, { settlementCount: 0, settlements: [eventId(0, 3)] }),
      one("Meter", METER, { settlementCount: 0, readings: 3, lastSettledAt: MIDNIGHT + 60, log: logId(METER, 1) }),
      all("Log", [{ id: logId(METER, 1), size: 3 }]),
      protocol({ settlementCount: 0, recordCount: 0, skipCount: 1, readings: 3 }),
    );

    scenario(
      "why it was skipped, also without attestation, and whatever size the caller said",
      [
        registered,
        at(
          MIDNIGHT + 900,
          skips(METER, "OVERTAKEN", { size: 2n ** 64n - 1n }),
          skips(METER, "CAPACITY_CHANGED", { size: 0n }),
          skips(METER, "FROZEN"),
          skips(METER, "DECOMMISSIONED"),
        ),
      ],
      all("Settlement", [
        { skipReason: "OVERTAKEN", toIndex: 2n ** 64n - 2n, attestation: null, attestor: null },
        { skipReason: "CAPACITY_CHANGED", toIndex: -1, attestation: null, attestor: null },
        { skipReason: "FROZEN", toIndex: 8, attestation: null, attestor: null },
        { skipReason: "DECOMMISSIONED", toIndex: 8, attestation: null, attestor: null },
      ]),
      all("Attestation", []),
      protocol({ skipCount: 4 }),
    );

    scenario(
      "what is as great as it can get, and later than 2038",
      [
        at(3_999_999_600, registers(METER, { size: 1, timestamp: 3_999_999_600, energy: 2n ** 63n - 3n })),
        at(
          4_000_000_000,
          settles(METER, {
            size: [1, 2n ** 40n - 1n],
            timestamp: 4_000_000_000,
            energy: 2n ** 63n + 4n,
            produced: 7n,
          }),
        ),
      ],
      one("Head", headId(METER, 1, 2n ** 40n - 1n), { size: 2n ** 40n - 1n, energy: 2n ** 63n + 4n }),
      all("Settlement", [
        {
          fromIndex: 1,
          toIndex: 2n ** 40n - 2n,
          energy: 2n ** 63n + 4n,
          from: 3_999_999_600,
          timestamp: 4_000_000_000,
          settledAt: 4_000_000_000,
        },
      ]),
      one("Key", METER, { energy: 2n ** 63n + 4n, since: 3_999_999_600, lastReadingAt: 4_000_000_000, produced: 7 }),
      one("Meter", METER, { readings: 2n ** 40n - 1n, lastSettledAt: 4_000_000_000 }),
      all("MeterHour", [{ id: periodId(METER, 3_999_999_600), start: 3_999_999_600, energy: 7, covered: 400 }]),
      protocol({ readings: 2n ** 40n - 1n, produced: 7 }),
    );

    scenario(
      "what is as great as a register is wide",
      [
        at(MIDNIGHT, registers(METER, { energy: 0n })),
        at(
          MIDNIGHT + 900,
          settles(METER, { size: [3, 4], timestamp: MIDNIGHT + 1, energy: 2n ** 64n - 1n, produced: 2n ** 56n - 1n }),
        ),
      ],
      one("Key", METER, { energy: 2n ** 64n - 1n, produced: 2n ** 56n - 1n }),
      one("TokenHolder", ALICE, { balance: (2n ** 56n - 1n) * UNITS }),
      all("Hour", [{ energy: 2n ** 56n - 1n }]),
      protocol({ supply: (2n ** 56n - 1n) * UNITS }),
    );
  });

  describe("tells of a new log", () => {
    const first = { timestamp: MIDNIGHT + 2000, energy: 3400n };
    const before = [
      registered,
      at(MIDNIGHT + 1000, settles(METER, { size: [3, 8], timestamp: MIDNIGHT + 900, energy: 3000n, produced: 2000n })),
    ];

    scenario(
      "whose register went on: it mints from the last settled reading, and what the register counted in between is in it",
      [
        ...before,
        at(
          MIDNIGHT + 3000,
          settles(METER, { epoch: 2, size: [0, 5], first, timestamp: MIDNIGHT + 2900, energy: 4000n, produced: 1000n }),
        ),
      ],
      one("Settlement", eventId(2, 3), {
        outcome: "SETTLED",
        epoch: 2,
        log: logId(METER, 2),
        head: headId(METER, 2, 5),
        fromIndex: 0,
        toIndex: 4,
        from: MIDNIGHT + 900,
        timestamp: MIDNIGHT + 2900,
        produced: 1000,
        gap: logId(METER, 2),
      }),
      one("Log", logId(METER, 2), {
        key: METER,
        epoch: 2,
        size: 5,
        root: word(5),
        beganAt: MIDNIGHT + 2000,
        beganEnergy: 3400,
        previous: logId(METER, 1),
        gap: logId(METER, 2),
      }),
      one("Gap", logId(METER, 2), {
        meter: METER,
        reason: "NEW_LOG",
        from: MIDNIGHT + 900,
        to: MIDNIGHT + 2000,
        duration: 1100,
        energy: 400,
        before: logId(METER, 1),
        after: logId(METER, 2),
        settlements: [eventId(2, 3)],
      }),
      one("Meter", METER, { log: logId(METER, 2), produced: 3000, readings: 8 + 5, gaps: [logId(METER, 2)] }),
      one("Key", METER, { energy: 4000, produced: 3000, logs: [logId(METER, 1), logId(METER, 2)] }),
      all("MeterHour", [{ start: MIDNIGHT, energy: 3000, spread: 0, covered: 2900 }]),
    );

    scenario(
      "whose register went on, and counted nothing in between",
      [
        ...before,
        at(
          MIDNIGHT + 3000,
          settles(METER, {
            epoch: 2,
            size: [0, 1],
            first: { timestamp: MIDNIGHT + 2000, energy: 3000n },
            timestamp: MIDNIGHT + 2000,
            energy: 3000n,
            produced: 0n,
          }),
        ),
      ],
      all("Gap", [{ reason: "NEW_LOG", energy: 0, from: MIDNIGHT + 900, to: MIDNIGHT + 2000 }]),
      all("Settlement", [{ from: MIDNIGHT + 900, produced: 0, fromIndex: 0, toIndex: 0 }], { log: logId(METER, 2) }),
    );

    scenario(
      "whose register was lost: it mints from its own reading 0",
      [
        ...before,
        at(
          MIDNIGHT + 3000,
          settles(METER, {
            epoch: 2,
            size: [0, 5],
            first: { timestamp: MIDNIGHT + 2000, energy: 2999n },
            timestamp: MIDNIGHT + 2900,
            energy: 3500n,
            produced: 501n,
          }),
        ),
      ],
      one("Settlement", eventId(2, 3), { from: MIDNIGHT + 2000, produced: 501, gap: logId(METER, 2) }),
      all("Gap", [
        {
          reason: "REGISTER_LOST",
          from: MIDNIGHT + 900,
          to: MIDNIGHT + 2000,
          duration: 1100,
          energy: null,
          before: logId(METER, 1),
          after: logId(METER, 2),
        },
      ]),
      one("Log", logId(METER, 2), { beganAt: MIDNIGHT + 2000, beganEnergy: 2999, previous: logId(METER, 1) }),
      one("Key", METER, { energy: 3500, produced: 2501 }),
      all("MeterHour", [{ energy: 2501, spread: 0, covered: 900 + 900 }]),
    );

    scenario(
      "whose register was lost, by its reading 0 alone, which says nothing of any time",
      [
        ...before,
        at(
          MIDNIGHT + 3000,
          settles(METER, {
            epoch: 2,
            size: [0, 1],
            first: { timestamp: MIDNIGHT + 2000, energy: 0n },
            timestamp: MIDNIGHT + 2000,
            energy: 0n,
            produced: 0n,
          }),
        ),
        at(
          MIDNIGHT + 3100,
          settles(METER, { epoch: 2, size: [1, 4], timestamp: MIDNIGHT + 3000, energy: 9n, produced: 9n }),
        ),
      ],
      all(
        "Settlement",
        [
          { from: MIDNIGHT + 2000, timestamp: MIDNIGHT + 2000, produced: 0, gap: { reason: "REGISTER_LOST" } },
          { from: MIDNIGHT + 2000, timestamp: MIDNIGHT + 3000, produced: 9, gap: null },
        ],
        { log: logId(METER, 2) },
      ),
      all("MeterHour", [{ energy: 2009, spread: 0, covered: 900 + 1000 }]),
    );
  });

  describe("tells what is recorded of an earlier log", () => {
    const at0 = MIDNIGHT;
    /** A block in which a log of METER's settles for the first time: in every hour one. */
    const begun = (keyId: Hex, epoch: number, hour: number) => {
      const timestamp = at0 + hour * HOUR;
      return at(
        timestamp + 900,
        settles(keyId, {
          epoch,
          size: [0, 5],
          first: { timestamp, energy: 1000n },
          timestamp: timestamp + 600,
          energy: 1000n,
          produced: 0n,
        }),
      );
    };
    const recorded = (keyId: Hex, epoch: number, [from, to]: readonly [number, number]) =>
      at(
        at0 + 20 * HOUR,
        records(keyId, {
          epoch,
          size: [from, to],
          timestamp: at0 + 10,
          energy: 5n,
          ...(from === 0 && { first: { timestamp: at0 + 5, energy: 4n } }),
        }),
      );
    const gapIs = (gap: Hex | null) => all("Settlement", [{ gap, produced: 0 }], { outcome: "RECORDED" });

    scenario(
      "that settled before: it was read in the gap after it",
      [registered, begun(METER, 2, 1), recorded(METER, 1, [3, 8])],
      all(
        "Settlement",
        [
          {
            meter: METER,
            key: METER,
            log: logId(METER, 1),
            head: headId(METER, 1, 8),
            epoch: 1,
            fromIndex: 3,
            toIndex: 7,
            from: null,
            timestamp: at0 + 10,
            energy: 5,
            produced: 0,
            payee: null,
            gap: logId(METER, 2),
          },
        ],
        { outcome: "RECORDED" },
      ),
      one("Gap", logId(METER, 2), { settlements: [{ outcome: "SETTLED" }, { outcome: "RECORDED" }] }),
      one("Log", logId(METER, 1), { size: 8, root: word(8), previous: null, gap: null }),
      one("Meter", METER, {
        log: logId(METER, 2),
        readings: 8 + 5,
        settlementCount: 1,
        lastReadingAt: at0 + HOUR + 600,
        lastSettledAt: at0 + HOUR + 900,
      }),
      one("Key", METER, { lastReadingAt: at0 + HOUR + 600, energy: 1000 }),
      protocol({ settlementCount: 1, recordCount: 1, readings: 13 }),
    );

    scenario(
      "that settled before, after two later ones: the gap right after it",
      [registered, begun(METER, 2, 1), begun(METER, 4, 2), recorded(METER, 1, [3, 8])],
      gapIs(logId(METER, 2)),
      all("Gap", [
        { id: logId(METER, 2), before: logId(METER, 1) },
        { id: logId(METER, 4), before: logId(METER, 2) },
      ]),
    );

    scenario(
      "that never settled: the gap before the next one that did",
      [registered, begun(METER, 3, 1), recorded(METER, 2, [0, 8])],
      gapIs(logId(METER, 3)),
      one("Log", logId(METER, 2), {
        size: 8,
        beganAt: at0 + 5,
        beganEnergy: 4,
        previous: null,
        gap: null,
        heads: [headId(METER, 2, 8)],
      }),
      one("Meter", METER, { log: logId(METER, 3), readings: 3 + 5 + 8, gaps: [logId(METER, 3)] }),
    );

    scenario(
      "that never settled, after two later ones: the gap before the next one that did",
      [registered, begun(METER, 3, 1), begun(METER, 4, 2), recorded(METER, 2, [0, 8])],
      gapIs(logId(METER, 3)),
    );

    scenario(
      "that was recorded before, on from there",
      [registered, begun(METER, 3, 1), recorded(METER, 2, [0, 8]), recorded(METER, 2, [8, 9])],
      all(
        "Settlement",
        [
          { fromIndex: 0, toIndex: 7, gap: logId(METER, 3) },
          { fromIndex: 8, toIndex: 8, gap: logId(METER, 3) },
        ],
        { outcome: "RECORDED" },
      ),
      one("Log", logId(METER, 2), { size: 9, heads: [headId(METER, 2, 8), headId(METER, 2, 9)] }),
      one("Meter", METER, { readings: 3 + 5 + 9 }),
      protocol({ recordCount: 2, readings: 17 }),
    );

    scenario(
      "than the one that the meter began with: it was read in none",
      [at(at0, registers(METER, { epoch: 3 })), begun(METER, 4, 1), recorded(METER, 2, [0, 8])],
      gapIs(null),
    );

    scenario(
      "of a key before a rotation: in the gap that follows, be it the rotation's",
      [
        registered,
        begun(METER, 2, 1),
        begun(METER, 4, 2),
        at(at0 + 3 * HOUR, rotates(METER, METER, SECOND, { epoch: 5, timestamp: at0 + 3 * HOUR, energy: 0n })),
        begun(SECOND, 6, 4),
        recorded(METER, 1, [3, 8]),
        recorded(METER, 3, [0, 8]),
        recorded(METER, 4, [5, 8]),
        recorded(METER, 7, [0, 8]),
        recorded(SECOND, 4, [0, 8]),
        recorded(SECOND, 5, [1, 8]),
      ],
      all(
        "Settlement",
        [
          { log: logId(METER, 1), gap: logId(METER, 2) },
          { log: logId(METER, 3), gap: logId(METER, 4) },
          { log: logId(METER, 4), gap: logId(SECOND, 5) },
          { log: logId(METER, 7), gap: logId(SECOND, 5) },
          // before it was rotated in: who knows
          { log: logId(SECOND, 4), gap: null },
          { log: logId(SECOND, 5), gap: logId(SECOND, 6) },
        ],
        { outcome: "RECORDED" },
      ),
      one("Meter", METER, { log: logId(SECOND, 6), readings: 8 + 5 + 8 + 8 + 8 + 8 + 8 + 5, settlementCount: 3 }),
    );

    scenario(
      "under which attestation",
      [
        registered,
        begun(METER, 2, 1),
        at(at0 + 3 * HOUR, attests(ROOT, CAROL)),
        at(at0 + 3 * HOUR, records(METER, { size: [3, 8], timestamp: 0, energy: 0n, under: ROOT })),
      ],
      all("Settlement", [{ attestation: ROOT, attestor: CAROL, timestamp: 0, energy: 0 }], { outcome: "RECORDED" }),
      one("Attestation", ROOT, { settlementCount: 1 }),
    );
  });

  describe("tells of two stories", () => {
    scenario(
      "that freeze the meter",
      [registered, at(MIDNIGHT + 90, equivocates(METER, true))],
      one("Equivocation", eventId(0, 2), {
        meter: METER,
        key: METER,
        frozen: true,
        epoch: 1,
        firstSize: 5,
        firstRoot: word(52),
        firstReading: word(51),
        secondSize: 6,
        secondRoot: word(62),
        secondReading: word(61),
        sender: NOBODY,
        shownAt: MIDNIGHT + 90,
        block: 2,
        transaction: hash(2),
      }),
      one("Meter", METER, { status: "FROZEN", equivocations: [eventId(0, 2)] }),
      one("Key", METER, { status: "FROZEN", until: null, equivocations: [eventId(0, 2)] }),
      protocol({ equivocationCount: 1 }),
    );

    scenario(
      "of a key that was succeeded, which freeze nothing",
      [
        registered,
        at(MIDNIGHT + 90, rotates(METER, METER, SECOND, { timestamp: MIDNIGHT + 80, energy: 0n })),
        at(MIDNIGHT + 95, equivocates(METER, false)),
      ],
      all("Equivocation", [{ meter: METER, key: METER, frozen: false }]),
      one("Meter", METER, { status: "ACTIVE", key: SECOND, equivocations: [eventId(0, 3)] }),
      all("Key", [
        { id: METER, status: "SUPERSEDED", equivocations: [eventId(0, 3)] },
        { id: SECOND, status: "ACTIVE", equivocations: [] },
      ]),
    );

    scenario(
      "of a key that is frozen already, and then taken down: each is on record",
      [
        registered,
        at(MIDNIGHT + 90, equivocates(METER, true), equivocates(METER, false)),
        at(MIDNIGHT + 95, decommissions(METER, METER, MIDNIGHT + 96)),
        at(MIDNIGHT + 99, equivocates(METER, false)),
      ],
      all("Equivocation", [{ frozen: true }, { frozen: false }, { frozen: false }]),
      one("Meter", METER, { status: "FROZEN" }, 2),
      one("Meter", METER, { status: "DECOMMISSIONED" }),
      protocol({ equivocationCount: 3 }),
    );
  });

  describe("tells of an attestation", () => {
    scenario(
      "that a DON is asked for it, and has not answered yet",
      [at(MIDNIGHT, requests(REQUEST, DIGEST, ROOT, 7n))],
      one("AttestationRequest", REQUEST, {
        attestation: ROOT,
        digest: DIGEST,
        subscription: 7,
        attestor: ADDRESSES.FunctionsAttestor,
        answer: "PENDING",
        reason: null,
        requestedAt: MIDNIGHT,
        transaction: hash(1),
        answeredAt: null,
        answerTransaction: null,
      }),
      one("Attestation", ROOT, {
        digest: null,
        attestor: null,
        attestedAt: null,
        transaction: null,
        settlementCount: 0,
        requests: [REQUEST],
        settlements: [],
      }),
    );

    scenario(
      "that the DON confirmed it, and for which batch",
      [at(MIDNIGHT, requests(REQUEST, DIGEST, ROOT)), at(MIDNIGHT + 30, confirms(REQUEST, ROOT))],
      one("AttestationRequest", REQUEST, {
        answer: "CONFIRMED",
        reason: null,
        requestedAt: MIDNIGHT,
        transaction: hash(1),
        answeredAt: MIDNIGHT + 30,
        answerTransaction: hash(2),
      }),
      one("Attestation", ROOT, {
        digest: DIGEST,
        attestor: ADDRESSES.FunctionsAttestor,
        attestedAt: MIDNIGHT + 30,
        transaction: hash(2),
        settlementCount: 0,
        requests: [REQUEST],
      }),
      protocol({ attestationCount: 1 }),
    );

    scenario(
      "that the DON refused it, asked again refused it otherwise, and confirmed it the third time",
      [
        at(MIDNIGHT, requests(REQUEST, DIGEST, ROOT), requests(word(2), DIGEST, ROOT), requests(word(3), DIGEST, ROOT)),
        at(MIDNIGHT + 30, refuses(REQUEST, ROOT, "segment 3: 'beyond capacity' \u{1f31e}")),
        at(MIDNIGHT + 40, refuses(word(2), ROOT, "")),
        at(MIDNIGHT + 50, confirms(word(3), ROOT)),
      ],
      one("Attestation", ROOT, { digest: null, attestor: null, attestedAt: null }, 3),
      one("Attestation", ROOT, { digest: DIGEST, attestor: ADDRESSES.FunctionsAttestor, attestedAt: MIDNIGHT + 50 }),
      all("AttestationRequest", [
        {
          id: REQUEST,
          answer: "REFUSED",
          reason: "segment 3: 'beyond capacity' \u{1f31e}",
          answeredAt: MIDNIGHT + 30,
          answerTransaction: hash(2),
        },
        { id: word(2), answer: "REFUSED", reason: "", answeredAt: MIDNIGHT + 40, answerTransaction: hash(3) },
        { id: word(3), answer: "CONFIRMED", reason: null, answeredAt: MIDNIGHT + 50, answerTransaction: hash(4) },
      ]),
      protocol({ attestationCount: 1 }),
    );

    scenario(
      "that a root of zero was asked for, which nobody can attest",
      [at(MIDNIGHT, requests(REQUEST, DIGEST, word(0))), at(MIDNIGHT + 30, refuses(REQUEST, word(0), "no"))],
      all("AttestationRequest", [{ id: REQUEST, attestation: word(0), answer: "REFUSED", reason: "no" }]),
      one("Attestation", word(0), { attestor: null, digest: null }),
    );

    scenario(
      "that another attestor gave it, who need not say for which batch",
      [at(MIDNIGHT, attests(ROOT, CAROL))],
      all("Attestation", [{ id: ROOT, digest: null, attestor: CAROL, attestedAt: MIDNIGHT, requests: [] }]),
      protocol({ attestationCount: 1 }),
    );

    scenario(
      "that another attestor gave it as well: it is the last one's, and what settled before stays the first one's",
      [
        registered,
        at(MIDNIGHT + 100, attests(ROOT, CAROL)),
        at(
          MIDNIGHT + 200,
          settles(METER, { size: [3, 4], timestamp: MIDNIGHT + 80, energy: 1001n, produced: 1n, under: ROOT }),
          attests(ROOT, BOB),
          settles(METER, { size: [4, 5], timestamp: MIDNIGHT + 90, energy: 1003n, produced: 2n, under: ROOT }),
        ),
      ],
      one("Attestation", ROOT, {
        attestor: BOB,
        attestedAt: MIDNIGHT + 200,
        transaction: hash(3, 2),
        settlementCount: 2,
        settlements: [
          { produced: 1, attestor: CAROL },
          { produced: 2, attestor: BOB },
        ],
      }),
      protocol({ attestationCount: 1 }),
    );

    scenario(
      "what each operator ordered last",
      [
        at(
          MIDNIGHT,
          event("FunctionsAttestor", "Ordered", {
            operator: ALICE,
            digest: word(1),
            root: word(2),
            subscriptionId: 3n,
          }),
          event("FunctionsAttestor", "Ordered", { operator: BOB, digest: word(4), root: word(5), subscriptionId: 6n }),
        ),
        at(
          MIDNIGHT + 10,
          event("FunctionsAttestor", "Ordered", {
            operator: ALICE,
            digest: word(7),
            root: word(8),
            subscriptionId: 2n ** 64n - 1n,
          }),
        ),
      ],
      all("Order", [
        {
          id: ALICE,
          digest: word(7),
          root: word(8),
          subscription: 2n ** 64n - 1n,
          orderedAt: MIDNIGHT + 10,
          transaction: hash(2),
        },
        {
          id: BOB,
          digest: word(4),
          root: word(5),
          subscription: 6,
          orderedAt: MIDNIGHT,
          transaction: hash(1, 2),
        },
      ]),
      all("Attestation", []),
    );
  });

  describe("tells of tokens", () => {
    scenario(
      "who holds how many, and that minting and burning is no transfer",
      [
        at(MIDNIGHT, mints(ALICE, 100n)),
        at(MIDNIGHT + 10, moves(ALICE, BOB, 30n)),
        at(MIDNIGHT + 20, retires(BOB, 10n, 1n, "", "")),
      ],
      all("TokenHolder", [
        { id: ALICE, balance: 70, minted: 100, retired: 0 },
        { id: BOB, balance: 20, minted: 0, retired: 10 },
      ]),
      all("TokenTransfer", [
        {
          id: eventId(0, 2),
          from: ALICE,
          to: BOB,
          amount: 30,
          transferredAt: MIDNIGHT + 10,
          block: 2,
          transaction: hash(2),
        },
      ]),
      protocol({ supply: 90, retired: 10, retirementCount: 1 }),
    );

    scenario(
      "that some went to where they were, and none from somebody who never had any",
      [at(MIDNIGHT, mints(ALICE, 100n)), at(MIDNIGHT + 10, moves(ALICE, ALICE, 30n), moves(BOB, CAROL, 0n))],
      all("TokenHolder", [
        { id: ALICE, balance: 100, minted: 100 },
        { id: BOB, balance: 0, minted: 0 },
        { id: CAROL, balance: 0, minted: 0 },
      ]),
      all("TokenTransfer", [
        { from: ALICE, to: ALICE, amount: 30 },
        { from: BOB, to: CAROL, amount: 0 },
      ]),
      protocol({ supply: 100 }),
    );

    scenario(
      "that they were retired, in the retirer's words, whatever these are",
      [
        at(MIDNIGHT, mints(ALICE, 100n)),
        at(
          MIDNIGHT + 10,
          retires(ALICE, 40n, 1n, `O'Hara & "Söhne" \\ %s {{x}}`, "line one\nline two\ttab \u{1f31e} \u202e"),
          // what no database stores is left out
          retires(ALICE, 2n, 2n, "", `\u0000${"x".repeat(5000)}\u0000`),
        ),
      ],
      one("Retirement", "1", {
        serial: 1,
        holder: ALICE,
        amount: 40,
        beneficiary: `O'Hara & "Söhne" \\ %s {{x}}`,
        purpose: "line one\nline two\ttab \u{1f31e} \u202e",
        retiredAt: MIDNIGHT + 10,
        block: 2,
        transaction: hash(2),
      }),
      one("Retirement", "2", { serial: 2, amount: 2, beneficiary: "", purpose: "x".repeat(5000) }),
      one("TokenHolder", ALICE, { balance: 58, minted: 100, retired: 42, retirements: ["1", "2"] }),
      protocol({ retirementCount: 2, retired: 42, supply: 58 }),
    );
  });

  describe("tells what was produced by the hour and by the day", () => {
    /** A meter whose baseline is at `from`, and what it settled from there on: until when, and how many mWh. */
    const produced = (meter: Hex, from: number, ...intervals: (readonly [to: number, energy: bigint])[]): Block[] => {
      let energy = 0n;
      return [
        at(from, registers(meter, { size: 1, timestamp: from, energy })),
        ...intervals.map(([to, each], i) => {
          energy += each;
          return at(to, settles(meter, { size: [i + 1, i + 2], timestamp: to, energy, produced: each }));
        }),
      ];
    };
    const hours = (...rows: (readonly [start: number, energy: number, spread: number, covered: number])[]) =>
      rowsOf("Hour", rows);
    const days = (...rows: (readonly [start: number, energy: number, spread: number, covered: number])[]) =>
      rowsOf("Day", rows);
    /** Of the one meter, and of all together. */
    const rowsOf = (type: "Hour" | "Day", rows: (readonly [number, number, number, number])[]) => {
      const shapes = rows.map(([start, energy, spread, covered]) => ({ start, energy, spread, covered }));
      return [all(`Meter${type}`, shapes), all(type, shapes)];
    };

    scenario(
      "exactly, where it lies within one hour",
      produced(METER, MIDNIGHT + 600, [MIDNIGHT + 3000, 1001n]),
      ...hours([MIDNIGHT, 1001, 0, 2400]),
      ...days([MIDNIGHT, 1001, 0, 2400]),
      one("MeterHour", periodId(METER, MIDNIGHT), { meter: METER, start: MIDNIGHT }),
      one("MeterDay", periodId(METER, MIDNIGHT), { meter: METER, start: MIDNIGHT }),
    );

    scenario(
      "spread by time over the hours that it lies in, to the mWh, and marked; of the day exactly",
      produced(METER, MIDNIGHT + 1800, [MIDNIGHT + 9000, 1003n]),
      // a quarter, a half and a quarter of the time: 250.75, 501.5 and 250.75 mWh
      ...hours([MIDNIGHT, 250, 250, 1800], [MIDNIGHT + HOUR, 502, 502, 3600], [MIDNIGHT + 2 * HOUR, 251, 251, 1800]),
      ...days([MIDNIGHT, 1003, 0, 7200]),
    );

    scenario(
      "spread over two days where it lies in both",
      produced(METER, MIDNIGHT - 1800, [MIDNIGHT + 1800, 1001n]),
      ...hours([MIDNIGHT - HOUR, 500, 500, 1800], [MIDNIGHT, 501, 501, 1800]),
      ...days([MIDNIGHT - DAY, 500, 500, 1800], [MIDNIGHT, 501, 501, 1800]),
    );

    scenario(
      "wholly in the hour, and on the day, that it ends with",
      produced(METER, MIDNIGHT - 1800, [MIDNIGHT, 7n]),
      ...hours([MIDNIGHT - HOUR, 7, 0, 1800]),
      ...days([MIDNIGHT - DAY, 7, 0, 1800]),
    );

    scenario(
      "wholly in the hour, and on the day, that it begins with",
      produced(METER, MIDNIGHT, [MIDNIGHT + 1, 7n]),
      ...hours([MIDNIGHT, 7, 0, 1]),
      ...days([MIDNIGHT, 7, 0, 1]),
    );

    scenario(
      "exactly, where it is one hour from end to end",
      produced(METER, MIDNIGHT, [MIDNIGHT + HOUR, 7n]),
      ...hours([MIDNIGHT, 7, 0, 3600]),
      ...days([MIDNIGHT, 7, 0, 3600]),
    );

    scenario(
      "added up, exact and spread, of one hour and of one day",
      produced(
        METER,
        MIDNIGHT + 1200,
        [MIDNIGHT + 1800, 10n],
        [MIDNIGHT + 3000, 20n],
        [MIDNIGHT + 4200, 101n],
        [MIDNIGHT + 4260, 5n],
      ),
      ...hours([MIDNIGHT, 80, 50, 2400], [MIDNIGHT + HOUR, 56, 51, 660]),
      ...days([MIDNIGHT, 136, 0, 3060]),
    );

    scenario(
      "of all meters together, and of each",
      [
        at(MIDNIGHT, registers(METER), registers(OTHER, { energy: 0n })),
        at(
          MIDNIGHT + 2 * HOUR,
          settles(METER, { size: [3, 4], timestamp: MIDNIGHT + 1800, energy: 1040n, produced: 40n }),
          settles(OTHER, { size: [3, 4], timestamp: MIDNIGHT + 2 * HOUR, energy: 9n, produced: 9n }),
        ),
      ],
      all("MeterHour", [
        { id: periodId(METER, MIDNIGHT), meter: METER, energy: 40, spread: 0, covered: 1800 },
        { id: periodId(OTHER, MIDNIGHT), meter: OTHER, energy: 4, spread: 4, covered: 3600 },
        { id: periodId(OTHER, MIDNIGHT + HOUR), meter: OTHER, energy: 5, spread: 5, covered: 3600 },
      ]),
      all("MeterDay", [
        { id: periodId(METER, MIDNIGHT), meter: METER, energy: 40, spread: 0, covered: 1800 },
        { id: periodId(OTHER, MIDNIGHT), meter: OTHER, energy: 9, spread: 0, covered: 7200 },
      ]),
      all("Hour", [
        { start: MIDNIGHT, energy: 44, spread: 4, covered: 5400 },
        { start: MIDNIGHT + HOUR, energy: 5, spread: 5, covered: 3600 },
      ]),
      all("Day", [{ start: MIDNIGHT, energy: 49, spread: 0, covered: 9000 }]),
    );

    scenario(
      "where it was nothing: that it was",
      produced(METER, MIDNIGHT + 10, [MIDNIGHT + 3610, 0n]),
      ...hours([MIDNIGHT, 0, 0, 3590], [MIDNIGHT + HOUR, 0, 0, 10]),
      ...days([MIDNIGHT, 0, 0, 3600]),
    );

    scenario(
      "of forty days that settle in one: every mWh, and every second",
      produced(METER, MIDNIGHT + 1800, [MIDNIGHT + 40 * DAY + 1800, 1_000_000_007n]),
      ...hours(...evenly(MIDNIGHT + 1800, 40 * DAY, 1_000_000_007, HOUR)),
      ...days(...evenly(MIDNIGHT + 1800, 40 * DAY, 1_000_000_007, DAY)),
      one("Meter", METER, { produced: 1_000_000_007 }),
    );

    scenario(
      "of more than a leap year by the day only: nobody knows the hours",
      produced(METER, MIDNIGHT + 1800, [MIDNIGHT + 366 * DAY + 1801, 1_000_000_007n]),
      ...hours(),
      ...days(...evenly(MIDNIGHT + 1800, 366 * DAY + 1, 1_000_000_007, DAY)),
    );
  });

  describe("has ids that anybody can compute:", () => {
    const [meter, other] = [`0x00${"a7".repeat(31)}`, `0xff${"b8".repeat(31)}`];

    scenario(
      "of logs and heads and gaps: key id, epoch, size",
      [
        registered,
        at(
          MIDNIGHT + 60,
          rotates(METER, METER, OTHER, { epoch: 258, size: 772, timestamp: MIDNIGHT + 60, energy: 0n }),
        ),
      ],
      all("Meter", [{ id: meter }]),
      all("Key", [{ id: meter }, { id: other }]),
      all("Log", [{ id: `${meter}00000001` }, { id: `${other}00000102` }]),
      all("Head", [{ id: `${meter}000000010000000000000003` }, { id: `${other}000001020000000000000304` }]),
      all("Gap", [{ id: `${other}00000102` }]),
    );

    scenario(
      "of what one event tells: the transaction's hash and the event's place in the block; of the rest whose or when",
      [
        registered,
        at(
          MIDNIGHT + 5400,
          [
            attests(ROOT),
            ...settles(METER, { size: [3, 4], timestamp: MIDNIGHT + 4000, energy: 1004n, produced: 4n, under: ROOT }),
          ],
          equivocates(METER, true),
          proposes(METER, "CAPACITY", 9000),
          changesHands(METER, ALICE, BOB),
          moves(ALICE, BOB, 3n),
          retires(ALICE, 4n, 1n, "", ""),
        ),
      ],
      all("Settlement", [{ id: `0x${"00".repeat(30)}020100000002` }]),
      all("Equivocation", [{ id: `0x${"00".repeat(30)}020200000003` }]),
      all("Proposal", [{ id: `0x${"00".repeat(30)}020300000004` }]),
      all("MeterTransfer", [{ id: `0x${"00".repeat(30)}010100000002` }, { id: `0x${"00".repeat(30)}020400000005` }]),
      all("TokenTransfer", [{ id: `0x${"00".repeat(30)}020500000006` }]),
      // 2026-03-20T00:00:00Z is 0x69bc8e00
      all("Hour", [{ id: "0x69bc8e00" }, { id: "0x69bc9c10" }]),
      all("Day", [{ id: "0x69bc8e00" }]),
      all("MeterHour", [{ id: `${meter}69bc8e00` }, { id: `${meter}69bc9c10` }]),
      all("MeterDay", [{ id: `${meter}69bc8e00` }]),
      all("Attestation", [{ id: `0x${"ee".repeat(32)}` }]),
      all("Owner", [{ id: `0x${"a1".repeat(20)}` }, { id: `0x${"b0".repeat(20)}` }]),
      all("TokenHolder", [{ id: `0x${"a1".repeat(20)}` }, { id: `0x${"b0".repeat(20)}` }]),
      all("Retirement", [{ id: "1", serial: 1 }]),
    );
  });
});

/** [start, energy, spread, covered] of every hour or day of an interval: what is told up to its end, rounded down. */
function evenly(from: number, time: number, energy: number, period: number) {
  const rows: (readonly [number, number, number, number])[] = [];
  const upTo = (at: number) => Math.floor((energy * (at - from)) / time);
  for (let at = from; at < from + time; ) {
    const start = at - (at % period);
    const until = Math.min(start + period, from + time);
    const share = upTo(until) - upTo(at);
    rows.push([start, share, share, until - at]);
    at = until;
  }
  assert.equal(
    rows.reduce((sum, [, share]) => sum + share, 0),
    energy,
  );
  assert.equal(
    rows.reduce((sum, [, , , covered]) => sum + covered, 0),
    time,
  );
  return rows;
}

describe("the tests of the subgraph", () => {
  const looked = looks();

  it("tell of every event that it handles", () => {
    const file = new URL("../subgraph.template.yaml", import.meta.url);
    const { dataSources } = parse(readFileSync(file, "utf8")) as {
      dataSources: { name: string; mapping: { eventHandlers: { event: string }[] } }[];
    };
    for (const { name, mapping } of dataSources) {
      for (const { event } of mapping.eventHandlers) {
        const handled = `${name}.${event.split("(")[0]}`;
        assert.ok(looked.has(handled), `nothing tells ${handled}`);
      }
    }
  });

  it("look at every field, and where it may be null, also at that", () => {
    // it is, but never when a block is over
    const unseen = new Set(["Meter.log: null"]);
    for (const { name: type, fields } of schema.entities.values()) {
      for (const { name, list, required } of fields.values()) {
        if (name !== "id") assert.ok(looked.has(`${type}.${name}`), `nothing looks at ${type}.${name}`);
        const absent = `${type}.${name}: null`;
        if (!list && !required && !unseen.has(absent)) assert.ok(looked.has(absent), `nothing sees ${absent}`);
      }
    }
  });

  it("see every value of every enum", () => {
    for (const { name, values } of schema.enums.values()) {
      for (const value of values) assert.ok(looked.has(`${name}.${value.name}`), `nothing sees ${name}.${value.name}`);
    }
  });
});
