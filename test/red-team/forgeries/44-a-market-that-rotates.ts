/** A marketplace that holds the meter for its owner has his approval to sell it, and wants its key to be one of its own. */
import { encodeFunctionData } from "viem";
import { publicKeyParts } from "../../../contracts/settlement.ts";
import { createMeter, newKeyOf, produce, rotationOf, START } from "../../../contracts/test/fixture.ts";
import type { Forgery, Stage } from "../frame.ts";

const chipOf = ({ place }: Stage) => createMeter(place, 14, produce({ count: 100, from: { timestamp: START + 6000 } }));
/** The new chip signs for both: the market does not have the old one. */
function rotationBy(stage: Stage) {
  const [chip, { roof, fixture }] = [chipOf(stage), stage];
  const newKey = newKeyOf(chip, roof.id, fixture.owner.account.address);
  return [roof.id, newKey, publicKeyParts(roof.publicKey), rotationOf(chip, roof.id, chip.id)];
}

export const forgery: Forgery = {
  title: "a rotation by a market that may only sell",
  attacker: "a marketplace that holds the meter",
  wants: "a chip of its own in somebody's meter",
  stoppedBy: "contract",
  rule: "CallerNotOwner",
  async try(stage) {
    const { registryCall, stranger, owner } = stage.fixture;
    await registryCall("setApprovalForAll", [stranger.account.address, true], owner);
    return stage.contractSays(() => registryCall("rotate", rotationBy(stage), stranger));
  },
  audit: {
    rule: "rotation",
    verdict: "refuted",
    async do(stage) {
      const args = rotationBy(stage);
      const sent = encodeFunctionData({ ...stage.fixture.registry, functionName: "rotate", args } as never);
      await stage.tell(stage.rotated(stage.roof.id, stage.roof, chipOf(stage)), sent);
      return stage.audited();
    },
  },
};
