/** A stolen oracle has the log and the signature over it, and wants one reading of it gone. */
import { headOf, signHead } from "../../../contracts/test/fixture.ts";
import { batchOf, meterWith, rootOf } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  meter: meterWith(roof, roof.readingsOf().toSpliced(250, 1)),
  ...{ to: 299, settled: SETTLED, signature: signHead(roof, headOf(roof, 300)) },
});

export const forgery: Forgery = {
  title: "a batch in which one reading was dropped",
  attacker: "a stolen oracle",
  wants: "to hide what a device measured",
  stoppedBy: "DON",
  rule: "bad signature",
  try: (stage) => stage.sandbox(batchOf(part(stage)), rootOf(part(stage))),
  audit: { rule: "bad signature", verdict: "refuted", do: pretending(part) },
};
