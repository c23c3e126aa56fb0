/** A man in the middle sets the clock of a bent device back, and wants an hour to have two readings. */
import { START } from "../../../contracts/test/fixture.ts";
import { lastBent, postOf } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  ...{ meter: lastBent(roof, 300, { timestamp: START + 1000 }), to: 300, settled: SETTLED },
});

export const forgery: Forgery = {
  title: "a reading from before the last one",
  attacker: "a man in the middle",
  wants: "to have an hour counted twice",
  stoppedBy: "oracle",
  rule: "time not forward",
  try: (stage) => stage.post(postOf(part(stage), SETTLED)),
  audit: { rule: "time not forward", verdict: "refuted", do: pretending(part) },
};
