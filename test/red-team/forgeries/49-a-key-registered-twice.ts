/** A registrar with a grudge has the claim of a registered key, and wants it to be a meter of its own once more. */
import type { Forgery } from "../frame.ts";

export const forgery: Forgery = {
  title: "a key registered a second time",
  attacker: "a registrar with a grudge",
  wants: "one chip to be two meters",
  stoppedBy: "contract",
  rule: "KeyAlreadyUsed",
  try: ({ contractSays, fixture, roof }) => contractSays(() => fixture.register(roof)),
  audit: {
    rule: "key used twice",
    verdict: "refuted",
    async do(stage) {
      await stage.tell(stage.registered(stage.roof, stage.fixture.owner.account.address));
      return stage.audited();
    },
  },
};
