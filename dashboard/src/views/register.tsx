/** The applications for registration: what is in each of them, what holds of it, and where it stands. */
import { useSignal } from "@preact/signals";
import { SOURCE_CHANNEL, SOURCE_EXPORT } from "../../../protocol/reading.ts";
import type { Answer as ChainAnswer } from "../../../verification/chain/asking.ts";
import { type Deployment, deploymentAt } from "../../../verification/chain/views.ts";
import type { Application } from "../model/answers.ts";
import { api } from "../model/api.ts";
import {
  askChain,
  CHECKS,
  type Judged,
  judge,
  lapseOf,
  type OnChain,
  readingOf,
  type Standing,
} from "../model/application.ts";
import { chain } from "../model/chain.ts";
import { ago, count, energy, moment, power } from "../model/format.ts";
import type { Level } from "../model/health.ts";
import { type Facts, facts, now } from "../model/live.ts";
import { meterLink } from "../model/router.ts";
import { isWalletAsked } from "../model/wallet.ts";
import { AskForChain } from "../parts/ask-for-chain.tsx";
import { Empty, Fact, Failure, Loading, Mark, When } from "../parts/common.tsx";
import { lazy } from "../parts/lazy.tsx";
import { NeedsWallet } from "../parts/needs-wallet.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { strings } from "../strings/index.ts";

/** Applications that are shown at once: a search shows others. */
const SHOWN = 20;

const Registrar = lazy(async () => (await import("../wallet/index.ts")).Registrar);
const Register = lazy(async () => (await import("../wallet/index.ts")).Register);

const LEVELS: Record<Standing, Level> = {
  ...{ untrue: "bad", refused: "bad", registered: "good", lapsed: "over", waiting: "warn" },
};

export function RegisterView() {
  const { register: words } = strings.value;
  const search = useSignal("");
  const answer = useAnswer(async (signal) => (await api.registrations(signal)).registrations, []);
  const known = facts.value;
  const deployment = useAnswer(async () => chain && known && deploymentAt(chain, placeOf(known)), [known?.registry]);
  if (answer.error) return <Failure error={answer.error} again={answer.ask} />;
  if (!answer.value || !known) return <Loading />;
  const done = () => {
    answer.ask();
    deployment.ask();
  };
  const sought = search.value.trim().toLowerCase();
  const found = answer.value
    .filter(({ keyId, owner }) => keyId.includes(sought) || owner.toLowerCase().includes(sought))
    .sort((a, b) => timeOf(b) - timeOf(a));
  return (
    <>
      <h1>{words.title}</h1>
      <p class="text">{words.text}</p>
      <div class="toolbar">
        <input
          type="search"
          placeholder={words.search}
          aria-label={words.search}
          value={search.value}
          onInput={({ currentTarget }) => {
            search.value = currentTarget.value;
          }}
        />
        <p class="count" role="status">
          {words.count(count(Math.min(found.length, SHOWN)), count(answer.value.length))}
        </p>
      </div>
      {found.length === 0 && (
        <Empty title={words.none.title}>
          <p>{sought === "" ? words.none.text : words.none.sought}</p>
        </Empty>
      )}
      {found.slice(0, SHOWN).map((application) => (
        <Shown
          key={application.keyId}
          {...{ application, place: placeOf(known), deployment: deployment.value, done }}
        />
      ))}
      {!chain && (
        <section class="card stack">
          <p>{words.askChain}</p>
          <AskForChain />
        </section>
      )}
      <NeedsWallet title={words.registrarTitle} text={words.registrarText}>
        <Registrar />
      </NeedsWallet>
    </>
  );
}

const placeOf = ({ chain_id: chainId, registry }: Facts) => ({ chainId, registry });
const timeOf = (application: Application): number => readingOf(application)?.timestamp ?? 0;

function Shown({
  application,
  place,
  deployment,
  done,
}: {
  application: Application;
  place: ReturnType<typeof placeOf>;
  deployment: ChainAnswer<Deployment> | undefined;
  /** after it was registered */
  done: () => void;
}) {
  const { register: words } = strings.value;
  const { keyId } = application;
  const block = deployment?.ok && deployment.value.block;
  const { value, error } = useAnswer(async () => {
    if (chain && !deployment) return undefined;
    const onChain = await askChain(deployment, keyId);
    return { onChain, judged: await judge(application, place, onChain, now.peek()) };
  }, [application, block]);
  // what cannot even be read is no application
  const standing = error ? "untrue" : value?.judged.standing;
  return (
    <article class="card stack" data-key={keyId} data-standing={standing}>
      <header class="title">
        <h2>
          <code>{`${keyId.slice(0, 10)}…${keyId.slice(-4)}`}</code>
        </h2>
        {standing && (
          <span class="badge">
            <Mark level={LEVELS[standing]} />
            {words.standings[standing]}
          </span>
        )}
        {standing === "registered" && <a href={meterLink(keyId)}>{words.toMeter}</a>}
      </header>
      {standing && <p>{words.reasons[standing]}</p>}
      <div class="pair">
        <Terms application={application} />
        {value && <Checks judged={value.judged} onChain={value.onChain} />}
      </div>
      {isWalletAsked.value && standing === "waiting" && <Register application={application} done={done} />}
    </article>
  );
}

function Terms({ application }: { application: Application }) {
  const { register: words, facts: names } = strings.value;
  const { keyId, owner, capacity, source, details, baseline } = application;
  const reading = readingOf(application);
  return (
    <dl class="facts">
      <Fact name={names.keyId}>
        <code>{keyId}</code>
      </Fact>
      <Fact name={names.owner}>
        <code>{owner}</code>
      </Fact>
      <Fact name={names.capacity}>{power(capacity)}</Fact>
      <Fact name={names.source}>{names.sourceOf(source & SOURCE_CHANNEL, (source & SOURCE_EXPORT) !== 0)}</Fact>
      <Fact name={words.details}>
        <code>{details}</code>
      </Fact>
      {reading && (
        <Fact name={words.baseline}>
          <When time={reading.timestamp} /> · {energy(Number(reading.energy) / 1000)} ·{" "}
          {words.size(count(baseline.size), String(baseline.epoch))}
        </Fact>
      )}
      {reading && (
        <Fact name={words.lapses}>
          {moment(lapseOf(reading))} ({ago(lapseOf(reading), now.value)})
        </Fact>
      )}
    </dl>
  );
}

function Checks({ judged: { checks }, onChain }: { judged: Judged; onChain: OnChain }) {
  const { checks: says, chainUnknown, chainNotAsked } = strings.value.register;
  const chainSays =
    onChain === undefined ? chainNotAsked : onChain.ok ? says.chain[checks.chain] : chainUnknown(onChain.why.says);
  return (
    <ul class="lights">
      {CHECKS.map((check) => (
        <li key={check} data-check={check} data-level={checks[check]}>
          <Mark level={checks[check]} />
          <span class="what">{says[check].name}</span>
          <span class="text">
            {check === "chain" ? chainSays : says[check][checks[check] === "bad" ? "bad" : "good"]}
          </span>
        </li>
      ))}
    </ul>
  );
}
