/** A settlement against what its readings come to. */
import type { Hex } from "viem";
import { conditionsOf, energyOf, sourceOf, timestampOf, toHex } from "../../protocol/index.ts";
import { type Finding, missing, refuted, type Where } from "../finding.ts";
import { isUnattested, type Settlement } from "../replay/settling.ts";
import type { SegmentResult } from "./segment.ts";

/** A head's reading may have these: energy repeated, step not counted. */
const HARMLESS = 0x06;

export const objectOf = ({ keyId, epoch, size }: Pick<Settlement, "keyId" | "epoch" | "size">): string =>
  `settlement of ${keyId}, epoch ${epoch}, size ${size}`;

/** `attestation`: the root over the batch that the segment is in. */
export function judge(settlement: Settlement, segment: SegmentResult, more: Where, attestation?: Hex): Finding[] {
  const { before, first } = settlement;
  const where = { ...settlement.where, ...more };
  const object = objectOf(settlement);
  const findings: Finding[] = [];
  const hold = (rule: string, expected: unknown, found: unknown) => {
    if (String(expected) !== String(found)) findings.push(refuted(rule, object, expected, found, where));
  };
  hold("other key", settlement.keyId, toHex(segment.keyId));
  hold("root", settlement.root, toHex(segment.root));
  hold("last reading", `${settlement.timestamp} ${settlement.energy}`, momentOf(segment.last));
  hold("source", settlement.source, sourceOf(segment.last));
  if (conditionsOf(segment.last) & ~HARMLESS) hold("conditions", "none that blocks", conditionsOf(segment.last));
  if (before) {
    const { earlier } = segment;
    if (earlier) {
      hold("log inconsistent", before.root, toHex(earlier.root));
      hold("earlier reading", `${before.timestamp} ${before.energy}`, momentOf(earlier.reading));
    } else hold("segment gap", `from below ${before.size}`, segment.from);
  } else {
    hold("segment gap", 0, segment.from);
    if (first) hold("reading 0", `${first.timestamp} ${first.energy}`, momentOf(segment.first));
  }
  if (segment.rules.failure) {
    hold(segment.rules.failure, "every reading within the rules", `reading ${segment.from + (segment.rules.at ?? 0)}`);
  }
  if (segment.signature === "none") {
    findings.push(missing("no signature", object, "neither a batch, the transaction nor a checkpoint has it", where));
  } else if (segment.signature !== "valid") hold(segment.signature, "a signature of its key over the head", "another");
  if (!isUnattested(settlement.attestation)) {
    hold("capacity", settlement.capacity, segment.capacity);
    hold("attestation root", settlement.attestation, attestation);
  }
  return findings;
}

const momentOf = (reading: Uint8Array): string => `${timestampOf(reading)} ${energyOf(reading)}`;
