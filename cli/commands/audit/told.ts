/** What an audit found, as a person reads it. */
import { formatUnits } from "viem";
import type { Finding, Verdict } from "../../../auditor/finding.ts";
import type { Audit, Figures } from "../../../auditor/index.ts";
import { STATUSES } from "../../../verification/chain/views.ts";
import { list, time } from "../../terminal/telling.ts";

const VERDICTS: Record<Verdict, string> = {
  verified: "Verified: every token leads back to what a registered device signed.",
  refuted: "Refuted.",
  "cannot tell": "Cannot tell: something is missing.",
};

export function auditText({ verdict, findings, figures, read }: Audit): string {
  if (!read) return [VERDICTS[verdict], ...findings.map(findingText)].join("\n");
  const { deployment, history, byContract, resumed } = read;
  const { block } = history;
  const conditions = Object.entries(figures.conditions).filter(([, count]) => count > 0);
  const facts = list({
    contracts: `${deployment.registry} on chain ${deployment.chainId}`,
    block: `${block.number}, ${block.hash}, ${time(block.timestamp)} UTC`,
    events: `${history.events.length}, ${history.hash}`,
    meters: `${figures.meters}, with ${figures.keys} keys`,
    attestations: figures.attestations,
    settlements: `${figures.settlements}: ${figures.settlements_verified} verified of ${figures.settlements_in_scope} looked for`,
    readings: `${figures.readings} in ${figures.batches} batches and in tiles, with ${figures.gaps} gaps`,
    conditions: conditions.map(([name, count]) => `${count} ${name}`).join(", ") || undefined,
    produced: `${formatUnits(figures.produced_mwh, 6)} kWh`,
    minted: `${formatUnits(figures.minted_units, 18)} kWh`,
    supply: `${formatUnits(figures.supply_units, 18)} kWh, and ${formatUnits(figures.retired_units, 18)} retired`,
    "seen by the contract alone": byContract.length > 0 ? `claims of ${byContract.length} keys` : undefined,
    checkpoint: resumed === "no" ? undefined : resumed === "yes" ? "gone on from" : "of another chain: begun anew",
  });
  return [
    sentence(verdict, figures),
    "",
    facts,
    ...(findings.length > 0 ? [""] : []),
    ...findings.map(findingText),
  ].join("\n");
}

/** Where only some readings were looked for, nothing is said of the others. */
function sentence(verdict: Verdict, { settlements, settlements_in_scope: some }: Figures): string {
  if (verdict !== "verified" || some === settlements) return VERDICTS[verdict];
  return `Verified, as far as was asked: the chain's history, and the readings of ${some} of ${settlements} settlements.`;
}

export function findingText({ is, rule, object, expected, found, where }: Finding): string {
  const lines = [`${is === "refuted" ? "✖" : "?"} ${rule}: ${object}`];
  if (expected !== undefined) lines.push(`    expected  ${expected}`);
  if (found !== undefined) lines.push(`    found     ${found}`);
  const at = Object.entries(where).map(([name, value]) => `${name} ${value}`);
  if (at.length > 0) lines.push(`    at        ${at.join(", ")}`);
  return lines.join("\n");
}

/** What an audit stood on beside the chain: where it looked, and how many nodes it asked. */
export type Means = { places: readonly string[]; nodes: number };

/** For programs, and for a report: energies and units are decimal texts. */
export function auditData({ verdict, findings, figures, scope, read }: Audit, { places, nodes }: Means): object {
  if (!read) return { verdict, findings, figures, scope, places, nodes };
  const { deployment, history, replayed, byContract, settlements, sourceHash, resumed } = read;
  const { number, hash, timestamp } = history.block;
  return {
    ...{ verdict, findings, figures, scope, places, nodes, resumed },
    contracts: { ...deployment, attestors: history.attestors },
    ...{ block: { number, hash, timestamp }, events: history.events.length, events_hash: history.hash },
    ...{ source_hash: sourceHash, by_contract: byContract },
    settlements: settlements.map(({ publicKey, before, evidence, ...each }) => ({
      ...each,
      ...{ verified: evidence !== undefined, evidence: evidence ?? null },
    })),
    meters: [...replayed.meters.values()].map(({ keys, meter, owner, details }) => ({
      ...{ meter, owner, details },
      keys: keys.map(({ keyId, status, since, until, capacity, produced }) => ({
        ...{ key_id: keyId, status: STATUSES[status], since, until, capacity, produced_mwh: produced },
      })),
    })),
    retirements: replayed.retirements,
  };
}
