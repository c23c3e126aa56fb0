/** Somebody with a chip of his own, which nobody registered, hands a batch of it to an auditor by itself. */
import { createMeter } from "../../../contracts/test/fixture.ts";
import { batchOf } from "../forging.ts";
import { foundByAuditor } from "../frame.ts";

export const forgery = foundByAuditor({
  title: "a batch of a chip that nobody registered, shown by itself",
  attacker: "a replaced chip",
  wants: "a file to pass for a meter's",
  audit: {
    rule: "unknown key",
    verdict: "refuted",
    do: (stage) => stage.auditedAlone(batchOf({ meter: createMeter(stage.place, 11), to: 100, settled: 0 })),
  },
});
