/** The owner has an old backup of the device, from before its last settled reading, and wants it to measure that time again. */
import { bent } from "../../../contracts/test/fixture.ts";
import { liar } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  ...{ meter: liar(roof, 150, (reading) => bent(reading, { temperature: 2100 })), to: 300, settled: SETTLED },
});

export const forgery: Forgery = {
  title: "a log that was rolled back and went on otherwise",
  attacker: "an old backup of the device",
  wants: "to tell a settled hour in another way",
  stoppedBy: "contract",
  rule: "LogInconsistent",
  try: (stage) => stage.settle(part(stage)),
  audit: { rule: "log inconsistent", verdict: "refuted", do: pretending(part) },
};
