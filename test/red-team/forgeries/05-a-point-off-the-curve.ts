/** A registrar with a grudge has a pair of numbers that is no point of the curve, and wants it registered as a key. */
import { encodeFunctionData } from "viem";
import { createMeter, registrationOf } from "../../../contracts/test/fixture.ts";
import { withKey } from "../forging.ts";
import type { Forgery, Stage } from "../frame.ts";

const meterOf = ({ place }: Stage) => withKey(createMeter(place, 9), new Uint8Array(64).fill(1));

export const forgery: Forgery = {
  title: "a key that is no point of the curve",
  attacker: "a registrar with a grudge",
  wants: "a meter whose signatures nobody can check",
  stoppedBy: "contract",
  rule: "ClaimInvalid",
  try: (stage) => stage.contractSays(() => stage.fixture.register(meterOf(stage))),
  audit: {
    rule: "claim",
    verdict: "refuted",
    async do(stage) {
      const [meter, owner] = [meterOf(stage), stage.fixture.owner.account.address];
      const args = [registrationOf(meter, owner)];
      const sent = encodeFunctionData({ ...stage.fixture.registry, functionName: "register", args } as never);
      await stage.tell(stage.registered(meter, owner), sent);
      return stage.audited();
    },
  },
};
