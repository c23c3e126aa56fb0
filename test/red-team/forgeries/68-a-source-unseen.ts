/** A lying RPC, with a DON that runs another source, answers nothing where it is asked for the source's hash. */
import { toFunctionSelector } from "viem";
import { foundByAuditor } from "../frame.ts";

const SOURCE_HASH = toFunctionSelector("sourceHash()");

export const forgery = foundByAuditor({
  title: "an RPC that hides which source the DON runs",
  attacker: "a lying RPC",
  wants: "a DON of its own to pass for Chainlink's",
  audit: {
    rule: "no source",
    verdict: "cannot tell",
    unseenBySecond: "the DON's source",
    do({ node, audited }) {
      const chain: typeof node = {
        async request(call) {
          if (!JSON.stringify(call).includes(SOURCE_HASH)) return node.request(call);
          throw Object.assign(new Error("execution reverted"), { code: 3 });
        },
      };
      return audited({ chain });
    },
  },
});
