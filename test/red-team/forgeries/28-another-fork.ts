/** A lying RPC answers from a fork, in which everything fits, and wants an auditor to believe that this is the chain. */
import { remembering } from "../forging.ts";
import { foundByAuditor, SETTLED } from "../frame.ts";

export const forgery = foundByAuditor({
  title: "an RPC that answers from another fork",
  attacker: "a lying RPC",
  wants: "a history that other nodes do not have",
  audit: {
    rule: "the two nodes disagree",
    verdict: "refuted",
    async do(stage) {
      const chain = remembering(stage.node);
      await stage.staged("a fork", async () => {
        await stage.pretend({ meter: stage.roof, to: 300, settled: SETTLED });
        await stage.audited({ chain });
      });
      const newest = Number(await chain.request({ method: "eth_blockNumber" }));
      while (Number(await stage.node.request({ method: "eth_blockNumber" })) < newest) {
        await stage.fixture.request("evm_mine");
      }
      await stage.settle({ meter: stage.roof, to: 300, settled: SETTLED });
      return stage.audited({ chain, second: stage.node });
    },
  },
});
