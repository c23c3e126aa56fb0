/** Anybody has one true head of a meter, and wants its owner to be believed to have signed another, so that it is frozen. */
import { encodeFunctionData } from "viem";
import { createMeter } from "../../../contracts/test/fixture.ts";
import { equivocationOf } from "../forging.ts";
import type { Forgery, Stage } from "../frame.ts";

/** The second head is signed by a key of the forger's. */
const forged = ({ place, roof }: Stage) => ({
  ...equivocationOf(roof, 300),
  secondSignature: equivocationOf(createMeter(place, 79), 300).secondSignature,
});

export const forgery: Forgery = {
  title: "an equivocation that the device did not commit",
  attacker: "anybody",
  wants: "somebody's meter to be frozen",
  stoppedBy: "contract",
  rule: "SignatureInvalid",
  try: (stage) =>
    stage.contractSays(() => {
      const { wattWitness, send, stranger } = stage.fixture;
      return send({ ...wattWitness, functionName: "proveEquivocation", args: [forged(stage)] }, stranger);
    }),
  audit: {
    rule: "equivocation",
    verdict: "refuted",
    async do(stage) {
      const { first, second } = forged(stage);
      const args = [forged(stage)] as const;
      const sent = encodeFunctionData({ ...stage.fixture.wattWitness, functionName: "proveEquivocation", args });
      const told = {
        ...{ keyId: stage.roof.id, frozen: true, epoch: first.epoch, firstSize: first.size, secondSize: second.size },
        ...{ firstReading: first.reading, firstRoot: first.root },
        ...{ secondReading: second.reading, secondRoot: second.root },
      };
      await stage.tell([stage.onWattWitness("Equivocated", told)], sent);
      return stage.audited();
    },
  },
};
