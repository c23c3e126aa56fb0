/** The audit: the chain read whole, played again, held against its views and a second node, and every reading verified. */
import type { Hex } from "viem";
import { askNumber } from "../verification/chain/asking.ts";
import type { ChainReader } from "../verification/chain/reader.ts";
import { compareBeside } from "./chain/beside.ts";
import { compareViews, stillThere, termsOf } from "./chain/compare.ts";
import { type Beside, blockAt, type Deployment, type History, historyOf } from "./chain/history.ts";
import { compareNodes } from "./chain/second.ts";
import { type Checkpoint, checkpointOf } from "./checkpoint.ts";
import { checkReadings, type Evidence, type OnHours, settlementId, type Verified } from "./evidence/checking.ts";
import { checkHours, createHours } from "./evidence/hours.ts";
import type { Place } from "./evidence/places.ts";
import { createPool, type Pool } from "./evidence/pool.ts";
import { type Finding, missing, type Verdict, verdictOf } from "./finding.ts";
import { type ReplayedBeside, replayBeside } from "./replay/beside.ts";
import type { Issuance } from "./replay/certificates.ts";
import { type Claims, checkClaims } from "./replay/claims.ts";
import { checkEquivocations } from "./replay/equivocations.ts";
import { type Replay, replay } from "./replay/replay.ts";
import type { Settlement } from "./replay/settling.ts";

/** Whose readings are looked for; the chain's history is always read whole. */
export type Scope = {
  meters?: readonly Hex[] | undefined;
  /** of a settlement's last reading: Unix time, s; `to` is not included */
  from?: number | undefined;
  to?: number | undefined;
  transaction?: Hex | undefined;
};

export type AuditOptions = {
  chain: ChainReader;
  /** another node of the chain */
  second?: ChainReader | undefined;
  registry: Hex;
  /** certificates and parks, where their contracts are named: in lower case, from whom you trust to know them */
  beside?: Beside | undefined;
  /** no event is in an earlier block */
  fromBlock?: number | undefined;
  /** the newest unless told */
  toBlock?: number | undefined;
  places: readonly Place[];
  scope?: Scope | undefined;
  /** keccak256 of what the DON should run */
  sourceHash?: Hex | undefined;
  checkpoint?: Checkpoint | undefined;
  /** of threads, for who audits often; one a core of its own unless told */
  pool?: Pool | undefined;
  onProgress?: ((told: AuditProgress) => void) | undefined;
  /** told of every batch that settlements rest on; where only tiles show one, a batch is made of them */
  onBatch?: ((bytes: Uint8Array) => Promise<void>) | undefined;
  onHours?: OnHours | undefined;
};

export type AuditProgress = { doing: string; done: number; of?: number | undefined };

export type AuditedSettlement = Settlement & { evidence?: Evidence | undefined };

export type Figures = {
  meters: number;
  keys: number;
  attestations: number;
  settlements: number;
  /** those whose readings were looked for, and those of which all holds */
  settlements_in_scope: number;
  settlements_verified: number;
  batches: number;
  readings: number;
  produced_mwh: bigint;
  minted_units: bigint;
  supply_units: bigint;
  retired_units: bigint;
  retirements: number;
  rotations: number;
  equivocations: number;
  skipped: number;
  gaps: number;
  conditions: { drifting: number; invalid: number; discontinuous: number; tamper: number; reserved: number };
};

/** Energies in mWh. */
export type BesideFigures = {
  certificates?: {
    /** ever, and those whose energy was recomputed from the readings */
    issued: number;
    verified: number;
    unissued: number;
    outstanding_mwh: bigint;
    redeemed_mwh: bigint;
  };
  parks?: { parks: number; holders: number; meters: number; received_units: bigint; claimed_units: bigint };
};

export type Audit = {
  verdict: Verdict;
  findings: Finding[];
  figures: Figures;
  scope: Scope;
  /** of certificates and parks, where their contracts are named */
  beside: BesideFigures;
  /** absent where the chain could not be read */
  read?: {
    deployment: Deployment;
    history: History;
    replayed: Replay;
    beside: ReplayedBeside;
    /** keys whose claim only the contract has seen */
    byContract: Claims["byContract"];
    settlements: readonly AuditedSettlement[];
    sourceHash: Hex | undefined;
    /** whether a checkpoint was gone on from; `past changed`: the chain is not the one that it was made on */
    resumed: "no" | "yes" | "past changed";
    /** for the next audit */
    checkpoint: Checkpoint;
  };
};

export async function audit(options: AuditOptions): Promise<Audit> {
  const { chain, second, registry, fromBlock = 0, scope = {}, sourceHash, onProgress } = options;
  const chainId = await askNumber(chain, "eth_chainId");
  if (!chainId.ok) return unread(scope, chainId.why);
  const place = { chainId: chainId.value, registry };
  const onRead = (blocks: number) => onProgress?.({ doing: "reading the chain", done: blocks });
  const told = await historyOf(chain, {
    ...{ place, fromBlock, toBlock: options.toBlock, watch: { onRead }, beside: options.beside },
  });
  if (!told.ok) return unread(scope, told.why);
  const history = told.value;
  const terms = await termsOf(history);
  if (!terms.ok) return unread(scope, terms.why);

  onProgress?.({ doing: "replaying the chain", done: history.events.length });
  const replayed = replay(history, terms.value);
  const beside = replayBeside(history);
  const toBlock = history.block.number;
  const [views, viewsBeside, claims, equivocations, other] = await Promise.all([
    compareViews(history, replayed, sourceHash),
    compareBeside(history, beside, replayed),
    checkClaims(
      history,
      [...replayed.keys.values()].filter(({ logs }) => logs.size > 0),
    ),
    checkEquivocations(history, replayed),
    second && historyOf(second, { place, fromBlock, toBlock, beside: options.beside }),
  ]);
  const resumed = await resumedFrom(options.checkpoint, history);
  const settlements = replayed.settlements.filter((settlement) => isInScope(settlement, scope));
  const issuances = looksFor(beside, scope);
  const hours = createHours();
  const onHours: OnHours = (settlement, readings) => {
    hours.onHours(settlement, readings);
    options.onHours?.(settlement, readings);
  };
  const pool = options.pool ?? createPool();
  const { verified, findings } = await checkReadings({
    ...{ history, replayed, settlements, places: options.places, pool, onHours },
    before: resumed === "yes" ? withoutThose(options.checkpoint as Checkpoint, settlements, issuances) : undefined,
    onBatch: options.onBatch,
    onProgress: ({ settlements: done }) =>
      onProgress?.({ doing: "verifying settlements", done, of: settlements.length }),
  }).finally(() => (options.pool ? undefined : pool.close()));

  const isVerified = (settlement: Settlement) => verified.has(settlementId(settlement));
  const certified = checkHours({ replayed, issuances, readings: hours.readings, isVerified });

  const all = [
    ...[...replayed.findings, ...beside.findings],
    ...[...views, ...viewsBeside],
    ...claims.findings,
    ...equivocations,
    ...(other ? await compareNodes(history, other) : []),
    ...[...findings, ...certified.findings],
    ...stillThere(history, await blockAt(chain, toBlock)),
  ];
  const audited = settlements.map((each) => ({ ...each, evidence: verified.get(settlementId(each)) }));
  const kept = new Map([...(resumed === "yes" ? (options.checkpoint as Checkpoint).verified : []), ...verified]);
  return {
    ...{ verdict: verdictOf(all), findings: all, figures: figuresOf(replayed, audited), scope },
    beside: besideFiguresOf(beside, certified.verified, history.deployment.token),
    read: {
      ...{
        deployment: history.deployment,
        history,
        replayed,
        beside,
        byContract: claims.byContract,
        settlements: audited,
      },
      ...{ sourceHash, resumed, checkpoint: checkpointOf(history.deployment, history.block, kept) },
    },
  };
}

/** Of what hours the readings are looked for: where those of all settlements of a meter are. */
function looksFor({ certificates }: ReplayedBeside, { meters, from, to, transaction }: Scope): Issuance[] {
  if (from !== undefined || to !== undefined || transaction !== undefined) return [];
  return (certificates?.issuances ?? []).filter(({ meter }) => meters === undefined || meters.includes(meter));
}

/** What was verified earlier, without what has to be read again: the readings at the ends of a certificate's hours. */
function withoutThose({ verified }: Checkpoint, settlements: readonly Settlement[], issuances: readonly Issuance[]) {
  const meters = new Set(issuances.map(({ meter }) => meter));
  const kept: Verified = new Map(verified);
  for (const settlement of settlements) if (meters.has(settlement.meter)) kept.delete(settlementId(settlement));
  return kept;
}

const isInScope = ({ meter, timestamp, where }: Settlement, { meters, from, to, transaction }: Scope): boolean =>
  (meters === undefined || meters.includes(meter)) &&
  (from === undefined || timestamp >= from) &&
  (to === undefined || timestamp < to) &&
  (transaction === undefined || where.transaction === transaction);

/** A checkpoint is of one deployment, and of a chain that still has its block. */
async function resumedFrom(checkpoint: Checkpoint | undefined, { chain, deployment }: History) {
  if (!checkpoint) return "no";
  if (checkpoint.chainId !== deployment.chainId || checkpoint.registry !== deployment.registry) return "past changed";
  const block = await blockAt(chain, checkpoint.block.number);
  return block.ok && block.value.hash === checkpoint.block.hash ? "yes" : "past changed";
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

function figuresOf(replayed: Replay, settlements: readonly AuditedSettlement[]): Figures {
  const { meters, keys, attestations, retirements, minted, retired, equivocations, skipped } = replayed;
  const evidence = settlements.flatMap((each) => each.evidence ?? []);
  const counted = (bit: number) => sum(evidence.map(({ counts }) => counts.conditions[bit] as number));
  return {
    ...{ meters: meters.size, keys: keys.size, attestations: attestations.size },
    ...{ settlements: replayed.settlements.length, settlements_in_scope: settlements.length },
    ...{ settlements_verified: evidence.length, batches: new Set(evidence.flatMap(({ batch }) => batch ?? [])).size },
    readings: sum(evidence.map(({ readings }) => readings)),
    produced_mwh: replayed.settlements.reduce((all, { produced }) => all + produced, 0n),
    ...{ minted_units: minted, supply_units: minted - retired, retired_units: retired },
    ...{ retirements: retirements.length, rotations: [...keys.values()].filter(({ rotatedIn }) => rotatedIn).length },
    ...{ equivocations: equivocations.length, skipped, gaps: sum(evidence.map(({ counts }) => counts.gaps)) },
    conditions: {
      ...{ drifting: counted(0), invalid: counted(1), discontinuous: counted(2), tamper: counted(3) },
      reserved: counted(4),
    },
  };
}

function besideFiguresOf({ certificates, parks }: ReplayedBeside, verified: Set<Issuance>, token: Hex): BesideFigures {
  const redeemed = certificates?.issuances.reduce((all, each) => all + each.redeemed, 0n);
  const all = [...(parks?.values() ?? [])];
  const incomes = all.flatMap(({ kinds }) => kinds.get(token) ?? []);
  return {
    ...(certificates && {
      certificates: {
        ...{ issued: certificates.issuances.length, verified: verified.size },
        unissued: certificates.issuances.filter(({ isUnissued }) => isUnissued).length,
        ...{ outstanding_mwh: certificates.outstanding, redeemed_mwh: redeemed ?? 0n },
      },
    }),
    ...(parks && {
      parks: {
        ...{ parks: parks.size, meters: sum(all.map(({ meters }) => meters.size)) },
        holders: sum(all.map(({ holders }) => [...holders.values()].filter((shares) => shares > 0n).length)),
        received_units: incomes.reduce((each, { held, claimed }) => each + held + claimed, 0n),
        claimed_units: incomes.reduce((each, { claimed }) => each + claimed, 0n),
      },
    }),
  };
}

const NOTHING: Replay = {
  ...{ meters: new Map(), keys: new Map(), attestations: new Map(), requests: new Map(), settlements: [] },
  ...{ retirements: [], balances: new Map(), minted: 0n, retired: 0n, skipped: 0, equivocations: [] },
  ...{ decommissioned: new Set(), findings: [] },
};

/** Nothing can be said of a chain that cannot be read. */
function unread(scope: Scope, { rule, says }: { rule: string; says: string }): Audit {
  const findings = [missing(rule, "the chain", says)];
  return { verdict: "cannot tell", findings, figures: figuresOf(NOTHING, []), scope, beside: {} };
}
