/** A man in the middle on the roof's network answers the device as its Shelly, and wants a register that jumped to be believed. */

import { CAPACITY, SOURCE, START } from "../../../contracts/test/fixture.ts";
import { createDevice } from "../../../meter/device.ts";
import { lastBent } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

/** mWh */
const MWH = 1_000_000_000n;
const part = ({ roof }: Stage) => ({ meter: lastBent(roof, 300, { energy: MWH }), to: 300, settled: SETTLED });

export const forgery: Forgery = {
  title: "a false Shelly whose register jumps",
  attacker: "a man in the middle",
  wants: "a MWh out of a jump",
  stoppedBy: "device",
  rule: "it counts nothing",
  async try({ place, roof: { privateKey } }) {
    const terms = { privateKey, epoch: 1, interval: 10, source: SOURCE, place, capacity: CAPACITY };
    const device = createDevice(terms);
    device.synchronise(START);
    device.take(START, { power: 0n, register: 0n });
    device.take(START + 10, { power: 0n, register: MWH });
    return { by: "device", rule: device.energy === 0n ? "it counts nothing" : "accepted" };
  },
  audit: { rule: "beyond capacity", verdict: "refuted", do: pretending(part) },
};
