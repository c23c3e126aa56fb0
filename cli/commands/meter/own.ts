/** `wattwitness meter transfer`, `payout`, `decommission`, `cancel`: what an owner decides, or a registrar. */
import type { Hex } from "viem";
import { type Deployment, deploymentOf } from "../../chain/deployment.ts";
import { CHANGES, type Change, meterOf, onRegistry } from "../../chain/meters.ts";
import { type Call, outcome, outcomeText, senderOf } from "../../chain/sending.ts";
import type { SendingOptions } from "../../command.ts";
import { Problem } from "../../problem.ts";
import type { Answer } from "../../terminal/telling.ts";
import { notSent } from "../token.ts";

/** Sends one call about a meter that there is, and says in a sentence what it came to. */
async function change(
  id: Hex,
  options: SendingOptions,
  callOf: (deployment: Deployment, sender: Hex) => Promise<Omit<Call, "address" | "abi"> & { done: string }>,
): Promise<Answer> {
  const deployment = await deploymentOf(options);
  await meterOf(deployment, id);
  const sender = await senderOf(deployment, options);
  const { done, ...call } = await callOf(deployment, sender.account.address);
  const receipt = await sender.send({ ...onRegistry(deployment), ...call });
  if (!receipt) return notSent;
  return { text: `${done}: ${outcomeText(receipt)}`, data: { meter: id, ...outcome(receipt) } };
}

export const transferMeter = (id: Hex, to: Hex, options: SendingOptions): Promise<Answer> =>
  change(id, options, async (deployment, sender) => {
    const { owner, timestamp } = await meterOf(deployment, id);
    const until = timestamp === 0 ? "nothing" : `what was measured until ${new Date(timestamp * 1000).toISOString()}`;
    if (owner === to) throw new Problem(`The meter is ${to}'s already.`);
    return {
      does: `gives the meter to ${to}. Settled is ${until}: what is settled from now on is the new owner's, whenever it was produced. The payout address is cleared`,
      done: `The meter is ${to}'s`,
      ...{ functionName: "safeTransferFrom", args: [sender, to, BigInt(id)] },
    };
  });

export const setPayout = (id: Hex, to: Hex, options: SendingOptions): Promise<Answer> =>
  change(id, options, async () => ({
    does: `from now on ${to} receives what the meter produces`,
    done: `${to} receives what the meter produces`,
    ...{ functionName: "setPayout", args: [id, to] },
  }));

export const decommissionMeter = (id: Hex, options: SendingOptions): Promise<Answer> =>
  change(id, options, async () => ({
    does: "takes the meter down, for good: nothing that it signs settles any more",
    done: "The meter is taken down",
    ...{ functionName: "decommission", args: [id] },
  }));

export const cancelProposal = (id: Hex, what: Change, options: SendingOptions): Promise<Answer> =>
  change(id, options, async () => ({
    does: `cancels what is proposed for the meter's ${what}`,
    done: `What was proposed for the meter's ${what} is cancelled`,
    ...{ functionName: "cancelProposal", args: [id, CHANGES.indexOf(what)] },
  }));
