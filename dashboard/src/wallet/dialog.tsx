/** A transaction from what it would do to what it did, in a window of its own that may be closed at any time. */
import { useEffect, useRef } from "preact/hooks";
import { formatEther } from "viem";
import { count } from "../model/format.ts";
import { Fact } from "../parts/common.tsx";
import { locale } from "../strings/index.ts";
import { close, follow, type Phase, type Sending, send, shown, simulate } from "./sending.ts";
import { words } from "./strings/index.ts";

/** Its coin, where that is known: a wrong name would be worse than none. */
const COINS: Record<number, string> = {
  ...{ 1: "ETH", 10: "ETH", 324: "ETH", 8453: "ETH", 42161: "ETH", 59144: "ETH", 534352: "ETH" },
  ...{ 11155111: "ETH", 84532: "ETH", 421614: "ETH", 31337: "ETH", 56: "BNB", 137: "POL", 43114: "AVAX" },
};

export function Dialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const sending = shown.value;
  useEffect(() => {
    if (sending) dialog.current?.showModal();
    else dialog.current?.close();
  }, [sending]);
  return (
    <dialog ref={dialog} class="card" aria-labelledby="sending" onClose={close}>
      {sending && <Shown sending={sending} />}
    </dialog>
  );
}

function Shown({ sending }: { sending: Sending }) {
  const { sending: says } = words.value;
  const { act, connection } = sending;
  const phase = sending.phase.value;
  const leadsTo = phase.is === "done" ? act.leadsTo?.(phase.receipt) : undefined;
  return (
    <>
      <h2 id="sending">{says.title}</h2>
      <p class="what-it-says">{act.says}</p>
      {act.warns && <p class="card notice">{act.warns}</p>}
      <dl class="facts">
        <Fact name={says.from}>
          <code>{connection.address}</code>
        </Fact>
        <Fact name={says.contract}>
          <code>{act.address}</code>
        </Fact>
        <Fact name={says.call}>
          <code>{act.functionName}</code>
        </Fact>
        {"cost" in phase && <Fact name={says.cost}>{costOf(phase.cost, connection.chainId)}</Fact>}
        {hashOf(phase) && (
          <Fact name={says.hash}>
            <code>{hashOf(phase)}</code>
          </Fact>
        )}
      </dl>
      <p role="status" class={`phase ${phase.is}`} data-phase={phase.is}>
        {inWords(phase)}
      </p>
      {"says" in phase && phase.is === "impossible" && <p class="why">{phase.says}</p>}
      <p class="toolbar">
        <Next sending={sending} phase={phase} />
        {leadsTo && (
          <a class="button main" href={leadsTo.href} onClick={close}>
            {leadsTo.text}
          </a>
        )}
        <button type="button" class="button" onClick={close}>
          {says.close}
        </button>
      </p>
    </>
  );
}

/** What can be done about it now. */
function Next({ sending, phase }: { sending: Sending; phase: Phase }) {
  const { sending: says } = words.value;
  const button = (text: string, act: (sending: Sending) => Promise<void>) => (
    <button type="button" class="button main" onClick={() => void act(sending)}>
      {text}
    </button>
  );
  if (phase.is === "ready") return button(says.send, send);
  if (phase.is === "lost") return button(says.look, follow);
  if (["impossible", "refused", "failed"].includes(phase.is)) return button(says.retry, simulate);
  return null;
}

function inWords(phase: Phase): string {
  const { sending: says } = words.value;
  if (phase.is === "done" || phase.is === "reverted") return says[phase.is](count(Number(phase.receipt.blockNumber)));
  if (phase.is === "failed") return says.failed(phase.says);
  return says[phase.is];
}

const hashOf = (phase: Phase): string | undefined =>
  "hash" in phase ? phase.hash : "receipt" in phase ? phase.receipt.transactionHash : undefined;

/** Of the chain's coin, in 10^-18, with the digits that tell something. */
function costOf(cost: bigint, chainId: number): string {
  const amount = new Intl.NumberFormat(locale.value, { maximumSignificantDigits: 3 }).format(
    formatEther(cost) as `${number}`,
  );
  return `${amount}\u202f${COINS[chainId] ?? words.value.sending.chainCoin}`;
}
