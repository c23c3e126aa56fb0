/**
 * The contracts played again from their events, one after the other: what each event says is held against what the ones
 * before it allow. Where it does not hold, that is a finding, and the event is taken as it is told.
 *
 * What a contract tells in one transaction belongs together: an event lets others be expected, and at the transaction's end
 * nothing may be left that was, so that an event which is left out, or invented, is seen by its neighbours.
 */
import { type Hex, zeroAddress, zeroHash } from "viem";
import { fromHex, keyIdOf, toHex } from "../../protocol/index.ts";
import { UNITS_PER_MWH } from "../../verification/chain/token.ts";
import type { ChainEvent } from "../chain/events.ts";
import type { History } from "../chain/history.ts";
import { type Finding, refuted, said, type Where } from "../finding.ts";
import { currentOf, type Key, latestOf, type Meter, STATUS } from "./keys.ts";
import { isUnattested, type Settlement, settle } from "./settling.ts";

const DAY = 86_400;
const CLOCK_TOLERANCE = 300;
const REGISTRATION_AGE = 7 * DAY;
const ROTATION_AGE = 3600;
const PROPOSAL_DELAY = 14 * DAY;
const SOURCE_LIMIT = 0x1f;
const SIZE_LIMIT = 2 ** 40;
/** IMeterRegistry.Change */
const CHANGE = { key: 0, owner: 1, capacity: 2 } as const;
/** IWattWitness.SkipReason */
const LAST_REASON = 6;

/** What the contracts fix when they are deployed. */
export type Terms = { unattestedAfter: number; capacityCeiling: number };

export type Attestation = { root: Hex; attestor: Hex; attestedAt: number; where: Where };

/** What the DON was asked, and said. */
export type Request = { id: Hex; attestor: Hex; digest: Hex; root: Hex; answer?: "confirmed" | "refused" };

export type Retirement = {
  serial: bigint;
  from: Hex;
  beneficiary: Hex;
  amount: bigint;
  name: string;
  purpose: string;
  retiredAt: number;
  where: Where;
};

export type Replay = {
  meters: Map<Hex, Meter>;
  keys: Map<Hex, Key>;
  attestations: Map<Hex, Attestation>;
  requests: Map<Hex, Request>;
  settlements: Settlement[];
  retirements: Retirement[];
  /** units */
  balances: Map<Hex, bigint>;
  minted: bigint;
  retired: bigint;
  /** items that lost a race, which changes nothing */
  skipped: number;
  equivocations: { keyId: Hex; frozen: boolean; where: Where }[];
  decommissioned: Set<Hex>;
  findings: Finding[];
};

export function replay(history: History, terms: Terms): Replay {
  const state: Replay = {
    ...{ meters: new Map(), keys: new Map(), attestations: new Map(), requests: new Map(), settlements: [] },
    ...{ retirements: [], balances: new Map(), minted: 0n, retired: 0n, skipped: 0, equivocations: [] },
    ...{ decommissioned: new Set(), findings: [] },
  };
  const proposals = new Map<string, { value: bigint; executableAt: bigint }>();
  const expected = new Map<string, Where>();
  const firsts = new Map<string, { timestamp: number; energy: bigint }>();
  let where: Where = {};
  let [time, names] = [0, 0];

  const refute = (rule: string, object: string, should: unknown, is: unknown) => {
    if (said(should) !== said(is)) state.findings.push(refuted(rule, object, should, is, where));
  };
  const unlike = (rule: string, object: string, should: unknown, is: unknown) => {
    state.findings.push(refuted(rule, object, should, is, where));
  };
  const expect = (...event: unknown[]) => {
    if (expected.has(said(event))) unlike("told twice", said(event), "once", "twice");
    expected.set(said(event), where);
  };
  /** Whether it was expected in this transaction. */
  const meets = (...event: unknown[]): boolean => expected.delete(said(event));
  const must = (rule: string, object: string, ...event: unknown[]) => {
    if (!meets(...event)) unlike(rule, object, said(event), "not in this transaction");
  };
  const close = () => {
    for (const [event, at] of expected) state.findings.push(refuted("event missing", event, event, "none", at));
    expected.clear();
  };
  /** Undefined, and a finding, where nobody told of it before. */
  const known = <T>(of: Map<Hex, T>, id: Hex, rule: string): T | undefined => {
    const found = of.get(id);
    if (!found) unlike(rule, id, "registered before", "unknown");
    return found;
  };

  /* THE REGISTRY */

  function begins(meter: Hex, keyId: Hex, x: Hex, y: Hex, more: Partial<Key>): void {
    const publicKey = `${x}${y.slice(2)}` as Hex;
    refute("key id", keyId, toHex(keyIdOf(fromHex(publicKey))), keyId);
    if (state.keys.has(keyId)) unlike("key used twice", keyId, "a key that was never used", "a used one");
    expect("Begun", keyId);
    const key: Key = {
      ...{ keyId, meter, publicKey, status: 0, since: 0, until: 0, rotatedIn: false, payee: zeroAddress },
      ...{ capacity: 0, source: 0, raised: false, raise: { raisedAt: 0, before: 0 }, epoch: 0, settledAt: 0 },
      ...{ produced: 0n, logs: new Map(), gaps: new Map() },
      begun: { size: 0, root: zeroHash, timestamp: 0, epoch: 0, energy: 0n, owner: zeroAddress, where },
      ...more,
    };
    state.keys.set(keyId, key);
    state.meters.get(meter)?.keys.push(key);
  }

  function setCapacity(meter: Meter, capacity: number): void {
    const key = currentOf(meter);
    if (state.decommissioned.has(meter.meter))
      unlike("meter not in service", meter.meter, "in service", "decommissioned");
    if (capacity > key.capacity) {
      must("capacity not proposed", meter.meter, "raise", meter.meter, capacity);
      key.raise = { raisedAt: time, before: key.raised ? key.raise.before : key.capacity };
      key.raised = true;
    } else if (capacity === 0 || capacity === key.capacity) {
      unlike("capacity", meter.meter, `another than ${key.capacity}, and not 0`, capacity);
    }
    key.capacity = capacity;
  }

  function transferMeter(from: Hex, to: Hex, id: bigint): void {
    const meter = `0x${id.toString(16).padStart(64, "0")}` as Hex;
    if (from === zeroAddress) must("meter minted", meter, "minted", meter, to);
    const moved = from === zeroAddress ? undefined : known(state.meters, meter, "unknown meter");
    if (!moved) return;
    refute("owner", meter, moved.owner, from);
    meets("owner", meter, to);
    moved.owner = to;
    moved.watcherMayBeGone = true;
    currentOf(moved).payee = to;
  }

  function executed(meter: Hex, change: number, value: bigint): void {
    const name = `${meter} ${change}`;
    const proposal = proposals.get(name);
    proposals.delete(name);
    refute("not proposed", meter, proposal?.value ?? "nothing", value);
    const due = proposal?.executableAt ?? 0n;
    const over = due + BigInt(PROPOSAL_DELAY);
    if (time < due || time >= over) unlike("proposal not due", meter, `${due} to before ${over}`, time);
    if (change === CHANGE.key) expect("replaced", meter, `0x${value.toString(16).padStart(64, "0")}`);
    if (change === CHANGE.owner) expect("owner", meter, `0x${value.toString(16).padStart(40, "0")}`);
    if (change === CHANGE.capacity) expect("raise", meter, Number(value));
  }

  function tellRegistry(event: ChainEvent & { of: "registry" }): void {
    const { eventName: name, args } = event;
    if (name === "MeterRegistered") {
      const { meter, owner, x, y, capacity, source, details } = args;
      if (capacity === 0 || capacity > terms.capacityCeiling) {
        unlike("capacity", meter, `1 to ${terms.capacityCeiling}`, capacity);
      }
      if (source > SOURCE_LIMIT) unlike("source", meter, `0 to ${SOURCE_LIMIT}`, source);
      const none = { keys: [], before: 0n, watcher: zeroAddress, watcherMayBeGone: false };
      state.meters.set(meter, { meter, owner: low(owner), details, ...none });
      expect("minted", meter, owner);
      const registered = { owner: low(owner), capacity, source, details };
      begins(meter, meter, x, y, { payee: low(owner), capacity, source, registered });
    } else if (name === "KeyRotated") {
      const { meter, keyId, previousKeyId, x, y } = args;
      const of = known(state.meters, meter, "unknown meter");
      const previous = of && currentOf(of);
      if (!of || !previous) return;
      refute("previous key", meter, previous.keyId, previousKeyId);
      if (state.decommissioned.has(meter)) unlike("meter not in service", meter, "in service", "decommissioned");
      const { payee, capacity, source } = previous;
      const isProposed = meets("replaced", meter, keyId);
      expect("Ended", previous.keyId, STATUS.superseded);
      begins(meter, keyId, x, y, { rotatedIn: true, previous: previous.keyId, payee, capacity, source, isProposed });
    } else if (name === "MeterDecommissioned") {
      must("decommissioned", args.meter, "decommissioned", args.meter);
      state.decommissioned.add(args.meter);
    } else if (name === "CapacityChanged") {
      const meter = known(state.meters, args.meter, "unknown meter");
      if (meter) setCapacity(meter, args.capacity);
    } else if (name === "PayoutChanged") {
      const meter = known(state.meters, args.meter, "unknown meter");
      if (meter) currentOf(meter).payee = low(args.payout);
    } else if (name === "WatcherChanged") {
      const meter = known(state.meters, args.meter, "unknown meter");
      if (meter) Object.assign(meter, { watcher: low(args.watcher), watcherMayBeGone: false });
    } else if (name === "Transfer") {
      transferMeter(low(args.from), low(args.to), args.tokenId);
    } else if (name === "Proposed") {
      const { meter, change, value, executableAt } = args;
      if (!state.meters.has(meter)) unlike("unknown meter", meter, "registered before", "unknown");
      refute("proposal delay", meter, time + PROPOSAL_DELAY, executableAt);
      proposals.set(`${meter} ${change}`, { value, executableAt });
    } else if (name === "ProposalCancelled") {
      const { meter, change } = args;
      if (!proposals.delete(`${meter} ${change}`)) unlike("not proposed", meter, "a proposal", "none");
    } else if (name === "ProposalExecuted") {
      executed(args.meter, args.change, args.value);
    } else if (name === "WattWitnessNamed") {
      refute("other WattWitness", event.by, history.deployment.wattWitness, args.wattWitness);
      names += 1;
    }
  }

  /* WATTWITNESS */

  function begun(keyId: Hex, log: { epoch: number; size: bigint; timestamp: number; energy: bigint; root: Hex }): void {
    must("begun", keyId, "Begun", keyId);
    const key = state.keys.get(keyId);
    if (!key) return;
    const { epoch, timestamp, energy, root } = log;
    const size = Number(log.size);
    const age = key.rotatedIn ? ROTATION_AGE : REGISTRATION_AGE;
    if (size === 0 || size >= SIZE_LIMIT) unlike("size out of range", keyId, `1 to ${SIZE_LIMIT - 1}`, size);
    if (timestamp > time + CLOCK_TOLERANCE) unlike("time ahead", keyId, time + CLOCK_TOLERANCE, timestamp);
    if (timestamp + age < time) unlike("baseline too old", keyId, time - age, timestamp);
    const previous = key.previous && state.keys.get(key.previous);
    if (previous) {
      refute("key interval", previous.keyId, timestamp, previous.until);
      const latest = latestOf(previous);
      if (latest && timestamp <= latest.timestamp) unlike("time not forward", keyId, latest.timestamp, timestamp);
      const meter = state.meters.get(key.meter);
      if (meter) meter.before += previous.produced;
    }
    const owner = state.meters.get(key.meter)?.owner ?? zeroAddress;
    Object.assign(key, { status: STATUS.active, since: timestamp, epoch, settledAt: time });
    key.begun = { size, root, timestamp, epoch, energy, owner, where };
    key.logs.set(epoch, { size, root, timestamp, energy });
  }

  function ended(keyId: Hex, status: number, until: number): void {
    const key = known(state.keys, keyId, "unknown key");
    if (!key) return;
    if (status === STATUS.superseded) must("ended", keyId, "Ended", keyId, status);
    else if (status === STATUS.decommissioned) {
      expect("decommissioned", key.meter);
      refute("key interval", keyId, Math.max(time, latestOf(key)?.timestamp ?? 0) + 1, until);
    } else unlike("status", keyId, "superseded or decommissioned", status);
    if (key.status !== STATUS.active && key.status !== STATUS.frozen)
      unlike("key not active", keyId, "active", key.status);
    Object.assign(key, { status, until });
  }

  function settled(args: (ChainEvent & { eventName: "Settled" })["args"]): void {
    const { keyId, meter, attestation, epoch, timestamp, energy, produced, root } = args;
    const key = known(state.keys, keyId, "unknown key");
    const log = key?.logs.get(epoch);
    if (!key || key.logs.size === 0) return;
    const object = `settlement of ${keyId}, epoch ${epoch}, size ${args.size}`;
    const name = `${keyId} ${epoch}`;
    const first = firsts.get(name);
    firsts.delete(name);
    if (first) must("log begun", object, "LogBegun", keyId, epoch);
    if (produced !== 0n) must("minted", object, "mint", args.payee, produced * UNITS_PER_MWH);
    if (!isUnattested(attestation) && !state.attestations.has(attestation)) {
      unlike("attestation unknown", object, "attested before", attestation);
    }
    const told = {
      ...{ meter, keyId, attestation, payee: low(args.payee), epoch, timestamp, energy, produced, root },
      ...{ fromSize: Number(args.fromSize), size: Number(args.size), ...(first && { first }) },
    };
    const { publicKey, capacity, source } = key;
    const before = log && { ...log };
    settle(key, told, { blockTime: time, unattestedAfter: terms.unattestedAfter }, (rule, should, is) =>
      unlike(rule, object, should, is),
    );
    state.settlements.push({ ...told, publicKey, capacity, source, ...(before && { before }), where });
  }

  function tellWattWitness(event: ChainEvent & { of: "wattWitness" }): void {
    const { eventName: name, args } = event;
    if (name === "Attested") {
      const root = args.root;
      if (isUnattested(root)) unlike("attestation unknown", root, "a root", "zero");
      if (state.attestations.has(root)) unlike("attested twice", root, "once", "twice");
      const attestor = low(args.attestor);
      state.attestations.set(root, { root, attestor, attestedAt: time, where });
      if (history.attestors.includes(attestor)) expect("confirmed", root);
    } else if (name === "Begun") begun(args.keyId, args);
    else if (name === "Ended") ended(args.keyId, args.status, args.until);
    else if (name === "LogBegun") {
      firsts.set(`${args.keyId} ${args.epoch}`, { timestamp: args.timestamp, energy: args.energy });
      expect("LogBegun", args.keyId, args.epoch);
    } else if (name === "Settled") settled(args);
    else if (name === "Skipped") {
      const { keyId, attestation, reason } = args;
      known(state.keys, keyId, "unknown key");
      if (reason === 0 || reason > LAST_REASON) unlike("skip reason", keyId, `1 to ${LAST_REASON}`, reason);
      if (!isUnattested(attestation)) known(state.attestations, attestation, "attestation unknown");
      state.skipped += 1;
    } else if (name === "Equivocated") {
      const key = known(state.keys, args.keyId, "unknown key");
      if (!key) return;
      refute("frozen", args.keyId, key.status === STATUS.active, args.frozen);
      if (args.firstSize === 0n || args.firstSize > args.secondSize) {
        unlike("heads not comparable", args.keyId, `1 to ${args.secondSize}`, args.firstSize);
      }
      if (args.frozen) key.status = STATUS.frozen;
      state.equivocations.push({ keyId: args.keyId, frozen: args.frozen, where });
    }
  }

  /* ATTESTORS AND TOKEN */

  function tellAttestor(event: ChainEvent & { of: "attestor" }): void {
    const { eventName: name, args } = event;
    if (name === "AttestationRequested") {
      const { requestId: id, digest, root } = args;
      if (state.requests.has(id)) unlike("requested twice", id, "once", "twice");
      state.requests.set(id, { id, attestor: event.by, digest, root });
    } else if (name === "AttestationRefused") {
      const request = known(state.requests, args.requestId, "not requested");
      if (request) request.answer = "refused";
    } else if (name === "AttestationConfirmed") confirmed(args.requestId, args.root);
  }

  function confirmed(id: Hex, root: Hex): void {
    const request = known(state.requests, id, "not requested");
    meets("confirmed", root);
    if (!state.attestations.has(root)) unlike("attestation unknown", root, "attested", "not attested");
    if (!request) return;
    refute("attested root", id, request.root, root);
    if (request.answer) unlike("answered twice", id, "once", "twice");
    request.answer = "confirmed";
  }

  function transfer(from: Hex, to: Hex, amount: bigint): void {
    if (from === zeroAddress) {
      expect("mint", to, amount);
      state.minted += amount;
    } else {
      const left = (state.balances.get(from) ?? 0n) - amount;
      if (left < 0n) unlike("balance", from, `at least ${amount}`, left + amount);
      state.balances.set(from, left);
    }
    if (to === zeroAddress) expect("retired", from, amount);
    else state.balances.set(to, (state.balances.get(to) ?? 0n) + amount);
  }

  function tellToken({ eventName: name, args }: ChainEvent & { of: "token" }): void {
    if (name === "Transfer") transfer(low(args.from), low(args.to), args.value);
    if (name !== "Retired") return;
    const { serial, amount, name: words, purpose } = args;
    const [from, beneficiary] = [low(args.from), low(args.beneficiary)];
    refute("serial", `retirement ${serial}`, state.retirements.length + 1, serial);
    must("burned", `retirement ${serial}`, "retired", from, amount);
    if (amount === 0n) unlike("amount", `retirement ${serial}`, "more than 0", amount);
    state.retired += amount;
    state.retirements.push({ serial, from, beneficiary, amount, name: words, purpose, retiredAt: time, where });
  }

  for (const event of history.events) {
    const { block, transaction, index } = event;
    if (transaction !== where.transaction) close();
    where = { block, transaction, index };
    time = history.blocks.get(block)?.timestamp ?? 0;
    if (event.of === "registry") tellRegistry(event);
    else if (event.of === "wattWitness") tellWattWitness(event);
    else if (event.of === "token") tellToken(event);
    else if (event.of === "attestor") tellAttestor(event);
  }
  close();
  for (const { keyId, logs } of state.keys.values()) if (logs.size === 0) unlike("begun", keyId, "a baseline", "none");
  refute("WattWitness named", history.deployment.registry, 1, names);
  const produced = state.settlements.reduce((all, each) => all + each.produced, 0n);
  refute("sums", "what was minted", produced * UNITS_PER_MWH, state.minted);
  return state;
}

const low = (address: string): Hex => address.toLowerCase() as Hex;
