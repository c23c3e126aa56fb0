/** A stolen oracle has the readings of a day, and wants the noon of it at another hour. */
import { headOf, signHead } from "../../../contracts/test/fixture.ts";
import { batchOf, meterWith, rootOf } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => {
  const [one, other] = roof.readingsOf().slice(250, 252) as [Uint8Array, Uint8Array];
  const meter = meterWith(roof, roof.readingsOf().toSpliced(250, 2, other, one));
  return { meter, to: 300, settled: SETTLED, signature: signHead(roof, headOf(roof, 300)) };
};

export const forgery: Forgery = {
  title: "a batch in which two readings changed places",
  attacker: "a stolen oracle",
  wants: "energy to have been produced at a better price",
  stoppedBy: "DON",
  rule: "time not forward",
  try: (stage) => stage.sandbox(batchOf(part(stage)), rootOf(part(stage))),
  audit: { rule: "time not forward", verdict: "refuted", do: pretending(part) },
};
