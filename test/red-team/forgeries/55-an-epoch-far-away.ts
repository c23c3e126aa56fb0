/** A seller has a head that he signed in advance for an epoch far away, and wants it to stand in the buyer's way. */
import { produce, START } from "../../../contracts/test/fixture.ts";
import { meterWith } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const EPOCH = 100;
const log = produce({ count: 100, from: { timestamp: START + 3000, energy: 2_000_000n } });
const part = ({ roof }: Stage) => {
  const meter = meterWith(roof, roof.readingsOf());
  meter.begin(EPOCH, log);
  return { meter, epoch: EPOCH, to: 50, settled: 0, settledTimestamp: START + 10 * (SETTLED - 1) };
};

export const forgery: Forgery = {
  title: "a head of an epoch far above the last",
  attacker: "the seller of a meter",
  wants: "that no later log of the buyer's can be settled",
  stoppedBy: "contract",
  rule: "EpochTooFar",
  try: (stage) => stage.settle(part(stage)),
  audit: { rule: "epoch too far", verdict: "refuted", do: pretending(part) },
};
