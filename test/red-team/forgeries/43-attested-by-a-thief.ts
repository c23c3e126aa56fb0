/** A thief of the relayer's key has the operator's account, and wants to attest with it himself. */
import { attestedItems } from "../../../contracts/test/fixture.ts";
import { type Forgery, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Pick<Stage, "roof">) => ({ meter: roof, to: 300, settled: SETTLED });

export const forgery: Forgery = {
  title: "an attestation by somebody who is no attestor",
  attacker: "a thief of the relayer's key",
  wants: "to be the DON",
  stoppedBy: "contract",
  rule: "AccessManagedUnauthorized",
  try: ({ contractSays, fixture, ...stage }) =>
    contractSays(() => fixture.attest(attestedItems([part(stage as Stage)]).attestation, fixture.stranger)),
  audit: {
    rule: "no batch",
    verdict: "cannot tell",
    async do(stage) {
      const { attestation: root } = attestedItems([part(stage)]);
      const attestor = stage.fixture.stranger.account.address;
      const attested = stage.onWattWitness("Attested", { root, attestor });
      await stage.tell([attested, ...(await stage.settled(part(stage)))]);
      return stage.audited();
    },
  },
};
