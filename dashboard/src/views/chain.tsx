/** The token by the chain's own events: what was minted for which readings, who holds it, and whether all of it joins. */
import { signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { type Place, toHex } from "../../../protocol/index.ts";
import { quantity, tag } from "../../../verification/chain/asking.ts";
import { checksOf, holdersOf, type Ledger, ledgerAt } from "../../../verification/chain/ledger.ts";
import type { ChainReader } from "../../../verification/index.ts";
import { chain, fromBlock, NODE } from "../model/chain.ts";
import { count, exactTokens, NONE, share, tokens } from "../model/format.ts";
import { inTokens } from "../model/held.ts";
import { meters } from "../model/live.ts";
import { certificateLink, meterLink } from "../model/router.ts";
import { Mark, Tile, When } from "../parts/common.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { useNews } from "../parts/use-news.ts";
import { Untold, WithChain } from "../parts/with-chain.tsx";
import { strings } from "../strings/index.ts";

/** ms between two questions for what is new */
const PAUSE = 2000;
/** rows of a list at once: for each of them the chain is asked */
const PAGE = 20;

/** As far as it was read: when the view is opened again, it goes on from there. */
const ledger = signal<Ledger | undefined>(undefined);

export function ChainView() {
  const { title } = strings.value.chain;
  return <WithChain title={title}>{(node, place) => <Read node={node} place={place} />}</WithChain>;
}

function Read({ node, place }: { node: ChainReader; place: Place }) {
  const { chain: words } = strings.value;
  const blocks = useSignal({ read: 0, all: 0 });
  const isNews = useRef(false);
  const { value, ask } = useAnswer(
    async (abort) => {
      for (;;) {
        isNews.current = false;
        const answer = await ledgerAt(node, place, fromBlock.peek(), ledger.peek(), {
          signal: abort,
          onBegin: (all) => {
            blocks.value = { read: 0, all };
          },
          onRead: (read) => {
            blocks.value = { ...blocks.peek(), read };
          },
        });
        if (answer.ok && !abort.aborted) ledger.value = answer.value;
        if (!answer.ok || !isNews.current) return answer;
      }
    },
    [place],
  );
  useNews(undefined, PAUSE, () => {
    isNews.current = true;
    // a first reading takes its time, and looks again at its end
    if (ledger.peek()) ask();
  });
  const again = () => {
    ledger.value = undefined;
    ask();
  };
  const known = ledger.value;
  return (
    <>
      <header class="title">
        <h1>{words.title}</h1>
        {known && <p class="note">{words.readFrom(NODE, count(known.at.block))}</p>}
      </header>
      {value?.ok === false && <Untold why={value.why} again={ask} />}
      {!known && !value && (
        <label class="card progress">
          {words.progress}
          <progress max={blocks.value.all} value={blocks.value.read} />
        </label>
      )}
      {known && <Told ledger={known} again={again} />}
    </>
  );
}

function Told({ ledger, again }: { ledger: Ledger; again: () => void }) {
  const { chain: words, failed, overview } = strings.value;
  const { supply, retired } = ledger.totals;
  const { settlements, attestations, retirements, checks, holders, items } = useMemo(() => derived(ledger), [ledger]);
  const isWell = checks.every(({ holds }) => holds);
  return (
    <>
      <dl class="tiles three">
        <Tile label={overview.minted} quantity={{ value: inTokens(supply + retired), unit: "" }} main />
        <Tile label={words.supply} quantity={{ value: inTokens(supply), unit: "" }} note={overview.mintedNote} />
        <Tile label={words.retired} quantity={{ value: inTokens(retired), unit: "" }} />
      </dl>
      <section class={isWell ? "card" : "card verdict bad"} aria-live="polite" data-joins={isWell}>
        <ul class="proof-steps">
          {checks.map(({ name, holds, events, contract }) => (
            <li key={name} class={holds ? "" : "refuted"} data-check={name} data-holds={holds}>
              <Mark level={holds ? "good" : "bad"} />
              <div>
                <p>
                  {words.checks[name]}: {exactTokens(events)} {events === contract ? "=" : "≠"} {exactTokens(contract)}
                </p>
                {!holds && <p class="why">{words.differs}</p>}
              </div>
            </li>
          ))}
        </ul>
        <p class="note">
          {words.token} <code>{ledger.at.token}</code>
        </p>
        {!isWell && (
          <button type="button" class="button" onClick={again}>
            {failed.again}
          </button>
        )}
      </section>
      <List
        title={words.settlements}
        columns={["time", "meter", "minted", "by", "block", "transaction", "gas", "each"]}
        rows={settlements}
        cells={({ keyId, produced, attestation, block, transaction }) => {
          const hash = toHex(transaction);
          return [
            <Time block={block} />,
            <MeterLink keyId={toHex(keyId)} />,
            tokens(Number(produced) / 1000),
            attestation.some((byte) => byte !== 0) ? words.attested : words.alone,
            count(block),
            <Short text={hash} />,
            <Gas transaction={hash} />,
            <Gas transaction={hash} by={items.get(hash)} />,
          ];
        }}
      />
      <List
        title={words.attestations}
        columns={["time", "root", "attestor", "block", "transaction"]}
        rows={attestations}
        cells={({ root, attestor, block, transaction }) => [
          <Time block={block} />,
          <Short text={toHex(root)} />,
          <Short text={attestor} />,
          count(block),
          <Short text={toHex(transaction)} />,
        ]}
      />
      <List
        title={words.holders}
        columns={["holder", "balance", "share"]}
        rows={holders}
        cells={([holder, balance]) => [
          <code>{holder}</code>,
          inTokens(balance),
          share(Number(balance) / Number(supply)),
        ]}
      />
      <List
        title={words.retirements}
        columns={["serial", "time", "amount", "holder", "block", "transaction"]}
        rows={retirements}
        cells={({ serial, block, amount, from, transaction }) => [
          <a href={certificateLink(serial)}>{count(serial)}</a>,
          <Time block={block} />,
          exactTokens(amount),
          <Short text={from} />,
          count(block),
          <Short text={toHex(transaction)} />,
        ]}
      />
    </>
  );
}

/** What a ledger comes to, lists with the newest first, and how many settlements each transaction made. */
function derived(ledger: Ledger) {
  const { settlements, attestations, retirements } = ledger;
  const items = new Map<string, number>();
  for (const { transaction } of settlements) {
    const hash = toHex(transaction);
    items.set(hash, (items.get(hash) ?? 0) + 1);
  }
  return {
    ...{ items, checks: checksOf(ledger), holders: holdersOf(ledger), settlements: settlements.toReversed() },
    ...{ attestations: attestations.toReversed(), retirements: retirements.toReversed() },
  };
}

type Column = keyof ReturnType<typeof columnNames>;
const columnNames = () => strings.value.chain.columns;
const NUMBERS: readonly Column[] = ["minted", "block", "gas", "each", "balance", "share", "amount"];

function List<T>({
  title,
  columns,
  rows,
  cells,
}: {
  title: string;
  columns: readonly Column[];
  rows: readonly T[];
  cells: (row: T) => ComponentChildren[];
}) {
  const { chain: words, chart } = strings.value;
  const page = useSignal(0);
  const first = page.value * PAGE;
  const classOf = (i: number) => (NUMBERS.includes(columns[i] as Column) ? "right" : undefined);
  const turn = (by: number, label: string, isEnd: boolean) => (
    <button
      type="button"
      class="button small"
      disabled={isEnd}
      onClick={() => {
        page.value += by;
      }}
    >
      {label}
    </button>
  );
  return (
    <section class="card">
      <h2>{title}</h2>
      {rows.length === 0 && <p class="none">{words.none}</p>}
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label={title}>
          <table class="readings">
            <thead>
              <tr>
                {columns.map((column, i) => (
                  <th key={column} scope="col" class={classOf(i)}>
                    {words.columns[column]}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.slice(first, first + PAGE).map((row, place) => (
                <tr key={place}>
                  {cells(row).map((cell, i) => (
                    <td key={columns[i]} class={classOf(i)}>
                      {cell}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.length > PAGE && (
        <div class="toolbar">
          {turn(-1, chart.later, first === 0)}
          {turn(1, chart.earlier, first + PAGE >= rows.length)}
          <p class="count" role="status">
            {count(first + 1)}–{count(Math.min(rows.length, first + PAGE))} / {count(rows.length)}
          </p>
        </div>
      )}
    </section>
  );
}

const Short = ({ text }: { text: string }) => <code title={text}>{text.slice(0, 10)}…</code>;

const MeterLink = ({ keyId }: { keyId: string }) => (
  <a href={meterLink(keyId)}>{meters.value?.get(keyId)?.title ?? <Short text={keyId} />}</a>
);

const answers = new Map<string, Promise<unknown>>();

/** A number of what the chain says of one block or transaction, asked for once. */
function useNumber(method: string, name: string, field: string): number | undefined {
  const { value } = useAnswer(() => {
    const params = method === "eth_getBlockByNumber" ? [name, false] : [name];
    const asked = answers.get(name) ?? (chain as ChainReader).request({ method, params });
    answers.set(name, asked);
    asked.catch(() => answers.delete(name));
    return asked as Promise<Record<string, unknown> | null>;
  }, [name]);
  return quantity(value?.[field]);
}

function Time({ block }: { block: number }) {
  const time = useNumber("eth_getBlockByNumber", tag(block), "timestamp");
  return <>{time === undefined ? NONE : <When time={time} />}</>;
}

/** Of a transaction, or of each of those that it was `by`. */
function Gas({ transaction, by = 1 }: { transaction: string; by?: number | undefined }) {
  const gas = useNumber("eth_getTransactionReceipt", transaction, "gasUsed");
  return <>{gas === undefined ? NONE : count(Math.round(gas / by))}</>;
}
