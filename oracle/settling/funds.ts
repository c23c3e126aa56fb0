/** Whether there is what settling takes: the chain's coin of the operator, LINK of the subscription. */
import type { Logger } from "pino";
import { formatEther } from "viem";
import type { Chain, Funds } from "../chain/chain.ts";
import { createSaid, firstLine } from "../said.ts";

/** s between looks */
const EVERY = 60;

export type FundsWatch = {
  /** Looks, unless it is too early. Never throws: what was seen last stands. */
  look(): Promise<void>;
  seen(): Funds | undefined;
  /** What is not enough, or could not be found out, a sentence each. */
  obstacles(): string[];
};

export function watchFunds({
  chain,
  subscriptionId,
  now,
  logger,
}: {
  chain: Pick<Chain, "funds">;
  /** of Chainlink Functions, where an attestor is asked */
  subscriptionId: bigint | undefined;
  /** Unix time, s */
  now: () => number;
  logger: Logger;
}): FundsWatch {
  const said = createSaid();
  let [seen, lookedAt, problem]: [Funds?, number?, string?] = [];

  return {
    async look() {
      if (lookedAt !== undefined && now() < lookedAt + EVERY) return;
      lookedAt = now();
      try {
        seen = await chain.funds(subscriptionId);
        problem = undefined;
        said.over("funds");
      } catch (error) {
        problem = `what there is to pay with could not be found out: ${firstLine(error)}`;
        if (said.isNew("funds", problem)) logger.warn({ reason: problem }, "funds could not be looked at");
      }
    },
    seen: () => seen,
    obstacles: () => [...(seen ? lacking(seen) : []), ...(problem === undefined ? [] : [problem])],
  };
}

function lacking({ operator, subscription }: Funds): string[] {
  const reasons: string[] = [];
  if (operator.balance < operator.needed) {
    const { address, balance, needed } = operator;
    reasons.push(
      `the operator ${address} has ${formatEther(balance)} of the chain's coin, and a transaction may need ${formatEther(needed)}: send it some`,
    );
  }
  if (subscription && subscription.balance < subscription.needed) {
    const { id, balance, needed } = subscription;
    reasons.push(
      `the subscription ${id} has ${formatEther(balance)} LINK, and a request may need ${formatEther(needed)}: pay some in`,
    );
  }
  return reasons;
}
