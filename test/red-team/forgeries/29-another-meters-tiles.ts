/** A malicious mirror has tiles of all meters, and wants the barn's to pass for the roof's. */
import { zeroHash } from "viem";
import { START, unattestedItem } from "../../../contracts/test/fixture.ts";
import { tilesOf } from "../forging.ts";
import { foundByAuditor, SETTLED } from "../frame.ts";

export const forgery = foundByAuditor({
  title: "a mirror that serves another meter's tiles",
  attacker: "a malicious mirror",
  wants: "an audit of readings that are not the roof's",
  audit: {
    rule: "no readings",
    verdict: "cannot tell",
    async do(stage) {
      const { fixture, roof, barn, files } = stage;
      await fixture.at(START + 31 * 86_400);
      await fixture.settle(zeroHash, [unattestedItem({ meter: roof, to: 250, settled: SETTLED })]);
      const tiles = tilesOf(roof, 250);
      for (const [path, bytes] of tiles) files.set(path, bytes);
      if ((await stage.audited()).verdict !== "verified") throw new Error("the roof's own tiles do not do");
      const others = [...tilesOf(barn, 250).values()];
      for (const path of tiles.keys()) files.set(path, others.shift() as Uint8Array);
      return stage.audited();
    },
  },
});
