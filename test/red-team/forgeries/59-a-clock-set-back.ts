/** A man in the middle answers the device as its time server, and wants it to take readings for a time that it has measured. */

import { SOURCE, START } from "../../../contracts/test/fixture.ts";
import { createDevice } from "../../../meter/device.ts";
import { lastBent } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  ...{ meter: lastBent(roof, 300, { timestamp: START + 1000 }), to: 300, settled: SETTLED },
});

export const forgery: Forgery = {
  title: "a time server that sets the clock back",
  attacker: "a man in the middle",
  wants: "an hour with two readings",
  stoppedBy: "device",
  rule: "it takes no reading",
  async try({ place, roof }) {
    const device = createDevice({ privateKey: roof.privateKey, epoch: 1, interval: 10, source: SOURCE, place });
    device.synchronise(START + 7200);
    device.take(START + 7200, { power: 0n, register: 0n });
    device.synchronise(START + 3600);
    const reading = device.take(START + 3600, { power: 1n, register: 1n });
    return { by: "device", rule: reading ? "accepted" : "it takes no reading" };
  },
  audit: { rule: "time not forward", verdict: "refuted", do: pretending(part) },
};
