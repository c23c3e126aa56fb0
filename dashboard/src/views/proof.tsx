/** The proof of one reading, as the oracle hands it out. */
import { api } from "../model/api.ts";
import { meterLink } from "../model/router.ts";
import { Failure, Loading } from "../parts/common.tsx";
import { download } from "../parts/download.ts";
import { useAnswer } from "../parts/use-answer.ts";
import { strings } from "../strings/index.ts";

export function ProofView({ keyId, epoch, index }: { keyId: string; epoch: string; index: string }) {
  const { proof: words, meter: backTo } = strings.value;
  const { value, error, ask } = useAnswer((signal) => api.proof(keyId, epoch, index, signal), [keyId, epoch, index]);
  const text = JSON.stringify(value, null, 2);
  return (
    <>
      <nav class="trail">
        <a href={meterLink(keyId)}>← {backTo.back}</a>
      </nav>
      <header class="title">
        <h1>{words.title}</h1>
        <p>{words.reading(index, epoch)}</p>
      </header>
      <section class="card">
        <p>{words.text}</p>
        {value ? (
          <>
            <h2>{words.raw}</h2>
            <pre class="scroll raw" tabIndex={0}>
              {text}
            </pre>
            <button
              type="button"
              class="button"
              onClick={() => download(`proof-${epoch}-${index}.json`, new Blob([text], { type: "application/json" }))}
            >
              {words.save}
            </button>
          </>
        ) : error ? (
          <Failure error={error} again={ask} />
        ) : (
          <Loading />
        )}
      </section>
    </>
  );
}
