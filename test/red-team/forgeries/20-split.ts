/** A thief of the relayer's key splits a settlement in two, and wants the second to be counted from where the first was. */

import type { SettlementItem } from "../../../contracts/settlement.ts";
import { attestedItems, headOf, rebased } from "../../../contracts/test/fixture.ts";
import { timestampOf } from "../../../protocol/index.ts";
import { type Forgery, SETTLED, type Stage } from "../frame.ts";

const first = ({ roof }: Stage) => ({ meter: roof, to: 250, settled: SETTLED });
const whole = ({ roof }: Stage) => ({ meter: roof, to: 300, settled: SETTLED });

export const forgery: Forgery = {
  title: "a settlement split in two that overlap",
  attacker: "a thief of the relayer's key",
  wants: "the energy of the first half twice",
  stoppedBy: "contract",
  rule: "LogInconsistent",
  async try(stage) {
    await stage.settle(first(stage));
    const { items } = attestedItems([whole(stage)]);
    const settledTimestamp = timestampOf(headOf(stage.roof, 250).reading);
    return stage.settle(whole(stage), rebased(items[0] as SettlementItem, { settledSize: 250, settledTimestamp }));
  },
  audit: {
    rule: "produced",
    verdict: "refuted",
    async do(stage) {
      await stage.settle(first(stage));
      await stage.pretend({ ...whole(stage), settled: 250 }, { settled: { produced: 1_000_000n } });
      return stage.audited();
    },
  },
};
