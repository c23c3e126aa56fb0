/** A lying RPC tells every settlement as it is, and wants the next ones to look due to somebody else. */
import { foundByAuditor } from "../frame.ts";

export const forgery = foundByAuditor({
  title: "an RPC that invents a payout address",
  attacker: "a lying RPC",
  wants: "a meter's production to look pledged",
  audit: {
    rule: "view",
    verdict: "refuted",
    async do(stage) {
      const payout = stage.fixture.stranger.account.address;
      await stage.tell([stage.onRegistry("PayoutChanged", { meter: stage.roof.id, payout })]);
      return stage.audited();
    },
  },
});
