/** What was verified, step by step: sentences for the owner of a roof, all bytes for an auditor. */
import type { ProofRule, State, Step, Why } from "../../../verification/index.ts";
import { count } from "../model/format.ts";
import type { Level } from "../model/health.ts";
import { strings } from "../strings/index.ts";
import { Mark } from "./common.tsx";

const LEVELS: Record<State, Level> = { holds: "good", refuted: "bad", unknown: "over" };

/** A sentence with what it names of the facts: `{block}`. */
const withFacts = (sentence: string, { facts }: Step): string =>
  sentence.replace(/\{(\w+)\}/g, (_, name) => {
    const fact = facts[name];
    return typeof fact === "number" ? count(fact) : String(fact ?? "?");
  });

/** Why, in the visitor's language, with the facts of the step among these that it is of. */
export function sayWhy(why: Why, steps: readonly Step[] = []): string {
  const sentence = strings.value.proof.rules[why.rule as ProofRule];
  const step = steps.find((each) => each.why === why);
  return step ? withFacts(sentence, step) : sentence;
}

export function Steps({ steps }: { steps: readonly Step[] }) {
  const { proof: words } = strings.value;
  return (
    <section class="card" aria-labelledby="steps">
      <h2 id="steps">{words.stepsTitle}</h2>
      <ol class="proof-steps">
        {steps.map((step) => (
          <li key={step.name} class={step.state} data-step={step.name} data-state={step.state}>
            <Mark level={LEVELS[step.state]} />
            <div>
              <p>
                <strong>{words.steps[step.name].title}.</strong>{" "}
                {step.state === "unknown" ? words.open : withFacts(words.steps[step.name][step.state], step)}
              </p>
              {step.why && <p class="why">{sayWhy(step.why, steps)}</p>}
              <Bytes step={step} />
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Bytes({ step }: { step: Step }) {
  const { proof: words } = strings.value;
  const facts = Object.entries(step.facts);
  if (step.computed === undefined && step.expected === undefined && facts.length === 0 && !step.why) return null;
  return (
    <details class="numbers">
      <summary>
        {words.bytes}
        <span class="hidden">: {words.steps[step.name].title}</span>
      </summary>
      <dl class="facts">
        {step.why && <Line name={words.library} value={`${step.why.rule}: ${step.why.says}`} />}
        {step.computed !== undefined && <Line name={words.computed} value={step.computed} />}
        {step.expected !== undefined && <Line name={words.expected} value={step.expected} />}
        {facts.map(([name, value]) => (
          <Line key={name} name={name} value={String(value)} />
        ))}
      </dl>
    </details>
  );
}

const Line = ({ name, value }: { name: string; value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>
      <code>{value}</code>
    </dd>
  </div>
);
