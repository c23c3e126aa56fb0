/** A stolen oracle has a new epoch whose register went on, and wants it to look as if it had begun at nothing. */
import { bent } from "../../../contracts/test/fixture.ts";
import { toHex } from "../../../protocol/index.ts";
import { begunAfter } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

/** below what is settled, and within what the capacity allows from there */
const LOW = { energy: 1_900_000n };
const begun = (stage: Stage) => begunAfter(stage.roof, SETTLED, 2);
const part = (stage: Stage) => begun(stage).part;

export const forgery: Forgery = {
  title: "a reading 0 that is not the log's",
  attacker: "a stolen oracle, with a bribed DON",
  wants: "all energy of a meter to be minted once more",
  stoppedBy: "contract",
  rule: "FirstReadingInvalid",
  try: (stage) => stage.settle(part(stage), { firstReading: toHex(bent(begun(stage).first, LOW)) }),
  audit: {
    rule: "reading 0",
    verdict: "refuted",
    do: pretending(part, { begun: LOW, settled: { produced: 590_000n } }),
  },
};
