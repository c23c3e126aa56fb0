/** Somebody has a holder's address and no signature of his, and wants a certificate for the holder's tokens. */
import { zeroHash } from "viem";
import { START, UNITS } from "../../../contracts/test/fixture.ts";
import type { Forgery } from "../frame.ts";

export const forgery: Forgery = {
  title: "a retirement that the holder did not sign",
  attacker: "anybody",
  wants: "a certificate for tokens of somebody else's",
  stoppedBy: "contract",
  rule: "RetirementNotSigned",
  try({ contractSays, fixture: { send, token, owner, stranger } }) {
    const [from, by] = [owner.account.address, stranger.account.address];
    const args = [from, UNITS, by, "a thief", "", BigInt(START + 86_400), `${zeroHash}${"00".repeat(33)}`];
    return contractSays(() => send({ ...token, functionName: "retireFor", args }, stranger));
  },
  audit: {
    rule: "burned",
    verdict: "refuted",
    async do(stage) {
      const [from, beneficiary] = [stage.fixture.owner.account.address, stage.fixture.stranger.account.address];
      const told = { serial: 1n, from, beneficiary, amount: UNITS, name: "a thief", purpose: "" };
      await stage.tell([stage.onToken("Retired", told)]);
      return stage.audited();
    },
  },
};
