/** The audit: the chain read whole, played again, held against its views and a second node, and every reading verified. */
import type { Hex } from "viem";
import { askNumber } from "../verification/chain/asking.ts";
import type { ChainReader } from "../verification/chain/reader.ts";
import { compareViews, stillThere, termsOf } from "./chain/compare.ts";
import { blockAt, type Deployment, type History, historyOf } from "./chain/history.ts";
import { compareNodes } from "./chain/second.ts";
import { type Checkpoint, checkpointOf } from "./checkpoint.ts";
import { checkReadings, type Evidence, type OnHours, settlementId } from "./evidence/checking.ts";
import type { Place } from "./evidence/places.ts";
import { createPool, type Pool } from "./evidence/pool.ts";
import { type Finding, missing, type Verdict, verdictOf } from "./finding.ts";
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

export type Audit = {
  verdict: Verdict;
  findings: Finding[];
  figures: Figures;
  scope: Scope;
  /** absent where the chain could not be read */
  read?: {
    deployment: Deployment;
    history: History;
    replayed: Replay;
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
  const told = await historyOf(chain, { place, fromBlock, toBlock: options.toBlock, watch: { onRead } });
  if (!told.ok) return unread(scope, told.why);
  const history = told.value;
  const terms = await termsOf(history);
  if (!terms.ok) return unread(scope, terms.why);

  onProgress?.({ doing: "replaying the chain", done: history.events.length });
  const replayed = replay(history, terms.value);
  const toBlock = history.block.number;
  const [views, claims, equivocations, other] = await Promise.all([
    compareViews(history, replayed, sourceHash),
    checkClaims(
      history,
      [...replayed.keys.values()].filter(({ logs }) => logs.size > 0),
    ),
    checkEquivocations(history, replayed),
    second && historyOf(second, { place, fromBlock, toBlock }),
  ]);
  const resumed = await resumedFrom(options.checkpoint, history);
  const settlements = replayed.settlements.filter((settlement) => isInScope(settlement, scope));
  const pool = options.pool ?? createPool();
  const { verified, findings } = await checkReadings({
    ...{ history, replayed, settlements, places: options.places, pool, onHours: options.onHours },
    before: resumed === "yes" ? options.checkpoint?.verified : undefined,
    onBatch: options.onBatch,
    onProgress: ({ settlements: done }) =>
      onProgress?.({ doing: "verifying settlements", done, of: settlements.length }),
  }).finally(() => (options.pool ? undefined : pool.close()));

  const all = [
    ...replayed.findings,
    ...views,
    ...claims.findings,
    ...equivocations,
    ...(other ? await compareNodes(history, other) : []),
    ...findings,
    ...stillThere(history, await blockAt(chain, toBlock)),
  ];
  const audited = settlements.map((each) => ({ ...each, evidence: verified.get(settlementId(each)) }));
  const kept = new Map([...(resumed === "yes" ? (options.checkpoint as Checkpoint).verified : []), ...verified]);
  return {
    ...{ verdict: verdictOf(all), findings: all, figures: figuresOf(replayed, audited), scope },
    read: {
      ...{ deployment: history.deployment, history, replayed, byContract: claims.byContract, settlements: audited },
      ...{ sourceHash, resumed, checkpoint: checkpointOf(history.deployment, history.block, kept) },
    },
  };
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

const NOTHING: Replay = {
  ...{ meters: new Map(), keys: new Map(), attestations: new Map(), requests: new Map(), settlements: [] },
  ...{ retirements: [], balances: new Map(), minted: 0n, retired: 0n, skipped: 0, equivocations: [] },
  ...{ decommissioned: new Set(), findings: [] },
};

/** Nothing can be said of a chain that cannot be read. */
function unread(scope: Scope, { rule, says }: { rule: string; says: string }): Audit {
  const findings = [missing(rule, "the chain", says)];
  return { verdict: "cannot tell", findings, figures: figuresOf(NOTHING, []), scope };
}
