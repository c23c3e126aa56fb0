/** The newest readings of a meter, how far each has come, and its proof. */
import type { Row, Mark as Settlement } from "../model/answers.ts";
import { api } from "../model/api.ts";
import { count, energy, moment, power } from "../model/format.ts";
import { proofLink } from "../model/router.ts";
import { Failure, Loading, When } from "../parts/common.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { useNews } from "../parts/use-news.ts";
import { strings } from "../strings/index.ts";
import { conditionsIn } from "./facts.tsx";

const SHOWN = 20;
/** ms between two questions */
const PAUSE = 2000;

export function Readings({ keyId, settlements }: { keyId: string; settlements: readonly Settlement[] }) {
  const { readings: words } = strings.value;
  const answer = useAnswer((signal) => api.readings(keyId, SHOWN, signal), [keyId]);
  useNews(keyId, PAUSE, answer.ask);
  return (
    <section class="card" aria-labelledby="readings">
      <h2 id="readings">{words.title}</h2>
      <Content rows={answer.value} error={answer.error} again={answer.ask} settlements={settlements} keyId={keyId} />
    </section>
  );
}

function Content({
  rows,
  error,
  again,
  settlements,
  keyId,
}: {
  rows: Row[] | undefined;
  error: Error | undefined;
  again: () => void;
  settlements: readonly Settlement[];
  keyId: string;
}) {
  const { readings: words } = strings.value;
  const { columns } = words;
  if (!rows) return error ? <Failure error={error} again={again} /> : <Loading />;
  if (rows.length === 0) return <p class="none">{words.empty}</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={words.caption}>
      <table class="readings">
        <thead>
          <tr>
            <th scope="col">{columns.time}</th>
            <th scope="col" class="right">
              {columns.power}
            </th>
            <th scope="col" class="right">
              {columns.register}
            </th>
            <th scope="col">{columns.state}</th>
            <th scope="col">{columns.proof}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.epoch}/${row.index}`}>
              <td>
                <When time={row.timestamp} />
              </td>
              <td class="right">{power(row.power_w)}</td>
              <td class="right">{energy(row.total_wh)}</td>
              <td>
                <Stage row={row} settlement={settlements.find((mark) => isOf(mark, row))} />
              </td>
              <td>
                <a href={proofLink(keyId, row.epoch, row.index)} aria-label={words.proofOf(moment(row.timestamp))}>
                  {words.proof}
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Whether a settlement brought this reading on chain. */
const isOf = ({ epoch, fromSize, size }: Settlement, row: Row): boolean =>
  epoch === row.epoch && row.index < size && row.index >= fromSize;

function Stage({ row, settlement }: { row: Row; settlement: Settlement | undefined }) {
  const { readings: words } = strings.value;
  const doubt = row.conditions !== 0 && <span class="doubt">{conditionsIn(row.conditions)}</span>;
  if (!row.is_on_chain) {
    return (
      <span class="stage signed" title={words.signedNote}>
        {words.signed} {doubt}
      </span>
    );
  }
  const isAttested = settlement?.attestation !== undefined;
  return (
    <span class="stage settled" title={isAttested ? words.attestedNote : words.aloneNote}>
      {isAttested ? words.attested : words.onChain}
      {settlement?.confirmed && `, ${words.final}`}
      {row.blockchain_block_number !== null && (
        <span class="note" title={`${words.transaction} ${row.blockchain_tx_hash}`}>
          {words.block(count(row.blockchain_block_number))}
        </span>
      )}
      {doubt}
    </span>
  );
}
