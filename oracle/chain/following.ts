/** The follower of an oracle that may lead or not: made anew with every term, from what is stored then. */
import type { Terms } from "../store/terms.ts";
import { createFollower, type Follower } from "./follower.ts";

export async function createFollowing({
  terms,
  ...options
}: Omit<Parameters<typeof createFollower>[0], "store"> & { terms: Terms }): Promise<Follower> {
  let term = await terms.now();
  let follower = await createFollower({ ...options, store: term.store });
  return {
    get newest() {
      return follower.newest;
    },
    now: () => follower.now(),
    meterOf: (keyId) => follower.meterOf(keyId),
    meters: () => follower.meters(),
    marksOf: (keyId, epoch) => follower.marksOf(keyId, epoch),
    async follow() {
      const now = await terms.now();
      if (now === term) return follower.follow();
      const next = await createFollower({ ...options, store: now.store });
      // what was known stays until as much is known again
      await next.follow();
      [term, follower] = [now, next];
    },
  };
}
