/** An owner has a chip that lies between its readings, which only a DON would see, and wants to settle without one. */
import { encodeFunctionData, zeroHash } from "viem";
import { unattestedItem } from "../../../contracts/test/fixture.ts";
import { batchOf } from "../forging.ts";
import { type Forgery, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Pick<Stage, "roof">) => ({ meter: roof, to: 300, settled: SETTLED });

export const forgery: Forgery = {
  title: "a settlement on the device's signature alone before its time",
  attacker: "an owner with a screwdriver",
  wants: "that nobody looks at his readings",
  stoppedBy: "contract",
  rule: "AttestationRequired",
  try: ({ contractSays, fixture, ...stage }) =>
    contractSays(() => fixture.settle(zeroHash, [unattestedItem(part(stage))])),
  audit: {
    rule: "attestation required",
    verdict: "refuted",
    async do(stage) {
      stage.publish(batchOf(part(stage)));
      const args = [zeroHash, [unattestedItem(part(stage))]] as const;
      const sent = encodeFunctionData({ ...stage.fixture.wattWitness, functionName: "settle", args });
      await stage.tell(await stage.settled(part(stage), { attestation: zeroHash }), sent);
      return stage.audited();
    },
  },
};
