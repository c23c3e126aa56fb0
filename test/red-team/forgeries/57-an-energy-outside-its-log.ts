/** A replaced chip that lies, with a bribed DON, signs a head whose reading is not in its log, and wants tokens for an energy that nobody can ever show. */
import { bent, headOf } from "../../../contracts/test/fixture.ts";
import { foundByAuditor, mintedByBribe, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => {
  const { reading } = headOf(roof, 300);
  return { meter: roof, to: 300, settled: SETTLED, head: { reading: bent(reading, { energy: 3_000_000n }) } };
};

export const forgery = foundByAuditor({
  title: "a head whose reading is not in its own log",
  attacker: "a replaced chip, with a bribed DON",
  wants: "tokens for an energy that nobody can ever show",
  isMinted: true,
  audit: { rule: "last reading", verdict: "refuted", do: mintedByBribe(part) },
});
