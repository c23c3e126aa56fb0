/** A replaced chip that lies, with a bribed DON, signs a head whose reading is not in its log, and wants tokens for an energy that nobody can ever show. */
import { attestedItems, bent, headOf } from "../../../contracts/test/fixture.ts";
import { batchOf } from "../forging.ts";
import { foundByAuditor, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => {
  const { reading } = headOf(roof, 300);
  return { meter: roof, to: 300, settled: SETTLED, head: { reading: bent(reading, { energy: 3_000_000n }) } };
};

export const forgery = foundByAuditor({
  title: "a head whose reading is not in its own log",
  attacker: "a replaced chip, with a bribed DON",
  wants: "tokens for an energy that nobody can ever show",
  isMinted: true,
  audit: {
    rule: "last reading",
    verdict: "refuted",
    async do(stage) {
      const { attestation, items } = attestedItems([part(stage)]);
      await stage.bribed(attestation, stage.publish(batchOf(part(stage))));
      await stage.mints(() => stage.fixture.settle(attestation, items));
      return stage.audited();
    },
  },
});
