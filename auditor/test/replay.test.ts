import assert from "node:assert/strict";
import { type Hex, zeroAddress } from "viem";
import { THIRTY_DAYS } from "../../contracts/deploy.ts";
import { fromHex } from "../../protocol/index.ts";
import type { ChainEvent } from "../chain/events.ts";
import type { History } from "../chain/history.ts";
import { judge } from "../evidence/judging.ts";
import type { SegmentResult } from "../evidence/segment.ts";
import { replay, type Terms } from "../replay/replay.ts";
import type { Settlement } from "../replay/settling.ts";
import { createWorld, type World } from "./world.ts";

const TERMS: Terms = { unattestedAfter: 0, capacityCeiling: 100_000 };
const OTHER = `0x${"12".repeat(32)}` as Hex;

/** Those of any event that are changed from what they are. */
type Args = {
  energy: bigint;
  produced: bigint;
  fromSize: bigint;
  amount: bigint;
  timestamp: number;
  until: number;
  status: number;
};

describe("a replay", function () {
  this.timeout(120_000);
  let world: World;
  let history: History;
  let settlements: readonly Settlement[];
  before(async () => {
    world = await createWorld();
    const { read } = await world.audit();
    assert.ok(read);
    history = read.history;
    settlements = read.settlements;
  });
  after(() => world.close());

  /** The rules under which a history is refuted in which event `nth` of a name says something else. */
  function rulesOf(name: string, nth: number, change: (args: Args) => object, terms = TERMS): string[] {
    const event = history.events.filter(({ eventName }) => eventName === name)[nth];
    assert.ok(event, name);
    const changed = { ...event, args: { ...event.args, ...change(event.args as unknown as Args) } } as ChainEvent;
    const events = history.events.map((each) => (each === event ? changed : each));
    return replay({ ...history, events }, terms).findings.map(({ rule }) => rule);
  }

  const more = (value: bigint | number, by = 1) => (typeof value === "bigint" ? value + BigInt(by) : value + by);

  const LIES: [rule: string, event: string, nth: number, change: (args: Args) => object][] = [
    ["produced", "Settled", 0, ({ energy }) => ({ energy: more(energy) })],
    ["minted", "Settled", 0, ({ produced }) => ({ produced: more(produced) })],
    ["sums", "Settled", 0, ({ produced }) => ({ produced: more(produced) })],
    ["payee", "Settled", 0, () => ({ payee: zeroAddress })],
    ["other meter", "Settled", 0, () => ({ meter: OTHER })],
    ["unknown key", "Settled", 0, () => ({ keyId: OTHER })],
    ["size does not join", "Settled", 3, ({ fromSize }) => ({ fromSize: more(fromSize) })],
    ["size not forward", "Settled", 0, ({ fromSize }) => ({ size: fromSize })],
    ["size out of range", "Settled", 0, () => ({ size: 2n ** 40n })],
    ["time ahead", "Settled", 0, ({ timestamp }) => ({ timestamp: more(timestamp, 100_000) })],
    ["time not forward", "Settled", 0, ({ timestamp }) => ({ timestamp: more(timestamp, -2000) })],
    ["beyond capacity", "Settled", 0, ({ produced }) => ({ produced: more(produced, 100_000_000) })],
    ["energy backward", "Settled", 0, () => ({ energy: -1n })],
    ["epoch too far", "Settled", 0, () => ({ epoch: 100 })],
    ["log begun", "Settled", 0, () => ({ epoch: 2, fromSize: 0n })],
    ["attestation unknown", "Settled", 0, () => ({ attestation: OTHER })],
    ["outside gap", "Settled", 7, ({ timestamp }) => ({ timestamp: more(timestamp, 1000) })],
    ["key not active", "Ended", 0, () => ({ keyId: OTHER })],
    ["key interval", "Ended", 0, ({ until }) => ({ until: more(until) })],
    ["event missing", "Ended", 0, ({ status }) => ({ status: more(status) })],
    ["status", "Ended", 0, ({ status }) => ({ status: more(status, -1) })],
    ["key interval", "Begun", 4, ({ timestamp }) => ({ timestamp: more(timestamp) })],
    ["baseline too old", "Begun", 4, ({ timestamp }) => ({ timestamp: more(timestamp, -4000) })],
    ["begun", "Begun", 0, () => ({ keyId: OTHER })],
    ["key id", "MeterRegistered", 0, () => ({ x: OTHER })],
    ["capacity", "MeterRegistered", 0, () => ({ capacity: 100_001 })],
    ["source", "MeterRegistered", 0, () => ({ source: 0x20 })],
    ["meter minted", "MeterRegistered", 0, () => ({ owner: zeroAddress })],
    ["previous key", "KeyRotated", 0, () => ({ previousKeyId: OTHER })],
    ["capacity not proposed", "CapacityChanged", 0, () => ({ capacity: 6000 })],
    ["decommissioned", "MeterDecommissioned", 0, () => ({ meter: OTHER })],
    ["serial", "Retired", 0, () => ({ serial: 2n })],
    ["burned", "Retired", 0, ({ amount }) => ({ amount: more(amount) })],
    ["attested root", "AttestationConfirmed", 0, () => ({ root: OTHER })],
    ["event missing", "AttestationConfirmed", 0, () => ({ root: OTHER })],
    ["frozen", "Equivocated", 0, () => ({ frozen: false })],
    ["other WattWitness", "WattWitnessNamed", 0, () => ({ wattWitness: zeroAddress })],
    ["skip reason", "Skipped", 0, () => ({ reason: 7 })],
  ];

  for (const [rule, name, nth, change] of LIES) {
    it(`refutes a ${name} that is not as it must be: ${rule}`, () => {
      // of a key that is not registered nothing is active
      const rules = rulesOf(name, nth, change);
      assert.ok(rules.includes(rule === "key not active" ? "unknown key" : rule), rules.join(", "));
    });
  }

  it("refutes a settlement of a key that is frozen, or without attestation too early or ever", () => {
    const frozen = history.events.find(({ eventName }) => eventName === "Equivocated") as ChainEvent;
    const early = [frozen, ...history.events.filter((event) => event !== frozen)];
    const at = early.findIndex(({ eventName }) => eventName === "Attested");
    const events = [...early.slice(1, at), frozen, ...early.slice(at)];
    const { findings } = replay({ ...history, events }, TERMS);
    assert.ok(findings.some(({ rule }) => rule === "key not active"));
    for (const unattestedAfter of [THIRTY_DAYS, 0xffff_ffff]) {
      const rules = replay(history, { ...TERMS, unattestedAfter }).findings.map(({ rule }) => rule);
      assert.deepEqual([...new Set(rules)], ["attestation required"]);
    }
  });

  it("finds nothing where all is as it happened", () => {
    assert.deepEqual(replay(history, TERMS).findings, []);
  });

  describe("whose settlement is held against its readings", () => {
    const bytes = (hex: Hex) => fromHex(hex);
    /** Readings that are just what the settlement says. */
    function honest(settlement: Settlement): SegmentResult {
      const reading = (timestamp: number, energy: bigint) => {
        const packed = new Uint8Array(32);
        const view = new DataView(packed.buffer);
        view.setUint32(0, timestamp);
        view.setBigUint64(4, energy);
        packed[30] = settlement.source;
        return packed;
      };
      const { before, keyId, epoch, size, capacity, root, timestamp, energy } = settlement;
      assert.ok(before);
      return {
        ...{ keyId: bytes(keyId), epoch, from: before.size - 1, size, capacity, root: bytes(root) },
        earlier: { size: before.size, root: bytes(before.root), reading: reading(before.timestamp, before.energy) },
        ...{ first: reading(0, 0n), last: reading(timestamp, energy), signature: "valid", rules: {} },
        ...{ counts: { gaps: 0, conditions: [0, 0, 0, 0, 0] }, attestationLeaf: new Uint8Array(), hours: [] },
      };
    }
    const bent = (reading: Uint8Array, at: number) => reading.with(at, (reading[at] as number) ^ 1);

    const CASES: [rule: string, change: (segment: SegmentResult) => Partial<SegmentResult>][] = [
      ["other key", ({ keyId }) => ({ keyId: bent(keyId, 0) })],
      ["root", ({ root }) => ({ root: bent(root, 0) })],
      ["last reading", ({ last }) => ({ last: bent(last, 3) })],
      ["last reading", ({ last }) => ({ last: bent(last, 11) })],
      ["source", ({ last }) => ({ last: bent(last, 30) })],
      ["conditions", ({ last }) => ({ last: bent(last, 31) })],
      ["log inconsistent", ({ earlier }) => ({ earlier: { ...(earlier as object), root: bytes(OTHER) } as never })],
      ["earlier reading", ({ earlier, first }) => ({ earlier: { ...(earlier as object), reading: first } as never })],
      ["segment gap", () => ({ earlier: undefined })],
      ["time not forward", () => ({ rules: { failure: "time not forward", at: 3 } })],
      ["no signature", () => ({ signature: "none" })],
      ["bad signature", () => ({ signature: "bad signature" })],
      ["high s", () => ({ signature: "high s" })],
      ["capacity", ({ capacity }) => ({ capacity: capacity + 1 })],
    ];
    for (const [rule, change] of CASES) {
      it(`does not pass: ${rule}`, () => {
        const [settlement] = settlements as [Settlement];
        const segment = honest(settlement);
        const found = judge(settlement, { ...segment, ...change(segment) }, {}, settlement.attestation);
        assert.deepEqual(
          found.map((finding) => finding.rule),
          [rule],
        );
      });
    }

    it("does not pass a batch of another attestation, and passes what is as it must be", () => {
      const [settlement] = settlements as [Settlement];
      const found = judge(settlement, honest(settlement), {}, OTHER);
      assert.deepEqual(
        found.map(({ rule }) => rule),
        ["attestation root"],
      );
      assert.deepEqual(judge(settlement, honest(settlement), {}, settlement.attestation), []);
    });
  });
});
