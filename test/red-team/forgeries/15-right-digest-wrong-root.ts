/** A stolen oracle has a true batch, and wants the DON to vouch for another root under its digest. */
import type { Hex } from "viem";
import { batchOf } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const OTHER: Hex = `0x${"15".repeat(32)}`;
const part = ({ roof }: Stage) => ({ meter: roof, to: 300, settled: SETTLED });

export const forgery: Forgery = {
  title: "a batch with the right digest and a wrong root",
  attacker: "a stolen oracle",
  wants: "a true batch to stand for a false attestation",
  stoppedBy: "DON",
  rule: "wrong root",
  try: (stage) => stage.sandbox(batchOf(part(stage)), OTHER),
  audit: { rule: "attestation root", verdict: "refuted", do: pretending(part, { attestation: OTHER }) },
};
