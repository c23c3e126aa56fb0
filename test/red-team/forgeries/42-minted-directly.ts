/** A thief of the relayer's key has an account that settles every day, and wants to mint without settling. */
import { UNITS } from "../../../contracts/test/fixture.ts";
import type { Forgery } from "../frame.ts";

export const forgery: Forgery = {
  title: "tokens minted without a settlement",
  attacker: "a thief of the relayer's key",
  wants: "tokens without energy",
  stoppedBy: "contract",
  rule: "CallerNotMinter",
  try: ({ contractSays, fixture: { send, token, stranger } }) =>
    contractSays(() => send({ ...token, functionName: "mint", args: [stranger.account.address, UNITS] }, stranger)),
  audit: {
    rule: "event missing",
    verdict: "refuted",
    async do(stage) {
      await stage.tell([stage.mint(stage.fixture.stranger.account.address, UNITS)]);
      return stage.audited();
    },
  },
};
