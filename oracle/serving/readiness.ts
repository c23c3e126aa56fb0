/** Whether a node can do its work, with the reasons where it cannot. Others add what they know of. */

import type { Store } from "../store/store.ts";
import { oncePer } from "./once-per.ts";

/** What is not as it must be, a sentence each; none where all is. */
export type Readiness = () => Promise<string[]> | string[];

/** s without a look at the chain after which it is not in step, where looks are not further apart */
const LOOK_AGE = 120;
/** looks that may fail before that is said, where they are */
const LOOKS = 3;

/** ms for which a look at the store stands, and that it may take */
const [LOOK_FOR, LOOK_PATIENCE] = [1000, 5000];

/** What is posted can be kept: a little was written, durably, not long ago. */
export function storeWritable(store: Pick<Store, "whyNotWritable">, patience = LOOK_PATIENCE): Readiness {
  const late = `the store did not write within ${patience / 1000} s`;
  const look = oncePer(LOOK_FOR, () => withinTime(store.whyNotWritable(), patience, late));
  return async () => {
    const reason = await look();
    return reason === undefined ? [] : [reason];
  };
}

function withinTime<T>(promise: Promise<T>, ms: number, otherwise: T): Promise<T> {
  return Promise.race([promise, new Promise<T>((resolve) => setTimeout(resolve, ms, otherwise).unref())]);
}

/** The chain is in step: it was asked, and not long ago. `every`: s between looks. */
export function chainInStep(lookedAt: () => number | undefined, now: () => number, every: number): Readiness {
  const bound = Math.max(LOOK_AGE, LOOKS * every);
  return () => {
    const looked = lookedAt();
    if (looked === undefined) return ["the chain has not been reached yet"];
    const age = now() - looked;
    return age > bound ? [`the chain was last looked at ${age} s ago`] : [];
  };
}
