/** A lying RPC has made a chain of its own, and wants a settlement on it to look as if a device had signed it. */
import { createMeter, headOf, signHead } from "../../../contracts/test/fixture.ts";
import { foundByAuditor, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ place, roof }: Stage) => ({
  ...{ meter: roof, to: 300, settled: SETTLED, signature: signHead(createMeter(place, 77), headOf(roof, 300)) },
});

export const forgery = foundByAuditor({
  title: "an RPC that invents a settlement",
  attacker: "a lying RPC",
  wants: "tokens to look minted that never were",
  audit: { rule: "bad signature", verdict: "refuted", do: pretending(part) },
});
