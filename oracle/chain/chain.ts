/** What the oracle asks of a chain. viem/ asks a real one. */
import type { SettlementItem } from "../../contracts/settlement.ts";

export type Hex = `0x${string}`;

/** `block` is its number, `timestamp` Unix time (s). */
export type Block = { block: number; hash: Hex; parent: Hex; timestamp: number };

type Place = { block: number; transaction: Hex };

/** Events of registry and WattWitness, in order; a key's registration or rotation comes before the beginning of its log. */
export type ChainEvent = Place &
  (
    | {
        kind: "registered";
        keyId: Hex;
        publicKey: Hex;
        owner: Hex;
        capacity: number;
        source: number;
        details: Hex;
      }
    | { kind: "rotated"; keyId: Hex; previousKeyId: Hex; publicKey: Hex }
    | { kind: "ended"; keyId: Hex; status: "superseded" | "decommissioned"; until: number }
    | { kind: "frozen"; keyId: Hex }
    | { kind: "capacity changed"; meter: Hex; capacity: number }
    | { kind: "transferred"; meter: Hex; owner: Hex }
    | { kind: "begun"; keyId: Hex; epoch: number; size: number; root: Hex; timestamp: number; energy: bigint }
    | {
        kind: "settled";
        keyId: Hex;
        epoch: number;
        fromSize: number;
        size: number;
        root: Hex;
        timestamp: number;
        energy: bigint;
        produced: bigint;
        attestation: Hex;
      }
  );

/** What a key may do, in the order of IWattWitness.Status. */
export const STATUSES = ["none", "active", "frozen", "superseded", "decommissioned"] as const;
export type Status = (typeof STATUSES)[number];

export type Terms = { status: Status; capacity: number; source: number };

/** The last settled head of a key's newest log. */
export type SettledHead = { epoch: number; size: number; timestamp: number; energy: bigint; settledAt: number };

/**
 * What is left to settle between the last settled reading of a log and reading 0 of the log that was settled after it;
 * `until` 0 = nothing. `room`: mWh that the capacity leaves for it.
 */
export type Gap = { since: number; until: number; energyBefore: bigint; energyAfter: bigint; room: bigint };

/** What became of the requests to attest a root, since a block. */
export type Attestation =
  | { state: "none" }
  | { state: "pending" }
  | { state: "attested" }
  | { state: "refused"; reason: string };

export type Call =
  | { to: "attestor"; digest: Hex; root: Hex; urls: readonly string[]; subscriptionId: bigint }
  | { to: "wattWitness"; attestation: Hex; items: readonly SettlementItem[] };

/** A transaction that is signed and not yet sent. */
export type SignedTransaction = { hash: Hex; raw: Hex; nonce: number };

/**
 * `size`: it takes more gas than a transaction or a block may. `revert`: the contract would refuse. `funds`: the operator
 * cannot pay for it, or his subscription not for the DON.
 */
export type Simulation = { ok: true } | { ok: false; failure: "size" | "revert" | "funds"; reason: string };

/** `price`: gas costs more than the cap at the moment. */
export type Signing =
  | { ok: true; transaction: SignedTransaction }
  | { ok: false; failure: "price" | "funds" | "size" | "revert"; reason: string };

/** Of a transaction of the operator's: what it used, and what that cost, wei. */
export type Receipt = { block: number; succeeded: boolean; gas: number; fee: bigint };

/** `needed`: what one more transaction, or request, may cost now. */
export type Funds = {
  /** wei */
  operator: { address: Hex; balance: bigint; needed: bigint };
  /** juels (10^-18 LINK) that are not reserved; absent where it is not known which router keeps it */
  subscription?: { id: bigint; balance: bigint; needed: bigint };
};

export type Chain = {
  readonly chainId: number;
  readonly registry: Hex;
  newest(): Promise<Block>;
  /** The block of a number; undefined where whoever answers has none (yet). */
  blockAt(number: number): Promise<Block | undefined>;
  /** Events of the block with this hash; undefined where whoever answers does not know it. */
  eventsIn(hash: Hex): Promise<ChainEvent[] | undefined>;
  /** Events of blocks `from` to `to`, both included. Throws where whoever answers has not got the last of them. */
  events(from: number, to: number): Promise<ChainEvent[]>;
  termsOf(keyId: string): Promise<Terms>;
  latestOf(keyId: string): Promise<SettledHead>;
  logOf(keyId: string, epoch: number): Promise<{ size: number; root: string }>;
  gapOf(keyId: string, epoch: number): Promise<Gap>;
  /**
   * Unix time (s) from which what goes on from a settled reading of `timestamp` may settle without attestation, where the
   * key last settled at `settledAt`; Infinity = never.
   */
  unattestedFrom(timestamp: number, settledAt: number): number;
  attestation(root: Hex, sinceBlock: number): Promise<Attestation>;
  /** Whether `call` would succeed, alone and now. */
  simulate(call: Call): Promise<Simulation>;
  /** Simulates and signs `call` with the operator's key; nothing is sent. */
  sign(call: Call, nonce: number): Promise<Signing>;
  /** The same call with the same nonce, for a fee at which nodes take it in the place of the one that was sent. */
  raise(raw: Hex): Promise<Signing>;
  /** Sends a signed transaction; sending it again is harmless. */
  broadcast(raw: Hex): Promise<void>;
  /** Transactions of the operator in blocks: the next nonce. */
  transactionCount(): Promise<number>;
  receiptOf(hash: Hex): Promise<Receipt | undefined>;
  /** What the operator can pay with, and the subscription if there is one. */
  funds(subscriptionId: bigint | undefined): Promise<Funds>;
};
