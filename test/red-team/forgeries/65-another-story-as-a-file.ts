/** A copied device has signed another story of the settled hours, and its owner hands the batch of it to an auditor by itself. */
import { bent } from "../../../contracts/test/fixture.ts";
import { batchOf, liar } from "../forging.ts";
import { foundByAuditor, SETTLED } from "../frame.ts";

export const forgery = foundByAuditor({
  title: "a batch of another story than the settled one, shown by itself",
  attacker: "a copied device",
  wants: "a file to pass that contradicts the chain",
  audit: {
    rule: "root",
    verdict: "refuted",
    do: (stage) => {
      const meter = liar(stage.roof, 150, (reading) => bent(reading, { temperature: 2100 }));
      return stage.auditedAlone(batchOf({ meter, to: SETTLED, settled: 0 }));
    },
  },
});
