/** A thief of the relayer's key has two settlements to send, and wants the earlier one to come after the later. */
import { type Forgery, SETTLED, type Stage } from "../frame.ts";

const first = ({ roof }: Stage) => ({ meter: roof, to: 250, settled: SETTLED });
const whole = ({ roof }: Stage) => ({ meter: roof, to: 300, settled: SETTLED });

export const forgery: Forgery = {
  title: "a settlement that comes after a later one",
  attacker: "a thief of the relayer's key",
  wants: "the earlier energy to be minted on top of the later",
  stoppedBy: "contract",
  rule: "Skipped: Overtaken",
  async try(stage) {
    await stage.settle(whole(stage));
    return stage.settle(first(stage));
  },
  audit: {
    rule: "size not forward",
    verdict: "refuted",
    async do(stage) {
      await stage.settle(whole(stage));
      await stage.pretend(first(stage), { settled: { fromSize: 300n, produced: 500_000n } });
      return stage.audited();
    },
  },
};
