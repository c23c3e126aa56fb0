/** A copied device has the key and the log so far, and wants to tell the same hours of another roof. */
import { bent } from "../../../contracts/test/fixture.ts";
import { liar, postOf } from "../forging.ts";
import { type Forgery, SETTLED, type Stage } from "../frame.ts";

const copy = ({ roof }: Stage, from: number) => liar(roof, from, (reading) => bent(reading, { voltage: 231_000 }));

export const forgery: Forgery = {
  title: "a second story of a copied device",
  attacker: "a copied device",
  wants: "one key to measure two roofs",
  stoppedBy: "oracle",
  rule: "wrong reading",
  try: (stage) => stage.post(postOf({ meter: copy(stage, 150), to: 300 }, 150)),
  audit: {
    rule: "log inconsistent",
    verdict: "refuted",
    async do(stage) {
      await stage.settle({ meter: stage.roof, to: 300, settled: SETTLED });
      await stage.pretend({ meter: copy(stage, 250), to: 350, settled: 300 });
      return stage.audited();
    },
  },
};
