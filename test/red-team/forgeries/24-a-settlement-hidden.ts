/** A lying RPC has the whole chain, and wants a settlement never to have been. */
import { lying } from "../forging.ts";
import { foundByAuditor } from "../frame.ts";

export const forgery = foundByAuditor({
  title: "an RPC that hides a settlement",
  attacker: "a lying RPC",
  wants: "tokens to have come from nothing",
  audit: {
    rule: "size does not join",
    verdict: "refuted",
    async do(stage) {
      const [first] = await stage.transactionsOf("Settled");
      const chain = lying(stage.node, (logs) => logs.filter(({ transactionHash }) => transactionHash !== first));
      return stage.audited({ chain });
    },
  },
});
