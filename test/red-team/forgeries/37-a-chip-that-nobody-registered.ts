/** Somebody put a chip of his own into the roof's box, and wants it to mint without a registration. */
import { createMeter } from "../../../contracts/test/fixture.ts";
import { postOf } from "../forging.ts";
import { type Forgery, pretending, type Stage } from "../frame.ts";

const part = ({ place }: Stage) => ({ meter: createMeter(place, 11), to: 100 });

export const forgery: Forgery = {
  title: "a chip that nobody registered",
  attacker: "a replaced chip",
  wants: "a meter without a registrar",
  stoppedBy: "oracle",
  rule: "unknown meter",
  try: (stage) => stage.post(postOf(part(stage), 0)),
  audit: {
    rule: "unknown key",
    verdict: "refuted",
    do: pretending(part, ({ fixture }) => ({ settled: { payee: fixture.stranger.account.address } })),
  },
};
