/** The energy of a bar: the two readings that it is the difference of, and the proofs of both. */
import { energyOf, timestampOf } from "../../../protocol/index.ts";
import { type ReadingProof, type Rule, type Verdict, verifyEnergy } from "../../../verification/index.ts";
import { chain, deployed, fromBlock } from "../model/chain.ts";
import { energy, moment } from "../model/format.ts";
import { meterLink, proofLink } from "../model/router.ts";
import { AskForChain } from "../parts/ask-for-chain.tsx";
import { Failure, Loading } from "../parts/common.tsx";
import { sayRule } from "../parts/steps.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { strings } from "../strings/index.ts";
import { LEVELS, Problem, proofOf, What } from "./proof.tsx";

export function EnergyView({ path }: { path: readonly string[] }) {
  const { energy: words, nav } = strings.value;
  const [keyId, epoch, index, lastEpoch, lastIndex] = path as [string, string, string, string, string];
  const { value, error, ask } = useAnswer(
    (signal) => Promise.all([proofOf(keyId, epoch, index, signal), proofOf(keyId, lastEpoch, lastIndex, signal)]),
    [path],
  );
  const [start, end] = value ?? [];
  return (
    <>
      <nav class="trail">
        <a href={meterLink(keyId)}>← {nav.meter}</a>
      </nav>
      <h1>{words.title}</h1>
      {error && !value && <Failure error={error} again={ask} />}
      {!error && !value && <Loading />}
      {start?.ok === false && <Problem text={start.problem} />}
      {end?.ok === false && <Problem text={end.problem} />}
      {start?.ok && end?.ok && <Between keyId={keyId} start={start.value} end={end.value} />}
    </>
  );
}

/** Of readings of two logs each is judged by itself. */
async function judged(start: ReadingProof, end: ReadingProof) {
  const place = deployed.value;
  if (!place) return undefined;
  const found = await verifyEnergy(start, end, { place, chain, fromBlock: fromBlock.value });
  const verdicts: [Verdict, Verdict] = [found.start.verdict, found.end.verdict];
  const isElsewhere = "why" in found.verdict && found.verdict.why.rule === "other log" && start.epoch < end.epoch;
  const open = verdicts.find((each) => each.is === "cannot tell");
  const verdict = isElsewhere ? (open ?? verdicts[0]) : found.verdict;
  const rule: Rule | undefined = "why" in verdict ? verdict.why.rule : undefined;
  return { verdicts, isElsewhere, is: verdict.is, rule };
}

function Between({ keyId, start, end }: { keyId: string; start: ReadingProof; end: ReadingProof }) {
  const { energy: words, proof } = strings.value;
  const { value, error, ask } = useAnswer(() => judged(start, end), [deployed.value, keyId, start.index, end.index]);
  if (error) return <Failure error={error} again={ask} />;
  if (!value) return <Loading />;
  const { verdicts, isElsewhere, is, rule } = value;
  const rise = Number(energyOf(end.reading) - energyOf(start.reading)) / 1000;
  const isAnew = isElsewhere && rise < 0;
  return (
    <>
      <section class={`card verdict ${LEVELS[is]}`} aria-live="polite" data-verdict={is} data-rise={rise}>
        <h2>
          {!isAnew && `${energy(rise)}: `}
          {proof.verdicts[is]}
        </h2>
        <p>{[start, end].map(({ reading }) => moment(timestampOf(reading))).join(" – ")}</p>
        {rule && <p>{sayRule(rule)}</p>}
        {is === "verified" && <p>{isAnew ? words.anew : isElsewhere ? words.each : words.verified}</p>}
        {!chain && <AskForChain />}
      </section>
      {[start, end].map((each, i) => {
        const { is } = verdicts[i] as Verdict;
        return (
          <section key={i} class={`card verdict ${LEVELS[is]}`}>
            <h2>{proof.verdicts[is]}</h2>
            <What reading={each.reading} />
            <a href={proofLink(keyId, each.epoch, each.index)}>
              {proof.reading(String(each.index), String(each.epoch))}
            </a>
          </section>
        );
      })}
    </>
  );
}
