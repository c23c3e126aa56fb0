/** An owner has put an old backup into his device, and wants it to go on from there, over what it signed since. */

import { bent, SOURCE, START } from "../../../contracts/test/fixture.ts";
import { createDevice } from "../../../meter/device.ts";
import { liar } from "../forging.ts";
import { type Forgery, pretending, SETTLED, type Stage } from "../frame.ts";

const part = ({ roof }: Stage) => ({
  ...{ meter: liar(roof, 150, (reading) => bent(reading, { temperature: 2100 })), to: 300, settled: SETTLED },
});

export const forgery: Forgery = {
  title: "a device with an old backup, which the oracle knows better",
  attacker: "an old backup of the device",
  wants: "the device to sign two stories in one log",
  stoppedBy: "device",
  rule: "it begins a new epoch",
  async try({ place, roof, post }) {
    const readings = roof.readingsOf().slice(0, 150);
    const kept = { epoch: 1, size: 150, acknowledged: 150, lastTimestamp: START + 1490, pausedUntil: 0 };
    const options = { privateKey: roof.privateKey, epoch: 1, interval: 10, source: SOURCE, place };
    const fresh = createDevice(options).kept();
    const device = createDevice({ ...options, kept: { ...fresh, ...kept, readings } });
    device.synchronise(START + 5000);
    device.take(START + 5000, { power: 0n, register: 0n });
    const posted = device.nextPost();
    if (!posted) return { by: "device", rule: "accepted" };
    const { rule } = await post(posted);
    const answer = { status: 422, body: { rule } };
    const outcome = rule === "accepted" ? rule : device.answered(posted, answer, START + 5000);
    return { by: "device", rule: outcome === "refused" && device.epoch === 2 ? "it begins a new epoch" : outcome };
  },
  audit: { rule: "log inconsistent", verdict: "refuted", do: pretending(part) },
};
