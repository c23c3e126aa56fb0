/** A seller has a head that he signed in advance for an epoch far away, and wants it to stand in the buyer's way. */
import { begunAfter } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = (stage: Stage) => begunAfter(stage.roof, SETTLED, 100).part;

export const forgery: Forgery = {
  title: "a head of an epoch far above the last",
  attacker: "the seller of a meter",
  wants: "that no later log of the buyer's can be settled",
  stoppedBy: "contract",
  rule: "EpochTooFar",
  try: (stage) => stage.settle(part(stage)),
  audit: { rule: "epoch too far", verdict: "refuted", do: pretending(part) },
};
