/** A stolen oracle has minted what was true, and wants nobody to be able to see that any more. */
import { foundByAuditor } from "../frame.ts";

export const forgery = foundByAuditor({
  title: "evidence that was removed after minting",
  attacker: "a stolen oracle",
  wants: "tokens that nobody can check",
  audit: {
    rule: "no batch",
    verdict: "cannot tell",
    do(stage) {
      const [batch] = stage.files.keys();
      stage.files.delete(batch as string);
      return stage.audited();
    },
  },
});
