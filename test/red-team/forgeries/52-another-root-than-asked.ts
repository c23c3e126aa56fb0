/** A bribed DON is asked about one batch, and wants to attest another in its place. */
import type { Hex } from "viem";
import { batchOf, rootOf } from "../forging.ts";
import { type Forgery, SETTLED, type Stage } from "../frame.ts";

const OTHER: Hex = `0x${"49".repeat(32)}`;
const part = ({ roof }: Stage) => ({ meter: roof, to: 300, settled: SETTLED });

export const forgery: Forgery = {
  title: "a DON that answers with another root than it was asked for",
  attacker: "a bribed DON",
  wants: "to attest what nobody asked about",
  stoppedBy: "contract",
  rule: "AttestationRefused",
  async try(stage) {
    stage.bribe(OTHER);
    const asked = rootOf(part(stage));
    await stage.functions.ask(asked, asked, [stage.url]);
    const attestors = await Promise.all([asked, OTHER].map(stage.functions.attestedBy));
    return { by: "contract", rule: attestors.every((each) => BigInt(each) === 0n) ? "AttestationRefused" : "accepted" };
  },
  audit: {
    rule: "attested root",
    verdict: "refuted",
    async do(stage) {
      const [root, digest] = [rootOf(part(stage)), stage.publish(batchOf(part(stage)))];
      const [, ...answered] = stage.attested(digest, root);
      const question = { requestId: root, digest, root: OTHER, subscriptionId: 1n };
      const asked = stage.onAttestor("AttestationRequested", question);
      await stage.tell([asked, ...answered, ...(await stage.settled(part(stage)))]);
      return stage.audited();
    },
  },
};
