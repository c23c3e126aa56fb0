/** A registrar with a grudge, and a friend with a roof, wants its capacity ten times as high by tonight. */
import type { Forgery } from "../frame.ts";

export const forgery: Forgery = {
  title: "a capacity raised before its proposal is due",
  attacker: "a registrar with a grudge",
  wants: "room for energy that a roof cannot make",
  stoppedBy: "contract",
  rule: "ProposalNotDue",
  async try({ contractSays, fixture, roof }) {
    await fixture.registryCall("proposeCapacity", [roof.id, 50_000]);
    return contractSays(() => fixture.registryCall("raiseCapacity", [roof.id]));
  },
  audit: {
    rule: "capacity not proposed",
    verdict: "refuted",
    async do(stage) {
      await stage.tell([stage.onRegistry("CapacityChanged", { meter: stage.roof.id, capacity: 50_000 })]);
      return stage.audited();
    },
  },
};
