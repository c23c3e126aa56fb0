/** Somebody without a chip has the smallest point there is, for which naive verifiers accept any signature, and wants it registered. */
import { CAPACITY, claimOf, createMeter, registrationOf, SOURCE } from "../../../contracts/test/fixture.ts";
import { toHex } from "../../../protocol/index.ts";
import { withKey } from "../forging.ts";
import type { Forgery, Stage } from "../frame.ts";

const infinity = ({ place, fixture }: Stage) => ({
  meter: withKey(createMeter(place, 9), new Uint8Array(64)),
  owner: fixture.owner.account.address,
});

export const forgery: Forgery = {
  title: "a key that is the point at infinity",
  attacker: "somebody without a chip",
  wants: "a meter for which anybody can sign",
  stoppedBy: "oracle",
  rule: "bad key",
  try(stage) {
    const { meter, owner } = infinity(stage);
    const { baseline, details } = registrationOf(meter, owner);
    const { r, s } = claimOf(meter, { owner });
    const application = { owner, capacity: CAPACITY, source: SOURCE, details, publicKey: toHex(meter.publicKey) };
    const claimed = { baseline: { ...baseline, size: Number(baseline.size) }, claim: `${r}${s.slice(2)}` };
    return stage.post({ ...application, ...claimed }, "/registrations");
  },
  audit: {
    rule: "bad key",
    verdict: "refuted",
    async do(stage) {
      const { meter, owner } = infinity(stage);
      await stage.tell(stage.registered(meter, owner));
      await stage.pretend({ meter, to: 100 }, { settled: { payee: owner } });
      return stage.audited();
    },
  },
};
