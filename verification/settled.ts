/** Whether a reading is part of a log that the contract settled. */
import { equal, verifyInclusion } from "../protocol/index.ts";
import {
  BEHIND,
  baselineOf,
  type Deployment,
  isReadingSettled,
  type SettledLog,
  type Settlement,
  settledLog,
  settlementsOf,
} from "./chain/views.ts";
import type { Inclusion, ReadingProof } from "./proof.ts";
import { holds, refuted, type Step, unknown } from "./steps.ts";

const refutedAs = (rule: "not settled" | "other root" | "wrong proof", says: string, found = {}): Step =>
  refuted("settled", { rule, says }, found);

/**
 * The inclusion proof under the settled log, or, where none is given, the one under the signed head, which is as good where
 * the contract settled that very head.
 */
export async function settledStep(proof: ReadingProof, at: Deployment, fromBlock = 0): Promise<Step> {
  const { keyId, epoch, index, reading, signed, settled } = proof;
  const claim: Inclusion = settled ?? signed;
  if (!verifyInclusion(reading, index, claim.size, claim.proof, claim.root).ok) {
    const says = "Reading and inclusion proof do not lead to the root of the settled log that the proof names.";
    return refutedAs("wrong proof", says, { expected: claim.root });
  }
  const [log, opinion] = await Promise.all([
    settledLog(at, keyId, epoch),
    isReadingSettled(at, keyId, epoch, { index, reading, proof: claim.proof }),
  ]);
  if (!log.ok) return unknown("settled", log.why);
  if (!opinion.ok) return unknown("settled", opinion.why);
  const { size, root } = log.value;
  if (opinion.value !== verifyInclusion(reading, index, size, claim.proof, root).ok) {
    const says = "The chain's node shows another settled log than the contract's own verifyReading: ask another.";
    return unknown("settled", { rule: "contradicts itself", says });
  }
  const facts = { size, block: at.block };
  const compared = { computed: claim.root, expected: root, facts };
  const [isSize, isRoot] = [size === claim.size, equal(root, claim.root)];
  if (isSize && isRoot) return holds("settled", compared);
  if (isSize) return refutedAs("other root", "The contract settled another log of this size.", compared);
  if (isRoot) {
    const says = `The contract settled this root under ${size} readings, not ${claim.size}.`;
    return refutedAs("not settled", says, { computed: `${claim.size}`, expected: `${size}`, facts });
  }
  if (size < claim.size) return notYet(proof, at, log.value);
  return settledBefore(proof, claim, at, log.value, fromBlock);
}

/** The contract has settled fewer readings than the claim says. */
function notYet({ index, settled }: ReadingProof, at: Deployment, { size }: SettledLog): Step {
  const facts = { size, block: at.block };
  if (!settled) {
    const says =
      index < size ? `It is settled under ${size} readings, which the proof is not for.` : "It is not settled yet.";
    return unknown("settled", { rule: index < size ? "settled further" : "not settled", says }, { facts });
  }
  const says = `The contract has settled ${size} readings of this log by block ${at.block}, not ${settled.size}.`;
  const { block = 0 } = settled.mark ?? {};
  return block > at.block && block <= at.block + BEHIND
    ? unknown("settled", { rule: "not settled", says: `${says} The node may be behind.` }, { facts })
    : refutedAs("not settled", says, { computed: `${settled.size}`, expected: `${size}`, facts });
}

/** The contract has settled more since: its events say what was settled before. */
async function settledBefore(
  { keyId, epoch, settled }: ReadingProof,
  claim: Inclusion,
  at: Deployment,
  { size }: SettledLog,
  fromBlock: number,
): Promise<Step> {
  const facts = { size, block: at.block };
  const says = `The contract has settled ${size} readings since, and this proof is for ${claim.size}: fetch it again.`;
  const lost = unknown("settled", { rule: "settled further", says }, { facts });
  const [baseline, settlements] = await Promise.all([
    baselineOf(at, keyId, fromBlock, at.block),
    settlementsOf(at, keyId, fromBlock, at.block),
  ]);
  if (!baseline.ok || !settlements.ok) return lost;
  const begun = baseline.value ? [baseline.value] : [];
  const all = [...begun, ...settlements.value].filter((settlement) => settlement.epoch === epoch);
  const then = all.find((settlement) => settlement.size === claim.size);
  if (then) {
    const compared = { computed: claim.root, expected: then.root, facts: { ...facts, settledThen: then.size } };
    return equal(then.root, claim.root)
      ? holds("settled", compared)
      : refutedAs("other root", "The contract settled another log of this size.", compared);
  }
  return settled && joins(all, size)
    ? refutedAs("not settled", `The contract never settled this log at ${claim.size} readings.`, { facts })
    : lost;
}

/** Whether settlements lead from nothing to `size` without one missing. */
function joins(settlements: readonly Settlement[], size: number): boolean {
  let reached = 0;
  for (const { fromSize, size } of [...settlements].sort((a, b) => a.size - b.size)) {
    if (fromSize !== reached) return false;
    reached = size;
  }
  return reached === size;
}
