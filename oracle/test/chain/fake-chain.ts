/**
 * A chain in memory, for tests of the oracle alone: blocks, nonces, receipts, reorganisations, and a DON that answers when
 * it is told to. It skips what WattWitness skips, and keeps the gaps between settled logs as that does; what that refuses
 * it settles: the contracts' own rules are tested on the contracts.
 */
import { keccak256, toHex as textToHex } from "viem";
import { type Basis, encodeBasis, publicKeyParts, type SettlementItem } from "../../../contracts/settlement.ts";
import type { Registration } from "../../../meter/device.ts";
import { view } from "../../../protocol/bytes.ts";
import { createLog, energyOf, fromHex, keyIdOf, timestampOf, toHex } from "../../../protocol/index.ts";
import type {
  Attestation,
  Call,
  Chain,
  ChainEvent,
  Funds,
  Gap,
  Hex,
  SettledHead,
  Terms,
  Block as ToldBlock,
} from "../../chain/chain.ts";

/** WattWitness.EPOCH_STRIDE */
const EPOCH_STRIDE = 64;
const ZERO = `0x${"00".repeat(32)}` as const;
const NO_GAP: Gap = { since: 0, until: 0, energyBefore: 0n, energyAfter: 0n, room: 0n };

/** What is done to a key: it is frozen, its meter taken down, given another capacity (W), or rotated to another key. */
type Act = { keyId: Hex; act: "freeze" | "decommission" | number | { soldTo: Hex } | Registration };
type Place = { block: number; transaction: Hex };
type Transaction = { hash: Hex; raw: Hex; nonce: number; call: Call | Registration | Act };
type Block = { hash: Hex; timestamp: number; transactions: Transaction[]; don: [root: Hex, answer: DonAnswer][] };
type DonAnswer = { state: "attested" } | { state: "refused"; reason: string };

export type FakeChain = Chain & {
  /** transactions in blocks, oldest first, by what they call */
  mined: () => string[];
  /** how often each raw transaction was sent */
  broadcasts: Map<Hex, number>;
  /** the calls in blocks */
  calls: () => Call[];
  /** false: what is sent waits for `mine` */
  automine: boolean;
  /** what the DON answers at once; undefined: it does not */
  don: DonAnswer | undefined;
  /** s; the contract's unattestedAfter */
  unattestedAfter: number;
  /** the contract's answer to a call: undefined = it succeeds */
  refusal: (call: Call) => string | undefined;
  /** items that the contract skips for a reason of its own */
  skips: (item: SettlementItem) => boolean;
  /** every question throws while true, as a node that is down */
  down: boolean;
  /** items of a call that a block has gas for */
  itemsPerCall: number;
  /** why nothing can be paid for, if so */
  unpaid: { failure: "price" | "funds"; reason: string } | undefined;
  /** what there is to pay with */
  has: Funds;
  /** newest blocks that the node which answers everything but `newest` has not got yet */
  behind: number;
  /** newest blocks that also `newest` does not tell of */
  late: number;
  /** a broadcast throws before or after it was sent, as a crash there */
  crash: "before" | "after" | undefined;
  register: (registration: Registration) => void;
  /** In a block of its own. */
  act: (act: Act) => void;
  /** why items were skipped, in order */
  skipped: () => string[];
  mine: (blocks?: number) => void;
  /** The DON answers the newest request now, with `don`. */
  answer: () => void;
  /** Puts empty blocks in the place of the newest; what was in them waits again, or is forgotten. */
  reorganise: (blocks: number, forget?: boolean) => void;
  /** A transaction that waits is dropped. */
  forget: (hash: Hex) => void;
  /** Another program uses the operator's next nonce. */
  useNonce: () => void;
  /** Somebody else settles all of these readings. */
  settleAsOther: (log: {
    keyId: Hex;
    device: { epoch: number; publicKey: Uint8Array; readings: readonly Uint8Array[] };
  }) => void;
  settled: (keyId: Hex) => SettledHead & { root: string };
  /** mWh that tokens were minted for under a key */
  minted: (keyId: Hex) => bigint;
};

export function createFakeChain(
  { chainId, registry }: { chainId: number; registry: Hex },
  now: () => number,
): FakeChain {
  const blocks: Block[] = [{ hash: keccak256("0x00"), timestamp: now(), transactions: [], don: [] }];
  const pool = new Map<Hex, Transaction>();
  const signed = new Map<Hex, Transaction>();
  let count = 0;
  let made = 1;

  /** All that is known is replayed from the blocks: a reorganisation needs nothing else. */
  function replay() {
    const events: ChainEvent[] = [];
    const skipped: string[] = [];
    const terms = new Map<string, Terms>();
    const meters = new Map<string, Hex>();
    const latest = new Map<string, SettledHead & { root: string }>();
    const logs = new Map<string, { size: number; root: string }>();
    const gaps = new Map<string, Gap>();
    const attestations = new Map<string, { block: number; answer: Attestation }[]>();

    function begin(place: Place, { publicKey, baseline }: Registration, settledAt: number): void {
      const keyId = toHex(keyIdOf(fromHex(publicKey)));
      const { epoch, size, root } = baseline;
      const head = { epoch, size, ...measuredIn(baseline.reading) };
      latest.set(keyId, { ...head, root, settledAt });
      logs.set(`${keyId}/${epoch}`, { size, root });
      events.push({ ...place, kind: "begun", keyId, root, ...head });
    }

    function register(place: Place, registration: Registration, settledAt: number): void {
      const { publicKey, owner, capacity, source, details } = registration;
      const keyId = toHex(keyIdOf(fromHex(publicKey)));
      terms.set(keyId, { status: "active", capacity, source });
      meters.set(keyId, keyId);
      events.push({ ...place, kind: "registered", keyId, publicKey, owner, capacity, source, details });
      begin(place, registration, settledAt);
    }

    function act(place: Place, { act: what, keyId }: Act, settledAt: number): void {
      const before = terms.get(keyId) as Terms;
      if (typeof what === "number") {
        terms.set(keyId, { ...before, capacity: what });
        events.push({ ...place, kind: "capacity changed", meter: meters.get(keyId) as Hex, capacity: what });
      } else if (typeof what === "object" && "soldTo" in what) {
        events.push({ ...place, kind: "transferred", meter: meters.get(keyId) as Hex, owner: what.soldTo });
      } else if (what === "freeze") {
        terms.set(keyId, { ...before, status: "frozen" });
        events.push({ ...place, kind: "frozen", keyId });
      } else if (what === "decommission") {
        terms.set(keyId, { ...before, status: "decommissioned" });
        events.push({ ...place, kind: "ended", keyId, status: "decommissioned", until: settledAt + 1 });
      } else {
        const { publicKey, baseline } = what;
        const newKeyId = toHex(keyIdOf(fromHex(publicKey)));
        terms.set(keyId, { ...before, status: "superseded" });
        terms.set(newKeyId, { ...before, status: "active" });
        meters.set(newKeyId, meters.get(keyId) as Hex);
        const until = measuredIn(baseline.reading).timestamp;
        events.push({ ...place, kind: "rotated", keyId: newKeyId, previousKeyId: keyId, publicKey });
        events.push({ ...place, kind: "ended", keyId, status: "superseded", until });
        begin(place, what, settledAt);
      }
    }

    /** Where a head of an earlier epoch belongs, and what it would mint: see WattWitness._restOf and _isLeft. */
    function restOf(keyId: Hex, { head, firstReading }: SettlementItem) {
      let settled = head.epoch;
      while (settled > 0 && !logs.has(`${keyId}/${settled}`)) settled--;
      const gap = gaps.get(`${keyId}/${settled}`) ?? NO_GAP;
      const isOwn = settled === head.epoch;
      const start = isOwn ? { timestamp: gap.since, energy: gap.energyBefore } : measuredIn(firstReading);
      const { timestamp, energy } = measuredIn(head.reading);
      const { energyBefore, energyAfter } = gap;
      const rises = rise(energyBefore, start.energy) + rise(start.energy, energy) + rise(energy, energyAfter);
      const produced = rises - rise(energyBefore, energyAfter);
      const isInPlace = isOwn
        ? timestamp > gap.since && produced > 0n
        : start.timestamp > gap.since && timestamp >= start.timestamp;
      const isLeft = isInPlace && energy >= start.energy && timestamp < gap.until && produced <= gap.room;
      return { settled, gap, start, produced, isLeft };
    }

    /** See WattWitness._fill. */
    function fill(keyId: Hex, epoch: number, reading: Hex, rest: ReturnType<typeof restOf>, capacity: number): void {
      const { settled, gap, start, produced } = rest;
      const { timestamp, energy } = measuredIn(reading);
      let room = gap.room - produced;
      if (settled !== epoch) {
        const possible = possibleOf(capacity, start.timestamp - gap.since);
        const before = least(room, rise(rise(gap.energyBefore, start.energy), possible));
        room -= before;
        const [until, energyAfter] = [start.timestamp, start.energy];
        gaps.set(`${keyId}/${settled}`, { ...gap, until, energyAfter, room: before });
      }
      gaps.set(`${keyId}/${epoch}`, { ...gap, since: timestamp, energyBefore: energy, room });
    }

    function settle(place: Place, attestation: Hex, item: SettlementItem, settledAt: number): void {
      const keyId = toHex(keyIdOf(fromHex(item.key.x + item.key.y.slice(2))));
      const { epoch, reading, root } = item.head;
      const basis = basisOf(item);
      const [size, name] = [Number(item.head.size), `${keyId}/${epoch}`];
      const fromSize = logs.get(name)?.size ?? 0;
      const before = latest.get(keyId) as SettledHead;
      const { status, capacity } = terms.get(keyId) as Terms;
      const rest = epoch < before.epoch ? restOf(keyId, item) : undefined;
      const since = rest ? rest.gap.since : before.timestamp;
      const reason = (() => {
        if (chain.skips(item)) return "told to";
        if (status !== "active") return status;
        if (rest?.gap.until === 0) return "passed";
        if (fromSize !== basis.settledSize || basis.settledTimestamp !== since) return "overtaken";
        if (basis.capacity !== capacity) return "capacity changed";
        if (rest && !rest.isLeft) return "passed";
        // the contract reverts
        return epoch > before.epoch + EPOCH_STRIDE ? "epoch too far" : undefined;
      })();
      if (reason !== undefined) {
        skipped.push(reason);
        return;
      }
      const head = { epoch, size, ...measuredIn(reading) };
      const first = measuredIn(fromSize === 0 ? item.firstReading : reading);
      const goesOn = epoch === before.epoch || first.energy >= before.energy;
      const produced = rest ? rest.produced : head.energy - (goesOn ? before : first).energy;
      logs.set(name, { size, root });
      if (rest) fill(keyId, epoch, reading, rest, capacity);
      else {
        if (epoch > before.epoch && first.timestamp > before.timestamp) {
          const end = goesOn ? head.timestamp : first.timestamp;
          const room = possibleOf(capacity, end - before.timestamp) - (goesOn ? produced : 0n);
          const ends = { since: before.timestamp, until: first.timestamp };
          gaps.set(`${keyId}/${before.epoch}`, {
            ...ends,
            energyBefore: before.energy,
            energyAfter: first.energy,
            room,
          });
        }
        latest.set(keyId, { ...head, root, settledAt });
      }
      const { timestamp, energy } = head;
      const settled = { keyId, epoch, fromSize, size, root, attestation, timestamp, energy, produced };
      events.push({ ...place, kind: "settled", ...settled });
    }

    for (const [block, { transactions, timestamp, don }] of blocks.entries()) {
      for (const { call, hash } of transactions) {
        const place = { block, transaction: hash };
        if ("claim" in call) register(place, call, timestamp);
        else if ("act" in call) act(place, call, timestamp);
        else if (call.to === "wattWitness") {
          for (const item of call.items) settle(place, call.attestation, item, timestamp);
        } else {
          const known = attestations.get(call.root) ?? [];
          attestations.set(call.root, [...known, { block, answer: { state: "pending" } }]);
        }
      }
      for (const [root, answer] of don) attestations.set(root, [...(attestations.get(root) ?? []), { block, answer }]);
    }
    return { events, skipped, terms, latest, logs, gaps, restOf, attestations };
  }

  /** No two blocks have one hash, also where one takes the other's place. */
  function push(transactions: Transaction[], don: Block["don"]): void {
    blocks.push({ hash: keccak256(textToHex(`block ${made++}`)), timestamp: now(), transactions, don });
  }

  /** As a block is told; undefined beyond what the node that answers has. */
  function toldBlock(number: number): ToldBlock | undefined {
    const block = number < blocks.length - chain.behind ? blocks[number] : undefined;
    if (!block) return undefined;
    const parent = blocks[number - 1]?.hash ?? ZERO;
    return { block: number, hash: block.hash, parent, timestamp: block.timestamp };
  }

  /** Somebody else's transaction, in a block of its own. */
  function include(what: string, call: Transaction["call"]): void {
    const raw = textToHex(`${what} ${count++}`);
    push([{ hash: keccak256(raw), raw, nonce: -1, call }], []);
  }

  const inBlocks = () => blocks.flatMap(({ transactions }) => transactions);
  const operators = () => inBlocks().filter(({ nonce }) => nonce >= 0);
  const waiting = () => [...pool.values()].sort((a, b) => a.nonce - b.nonce);

  function ask(): void {
    if (chain.down) throw new Error("the node is down");
  }

  const chain: FakeChain = {
    chainId,
    registry,
    automine: true,
    don: { state: "attested" },
    unattestedAfter: Number.POSITIVE_INFINITY,
    refusal: () => undefined,
    skips: () => false,
    down: false,
    itemsPerCall: Number.POSITIVE_INFINITY,
    unpaid: undefined,
    has: { operator: { address: `0x${"0f".repeat(20)}`, balance: 10n ** 18n, needed: 10n ** 15n } },
    behind: 0,
    late: 0,
    crash: undefined,
    broadcasts: new Map(),
    mined: () => inBlocks().map(({ call }) => ("claim" in call ? "register" : "act" in call ? "act" : call.to)),
    calls: () => inBlocks().flatMap(({ call }) => ("to" in call ? [call] : [])),
    register: (registration) => include("register", registration),
    act: (act) => include("act", act),
    skipped: () => replay().skipped,

    mine(many = 1) {
      for (let i = 0; i < many; i++) {
        const transactions: Transaction[] = [];
        for (const transaction of waiting()) {
          if (transaction.nonce !== operators().length + transactions.length) continue;
          transactions.push(transaction);
          pool.delete(transaction.hash);
        }
        const don = transactions.flatMap(({ call }): Block["don"] =>
          "to" in call && call.to === "attestor" && chain.don ? [[call.root, chain.don]] : [],
        );
        push(transactions, don);
      }
    },

    answer() {
      const request = chain.calls().findLast((call) => call.to === "attestor");
      if (!request || !chain.don) throw new Error("there is nothing to answer");
      push([], [[request.root, chain.don]]);
    },

    reorganise(many, forget = false) {
      for (const block of blocks.splice(blocks.length - many)) {
        if (forget) continue;
        for (const transaction of block.transactions) pool.set(transaction.hash, transaction);
      }
      for (let i = 0; i < many; i++) push([], []);
    },

    forget: (hash) => {
      pool.delete(hash);
    },

    useNonce() {
      const raw = textToHex(`other ${count++}`);
      const call: Call = { to: "wattWitness", attestation: "0x", items: [] };
      const transactions = [{ hash: keccak256(raw), raw, nonce: operators().length, call }];
      for (const { hash, nonce } of waiting()) if (nonce === operators().length) pool.delete(hash);
      push(transactions, []);
    },

    settleAsOther({ keyId, device: { epoch, publicKey, readings } }) {
      const { logs, latest, terms, restOf } = replay();
      const root = toHex(createLog(readings).root());
      const reading = toHex(readings.at(-1) as Uint8Array);
      const item: SettlementItem = {
        key: publicKeyParts(publicKey),
        head: { epoch, size: BigInt(readings.length), reading, root },
        signature: { r: "0x", s: "0x" },
        basis: "0x",
        firstReading: toHex(readings[0] as Uint8Array),
        ...{ growth: [], witness: [] },
      };
      const { epoch: newest, timestamp } = latest.get(keyId) as SettledHead;
      const basis = encodeBasis({
        settledSize: logs.get(`${keyId}/${epoch}`)?.size ?? 0,
        settledTimestamp: epoch < newest ? restOf(keyId, item).gap.since : timestamp,
        capacity: terms.get(keyId)?.capacity as number,
        ...{ from: 0, segment: 0, segments: 0 },
      });
      const items = [{ ...item, basis }];
      include("somebody else's", { to: "wattWitness", attestation: `0x${"00".repeat(32)}`, items });
    },

    settled: (keyId) => replay().latest.get(keyId) as SettledHead & { root: string },
    minted: (keyId) =>
      replay().events.reduce(
        (sum, event) => (event.kind === "settled" && event.keyId === keyId ? sum + event.produced : sum),
        0n,
      ),

    async newest() {
      ask();
      const number = blocks.length - 1 - chain.late;
      const { hash, timestamp } = blocks[number] as Block;
      return { block: number, hash, parent: blocks[number - 1]?.hash ?? ZERO, timestamp };
    },
    async blockAt(number) {
      ask();
      return toldBlock(number);
    },
    async eventsIn(hash) {
      ask();
      const number = blocks.findIndex((block) => block.hash === hash);
      if (number === -1 || !toldBlock(number)) return undefined;
      return replay().events.filter(({ block }) => block === number);
    },
    async events(from, to) {
      ask();
      if (!toldBlock(to)) throw new Error(`the node has no block ${to}`);
      return replay().events.filter(({ block }) => block >= from && block <= to);
    },
    async termsOf(keyId) {
      ask();
      return replay().terms.get(keyId) ?? { status: "none", capacity: 0, source: 0 };
    },
    async latestOf(keyId) {
      ask();
      return replay().latest.get(keyId) as SettledHead;
    },
    async logOf(keyId, epoch) {
      ask();
      return replay().logs.get(`${keyId}/${epoch}`) ?? { size: 0, root: `0x${"00".repeat(32)}` };
    },
    async gapOf(keyId, epoch) {
      ask();
      return replay().gaps.get(`${keyId}/${epoch}`) ?? NO_GAP;
    },
    unattestedFrom: (timestamp, settledAt) => Math.min(timestamp, settledAt) + chain.unattestedAfter,
    async attestation(root, sinceBlock) {
      ask();
      const known = (replay().attestations.get(root) ?? []).filter(({ block }) => block >= sinceBlock);
      const attested = known.find(({ answer }) => answer.state === "attested");
      return attested?.answer ?? known.at(-1)?.answer ?? { state: "none" };
    },
    async simulate(call) {
      ask();
      const reason = chain.refusal(call);
      if (reason !== undefined) return { ok: false, failure: "revert", reason };
      if ("items" in call && call.items.length > chain.itemsPerCall) {
        return { ok: false, failure: "size", reason: "too much gas" };
      }
      return { ok: true };
    },
    async sign(call, nonce) {
      ask();
      const reason = chain.refusal(call);
      if (reason !== undefined) return { ok: false, failure: "revert", reason };
      if (chain.unpaid) return { ok: false, ...chain.unpaid };
      const raw = textToHex(`transaction ${count++} with nonce ${nonce}`);
      const transaction = { hash: keccak256(raw), raw, nonce };
      signed.set(raw, { ...transaction, call });
      return { ok: true, transaction };
    },
    async raise(sent) {
      ask();
      if (chain.unpaid) return { ok: false, ...chain.unpaid };
      const { nonce, call } = signed.get(sent) as Transaction;
      const raw = textToHex(`transaction ${count++} with nonce ${nonce}, raised`);
      const transaction = { hash: keccak256(raw), raw, nonce };
      signed.set(raw, { ...transaction, call });
      return { ok: true, transaction };
    },
    async broadcast(raw) {
      ask();
      if (chain.crash === "before") throw new Error("crashed before sending");
      chain.broadcasts.set(raw, (chain.broadcasts.get(raw) ?? 0) + 1);
      const transaction = signed.get(raw) as Transaction;
      if (transaction.nonce < operators().length) return;
      pool.set(transaction.hash, transaction);
      if (chain.automine) chain.mine();
      if (chain.crash === "after") throw new Error("crashed after sending");
    },
    async transactionCount() {
      ask();
      return operators().length;
    },
    async receiptOf(hash) {
      ask();
      const block = blocks.findIndex(({ transactions }) => transactions.some((mined) => mined.hash === hash));
      return block === -1 ? undefined : { block, succeeded: true, gas: 100_000, fee: 10n ** 15n };
    },
    async funds() {
      ask();
      return chain.has;
    },
  };
  return chain;
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const rise = (energy: bigint, later: bigint): bigint => (later > energy ? later - energy : 0n);
/** mWh that `capacity` W make in `time` s */
const possibleOf = (capacity: number, time: number): bigint => (BigInt(capacity) * 1000n * BigInt(time)) / 3600n;

const measuredIn = (reading: string) => ({
  timestamp: timestampOf(fromHex(reading)),
  energy: energyOf(fromHex(reading)),
});

/** What an item was made for: see Basis.sol. */
export function basisOf({ basis }: SettlementItem): Basis {
  const bytes = view(fromHex(basis));
  return {
    settledSize: Number(bytes.getBigUint64(0)),
    settledTimestamp: bytes.getUint32(8),
    capacity: bytes.getUint32(12),
    from: Number(bytes.getBigUint64(16)),
    segment: bytes.getUint32(24),
    segments: bytes.getUint32(28),
  };
}
