/** A registrar with a grudge has a chip of his own, and wants it in the roof's place before its owner sees the proposal. */
import { encodeFunctionData } from "viem";
import { CHANGE, createMeter, newKeyOf, produce, START } from "../../../contracts/test/fixture.ts";
import type { Forgery, Stage } from "../frame.ts";

const chipOf = ({ place }: Stage) => createMeter(place, 13, produce({ count: 100, from: { timestamp: START + 6000 } }));
const keyOf = (stage: Stage) => newKeyOf(chipOf(stage), stage.roof.id, stage.fixture.owner.account.address);
const propose = (stage: Stage) => stage.fixture.registryCall("proposeKey", [stage.roof.id, chipOf(stage).id]);

export const forgery: Forgery = {
  title: "a key replaced before its proposal is due",
  attacker: "a registrar with a grudge",
  wants: "a meter's key in fewer than fourteen days",
  stoppedBy: "contract",
  rule: "ProposalNotDue",
  async try(stage) {
    const { registryCall } = stage.fixture;
    await propose(stage);
    return stage.contractSays(() => registryCall("replaceKey", [stage.roof.id, keyOf(stage)]));
  },
  audit: {
    rule: "proposal not due",
    verdict: "refuted",
    async do(stage) {
      await propose(stage);
      const [meter, chip] = [stage.roof.id, chipOf(stage)];
      const executed = stage.onRegistry("ProposalExecuted", { meter, change: CHANGE.Key, value: BigInt(chip.id) });
      const args = [meter, keyOf(stage)];
      const sent = encodeFunctionData({ ...stage.fixture.registry, functionName: "replaceKey", args } as never);
      await stage.tell([executed, ...stage.rotated(meter, stage.roof, chip)], sent);
      return stage.audited();
    },
  },
};
