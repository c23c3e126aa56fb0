/** A stolen oracle, with a bribed DON, writes another capacity into a segment, and wants readings to be judged by that. */
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({ meter: roof, to: 300, settled: SETTLED, capacity: 50_000 });

export const forgery: Forgery = {
  title: "a segment with a capacity that nobody registered",
  attacker: "a stolen oracle, with a bribed DON",
  wants: "readings that the roof cannot make to pass",
  stoppedBy: "contract",
  rule: "Skipped: CapacityChanged",
  try: (stage) => stage.settle(part(stage)),
  audit: { rule: "capacity", verdict: "refuted", do: pretending(part) },
};
