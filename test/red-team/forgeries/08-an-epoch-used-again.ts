/** A replaced chip has the key and a counter at its beginning, and wants the number of a log that is settled already. */
import { produce, START } from "../../../contracts/test/fixture.ts";
import { meterWith } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => {
  const log = produce({ count: 100, from: { timestamp: START + 3000, energy: 2_000_000n } });
  return { meter: meterWith(roof, log), to: 100, settled: 0, settledTimestamp: START + 10 * (SETTLED - 1) };
};

export const forgery: Forgery = {
  title: "another log under the epoch of a settled one",
  attacker: "a replaced chip",
  wants: "to begin a log anew without being seen to",
  stoppedBy: "contract",
  rule: "Skipped: Overtaken",
  try: (stage) => stage.settle(part(stage)),
  audit: { rule: "size does not join", verdict: "refuted", do: pretending(part) },
};
