/** What is known of the device and its key. */
import { CONDITIONS, SOURCE_CHANNEL, SOURCE_EXPORT } from "../../../protocol/reading.ts";
import { celsius, count, kilo, power } from "../model/format.ts";
import type { Meter } from "../model/live.ts";
import { Fact, When } from "../parts/common.tsx";
import { strings } from "../strings/index.ts";

export function Facts({ meter, source }: { meter: Meter; source: number | undefined }) {
  const { facts: words } = strings.value;
  const { glance, reading, epoch, size } = meter;
  const boot = glance.last_boot_timestamp;
  return (
    <section class="card" aria-labelledby="facts">
      <h2 id="facts">{words.title}</h2>
      <dl class="facts">
        <Fact name={words.keyId}>
          <code>{meter.keyId}</code>
        </Fact>
        <Fact name={words.owner}>
          <code>{glance.owner}</code>
        </Fact>
        <Fact name={words.capacity}>{power(glance.capacity)}</Fact>
        {source !== undefined && (
          <Fact name={words.source}>{words.sourceOf(source & SOURCE_CHANNEL, (source & SOURCE_EXPORT) !== 0)}</Fact>
        )}
        <Fact name={words.epoch}>{epoch === null ? "–" : `${epoch} · ${words.epochNote(count(size))}`}</Fact>
        <Fact name={words.since}>{glance.since === null ? "–" : <When time={glance.since} />}</Fact>
        <Fact name={words.boot}>{boot === null ? words.bootUnknown : <When time={boot} />}</Fact>
        <Fact name={words.conditions}>{conditionsIn(reading?.conditions ?? 0)}</Fact>
        <Fact name={words.temperature}>
          {reading?.temperature === undefined ? words.notMeasured : celsius(reading.temperature)}
        </Fact>
        <Fact name={words.voltage}>
          {reading?.voltage === undefined ? words.notMeasured : `${kilo(reading.voltage)} V`}
        </Fact>
        <Fact name={words.current}>
          {reading?.current === undefined ? words.notMeasured : `${kilo(reading.current)} A`}
        </Fact>
      </dl>
    </section>
  );
}

/** In words. */
export function conditionsIn(conditions: number): string {
  const { conditions: words, facts } = strings.value;
  const names = Object.keys(words) as (keyof typeof words)[];
  return (
    names
      .filter((name) => conditions & CONDITIONS[name])
      .map((name) => words[name])
      .join(", ") || facts.clear
  );
}
