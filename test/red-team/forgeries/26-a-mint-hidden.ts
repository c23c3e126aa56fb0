/** A lying RPC has the whole chain, and wants tokens to have been minted to nobody. */
import { zeroHash } from "viem";
import { type Log, lying } from "../forging.ts";
import { foundByAuditor } from "../frame.ts";

export const forgery = foundByAuditor({
  title: "an RPC that hides a mint",
  attacker: "a lying RPC",
  wants: "the supply to look smaller",
  audit: {
    rule: "minted",
    verdict: "refuted",
    do(stage) {
      const { address } = stage.fixture.token;
      const isMint = ({ address: by, topics }: Log) => by === address.toLowerCase() && topics[1] === zeroHash;
      const chain = lying(stage.node, (logs) => {
        const hidden = logs.find(isMint);
        return logs.filter((log) => log !== hidden);
      });
      return stage.audited({ chain });
    },
  },
});
