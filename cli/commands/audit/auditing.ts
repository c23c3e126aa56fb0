/** `wattwitness audit`, and `verify tx`, which is an audit of one transaction's settlements. */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createPublicClient, type Hex, http } from "viem";
import type { History } from "../../../auditor/chain/history.ts";
import { missing, verdictOf } from "../../../auditor/finding.ts";
import {
  type Audit,
  type AuditOptions,
  audit,
  placeOf,
  readCheckpoint,
  type Scope,
  writeCheckpoint,
} from "../../../auditor/index.ts";
import { writeEvidence } from "../../../auditor/second/evidence.ts";
import type { GlobalOptions } from "../../command.ts";
import { EXIT, Problem } from "../../problem.ts";
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
  evidence?: string;
};

export async function auditing(options: AuditingOptions): Promise<Judged> {
  const { meter: meters, from, to, checkpoint: file, evidence } = options;
  if (evidence !== undefined) checkWhole(options);
  const kept = evidence === undefined ? undefined : await keeping(evidence);
  const result = await run(options, { meters, from, to }, kept && { onBatch: kept });
  if (evidence !== undefined && result.read) await writeChain(evidence, options, result.read.history);
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

/** What the second auditor is given is everything, or it could not come to the same. */
function checkWhole({ meter, from, to, checkpoint }: AuditingOptions): void {
  if (meter === undefined && from === undefined && to === undefined && checkpoint === undefined) return;
  throw new Problem("--evidence is of a whole audit: without --meter, --from, --to and --checkpoint.", EXIT.usage);
}

type OnBatch = NonNullable<AuditOptions["onBatch"]>;

/** Batches by their digest, in a folder that is made. */
async function keeping(folder: string): Promise<OnBatch> {
  await mkdir(join(folder, "batches"), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Problem(`--evidence ${folder} cannot be made (${error.code}).`);
  });
  return async (bytes) => {
    const digest = createHash("sha256").update(bytes).digest("hex");
    await writeFile(join(folder, "batches", `0x${digest}`), bytes);
  };
}

async function writeChain(folder: string, options: AuditingOptions, { deployment, block }: History): Promise<void> {
  const client = createPublicClient({ transport: http(options.rpcUrl) });
  const { secondRpcUrl } = options;
  const second = secondRpcUrl === undefined ? undefined : createPublicClient({ transport: http(secondRpcUrl) });
  const blocks = { fromBlock: BigInt(chainOf(options).fromBlock), toBlock: BigInt(block.number) };
  await writeEvidence(folder, { client, second, registry: deployment.registry, ...blocks, batches: [] });
}

/** What else is told of what is read. */
type Telling = Pick<AuditOptions, "onBatch" | "onHours">;

export async function run(options: AuditingOptions, scope: Scope, telling: Telling = {}): Promise<Audit> {
  const { secondRpcUrl, batches, checkpoint: file } = options;
  const bar = progress();
  try {
    return await audit({
      ...{ ...chainOf(options), scope, places: batches.map(placeOf), sourceHash: await sourceHash() },
      second: secondRpcUrl === undefined ? undefined : nodeAt(secondRpcUrl),
      checkpoint: file === undefined ? undefined : await readCheckpoint(file),
      onProgress: bar.told,
      ...telling,
    });
  } finally {
    bar.clear();
  }
}

const judged = (result: Audit, { batches, secondRpcUrl }: AuditingOptions): Judged => ({
  ...{ verdict: result.verdict, text: auditText(result) },
  data: auditData(result, { places: batches, nodes: secondRpcUrl === undefined ? 1 : 2 }),
});
