/** Anybody has the "signature" that the original published, which is a hash of a text, and wants a meter of its key. */

import { signatureParts } from "../../../contracts/settlement.ts";
import { createMeter } from "../../../contracts/test/fixture.ts";
import { fromHex } from "../../../protocol/index.ts";
import { withKey } from "../forging.ts";
import type { Forgery, Stage } from "../frame.ts";

const PUBLIC_KEY = fromHex(
  "fca0c973d117630908020a530be5d137bc9e11baccf9a3d4f666cf3b56a4edaf07056e97405e803418011c7e62f255a4fb053cdd75d4abbad41b013b37d8d8c4",
);
const SIGNATURE = fromHex(
  "2f2b15c626527e957f49d2d7663a91eccc7b8220c401598515282ea9ec6fa61000000000000000005c20fb04000000000000000000000000d020fb0000000000",
);
const meterOf = ({ place }: Stage) => withKey(createMeter(place, 9), PUBLIC_KEY);

export const forgery: Forgery = {
  title: "the original's published signature",
  attacker: "anybody",
  wants: "a hash of a text to count as a device's word",
  stoppedBy: "contract",
  rule: "ClaimInvalid",
  try(stage) {
    const meter = meterOf(stage);
    return stage.contractSays(() => stage.fixture.register(meter, { claim: signatureParts(SIGNATURE) }));
  },
  audit: {
    rule: "bad signature",
    verdict: "refuted",
    async do(stage) {
      const [meter, owner] = [meterOf(stage), stage.fixture.owner.account.address];
      await stage.tell(stage.registered(meter, owner));
      await stage.pretend({ meter, to: 100, signature: SIGNATURE }, { settled: { payee: owner } });
      return stage.audited();
    },
  },
};
