/** A stolen oracle of another deployment has heads signed for its registry, and wants them to mint in this one. */
import { createMeter, headOf, signHead } from "../../../contracts/test/fixture.ts";
import { postOf } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ place, roof }: Stage) => {
  const elsewhere = createMeter({ ...place, registry: `0x${"12".repeat(20)}` }, 1);
  return { meter: roof, to: 300, settled: SETTLED, signature: signHead(elsewhere, headOf(elsewhere, 300)) };
};

export const forgery: Forgery = {
  title: "a head that was signed for another registry",
  attacker: "a stolen oracle",
  wants: "to mint in two systems what was produced once",
  stoppedBy: "oracle",
  rule: "bad signature",
  try: (stage) => stage.post(postOf(part(stage), SETTLED)),
  audit: { rule: "bad signature", verdict: "refuted", do: pretending(part) },
};
