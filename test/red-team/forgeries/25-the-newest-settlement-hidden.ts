/** A lying RPC has the whole chain, and wants the newest settlement, which nothing follows, never to have been. */
import { lying } from "../forging.ts";
import { foundByAuditor } from "../frame.ts";

export const forgery = foundByAuditor({
  title: "an RPC that hides the newest settlement",
  attacker: "a lying RPC",
  wants: "a holder's tokens to look like more than there are",
  audit: {
    rule: "view",
    verdict: "refuted",
    async do(stage) {
      const newest = (await stage.transactionsOf("Settled")).at(-1);
      const chain = lying(stage.node, (logs) => logs.filter(({ transactionHash }) => transactionHash !== newest));
      return stage.audited({ chain });
    },
  },
});
