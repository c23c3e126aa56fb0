/** A bribed DON vouches for whatever it is paid for, and wants a kWh that no device signed. */
import { createMeter, headOf, signHead } from "../../../contracts/test/fixture.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ place, roof }: Stage) => ({
  ...{ meter: roof, to: 300, settled: SETTLED, signature: signHead(createMeter(place, 78), headOf(roof, 300)) },
});

export const forgery: Forgery = {
  title: "a head that the device did not sign, attested by all nodes of the DON",
  attacker: "a bribed DON",
  wants: "to mint without the device",
  stoppedBy: "contract",
  rule: "SignatureInvalid",
  try: (stage) => stage.settle(part(stage)),
  audit: { rule: "bad signature", verdict: "refuted", do: pretending(part) },
};
