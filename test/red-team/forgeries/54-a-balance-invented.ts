/** A lying RPC tells every event as it is, and wants a holder to look richer. */
import { toFunctionSelector, toHex } from "viem";
import { foundByAuditor } from "../frame.ts";

const BALANCE_OF = toFunctionSelector("balanceOf(address)");

export const forgery = foundByAuditor({
  title: "an RPC that says another balance than the events add up to",
  attacker: "a lying RPC",
  wants: "to sell what it does not have",
  audit: {
    rule: "view",
    verdict: "refuted",
    do({ node, audited }) {
      const chain: typeof node = {
        async request(call) {
          const answer = await node.request(call);
          return JSON.stringify(call).includes(BALANCE_OF)
            ? toHex(BigInt(answer as string) + 1n, { size: 32 })
            : answer;
        },
      };
      return audited({ chain });
    },
  },
});
