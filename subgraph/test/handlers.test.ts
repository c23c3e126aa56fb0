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
  confirmsAgain,
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
      one("Log", logId(SECOND, 4), {
        ...{ previous: logId(METER, 1), gap: logId(SECOND, 4), beganAt: null, beganEnergy: null, size: 2 },
      }),
      one("Gap", logId(SECOND, 4), {
        meter: METER,
        reason: "NEW_KEY",
        from: MIDNIGHT + 900,
        to: MIDNIGHT + 1990,
        duration: 1090,
        energy: null,
        covered: false,
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
          settles(SECOND, {
            ...{ meter: METER, epoch: 4, size: [2, 6], timestamp: MIDNIGHT + 2990, energy: 107n, produced: 30n },
          }),
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
      "that what the key before had not settled is skipped",
      [registered, settledBefore, rotated, at(MIDNIGHT + 2500, skips(METER, "SUPERSEDED", { size: 12n }))],
      all("Settlement", [{ meter: METER, key: METER, skipReason: "SUPERSEDED", toIndex: 11, log: null, produced: 0 }], {
        outcome: "SKIPPED",
      }),
      one("Meter", METER, { key: SECOND, status: "ACTIVE", produced: 2000, readings: 8 + 2, settlementCount: 1 }),
      one("Key", METER, { status: "SUPERSEDED", energy: 3000, lastReadingAt: MIDNIGHT + 900, produced: 2000 }),
      one("Log", logId(METER, 1), { size: 8, root: word(8) }),
      protocol({ settlementCount: 1, skipCount: 1, readings: 10, produced: 2000 }),
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
        rest: false,
        from: MIDNIGHT,
        to: MIDNIGHT + 1800,
        timestamp: MIDNIGHT + 1800,
        energy: 6000,
        produced: 5000,
        payee: ALICE,
        attestation: ROOT,
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
      all("Settlement", [{ outcome: "SETTLED", attestation: null, produced: 1 }]),
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
        rest: false,
        from: null,
        to: null,
        timestamp: null,
        energy: null,
        produced: 0,
        payee: null,
        attestation: ROOT,
        gap: null,
        settledAt: MIDNIGHT + 900,
        block: 3,
        transaction: hash(3),
      }),
      one("Attestation", ROOT, { settlementCount: 0, settlements: [eventId(0, 3)] }),
      one("Meter", METER, { settlementCount: 0, readings: 3, lastSettledAt: MIDNIGHT + 60, log: logId(METER, 1) }),
      all("Log", [{ id: logId(METER, 1), size: 3 }]),
      protocol({ settlementCount: 0, skipCount: 1, readings: 3 }),
    );

    scenario(
      "why it was skipped, also without attestation, and whatever size the caller said",
      [
        registered,
        at(
          MIDNIGHT + 900,
          skips(METER, "OVERTAKEN", { size: 2n ** 64n - 1n }),
          skips(METER, "CAPACITY_CHANGED", { size: 0n }),
          skips(METER, "FROZEN", { size: 3n }),
          skips(METER, "DECOMMISSIONED", { size: 4n }),
          skips(METER, "SUPERSEDED", { size: 5n }),
          skips(METER, "PASSED", { size: 6n }),
        ),
      ],
      all("Settlement", [
        { skipReason: "OVERTAKEN", toIndex: 2n ** 64n - 2n, attestation: null },
        { skipReason: "CAPACITY_CHANGED", toIndex: -1, attestation: null },
        { skipReason: "FROZEN", toIndex: 2, attestation: null },
        { skipReason: "DECOMMISSIONED", toIndex: 3, attestation: null },
        { skipReason: "SUPERSEDED", toIndex: 4, attestation: null },
        { skipReason: "PASSED", toIndex: 5, attestation: null },
      ]),
      all("Attestation", []),
      protocol({ skipCount: 6 }),
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
        rest: false,
        from: MIDNIGHT + 900,
        to: MIDNIGHT + 2900,
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
        covered: true,
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
      "whose register went on, and which began before the last settled reading: no time is without readings",
      [
        ...before,
        at(
          MIDNIGHT + 3000,
          settles(METER, {
            ...{ epoch: 2, size: [0, 5], first: { timestamp: MIDNIGHT + 900, energy: 3000n } },
            ...{ timestamp: MIDNIGHT + 2900, energy: 4000n, produced: 1000n },
          }),
        ),
      ],
      one("Settlement", eventId(2, 3), {
        ...{ rest: false, from: MIDNIGHT + 900, to: MIDNIGHT + 2900, produced: 1000, gap: null },
      }),
      one("Log", logId(METER, 2), { previous: logId(METER, 1), gap: null, beganAt: MIDNIGHT + 900 }),
      one("Meter", METER, { log: logId(METER, 2), gaps: [] }),
      all("MeterHour", [{ energy: 3000, spread: 0, covered: 2900 }]),
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
          covered: false,
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

  describe("tells of a rest, of an epoch before the last settled one,", () => {
    type Point = readonly [time: number, energy: bigint];
    const before = [
      registered,
      at(MIDNIGHT + 1000, settles(METER, { size: [3, 8], timestamp: MIDNIGHT + 900, energy: 3000n, produced: 2000n })),
    ];
    /** A block in which a log settles for the first time: five readings, of which the first and the last are told. */
    const begun = (epoch: number, [time, energy]: Point, last: Point, produced: bigint, keyId = METER) =>
      at(
        MIDNIGHT + 5000,
        settles(keyId, {
          ...{ meter: METER, epoch, size: [0, 5], first: { timestamp: MIDNIGHT + time, energy } },
          ...{ timestamp: MIDNIGHT + last[0], energy: last[1], produced },
        }),
      );
    /** A block in which a log settles further. */
    const grown = (
      epoch: number,
      size: readonly [number, number],
      [time, energy]: Point,
      produced: bigint,
      keyId = METER,
    ) =>
      at(
        MIDNIGHT + 6000,
        settles(keyId, { meter: METER, epoch, size, timestamp: MIDNIGHT + time, energy, produced, under: ROOT }),
      );
    const attested = at(MIDNIGHT + 5500, attests(ROOT, CAROL));
    const rests = (...shapes: readonly Shape[]) => all("Settlement", shapes, { rest: true });
    const gaps = (
      ...rows: (readonly [epoch: number, from: number, to: number, energy: number | null, covered: boolean])[]
    ) =>
      all(
        "Gap",
        rows.map(([epoch, from, to, energy, covered]) => ({
          ...{ id: logId(METER, epoch), from: MIDNIGHT + from, to: MIDNIGHT + to, duration: to - from },
          ...{ reason: energy === null ? "REGISTER_LOST" : "NEW_LOG", energy, covered },
        })),
      );
    const hour = (energy: number, covered: number) =>
      all("MeterHour", [{ start: MIDNIGHT, energy, spread: 0, covered }]);

    scenario(
      "that its log goes on, and that the meter's last reading stays what it was",
      [...before, begun(2, [2000, 500n], [2900, 900n], 400n), attested, grown(1, [8, 12], [1500, 3600n], 600n)],
      one("Settlement", eventId(1, 5), {
        ...{ outcome: "SETTLED", rest: true, meter: METER, key: METER, log: logId(METER, 1), epoch: 1 },
        ...{ head: headId(METER, 1, 12), fromIndex: 8, toIndex: 11, gap: null, payee: ALICE, attestation: ROOT },
        ...{ from: MIDNIGHT + 900, to: MIDNIGHT + 1500, timestamp: MIDNIGHT + 1500, energy: 3600, produced: 600 },
      }),
      one("Meter", METER, {
        ...{ log: logId(METER, 2), lastReadingAt: MIDNIGHT + 2900, lastSettledAt: MIDNIGHT + 5000 },
        ...{ produced: 3000, readings: 12 + 5, settlementCount: 3 },
      }),
      one("Key", METER, { lastReadingAt: MIDNIGHT + 2900, energy: 900, produced: 3000 }),
      one("Log", logId(METER, 1), {
        ...{ size: 12, root: word(12), previous: null, gap: null },
        heads: [headId(METER, 1, 3), headId(METER, 1, 8), headId(METER, 1, 12)],
      }),
      one("Head", headId(METER, 1, 12), { timestamp: MIDNIGHT + 1500, energy: 3600, settlement: eventId(1, 5) }),
      one("Log", logId(METER, 2), { size: 5, previous: logId(METER, 1), gap: logId(METER, 2) }),
      one("Attestation", ROOT, { attestor: CAROL, settlementCount: 1 }),
      one("TokenHolder", ALICE, { minted: 3000n * UNITS }),
      protocol({ settlementCount: 3, readings: 17, produced: 3000 }),
    );

    scenario(
      "which shortens the gap after its log",
      [...before, begun(2, [2000, 500n], [2900, 900n], 400n), grown(1, [8, 12], [1500, 3600n], 600n)],
      gaps([2, 1500, 2000, null, false]),
      one("Gap", logId(METER, 2), { from: MIDNIGHT + 900, duration: 1100 }, 3),
      one("Gap", logId(METER, 2), { before: logId(METER, 1), after: logId(METER, 2), settlements: [eventId(2, 3)] }),
      hour(3000, 900 + 900 + 600),
    );

    scenario(
      "which shows that the register had not gone on after it: what was minted for that is not minted again",
      [
        ...before,
        begun(2, [2000, 3400n], [2900, 4000n], 1000n),
        grown(1, [8, 12], [1500, 3700n], 300n),
        grown(1, [12, 13], [1600, 3750n], 50n),
      ],
      one("Gap", logId(METER, 2), { reason: "NEW_LOG", energy: 400, covered: true }, 3),
      gaps([2, 1600, 2000, null, true]),
      rests(
        { from: MIDNIGHT + 900, to: MIDNIGHT + 1500, produced: 300, fromIndex: 8, gap: null },
        { from: MIDNIGHT + 1500, to: MIDNIGHT + 1600, produced: 50, fromIndex: 12, gap: null },
      ),
      one("Key", METER, { produced: 3350, energy: 4000 }),
      // that time counted as covered before
      hour(3350, 2900),
    );

    scenario(
      "that was passed over, the register lost before and after it: it parts the gap",
      [
        ...before,
        begun(4, [3000, 100n], [3300, 150n], 50n),
        begun(2, [1200, 200n], [2000, 700n], 500n),
        grown(4, [5, 6], [3400, 151n], 1n),
      ],
      rests({
        ...{ from: MIDNIGHT + 1200, to: MIDNIGHT + 2000, produced: 500, fromIndex: 0, toIndex: 4 },
        ...{ log: logId(METER, 2), gap: logId(METER, 2) },
      }),
      gaps([2, 900, 1200, null, false], [4, 2000, 3000, null, false]),
      all("Gap", [
        { before: logId(METER, 1), after: logId(METER, 2), settlements: [eventId(2, 4)] },
        { before: logId(METER, 2), after: logId(METER, 4), settlements: [eventId(2, 3)] },
      ]),
      all("Log", [
        { id: logId(METER, 1), previous: null, gap: null, beganAt: null, beganEnergy: null },
        {
          ...{ id: logId(METER, 2), previous: logId(METER, 1), gap: logId(METER, 2) },
          ...{ beganAt: MIDNIGHT + 1200, beganEnergy: 200 },
        },
        {
          ...{ id: logId(METER, 4), previous: logId(METER, 2), gap: logId(METER, 4) },
          ...{ beganAt: MIDNIGHT + 3000, beganEnergy: 100 },
        },
      ]),
      one("Meter", METER, { log: logId(METER, 4), readings: 8 + 6 + 5, lastReadingAt: MIDNIGHT + 3400 }),
      hour(2551, 900 + 400 + 800),
    );

    scenario(
      "that was passed over, the register going on before it: it mints from the settled reading before",
      [...before, begun(4, [3000, 100n], [3300, 150n], 50n), begun(2, [1200, 3300n], [2000, 3500n], 500n)],
      rests({ from: MIDNIGHT + 900, to: MIDNIGHT + 2000, produced: 500, gap: logId(METER, 2) }),
      gaps([2, 900, 1200, 300, true], [4, 2000, 3000, null, false]),
      hour(2550, 900 + 300 + 1100),
    );

    scenario(
      "that was passed over, the register going on after it: it mints until the next log's first reading",
      [...before, begun(4, [3000, 800n], [3300, 850n], 50n), begun(2, [1200, 200n], [2000, 700n], 600n)],
      rests({ from: MIDNIGHT + 1200, to: MIDNIGHT + 3000, timestamp: MIDNIGHT + 2000, produced: 600 }),
      gaps([2, 900, 1200, null, false], [4, 2000, 3000, 100, true]),
      hour(2650, 900 + 300 + 1800),
    );

    scenario(
      "that was passed over where the register seemed to have gone on, and was lost in between",
      [...before, begun(4, [3000, 3400n], [3300, 3450n], 450n), begun(2, [1200, 200n], [2000, 700n], 2800n)],
      rests({ from: MIDNIGHT + 1200, to: MIDNIGHT + 3000, produced: 2800 }),
      gaps([2, 900, 1200, null, true], [4, 2000, 3000, 2700, true]),
      hour(5250, 3300),
    );

    scenario(
      "that was passed over, the register going on all the way: it mints nothing, and parts the gap",
      [...before, begun(4, [3000, 3400n], [3300, 3450n], 450n), begun(2, [1200, 3100n], [2000, 3200n], 0n)],
      rests({ from: MIDNIGHT + 900, to: MIDNIGHT + 3000, timestamp: MIDNIGHT + 2000, produced: 0 }),
      gaps([2, 900, 1200, 100, true], [4, 2000, 3000, 200, true]),
      one("Meter", METER, { log: logId(METER, 4), produced: 2450, settlementCount: 3, lastReadingAt: MIDNIGHT + 3300 }),
      hour(2450, 3300),
    );

    scenario(
      "in its place among many",
      [
        registered,
        begun(3, [1000, 0n], [1100, 10n], 10n),
        begun(6, [2000, 0n], [2100, 20n], 20n),
        begun(8, [3000, 0n], [3100, 30n], 30n),
        begun(4, [1300, 0n], [1400, 5n], 5n),
        grown(3, [5, 8], [1200, 15n], 5n),
        grown(1, [3, 9], [500, 1100n], 100n),
        begun(5, [1600, 0n], [1700, 7n], 7n),
      ],
      gaps(
        [3, 500, 1000, null, false],
        [4, 1200, 1300, null, false],
        [5, 1400, 1600, null, false],
        [6, 1700, 2000, null, false],
        [8, 2100, 3000, null, false],
      ),
      all("Log", [
        { id: logId(METER, 1), previous: null },
        { id: logId(METER, 3), previous: logId(METER, 1) },
        { id: logId(METER, 4), previous: logId(METER, 3) },
        { id: logId(METER, 5), previous: logId(METER, 4) },
        { id: logId(METER, 6), previous: logId(METER, 5) },
        { id: logId(METER, 8), previous: logId(METER, 6) },
      ]),
      one("Meter", METER, { log: logId(METER, 8), lastReadingAt: MIDNIGHT + 3100, readings: 9 + 8 + 5 * 4 }),
      hour(177, 100 + 100 + 100 + 100 + 100 + 500 + 100),
    );

    scenario(
      "of a key that was rotated in, whatever the epochs of the key before",
      [
        at(MIDNIGHT + 60, registers(METER, { epoch: 5 })),
        at(MIDNIGHT + 2100, rotates(METER, METER, SECOND, { epoch: 4, timestamp: MIDNIGHT + 2000, energy: 50n })),
        begun(6, [3000, 10n], [3100, 20n], 10n, SECOND),
        grown(4, [1, 4], [2500, 80n], 30n, SECOND),
        begun(5, [2700, 0n], [2800, 5n], 10n, SECOND),
      ],
      rests(
        { key: SECOND, from: MIDNIGHT + 2000, to: MIDNIGHT + 2500, produced: 30 },
        // the register went on to the next log's 10 mWh
        { key: SECOND, from: MIDNIGHT + 2700, to: MIDNIGHT + 3000, produced: 10 },
      ),
      all("Gap", [
        { id: logId(SECOND, 4), reason: "NEW_KEY", from: MIDNIGHT, to: MIDNIGHT + 2000 },
        { id: logId(SECOND, 5), reason: "REGISTER_LOST", from: MIDNIGHT + 2500, to: MIDNIGHT + 2700 },
        { id: logId(SECOND, 6), reason: "NEW_LOG", from: MIDNIGHT + 2800, to: MIDNIGHT + 3000 },
      ]),
      one("Log", logId(SECOND, 4), { previous: logId(METER, 5), size: 4 }),
      one("Meter", METER, { produced: 50, log: logId(SECOND, 6), lastReadingAt: MIDNIGHT + 3100 }),
    );

    const spread = (period: number) => [
      at(MIDNIGHT, registers(METER, { size: 1, energy: 0n })),
      begun(2, [3 * period, 100n], [4 * period, 400n], 400n),
      grown(1, [1, 2], [2 * period, 300n], 200n),
    ];
    const shares = (period: number) => [
      { start: MIDNIGHT, energy: 200, spread: 200, covered: period },
      { start: MIDNIGHT + period, energy: 200, spread: 200, covered: period },
      { start: MIDNIGHT + 2 * period, energy: 100, spread: 100, covered: period },
      { start: MIDNIGHT + 3 * period, energy: 100, spread: 100, covered: period },
    ];

    scenario(
      "added to hours that are known already",
      spread(HOUR),
      all("MeterHour", shares(HOUR)),
      all("Hour", shares(HOUR)),
    );

    scenario(
      "added to days that are known already",
      spread(DAY),
      all("MeterDay", shares(DAY)),
      all("Day", shares(DAY)),
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
      "that are one head, whose reading is not the last of its log",
      [
        registered,
        at(MIDNIGHT + 90, equivocates(METER, true, { secondSize: 5n, secondReading: word(51), secondRoot: word(52) })),
      ],
      all("Equivocation", [
        {
          ...{ firstSize: 5, firstReading: word(51), firstRoot: word(52) },
          ...{ secondSize: 5, secondReading: word(51), secondRoot: word(52) },
        },
      ]),
      one("Meter", METER, { status: "FROZEN" }),
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
      "that another attestor gave it, who need not say for which batch",
      [at(MIDNIGHT, attests(ROOT, CAROL))],
      all("Attestation", [{ id: ROOT, digest: null, attestor: CAROL, attestedAt: MIDNIGHT, requests: [] }]),
      protocol({ attestationCount: 1 }),
    );

    scenario(
      "that another attestor gave it first: it stays his, and the DON that confirms it says for which batch",
      [
        registered,
        at(MIDNIGHT, requests(REQUEST, DIGEST, ROOT)),
        at(MIDNIGHT + 100, attests(ROOT, CAROL)),
        at(MIDNIGHT + 200, confirmsAgain(REQUEST, ROOT)),
      ],
      one("Attestation", ROOT, {
        digest: DIGEST,
        attestor: CAROL,
        attestedAt: MIDNIGHT + 100,
        transaction: hash(3),
        requests: [{ answer: "CONFIRMED", answeredAt: MIDNIGHT + 200 }],
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
        at(MIDNIGHT + 20, retires(BOB, 10n, 1n)),
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
          retires(ALICE, 40n, 1n, {
            name: `O'Hara & "Söhne" \\ %s {{x}}`,
            purpose: "line one\nline two\ttab \u{1f31e} \u202e",
          }),
          // what no database stores is left out
          retires(ALICE, 2n, 2n, { purpose: `\u0000${"x".repeat(5000)}\u0000` }),
        ),
      ],
      one("Retirement", "1", {
        serial: 1,
        holder: ALICE,
        amount: 40,
        beneficiary: null,
        name: `O'Hara & "Söhne" \\ %s {{x}}`,
        purpose: "line one\nline two\ttab \u{1f31e} \u202e",
        retiredAt: MIDNIGHT + 10,
        block: 2,
        transaction: hash(2),
      }),
      one("Retirement", "2", { serial: 2, amount: 2, name: "", purpose: "x".repeat(5000) }),
      one("TokenHolder", ALICE, { balance: 58, minted: 100, retired: 42, retirements: ["1", "2"] }),
      all("Beneficiary", []),
      protocol({ retirementCount: 2, retired: 42, supply: 58 }),
    );

    scenario(
      "in whose name they were retired, by whomever, and how many",
      [
        at(MIDNIGHT, mints(ALICE, 100n), mints(BOB, 100n)),
        at(
          MIDNIGHT + 10,
          retires(ALICE, 40n, 1n, { beneficiary: CAROL, name: "Carol" }),
          retires(BOB, 3n, 2n, { beneficiary: CAROL }),
          retires(BOB, 5n, 3n, { beneficiary: BOB }),
        ),
      ],
      all("Beneficiary", [
        { id: CAROL, retired: 43, retirements: ["1", "2"] },
        { id: BOB, retired: 5, retirements: ["3"] },
      ]),
      all("Retirement", [
        { serial: 1, holder: ALICE, beneficiary: CAROL, name: "Carol" },
        { serial: 2, holder: BOB, beneficiary: CAROL, name: "" },
        { serial: 3, holder: BOB, beneficiary: BOB, name: "" },
      ]),
      // a name is no holder
      all("TokenHolder", [
        { id: ALICE, balance: 60, retired: 40 },
        { id: BOB, balance: 92, retired: 8 },
      ]),
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
          retires(ALICE, 4n, 1n, { beneficiary: CAROL }),
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
      all("Beneficiary", [{ id: `0x${"ca".repeat(20)}` }]),
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
