/** The settlement of an oracle that may lead or not: the leader's is made anew with its term, the others do nothing. */
import type { Terms } from "../store/terms.ts";
import type { Job } from "./jobs.ts";
import { createSettlement, type Settlement, type SettlementOptions } from "./settlement.ts";

export async function createSettling({
  terms,
  ...options
}: Omit<SettlementOptions, "store"> & { terms: Terms }): Promise<Settlement> {
  let term = await terms.now();
  let settlement = term.leads ? await createSettlement({ ...options, store: term.store }) : undefined;
  const storedJobs = async () => (await term.store.records<Job>("jobs")).all();
  let jobs = settlement ? [] : await storedJobs();
  return {
    /** of one that does not lead: as they were at its last step */
    jobs: () => settlement?.jobs() ?? jobs,
    /** the leader's alone: it settles for all */
    obstacles: () => settlement?.obstacles() ?? [],
    async step() {
      const now = await terms.now();
      if (now !== term) {
        settlement = now.leads ? await createSettlement({ ...options, store: now.store }) : undefined;
        term = now;
      }
      if (settlement) await settlement.step();
      else jobs = await storedJobs();
    },
  };
}
