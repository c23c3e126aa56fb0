/** A stolen oracle has the whole log, and wants a batch to begin later than where the last one ended, so that nobody looks at what is between. */
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({ meter: roof, to: 300, settled: SETTLED, from: 250 });

export const forgery: Forgery = {
  title: "a segment that begins after the last settled reading",
  attacker: "a stolen oracle, with a bribed DON",
  wants: "readings that break the rules to go unseen",
  stoppedBy: "contract",
  rule: "SegmentGap",
  try: (stage) => stage.settle(part(stage)),
  audit: { rule: "segment gap", verdict: "refuted", do: pretending(part) },
};
