/** A marketplace that holds the meter for its owner has his approval to sell it, and wants what it makes until then. */
import { type Forgery, SETTLED } from "../frame.ts";

export const forgery: Forgery = {
  title: "a payout address set by a market that may only sell",
  attacker: "a marketplace that holds the meter",
  wants: "what a meter makes while it is for sale",
  stoppedBy: "contract",
  rule: "CallerNotOwner",
  async try({ contractSays, fixture: { registryCall, stranger, owner }, roof }) {
    await registryCall("setApprovalForAll", [stranger.account.address, true], owner);
    return contractSays(() => registryCall("setPayout", [roof.id, stranger.account.address], stranger));
  },
  audit: {
    rule: "payee",
    verdict: "refuted",
    async do(stage) {
      const payee = stage.fixture.stranger.account.address;
      await stage.pretend({ meter: stage.roof, to: 300, settled: SETTLED }, { settled: { payee } });
      return stage.audited();
    },
  },
};
