/** An owner with a screwdriver has a chip that signs another register of the meter, and wants what he consumes to be minted. */
import { lastBent, postOf } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  ...{ meter: lastBent(roof, 300, { source: 0 }), to: 300, settled: SETTLED },
});

export const forgery: Forgery = {
  title: "consumption instead of production",
  attacker: "an owner with a screwdriver",
  wants: "to be paid for what he uses",
  stoppedBy: "oracle",
  rule: "source mismatch",
  try: (stage) => stage.post(postOf(part(stage), SETTLED)),
  audit: { rule: "source", verdict: "refuted", do: pretending(part) },
};
