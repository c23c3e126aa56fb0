/** A copied device has signed two heads of one size, and wants the one that suits it to be settled when the other is known. */
import { equivocationOf } from "../forging.ts";
import { type Forgery, SETTLED, type Stage } from "../frame.ts";

const prove = ({ fixture, roof }: Stage) =>
  fixture.send({ ...fixture.wattWitness, functionName: "proveEquivocation", args: [equivocationOf(roof, 300)] });

export const forgery: Forgery = {
  title: "one of two heads of one size",
  attacker: "a copied device",
  wants: "to choose later which of two stories is settled",
  stoppedBy: "contract",
  rule: "Skipped: Frozen",
  async try(stage) {
    await prove(stage);
    return stage.settle({ meter: stage.roof, to: 300, settled: SETTLED });
  },
  audit: {
    rule: "key not active",
    verdict: "refuted",
    async do(stage) {
      await prove(stage);
      await stage.pretend({ meter: stage.roof, to: 300, settled: SETTLED });
      return stage.audited();
    },
  },
};
