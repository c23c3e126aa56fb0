/** An owner with a screwdriver has turned the register back, and wants to produce the same kWh again. */
import { lastBent, postOf } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  ...{ meter: lastBent(roof, 300, { energy: 0n }), to: 300, settled: SETTLED },
});

export const forgery: Forgery = {
  title: "a register turned back",
  attacker: "an owner with a screwdriver",
  wants: "to count the same kWh twice",
  stoppedBy: "oracle",
  rule: "energy backward",
  try: (stage) => stage.post(postOf(part(stage), SETTLED)),
  audit: { rule: "energy backward", verdict: "refuted", do: pretending(part) },
};
