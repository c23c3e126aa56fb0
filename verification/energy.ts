/** What a meter produced between two readings of one log: the difference of its register. */
import { energyOf, equal, timestampOf } from "../protocol/index.ts";
import type { ReadingProof } from "./proof.ts";
import { type Against, type Verification, verifyReading } from "./reading.ts";
import type { Verdict, Why } from "./steps.ts";

export type EnergyVerdict =
  /** mWh as a decimal text, between two times (Unix time, s) */
  | { is: "verified"; energy: string; from: number; to: number }
  /** by one of the two readings, or by both taken together */
  | { is: "refuted"; of: "start" | "end" | "both"; why: Why }
  | { is: "cannot tell"; of: "start" | "end"; why: Why };

export type EnergyVerification = { verdict: EnergyVerdict; start: Verification; end: Verification };

/** `start` is no later than `end`. Every mWh of it was signed and settled, as each of the two readings is. */
export async function verifyEnergy(
  start: ReadingProof,
  end: ReadingProof,
  against: Against,
): Promise<EnergyVerification> {
  const [first, second] = [await verifyReading(start, against), await verifyReading(end, against)];
  const both = { start: first.verdict, end: second.verdict };
  const verdict =
    ofEither("refuted", both) ?? wrongTogether(start, end) ?? ofEither("cannot tell", both) ?? between(start, end);
  return { verdict, start: first, end: second };
}

type Both = { start: Verdict; end: Verdict };

/** The first of the two readings that is of this verdict. */
function ofEither(is: "refuted" | "cannot tell", both: Both): EnergyVerdict | undefined {
  for (const side of ["start", "end"] as const) {
    const verdict = both[side];
    if (verdict.is === is) return { is, of: side, why: verdict.why };
  }
  return undefined;
}

function wrongTogether(start: ReadingProof, end: ReadingProof): EnergyVerdict | undefined {
  const together = (rule: Why["rule"], says: string): EnergyVerdict => ({
    ...{ is: "refuted", of: "both", why: { rule, says } },
  });
  if (!equal(start.keyId, end.keyId) || start.epoch !== end.epoch) {
    return together("other log", "The two readings are not of one key and epoch.");
  }
  const steps = end.index - start.index;
  const seconds = timestampOf(end.reading) - timestampOf(start.reading);
  if (steps < 0 || Math.sign(seconds) !== Math.sign(steps)) {
    return together("time not forward", "The second reading is not after the first, in the log or in time.");
  }
  return energyOf(end.reading) < energyOf(start.reading)
    ? together("energy backward", "The register went backward between the two readings.")
    : undefined;
}

const between = (start: ReadingProof, end: ReadingProof): EnergyVerdict => ({
  is: "verified",
  energy: (energyOf(end.reading) - energyOf(start.reading)).toString(),
  from: timestampOf(start.reading),
  to: timestampOf(end.reading),
});
