/** Whether the settlement that a proof names happened as it says. */
import { equal, toHex } from "../protocol/index.ts";
import { attestationOf, BEHIND, baselineOf, type Deployment, type Settlement, settlementsOf } from "./chain/views.ts";
import type { Mark, ReadingProof } from "./proof.ts";
import { holds, refuted, type Step, unknown } from "./steps.ts";

const NONE = new Uint8Array(32);

export async function settlementStep(proof: ReadingProof, mark: Mark, at: Deployment): Promise<Step> {
  const { keyId, epoch, index } = proof;
  if (mark.epoch !== epoch || index >= mark.size) {
    return other(
      "The settlement that the proof names does not cover this reading.",
      `${mark.epoch}/${mark.size}`,
      `${epoch}/${index}`,
    );
  }
  if (mark.block > at.block) return ahead(mark, at);
  const [answer, baseline] = await Promise.all([
    settlementsOf(at, keyId, mark.block, mark.block),
    baselineOf(at, keyId, mark.block, mark.block),
  ]);
  if (!answer.ok) return unknown("settlement", answer.why);
  if (!baseline.ok) return unknown("settlement", baseline.why);
  const all = [...answer.value, ...(baseline.value ? [baseline.value] : [])];
  const found = all.find((settlement) => settlement.epoch === epoch && settlement.size === mark.size);
  if (!found) {
    const says = `Block ${mark.block} settled no ${mark.size} readings of this log.`;
    return refuted("settlement", { rule: "no such settlement", says });
  }
  const difference = differenceOf(mark, found);
  if (difference) {
    const [name, said, is] = difference;
    return other(`The settlement's ${name} is another.`, said, is);
  }
  return attested(found, at);
}

const other = (says: string, computed: string, expected: string): Step =>
  refuted("settlement", { rule: "other settlement", says }, { computed, expected });

function ahead({ block }: Mark, at: Deployment): Step {
  const why = {
    rule: "no such settlement",
    says: `The chain's node knows no block ${block}: it is at ${at.block}.`,
  } as const;
  return block <= at.block + BEHIND ? unknown("settlement", why) : refuted("settlement", why);
}

/** The first of what a mark says that is not so, with what is said and what is. */
function differenceOf(mark: Mark, found: Settlement): [string, string, string] | undefined {
  const pairs = [
    ["transaction", toHex(mark.transaction), toHex(found.transaction)],
    ["from", `${mark.fromSize}`, `${found.fromSize}`],
    ["root", toHex(mark.root), toHex(found.root)],
    ["production", `${mark.produced}`, `${found.produced}`],
    ["attestation", toHex(mark.attestation ?? NONE), toHex(found.attestation)],
  ] as const;
  const pair = pairs.find(([, said, is]) => said !== is);
  return pair && [...pair];
}

async function attested(found: Settlement, at: Deployment): Promise<Step> {
  const facts = {
    ...{ transaction: toHex(found.transaction), block: found.block, blocksSince: at.block - found.block },
    ...{ fromSize: found.fromSize, size: found.size, produced: found.produced.toString() },
  };
  const compared = { computed: found.root, expected: found.root };
  if (equal(found.attestation, NONE)) return holds("settlement", { ...compared, facts });
  const answer = await attestationOf(at, found.attestation);
  if (!answer.ok) return unknown("settlement", answer.why, { facts });
  const { attestor, attestedAt } = answer.value;
  if (attestedAt === 0) {
    const says = "The chain's node shows a settlement under an attestation that it does not show.";
    return unknown("settlement", { rule: "contradicts itself", says }, { facts });
  }
  return holds("settlement", {
    ...compared,
    facts: { ...facts, attestation: toHex(found.attestation), attestor, attestedAt },
  });
}
