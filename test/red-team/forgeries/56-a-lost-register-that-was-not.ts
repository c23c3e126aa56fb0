/** A stolen oracle has a new epoch whose register went on, and wants it to look as if it had begun at nothing. */
import { bent, produce, START } from "../../../contracts/test/fixture.ts";
import { toHex } from "../../../protocol/index.ts";
import { meterWith } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const EPOCH = 2;
/** below what is settled, and within what the capacity allows from there */
const LOW = { energy: 1_900_000n };
const log = produce({ count: 100, from: { timestamp: START + 3000, energy: 2_000_000n } });
const part = ({ roof }: Stage) => {
  const meter = meterWith(roof, roof.readingsOf());
  meter.begin(EPOCH, log);
  return { meter, epoch: EPOCH, to: 50, settled: 0, settledTimestamp: START + 10 * (SETTLED - 1) };
};

export const forgery: Forgery = {
  title: "a reading 0 that is not the log's",
  attacker: "a stolen oracle, with a bribed DON",
  wants: "all energy of a meter to be minted once more",
  stoppedBy: "contract",
  rule: "FirstReadingInvalid",
  try: (stage) => stage.settle(part(stage), { firstReading: toHex(bent(log[0] as Uint8Array, LOW)) }),
  audit: {
    rule: "reading 0",
    verdict: "refuted",
    do: pretending(part, { begun: LOW, settled: { produced: 590_000n } }),
  },
};
