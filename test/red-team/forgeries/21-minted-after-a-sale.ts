/** A seller has sold his meter, and wants what it makes from then on. */
import { type Forgery, SETTLED, type Stage } from "../frame.ts";

const sell = ({ fixture: { registryCall, owner, stranger }, roof }: Stage) =>
  registryCall("transferFrom", [owner.account.address, stranger.account.address, BigInt(roof.id)], owner);

export const forgery: Forgery = {
  title: "tokens for the seller after a sale",
  attacker: "the seller of a meter",
  wants: "what the buyer's meter makes",
  stoppedBy: "contract",
  rule: "CallerNotOwner",
  async try(stage) {
    await sell(stage);
    const { fixture, roof } = stage;
    const args = [roof.id, fixture.owner.account.address];
    return stage.contractSays(() => fixture.registryCall("setPayout", args, fixture.owner));
  },
  audit: {
    rule: "payee",
    verdict: "refuted",
    async do(stage) {
      await sell(stage);
      const payee = stage.fixture.owner.account.address;
      await stage.pretend({ meter: stage.roof, to: 300, settled: SETTLED }, { settled: { payee } });
      return stage.audited();
    },
  },
};
