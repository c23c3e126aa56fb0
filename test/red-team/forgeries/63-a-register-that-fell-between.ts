/** A bribed DON, with a device whose owner has its key, vouches for a register that fell and rose between two settlements. */
import { bent } from "../../../contracts/test/fixture.ts";
import { liar } from "../forging.ts";
import { foundByAuditor, mintedByBribe, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  meter: liar(roof, 250, (reading, i) => (i === 250 ? bent(reading, { energy: 0n }) : reading)),
  ...{ to: 300, settled: SETTLED },
});

export const forgery = foundByAuditor({
  title: "readings that break the rules between two settlements",
  attacker: "a bribed DON, with the device's key",
  wants: "production that no register shows to look measured",
  isMinted: true,
  audit: { rule: "energy backward", verdict: "refuted", do: mintedByBribe(part) },
});
