/** Whether a node can do its work, with the reasons where it cannot. Others add what they know of. */

/** What is not as it must be, a sentence each; none where all is. */
export type Readiness = () => Promise<string[]> | string[];

/** s without a look at the chain after which it is not in step: looks are 5 s apart by default, an hour at most */
export const LOOK_AGE = 120;

/** The chain is in step: it was asked, and not long ago. */
export const chainInStep =
  (lookedAt: () => number | undefined, now: () => number, bound: number = LOOK_AGE): Readiness =>
  () => {
    const looked = lookedAt();
    if (looked === undefined) return ["the chain has not been reached yet"];
    const age = now() - looked;
    return age > bound ? [`the chain was last looked at ${age} s ago`] : [];
  };
