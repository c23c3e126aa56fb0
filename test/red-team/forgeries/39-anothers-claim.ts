/** A registrar with a grudge has a claim that a key signed for its owner, and wants to register it as his own. */
import { encodeFunctionData } from "viem";
import { createMeter, registrationOf } from "../../../contracts/test/fixture.ts";
import type { Forgery, Stage } from "../frame.ts";

const meterOf = ({ place }: Stage) => createMeter(place, 12);

export const forgery: Forgery = {
  title: "a registration for another than the key claims to belong to",
  attacker: "a registrar with a grudge",
  wants: "somebody's roof to produce for him",
  stoppedBy: "contract",
  rule: "ClaimInvalid",
  try: (stage) =>
    stage.contractSays(() => stage.fixture.register(meterOf(stage), { owner: stage.fixture.admin.account.address })),
  audit: {
    rule: "claim",
    verdict: "refuted",
    async do(stage) {
      const { admin, owner, registry } = stage.fixture;
      const meter = meterOf(stage);
      const registration = { ...registrationOf(meter, owner.account.address), owner: admin.account.address };
      const sent = encodeFunctionData({ ...registry, functionName: "register", args: [registration] } as never);
      await stage.tell(stage.registered(meter, admin.account.address), sent);
      return stage.audited();
    },
  },
};
