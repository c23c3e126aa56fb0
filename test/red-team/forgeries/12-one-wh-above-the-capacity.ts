/** An owner with a screwdriver has a chip that signs what he likes, and wants one Wh more than his roof can make. */
import { attestedItems, CAPACITY, STEP } from "../../../contracts/test/fixture.ts";
import { batchOf, lastBent } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

/** mWh in 10 s */
const MOST = BigInt(Math.floor((CAPACITY * 1000 * 10) / 3600));
const energy = BigInt(SETTLED - 1) * STEP + MOST + 1000n;
const to = SETTLED + 1;
const part = ({ roof }: Stage) => ({ meter: lastBent(roof, to, { energy }), to, settled: SETTLED });

export const forgery: Forgery = {
  title: "one Wh above the capacity, within what the DON lets registers run ahead",
  attacker: "an owner with a screwdriver",
  wants: "the most that nobody notices, and one Wh more",
  stoppedBy: "contract",
  rule: "BeyondCapacity",
  async try(stage) {
    const { attestation, items } = attestedItems([part(stage)]);
    const said = await stage.sandbox(batchOf(part(stage)), attestation);
    return said.rule === "accepted" ? stage.contractSays(() => stage.fixture.settle(attestation, items)) : said;
  },
  audit: { rule: "beyond capacity", verdict: "refuted", do: pretending(part) },
};
