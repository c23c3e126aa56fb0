/** What of a meter is in order and what is not, each with its reason. */
import { CONDITIONS } from "../../../protocol/reading.ts";
import type { Mark as Settlement } from "../model/answers.ts";
import { ago, count } from "../model/format.ts";
import { isLate, type Level, silenceOf } from "../model/health.ts";
import { type Meter, now } from "../model/live.ts";
import { Mark } from "../parts/common.tsx";
import { strings } from "../strings/index.ts";

type Light = { name: string; level: Level; text: string };

export function Lights({ meter, settlements }: { meter: Meter; settlements: readonly Settlement[] }) {
  const lights = [...lightsOfReading(meter), chainLight(meter), attestationLight(settlements)];
  return (
    <section class="card" aria-labelledby="lights">
      <h2 id="lights">{strings.value.lights.title}</h2>
      <ul class="lights">
        {lights.map(({ name, level, text }) => (
          <li key={name}>
            <Mark level={level} />
            <span class="what">{name}</span>
            <span class="text">{text}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function lightsOfReading({ reading }: Meter): Light[] {
  const { lights } = strings.value;
  const has = (condition: number): boolean => ((reading?.conditions ?? 0) & condition) !== 0;
  const { level } = reading ? silenceOf(reading.timestamp, now.value) : { level: "warn" as const };
  const when = reading ? ago(reading.timestamp, now.value) : "";
  const [isDrifting, isOpened] = [has(CONDITIONS.drifting), has(CONDITIONS.tamper)];
  const jumped = has(CONDITIONS.discontinuous) ? lights.meterJumped : undefined;
  const doubt = has(CONDITIONS.invalid) ? lights.meterInvalid : jumped;
  const network = level === "good" ? lights.networkGood(when) : lights.networkBad(when);
  return [
    { name: lights.network, level, text: reading ? network : lights.networkNone },
    { name: lights.clock, level: isDrifting ? "bad" : "good", text: isDrifting ? lights.clockBad : lights.clockGood },
    { name: lights.meter, level: doubt ? "warn" : "good", text: doubt ?? lights.meterGood },
    {
      name: lights.enclosure,
      level: isOpened ? "bad" : "good",
      text: isOpened ? lights.enclosureBad : lights.enclosureGood,
    },
  ];
}

function chainLight({ glance, reading, settled, epoch, size }: Meter): Light {
  const { lights } = strings.value;
  const name = lights.chain;
  if (glance.status === "frozen") return { name, level: "bad", text: lights.chainFrozen };
  const isAhead = reading !== undefined && (epoch !== settled.epoch || size > settled.size);
  const when = ago(settled.timestamp, now.value);
  if (!isAhead) return { name, level: "good", text: lights.chainGood };
  if (isLate({ isAhead, settled: settled.timestamp }, now.value)) {
    return { name, level: "warn", text: lights.chainLate(when) };
  }
  const waiting = epoch === settled.epoch ? size - settled.size : size;
  return { name, level: "good", text: lights.chainAhead(count(waiting), when) };
}

function attestationLight(settlements: readonly Settlement[]): Light {
  const { lights } = strings.value;
  const name = lights.attestation;
  const last = settlements.findLast(({ fromSize, produced }) => fromSize > 0 || produced !== "0");
  if (!last) return { name, level: "over", text: lights.attestationNone };
  return { name, level: "good", text: last.attestation ? lights.attestationGood : lights.attestationAlone };
}
