/** A thief of the relayer's key has a settlement that was sent, and wants to send it again. */
import { type Forgery, SETTLED } from "../frame.ts";

export const forgery: Forgery = {
  title: "a settlement that was sent before",
  attacker: "a thief of the relayer's key",
  wants: "the same energy twice",
  stoppedBy: "contract",
  rule: "Skipped: Overtaken",
  try: ({ contractSays, fixture, past }) =>
    contractSays(() => fixture.settle(past.attestation, past.items.slice(0, 1))),
  audit: {
    rule: "size does not join",
    verdict: "refuted",
    async do(stage) {
      const part = { meter: stage.roof, to: SETTLED, settled: 100 };
      const again = { attestation: stage.past.attestation, settled: { produced: 1_000_000n } };
      await stage.tell(await stage.settled(part, again));
      return stage.audited();
    },
  },
};
