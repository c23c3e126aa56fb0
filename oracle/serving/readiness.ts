/** Whether a node can do its work, with the reasons where it cannot. Others add what they know of. */

/** What is not as it must be, a sentence each; none where all is. */
export type Readiness = () => Promise<string[]> | string[];

/** s without a look at the chain after which it is not in step, where looks are not further apart */
const LOOK_AGE = 120;
/** looks that may fail before that is said, where they are */
const LOOKS = 3;

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
