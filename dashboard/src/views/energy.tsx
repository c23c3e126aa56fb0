/** The energy of a bar: the two readings that it is the difference of, and the proofs of both. */
import { energyOf, timestampOf } from "../../../protocol/index.ts";
import { type ReadingProof, type Verdict, verifyEnergy, verifyReading } from "../../../verification/index.ts";
import { chain, deployed, fromBlock } from "../model/chain.ts";
import { energy, moment } from "../model/format.ts";
import { meterLink, proofLink } from "../model/router.ts";
import { AskForChain } from "../parts/ask-for-chain.tsx";
import { Failure, Loading } from "../parts/common.tsx";
import { sayWhy } from "../parts/steps.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { strings } from "../strings/index.ts";
import { LEVELS, Problem, proofOf, What } from "./proof.tsx";

export function EnergyView({ path }: { path: readonly string[] }) {
  const { energy: words, nav } = strings.value;
  const [keyId, epoch, index, lastEpoch, lastIndex] = path as [string, string, string, string, string];
  const { value, error, ask } = useAnswer(
    (signal) =>
      Promise.all([
        proofOf(keyId, epoch, index, signal),
        proofOf(keyId, lastEpoch, lastIndex, signal),
        // with which the next log began
        Number(lastEpoch) === Number(epoch) + 1 ? proofOf(keyId, lastEpoch, "0", signal) : undefined,
      ]),
    [path],
  );
  const [start, end, first] = value ?? [];
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
      {first?.ok === false && <Problem text={first.problem} />}
      {start?.ok && end?.ok && first?.ok !== false && (
        <Between keyId={keyId} start={start.value} end={end.value} first={first?.value} />
      )}
    </>
  );
}

type Proofs = {
  start: ReadingProof;
  end: ReadingProof;
  /** the first reading of the end's log, where that is the next after the start's */
  first: ReadingProof | undefined;
};

/** Of two logs each reading is judged by itself, and of the later one what it counted. */
async function judged({ start, end, first }: Proofs) {
  const place = deployed.value;
  if (!place) return undefined;
  const against = { place, chain, fromBlock: fromBlock.value };
  if (start.epoch >= end.epoch) {
    const found = await verifyEnergy(start, end, against);
    const { verdict, start: from, end: to } = found;
    return { verdict, verdicts: [from.verdict, to.verdict], steps: [...from.steps, ...to.steps] };
  }
  const before = await verifyReading(start, against);
  const after = await verifyEnergy(first ?? end, end, against);
  const both = [before.verdict, after.verdict];
  const worst = both.find(({ is }) => is === "refuted") ?? both.find(({ is }) => is === "cannot tell");
  return {
    verdict: worst ?? before.verdict,
    verdicts: [before.verdict, after.end.verdict],
    steps: [...before.steps, ...after.start.steps, ...after.end.steps],
  };
}

/** mWh, and how they were counted; no number where other logs may lie between, of which nothing is known here. */
function riseOf({ start, end, first }: Proofs): { rise?: bigint; how: "verified" | "each" | "anew" | "many" } {
  const [from, to] = [energyOf(start.reading), energyOf(end.reading)];
  if (start.epoch >= end.epoch) return { rise: to - from, how: "verified" };
  if (!first) return { how: "many" };
  const [last, next] = [energyOf(start.signed.reading), energyOf(first.reading)];
  return next >= last ? { rise: to - from, how: "each" } : { rise: last - from + to - next, how: "anew" };
}

function Between({ keyId, ...proofs }: Proofs & { keyId: string }) {
  const { start, end } = proofs;
  const { energy: words, proof } = strings.value;
  const { value, error, ask } = useAnswer(
    () => judged(proofs),
    [deployed.value, keyId, start.epoch, start.index, end.epoch, end.index],
  );
  if (error) return <Failure error={error} again={ask} />;
  if (!value) return <Loading />;
  const { verdict, verdicts, steps } = value;
  const { is } = verdict;
  const { rise, how } = riseOf(proofs);
  const wattHours = rise === undefined ? undefined : Number(rise) / 1000;
  return (
    <>
      <section class={`card verdict ${LEVELS[is]}`} aria-live="polite" data-verdict={is} data-rise={wattHours ?? ""}>
        <h2>
          {wattHours !== undefined && `${energy(wattHours)}: `}
          {proof.verdicts[is]}
        </h2>
        <p>{[start, end].map(({ reading }) => moment(timestampOf(reading))).join(" – ")}</p>
        {"why" in verdict && <p>{sayWhy(verdict.why, steps)}</p>}
        {is === "verified" && <p>{words[how]}</p>}
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
