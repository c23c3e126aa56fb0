/** An owner with a screwdriver has opened the enclosure, which the device saw, and wants what it measures since to mint. */
import { CONDITIONS } from "../../../protocol/index.ts";
import { lastBent } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  ...{ meter: lastBent(roof, 300, { conditions: CONDITIONS.tamper }), to: 300, settled: SETTLED },
});

export const forgery: Forgery = {
  title: "a reading of an opened enclosure",
  attacker: "an owner with a screwdriver",
  wants: "a turned clamp to count",
  stoppedBy: "contract",
  rule: "ConditionsBlock",
  try: (stage) => stage.settle(part(stage)),
  audit: { rule: "conditions", verdict: "refuted", do: pretending(part) },
};
