/** What the contracts tell when something happens, in the order in which they tell it. */
import type { Hex } from "viem";
import { ADDRESSES, type Event, event } from "./gnd.ts";

/** 2026-03-20T00:00:00Z */
export const MIDNIGHT = 1_773_964_800;
export const HOUR = 3600;
export const DAY = 86_400;

export const NOBODY: Hex = `0x${"00".repeat(20)}`;
export const ALICE: Hex = `0x${"a1".repeat(20)}`;
export const BOB: Hex = `0x${"b0".repeat(20)}`;
export const CAROL: Hex = `0x${"ca".repeat(20)}`;

/** 32 bytes, big-endian. */
export const word = (value: number | bigint): Hex => `0x${value.toString(16).padStart(64, "0")}`;

/** The attestation of what settles without any. */
export const NONE = word(0);
/** units of the token per mWh */
export const UNITS = 10n ** 12n;

export const X: Hex = `0x${"11".repeat(32)}`;
export const Y: Hex = `0x${"22".repeat(32)}`;
export const DETAILS: Hex = `0x${"dd".repeat(32)}`;

/* METERS */

/** A head, of which only time and energy matter unless told. */
type Head = { epoch?: number; size?: number | bigint; timestamp: number; energy: bigint; root?: Hex };

/** Where meters begin unless told: their baseline has three readings, and its root is word(3). */
export const BASELINE = { epoch: 1, size: 3, timestamp: MIDNIGHT, energy: 1000n } as const;

export const registers = (
  meter: Hex,
  {
    owner = ALICE,
    capacity = 5000,
    source = 0x1f,
    ...baseline
  }: { owner?: Hex; capacity?: number; source?: number } & Partial<Head> = {},
): Event[] => [
  event("MeterRegistry", "MeterRegistered", {
    meter,
    owner,
    x: X,
    y: Y,
    capacity,
    source,
    details: DETAILS,
  }),
  begins(meter, { ...BASELINE, ...baseline }),
  changesHands(meter, NOBODY, owner),
];

export const rotates = (meter: Hex, previousKeyId: Hex, keyId: Hex, baseline: Head): Event[] => [
  event("MeterRegistry", "KeyRotated", { meter, keyId, previousKeyId, x: Y, y: X }),
  event("WattWitness", "Ended", { keyId: previousKeyId, status: 3, until: baseline.timestamp }),
  begins(keyId, baseline),
];

const begins = (keyId: Hex, { epoch = 1, size = 1, timestamp, energy, root = word(size) }: Head): Event =>
  event("WattWitness", "Begun", { keyId, epoch, size: BigInt(size), timestamp, energy, root });

export const decommissions = (meter: Hex, keyId: Hex, until: number): Event[] => [
  event("WattWitness", "Ended", { keyId, status: 4, until }),
  event("MeterRegistry", "MeterDecommissioned", { meter, by: ALICE }),
];

export const changesHands = (meter: Hex, from: Hex, to: Hex): Event =>
  event("MeterRegistry", "Transfer", { from, to, tokenId: BigInt(meter) });

/* PROPOSALS */

export const CHANGES = { KEY: 0, OWNER: 1, CAPACITY: 2 } as const;
type Change = keyof typeof CHANGES;

export const proposes = (meter: Hex, change: Change, value: Hex | number, executableAt = MIDNIGHT + 14 * DAY): Event =>
  event("MeterRegistry", "Proposed", {
    meter,
    change: CHANGES[change],
    value: BigInt(value),
    executableAt: BigInt(executableAt),
  });

export const cancels = (meter: Hex, change: Change): Event =>
  event("MeterRegistry", "ProposalCancelled", { meter, change: CHANGES[change], by: ALICE });

export const executes = (meter: Hex, change: Change, value: Hex | number): Event =>
  event("MeterRegistry", "ProposalExecuted", { meter, change: CHANGES[change], value: BigInt(value) });

/* HEADS */

/** The sizes of the head's log before and now, and reading 0 where the log is new. */
type Offer = {
  /** the key's id unless told */
  meter?: Hex;
  payee?: Hex;
  epoch?: number;
  size: readonly [from: number | bigint, to: number | bigint];
  timestamp: number;
  energy: bigint;
  produced: bigint;
  root?: Hex;
  under?: Hex;
  first?: { timestamp: number; energy: bigint };
};

export const settles = (keyId: Hex, offer: Offer): Event[] => {
  const { meter = keyId, payee = ALICE, epoch = 1, under = NONE, first, ...head } = offer;
  const [from, to] = head.size;
  if ((BigInt(from) === 0n) !== (first !== undefined)) throw new Error("a log begins with its reading 0");
  return [
    ...(head.produced === 0n ? [] : [mints(payee, head.produced * UNITS)]),
    ...(first ? [event("WattWitness", "LogBegun", { keyId, epoch, ...first })] : []),
    event("WattWitness", "Settled", {
      ...{ meter, keyId, payee, epoch, attestation: under, root: word(to), ...head },
      ...{ fromSize: BigInt(from), size: BigInt(to) },
    }),
  ];
};

export const SKIP_REASONS = {
  ...{ OVERTAKEN: 1, CAPACITY_CHANGED: 2, FROZEN: 3, DECOMMISSIONED: 4, SUPERSEDED: 5, PASSED: 6 },
} as const;

export const skips = (
  keyId: Hex,
  reason: keyof typeof SKIP_REASONS,
  { size = 9n, epoch = 1, under = NONE }: { size?: bigint; epoch?: number; under?: Hex } = {},
): Event => event("WattWitness", "Skipped", { keyId, attestation: under, reason: SKIP_REASONS[reason], epoch, size });

export const equivocates = (
  keyId: Hex,
  frozen: boolean,
  second = { secondSize: 6n, secondReading: word(61), secondRoot: word(62) },
): Event =>
  event("WattWitness", "Equivocated", {
    ...{ keyId, frozen, epoch: 1, firstSize: 5n, firstReading: word(51), firstRoot: word(52) },
    ...second,
  });

/* ATTESTATIONS */

export const attests = (root: Hex, attestor: Hex = ADDRESSES.FunctionsAttestor): Event =>
  event("WattWitness", "Attested", { root, attestor });

export const requests = (requestId: Hex, digest: Hex, root: Hex, subscriptionId = 7n): Event =>
  event("FunctionsAttestor", "AttestationRequested", { requestId, digest, root, subscriptionId });

/** Nobody attested the root before. */
export const confirms = (requestId: Hex, root: Hex): Event[] => [attests(root), confirmsAgain(requestId, root)];

export const confirmsAgain = (requestId: Hex, root: Hex): Event =>
  event("FunctionsAttestor", "AttestationConfirmed", { requestId, root });

export const refuses = (requestId: Hex, root: Hex, reason: string): Event =>
  event("FunctionsAttestor", "AttestationRefused", { requestId, root, reason });

/* TOKENS */

export const moves = (from: Hex, to: Hex, value: bigint): Event =>
  event("ProductionToken", "Transfer", { from, to, value });

export const mints = (to: Hex, value: bigint): Event => moves(NOBODY, to, value);

export const retires = (
  from: Hex,
  amount: bigint,
  serial: bigint,
  { beneficiary = NOBODY, name = "", purpose = "" }: { beneficiary?: Hex; name?: string; purpose?: string } = {},
): Event[] => [
  moves(from, NOBODY, amount),
  event("ProductionToken", "Retired", { serial, from, beneficiary, amount, name, purpose }),
];
