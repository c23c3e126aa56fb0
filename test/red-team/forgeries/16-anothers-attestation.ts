/** A stolen oracle has an attestation of the barn's segment, and wants it to count for the roof's. */
import { attestedItems } from "../../../contracts/test/fixture.ts";
import { type Forgery, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({ meter: roof, to: 300, settled: SETTLED });

export const forgery: Forgery = {
  title: "an attestation that was given for another segment",
  attacker: "a stolen oracle",
  wants: "to settle what no DON has seen",
  stoppedBy: "contract",
  rule: "SegmentNotAttested",
  try: (stage) =>
    stage.contractSays(() => stage.fixture.settle(stage.past.attestation, attestedItems([part(stage)]).items)),
  audit: {
    rule: "not in batch",
    verdict: "refuted",
    async do(stage) {
      await stage.tell(await stage.settled(part(stage), { attestation: stage.past.attestation }));
      return stage.audited();
    },
  },
};
