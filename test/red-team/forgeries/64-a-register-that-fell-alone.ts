/** An owner who has his device's key waits until it settles without a DON, and wants nobody to look between its readings. */
import { zeroHash } from "viem";
import { bent, START, unattestedItem } from "../../../contracts/test/fixture.ts";
import { batchOf, liar } from "../forging.ts";
import { foundByAuditor, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  meter: liar(roof, 230, (reading, i) => (i === 230 ? bent(reading, { energy: 0n }) : reading)),
  ...{ to: 300, settled: SETTLED },
});

export const forgery = foundByAuditor({
  title: "readings that break the rules, settled on the device's signature alone",
  attacker: "an owner with his device's key",
  wants: "to have no DON look at his readings",
  isMinted: true,
  audit: {
    rule: "energy backward",
    verdict: "refuted",
    async do(stage) {
      await stage.fixture.at(START + 31 * 86_400);
      await stage.mints(() => stage.fixture.settle(zeroHash, [unattestedItem(part(stage))]));
      stage.publish(batchOf(part(stage)));
      return stage.audited();
    },
  },
});
