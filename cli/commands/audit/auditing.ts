/** `wattwitness audit`, and `verify tx`, which is an audit of one transaction's settlements. */
import type { Hex } from "viem";
import type { OnHours } from "../../../auditor/evidence/checking.ts";
import { missing, verdictOf } from "../../../auditor/finding.ts";
import { type Audit, audit, placeOf, readCheckpoint, type Scope, writeCheckpoint } from "../../../auditor/index.ts";
import type { GlobalOptions } from "../../command.ts";
import { progress } from "../../terminal/progress.ts";
import { chainOf, type Judged, nodeAt, sourceHash } from "./options.ts";
import { auditData, auditText } from "./told.ts";

export type AuditingOptions = GlobalOptions & {
  secondRpcUrl?: string;
  batches: string[];
  meter?: Hex[];
  from?: number;
  to?: number;
  checkpoint?: string;
};

export async function auditing(options: AuditingOptions): Promise<Judged> {
  const { meter: meters, from, to, checkpoint: file } = options;
  const result = await run(options, { meters, from, to });
  if (file !== undefined && result.read) await writeCheckpoint(file, result.read.checkpoint);
  return judged(result, options);
}

export async function transaction(hash: Hex, options: AuditingOptions): Promise<Judged> {
  const result = await run(options, { transaction: hash });
  if (result.read && result.figures.settlements_in_scope === 0) {
    result.findings.push(missing("no settlement", `transaction ${hash}`, "the chain has none in it"));
    result.verdict = verdictOf(result.findings);
  }
  return judged(result, options);
}

export async function run(options: AuditingOptions, scope: Scope, onHours?: OnHours): Promise<Audit> {
  const { secondRpcUrl, batches, checkpoint: file } = options;
  const bar = progress();
  try {
    return await audit({
      ...{ ...chainOf(options), scope, places: batches.map(placeOf), sourceHash: await sourceHash() },
      second: secondRpcUrl === undefined ? undefined : nodeAt(secondRpcUrl),
      checkpoint: file === undefined ? undefined : await readCheckpoint(file),
      onProgress: bar.told,
      onHours,
    });
  } finally {
    bar.clear();
  }
}

const judged = (result: Audit, { batches, secondRpcUrl }: AuditingOptions): Judged => ({
  ...{ verdict: result.verdict, text: auditText(result) },
  data: auditData(result, { places: batches, nodes: secondRpcUrl === undefined ? 1 : 2 }),
});
