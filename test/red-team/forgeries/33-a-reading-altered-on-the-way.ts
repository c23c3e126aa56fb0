/** A man in the middle passes on what a device posts, and wants one reading of it to say more. */
import { bent, headOf, signHead } from "../../../contracts/test/fixture.ts";
import { liar, postOf } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  meter: liar(roof, 250, (reading, i) => (i === 250 ? bent(reading, { power: 4_000_000n }) : reading)),
  ...{ to: 300, settled: SETTLED, signature: signHead(roof, headOf(roof, 300)) },
});

export const forgery: Forgery = {
  title: "a reading altered between device and oracle",
  attacker: "a man in the middle",
  wants: "a device to have said what it did not",
  stoppedBy: "oracle",
  rule: "bad signature",
  try: (stage) => stage.post(postOf(part(stage), SETTLED)),
  audit: { rule: "bad signature", verdict: "refuted", do: pretending(part) },
};
