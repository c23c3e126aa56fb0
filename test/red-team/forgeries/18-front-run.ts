/** Anybody who watches the chain has the items of a settlement that waits, and wants to settle a part of it first, so that the rest mints twice or not at all. */
import { type Forgery, SETTLED, type Stage } from "../frame.ts";

const first = ({ roof }: Stage) => ({ meter: roof, to: 250, settled: SETTLED });
const whole = ({ roof }: Stage) => ({ meter: roof, to: 300, settled: SETTLED });

export const forgery: Forgery = {
  title: "a settlement that was front-run",
  attacker: "anybody",
  wants: "the same energy to be minted twice",
  stoppedBy: "contract",
  rule: "Skipped: Overtaken",
  async try(stage) {
    await stage.settle(first(stage));
    return stage.settle(whole(stage));
  },
  audit: {
    rule: "size does not join",
    verdict: "refuted",
    async do(stage) {
      await stage.settle(first(stage));
      await stage.pretend(whole(stage));
      return stage.audited();
    },
  },
};
