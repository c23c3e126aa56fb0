/** A lying RPC answers truly of an old block, and wants nobody to see what was settled since. */
import { remembering } from "../forging.ts";
import { foundByAuditor, SETTLED } from "../frame.ts";

export const forgery = foundByAuditor({
  title: "an RPC that stands still at an old block",
  attacker: "a lying RPC",
  wants: "what was settled since to go unseen",
  audit: {
    rule: "node stands still",
    verdict: "cannot tell",
    async do(stage) {
      const chain = remembering(stage.node);
      await stage.audited({ chain });
      await stage.settle({ meter: stage.roof, to: 300, settled: SETTLED });
      for (let i = 0; i < 30; i++) await stage.fixture.request("evm_mine");
      return stage.audited({ chain, second: stage.node });
    },
  },
});
