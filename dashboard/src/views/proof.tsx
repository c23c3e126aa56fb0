/** The proof of one reading, verified here step by step: nothing that the oracle says is believed. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { decodeReading } from "../../../protocol/reading.ts";
import {
  type Against,
  type Parsed,
  proofFile,
  proofFrom,
  proofFromText,
  type ReadingProof,
  type Verification,
  verifyReading,
} from "../../../verification/index.ts";
import { api } from "../model/api.ts";
import { chain, fromBlock } from "../model/chain.ts";
import { energy as formatEnergy, power as formatPower } from "../model/format.ts";
import { facts, meters } from "../model/live.ts";
import { meterLink, proofLink } from "../model/router.ts";
import { AskForChain } from "../parts/ask-for-chain.tsx";
import { Failure, Loading, When } from "../parts/common.tsx";
import { download } from "../parts/download.ts";
import { LIES, type Lie, Lies } from "../parts/lies.tsx";
import { Steps, sayWhy } from "../parts/steps.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { strings } from "../strings/index.ts";

/** The oracle's proof of this reading: one of another is none, however true. */
export async function proofOf(
  keyId: string,
  epoch: string,
  index: string,
  signal: AbortSignal,
): Promise<Parsed<ReadingProof> & { json: unknown }> {
  const json = await api.proof(keyId, epoch, index, signal);
  const parsed = proofFrom(json);
  const isOther = String([json["keyId"], json["epoch"], json["index"]]) !== String([keyId, epoch, index]);
  return { json, ...(parsed.ok && isOther ? { ok: false, problem: strings.value.proof.other } : parsed) };
}

/** What it is for, by the proof itself where nobody else says it: of a file that is looked at without an oracle. */
function againstOf(proof: ReadingProof): Against | undefined {
  const { chain_id: chainId = proof.chainId, registry = proof.registry } = facts.value ?? {};
  if (chainId === undefined || registry === undefined) return undefined;
  return { place: { chainId, registry }, chain, fromBlock: fromBlock.value };
}

export function ProofView({ keyId, epoch, index }: { keyId: string; epoch: string; index: string }) {
  const { proof: words, nav } = strings.value;
  const { value, error, ask } = useAnswer((signal) => proofOf(keyId, epoch, index, signal), [keyId, epoch, index]);
  return (
    <>
      <nav class="trail">
        <a href={meterLink(keyId)}>← {nav.meter}</a>
      </nav>
      <header class="title">
        <h1>{words.title}</h1>
        <p class="note">{words.reading(index, epoch)}</p>
      </header>
      {error && !value && <Failure error={error} again={ask} />}
      {!error && !value && <Loading />}
      {value?.ok === false && <Problem text={value.problem} />}
      {value?.ok && <Verified name={JSON.stringify(value.json)} proof={value.value} />}
      {value && <Raw text={JSON.stringify(value.json, null, 2)} />}
    </>
  );
}

/** The same of a file that the visitor has, for which no oracle is needed. */
export function ProofFileView() {
  const { proof: words, nav } = strings.value;
  const text = useSignal<string | undefined>(undefined);
  const input = useRef<HTMLInputElement>(null);
  const parsed = text.value === undefined ? undefined : proofFromText(text.value);
  const take = async (file: File | undefined) => {
    if (file) text.value = await file.text();
  };
  return (
    <>
      <nav class="trail">
        <a href="#/">← {nav.meters}</a>
      </nav>
      <h1>{words.title}</h1>
      <div
        role="group"
        aria-label={words.drop}
        class="card drop"
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          void take(event.dataTransfer?.files[0]);
        }}
      >
        <label>
          <span>{words.drop}</span>
          <input ref={input} type="file" onChange={({ currentTarget }) => void take(currentTarget.files?.[0])} />
        </label>
      </div>
      {!parsed && <Newest />}
      {parsed?.ok === false && <Problem text={parsed.problem} />}
      {parsed?.ok && <Verified name={text.value as string} proof={parsed.value} />}
    </>
  );
}

/** For whoever has no file yet. */
function Newest() {
  const { proof: words } = strings.value;
  const settled = [...(meters.value?.values() ?? [])].filter((meter) => meter.settled.size > 0).slice(0, FEW);
  if (settled.length === 0) return null;
  return (
    <section class="card" aria-labelledby="newest">
      <h2 id="newest">{words.newest}</h2>
      <ul class="plain">
        {settled.map(({ keyId, title, settled: { epoch, size, timestamp } }) => (
          <li key={keyId}>
            <a href={proofLink(keyId, epoch, size - 1)}>{title}</a> <When time={timestamp} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Meters of which a proof is offered. */
const FEW = 5;

export const Problem = ({ text }: { text: string }) => (
  <div class="card verdict bad" role="alert" data-verdict="refuted">
    <h2>{strings.value.proof.noProof}</h2>
    <p>{text}</p>
  </div>
);

/** `name`: another for every other proof. */
function Verified({ name, proof: honest }: { name: string; proof: ReadingProof }) {
  const lie = useSignal<Lie | undefined>(undefined);
  const proof = lie.value === undefined ? honest : LIES[lie.value](honest);
  const against = againstOf(proof);
  const place = against && `${against.place.chainId} ${against.place.registry}`;
  const { value, error, ask } = useAnswer(
    async () => against && verifyReading(proof, against),
    [name, place ?? "", lie.value ?? ""],
  );
  if (error) return <Failure error={error} again={ask} />;
  if (!against) return <Loading />;
  return (
    <>
      {value ? <Judged proof={proof} against={against} verification={value} /> : <Loading />}
      <Lies
        key="lies"
        chosen={lie.value}
        choose={(chosen) => {
          lie.value = chosen;
        }}
      />
      {value && <Steps steps={value.steps} />}
      {value && honest.publicKey && <Save proof={honest} publicKey={honest.publicKey} against={against} />}
    </>
  );
}

type Judging = { proof: ReadingProof; against: Against; verification: Verification };

function Judged({ proof, against, verification: { verdict, steps } }: Judging) {
  const { proof: words } = strings.value;
  return (
    <section class={`card verdict ${LEVELS[verdict.is]}`} aria-live="polite" data-verdict={verdict.is}>
      <h2>{words.verdicts[verdict.is]}</h2>
      <p>{"why" in verdict ? sayWhy(verdict.why, steps) : words.verified}</p>
      <What reading={proof.reading} />
      <p class="note">
        {words.against(String(against.place.chainId))} <code>{against.place.registry}</code>
      </p>
      {!chain && <AskForChain />}
    </section>
  );
}

/** What the reading says, in the units that people use. */
export function What({ reading }: { reading: Uint8Array }) {
  const decoded = decodeReading(reading);
  if (!decoded.ok) return null;
  const { timestamp, power, energy } = decoded.value;
  return (
    <p class="what-it-says">
      <When time={timestamp} /> · {formatPower(Number(power) / 1000)} · {formatEnergy(Number(energy) / 1000)}
    </p>
  );
}

export const LEVELS = { verified: "good", refuted: "bad", "cannot tell": "warn" } as const;

function Save({ proof, publicKey, against }: { proof: ReadingProof; publicKey: Uint8Array; against: Against }) {
  const { proof: words } = strings.value;
  const name = `reading-${proof.epoch}-${proof.index}.wattwitness-proof.json`;
  return (
    <p>
      <button
        type="button"
        class="button"
        onClick={() =>
          download(name, new Blob([proofFile(proof, against.place, publicKey)], { type: "application/json" }))
        }
      >
        {words.save}
      </button>
    </p>
  );
}

function Raw({ text }: { text: string }) {
  return (
    <details class="card numbers">
      <summary>{strings.value.proof.raw}</summary>
      <pre class="scroll raw" tabIndex={0}>
        {text}
      </pre>
    </details>
  );
}
