/** A fork of the chain has every head that devices signed there, and wants them to mint here as well. */
import { createMeter } from "../../../contracts/test/fixture.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ place }: Stage) => ({
  ...{ meter: createMeter({ ...place, chainId: 1 }, 1), to: 300, settled: SETTLED },
});

export const forgery: Forgery = {
  title: "a head that was signed for another chain",
  attacker: "a fork of the chain",
  wants: "to mint on two chains what was produced once",
  stoppedBy: "contract",
  rule: "SignatureInvalid",
  try: (stage) => stage.settle(part(stage)),
  audit: { rule: "wrong domain", verdict: "refuted", do: pretending(part) },
};
