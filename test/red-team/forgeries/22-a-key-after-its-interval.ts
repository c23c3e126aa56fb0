/** Somebody has the chip that was rotated out, and wants it to go on minting beside its successor. */
import { type Forgery, pretending, type Stage } from "../frame.ts";

const part = ({ barn }: Stage) => ({ meter: barn, to: 100, settled: 50 });

export const forgery: Forgery = {
  title: "a rotated key used after its interval",
  attacker: "a replaced chip",
  wants: "two chips to mint for one meter",
  stoppedBy: "contract",
  rule: "Skipped: Superseded",
  try: (stage) => stage.settle(part(stage)),
  audit: { rule: "key not active", verdict: "refuted", do: pretending(part) },
};
