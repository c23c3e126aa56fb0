/** A replaced chip signs a register that is nearly full, and wants a sum somewhere to overflow. */
import { batchOf, lastBent, rootOf } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  ...{ meter: lastBent(roof, 300, { energy: 2n ** 64n - 1n }), to: 300, settled: SETTLED },
});

export const forgery: Forgery = {
  title: "an energy near 2^64",
  attacker: "a replaced chip",
  wants: "to have an overflow mint for it",
  stoppedBy: "DON",
  rule: "beyond capacity",
  try: (stage) => stage.sandbox(batchOf(part(stage)), rootOf(part(stage))),
  audit: { rule: "beyond capacity", verdict: "refuted", do: pretending(part) },
};
