/** An owner with a screwdriver lets his roof rest, and wants to make up for it at twice its capacity, each step of which could be a register that was late. */
import { bent, STEP } from "../../../contracts/test/fixture.ts";
import { batchOf, liar, rootOf } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

/** mWh in 10 s, of 5 kW nearly twice 13,888 */
const DOUBLE = 27_000n;
const energyAt = (i: number): bigint => BigInt(SETTLED - 1) * STEP + BigInt(Math.max(0, i - 399)) * DOUBLE;
const part = ({ roof }: Stage) => ({
  ...{ meter: liar(roof, SETTLED, (reading, i) => bent(reading, { energy: energyAt(i) })), to: 600, settled: SETTLED },
});

export const forgery: Forgery = {
  title: "twice the capacity in steps that each stay below what is allowed, and in sum as well",
  attacker: "an owner with a screwdriver",
  wants: "to be paid for the nights",
  stoppedBy: "DON",
  rule: "beyond capacity",
  try: (stage) => stage.sandbox(batchOf(part(stage)), rootOf(part(stage))),
  audit: { rule: "beyond capacity", verdict: "refuted", do: pretending(part) },
};
