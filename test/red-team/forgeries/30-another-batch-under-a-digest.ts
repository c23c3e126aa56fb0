/** A malicious mirror has a batch's digest, and wants other readings to stand under it. */
import { foundByAuditor } from "../frame.ts";

export const forgery = foundByAuditor({
  title: "a mirror that serves other bytes under a batch's digest",
  attacker: "a malicious mirror",
  wants: "an audit of readings that no device signed",
  audit: {
    rule: "no batch",
    verdict: "cannot tell",
    do(stage) {
      const [[path, bytes]] = [...stage.files] as [[string, Uint8Array]];
      stage.files.set(path, bytes.with(200, (bytes[200] as number) ^ 1));
      return stage.audited();
    },
  },
});
