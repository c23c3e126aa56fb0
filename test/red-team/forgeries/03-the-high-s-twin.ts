/** A man in the middle has a signature of the device's, and wants its other form to count as another one. */
import { headOf, signHead } from "../../../contracts/test/fixture.ts";
import { highS, postOf } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  ...{ meter: roof, to: 300, settled: SETTLED, signature: highS(signHead(roof, headOf(roof, 300))) },
});

export const forgery: Forgery = {
  title: "the high-s twin of a signature",
  attacker: "a man in the middle",
  wants: "to have one head settled under two signatures",
  stoppedBy: "oracle",
  rule: "high s",
  try: (stage) => stage.post(postOf(part(stage), SETTLED)),
  audit: { rule: "high s", verdict: "refuted", do: pretending(part) },
};
