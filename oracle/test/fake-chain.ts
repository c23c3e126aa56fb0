/**
 * A chain in memory, for tests of the oracle alone: blocks, nonces, receipts, reorganisations, and a DON that answers when
 * it is told to. It settles what it is given without checking: the contracts' own rules are tested on the contracts.
 */
import { keccak256, toHex as textToHex } from "viem";
import { publicKeyParts, type SettlementItem } from "../../contracts/settlement.ts";
import type { Registration } from "../../meter/device.ts";
import { createLog, energyOf, fromHex, keyIdOf, timestampOf, toHex } from "../../protocol/index.ts";
import type { Attestation, Call, Chain, ChainEvent, Hex, SettledHead } from "../chain.ts";

type Transaction = { hash: Hex; raw: Hex; nonce: number; call: Call | Registration };
type Block = { timestamp: number; transactions: Transaction[]; don: [root: Hex, answer: DonAnswer][] };
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
  /** every question throws while true, as a node that is down */
  down: boolean;
  /** a broadcast throws before or after it was sent, as a crash there */
  crash: "before" | "after" | undefined;
  register: (registration: Registration) => void;
  mine: (blocks?: number) => void;
  /** Takes back the newest blocks; what was in them waits again, or is forgotten. */
  reorganise: (blocks: number, forget?: boolean) => void;
  /** Another program uses the operator's next nonce. */
  useNonce: () => void;
  /** Somebody else settles all of these readings. */
  settleAsOther: (log: {
    keyId: Hex;
    device: { epoch: number; publicKey: Uint8Array; readings: readonly Uint8Array[] };
  }) => void;
  settled: (keyId: Hex) => SettledHead & { root: string };
};

export function createFakeChain(
  { chainId, registry }: { chainId: number; registry: Hex },
  now: () => number,
): FakeChain {
  const blocks: Block[] = [{ timestamp: now(), transactions: [], don: [] }];
  const pool = new Map<Hex, Transaction>();
  const signed = new Map<Hex, Transaction>();
  let count = 0;

  /** All that is known is replayed from the blocks: a reorganisation needs nothing else. */
  function replay() {
    const events: ChainEvent[] = [];
    const terms = new Map<string, { active: boolean; capacity: number; source: number }>();
    const latest = new Map<string, SettledHead & { root: string }>();
    const logs = new Map<string, { size: number; root: string }>();
    const attestations = new Map<string, { block: number; answer: Attestation }[]>();
    for (const [block, { transactions, timestamp, don }] of blocks.entries()) {
      for (const { call, hash } of transactions) {
        const place = { block, transaction: hash };
        if ("claim" in call) {
          const keyId = toHex(keyIdOf(fromHex(call.publicKey)));
          const { epoch, size, root, reading } = call.baseline;
          const head = { epoch, size, timestamp: timestampOf(fromHex(reading)), energy: energyOf(fromHex(reading)) };
          terms.set(keyId, { active: true, capacity: call.capacity, source: call.source });
          latest.set(keyId, { ...head, root, settledAt: timestamp });
          logs.set(`${keyId}/${epoch}`, { size, root });
          const { publicKey, owner, capacity, source, details } = call;
          events.push({ ...place, kind: "registered", keyId, publicKey, owner, capacity, source, details });
          events.push({ ...place, kind: "begun", keyId, root, ...head });
        } else if (call.to === "attestor") {
          attestations.set(call.root, [
            ...(attestations.get(call.root) ?? []),
            { block, answer: { state: "pending" } },
          ]);
        } else {
          for (const item of call.items) {
            const keyId = toHex(keyIdOf(fromHex(item.key.x + item.key.y.slice(2))));
            const { epoch, reading, root } = item.head;
            const size = Number(item.head.size);
            const name = `${keyId}/${epoch}`;
            const fromSize = logs.get(name)?.size ?? 0;
            if (fromSize !== Number(item.settledSize)) continue;
            logs.set(name, { size, root });
            const before = latest.get(keyId) as SettledHead;
            const common = { ...place, keyId, epoch, fromSize, size, root, attestation: call.attestation };
            if (epoch < before.epoch) {
              events.push({ ...common, kind: "recorded" });
              continue;
            }
            const head = { epoch, size, timestamp: timestampOf(fromHex(reading)), energy: energyOf(fromHex(reading)) };
            latest.set(keyId, { ...head, root, settledAt: timestamp });
            const produced = head.energy - before.energy;
            const { timestamp: at, energy } = head;
            events.push({ ...common, kind: "settled", timestamp: at, energy, produced });
          }
        }
      }
      for (const [root, answer] of don) attestations.set(root, [...(attestations.get(root) ?? []), { block, answer }]);
    }
    return { events, terms, latest, logs, attestations };
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
    down: false,
    crash: undefined,
    broadcasts: new Map(),
    mined: () => inBlocks().map(({ call }) => ("claim" in call ? "register" : call.to)),
    calls: () => inBlocks().flatMap(({ call }) => ("claim" in call ? [] : [call])),

    register(registration) {
      const raw = textToHex(`register ${count++}`);
      blocks.push({
        timestamp: now(),
        transactions: [{ hash: keccak256(raw), raw, nonce: -1, call: registration }],
        don: [],
      });
    },

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
        blocks.push({ timestamp: now(), transactions, don });
      }
    },

    reorganise(many, forget = false) {
      for (const block of blocks.splice(blocks.length - many)) {
        if (forget) continue;
        for (const transaction of block.transactions) pool.set(transaction.hash, transaction);
      }
    },

    useNonce() {
      const raw = textToHex(`other ${count++}`);
      const call: Call = { to: "wattWitness", attestation: "0x", items: [] };
      const transactions = [{ hash: keccak256(raw), raw, nonce: operators().length, call }];
      for (const { hash, nonce } of waiting()) if (nonce === operators().length) pool.delete(hash);
      blocks.push({ timestamp: now(), transactions, don: [] });
    },

    settleAsOther({ keyId, device: { epoch, publicKey, readings } }) {
      const raw = textToHex(`somebody else's ${count++}`);
      const root = toHex(createLog(readings).root());
      const reading = toHex(readings.at(-1) as Uint8Array);
      const item: SettlementItem = {
        key: publicKeyParts(publicKey),
        head: { epoch, size: BigInt(readings.length), reading, root },
        signature: { r: "0x", s: "0x" },
        settledSize: BigInt(replay().logs.get(`${keyId}/${epoch}`)?.size ?? 0),
        firstReading: "0x",
        ...{ growth: [], from: 0n, segment: 0n, segments: 0n, witness: [] },
      };
      const call: Call = { to: "wattWitness", attestation: `0x${"00".repeat(32)}`, items: [item] };
      blocks.push({ timestamp: now(), transactions: [{ hash: keccak256(raw), raw, nonce: -1, call }], don: [] });
    },

    settled: (keyId) => replay().latest.get(keyId) as SettledHead & { root: string },

    async newest() {
      ask();
      return { block: blocks.length - 1, timestamp: blocks.at(-1)?.timestamp as number };
    },
    async events(from, to) {
      ask();
      return replay().events.filter(({ block }) => block >= from && block <= to);
    },
    async termsOf(keyId) {
      ask();
      return replay().terms.get(keyId) ?? { active: false, capacity: 0, source: 0 };
    },
    async latestOf(keyId) {
      ask();
      return replay().latest.get(keyId) as SettledHead;
    },
    async logOf(keyId, epoch) {
      ask();
      return replay().logs.get(`${keyId}/${epoch}`) ?? { size: 0, root: `0x${"00".repeat(32)}` };
    },
    unattestedFrom: async (settledAt) => settledAt + chain.unattestedAfter,
    async attestation(root, sinceBlock) {
      ask();
      const known = (replay().attestations.get(root) ?? []).filter(({ block }) => block >= sinceBlock);
      const attested = known.find(({ answer }) => answer.state === "attested");
      return attested?.answer ?? known.at(-1)?.answer ?? { state: "none" };
    },
    async simulate(call) {
      ask();
      const reason = chain.refusal(call);
      return reason === undefined ? { ok: true } : { ok: false, reason };
    },
    async sign(call, nonce) {
      ask();
      const reason = chain.refusal(call);
      if (reason !== undefined) return { ok: false, failure: "revert", reason };
      const raw = textToHex(`transaction ${count++} with nonce ${nonce}`);
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
      return block === -1 ? undefined : { block, succeeded: true };
    },
  };
  return chain;
}
