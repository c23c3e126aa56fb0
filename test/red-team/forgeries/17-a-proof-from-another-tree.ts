/** A bribed DON vouches for a tree that agrees with itself, and wants its consistency proof to join it to the settled one. */
import { bent } from "../../../contracts/test/fixture.ts";
import { liar } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  ...{ meter: liar(roof, 0, (reading) => bent(reading, { temperature: 2100 })), to: 300, settled: SETTLED },
});

export const forgery: Forgery = {
  title: "a consistency proof from another tree",
  attacker: "a bribed DON, with the device's key",
  wants: "to put another history in the place of the settled one",
  stoppedBy: "contract",
  rule: "LogInconsistent",
  try: (stage) => stage.settle(part(stage)),
  audit: { rule: "log inconsistent", verdict: "refuted", do: pretending(part) },
};
