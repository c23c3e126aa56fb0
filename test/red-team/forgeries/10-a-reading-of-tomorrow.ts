/** A man in the middle answers the device as its time server, and wants energy counted for a time that is not yet. */
import { START } from "../../../contracts/test/fixture.ts";
import { lastBent } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  ...{ meter: lastBent(roof, 300, { timestamp: START + 86_400 }), to: 300, settled: SETTLED },
});

export const forgery: Forgery = {
  title: "a reading of tomorrow",
  attacker: "a man in the middle",
  wants: "to be paid ahead of the sun",
  stoppedBy: "contract",
  rule: "TimeAhead",
  try: (stage) => stage.settle(part(stage)),
  audit: { rule: "time ahead", verdict: "refuted", do: pretending(part) },
};
