/** What an account is needed for, and until there is one on the right chain, what stands in the way and what to do. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Loading } from "../parts/common.tsx";
import { type Answer, useAnswer } from "../parts/use-answer.ts";
import { type Contracts, contractsOf } from "./contracts.ts";
import {
  CHAIN_UNKNOWN,
  type Connection,
  codeOf,
  connect,
  connection,
  neededChain,
  REFUSED,
  ready,
  switchChain,
  type Wallet,
  wallets,
} from "./provider.ts";
import { finished, shortOf } from "./sending.ts";
import { words } from "./strings/index.ts";

export function Connected({ children }: { children: (connection: Connection) => ComponentChildren }) {
  const known = connection.value;
  const needed = neededChain.value;
  if (!known) return <Choose />;
  if (needed === undefined) return <p>{words.value.connect.noFacts}</p>;
  return ready.value ? children(ready.value) : <WrongChain known={known} needed={needed} />;
}

function Choose() {
  const { connect: says } = words.value;
  const problem = useSignal("");
  if (wallets.value.length === 0) return <p>{says.none}</p>;
  const choose = async (wallet: Wallet) => {
    problem.value = "";
    await connect(wallet).catch((error: unknown) => {
      problem.value = codeOf(error) === REFUSED ? says.refused : says.failed(messageOf(error));
    });
  };
  return (
    <>
      <p>{says.choose}</p>
      <ul class="wallets">
        {wallets.value.map((wallet) => (
          <li key={wallet.info.uuid}>
            <button type="button" class="button" onClick={() => void choose(wallet)}>
              {wallet.info.icon.startsWith("data:image/") && (
                <img src={wallet.info.icon} alt="" width="24" height="24" />
              )}
              {wallet.info.name}
            </button>
          </li>
        ))}
      </ul>
      <Problem text={problem.value} />
    </>
  );
}

function WrongChain({ known, needed }: { known: Connection; needed: number }) {
  const { connect: says } = words.value;
  const problem = useSignal("");
  const change = async () => {
    problem.value = "";
    await switchChain(known, needed).catch((error: unknown) => {
      problem.value = codeOf(error) === CHAIN_UNKNOWN ? says.chainUnknown(needed) : says.switchRefused;
    });
  };
  return (
    <>
      <p>{says.wrongChain(known.chainId, needed)}</p>
      <p>
        <button type="button" class="button" onClick={() => void change()}>
          {says.switch(needed)}
        </button>
      </p>
      <Problem text={problem.value} />
    </>
  );
}

const messageOf = (error: unknown): string => String((error as { message?: unknown }).message ?? error);

/** Told to who does not see it, too. */
export const Problem = ({ text, id }: { text: string; id?: string }) => (
  <p id={id} role="alert" class="problem">
    {text}
  </p>
);

/** What the contracts say, asked again after every transaction. */
export function useContracts<T>(
  connection: Connection,
  question: (contracts: Contracts) => Promise<T>,
  ...depends: readonly unknown[]
): Answer<T> {
  const { address, chainId, wallet } = connection;
  const ask = async () => question(await contractsOf(connection));
  const answer = useAnswer(ask, [address, chainId, wallet.info.uuid, ...depends]);
  useEffect(() => {
    if (finished.value > 0) answer.ask();
  }, [finished.value]);
  return answer;
}

/** Until there is an answer. */
export function Asking({ answer: { error, ask } }: { answer: Answer<unknown> }) {
  if (!error) return <Loading />;
  return (
    <>
      <Problem text={words.value.failed(shortOf(error))} />
      <p>
        <button type="button" class="button" onClick={ask}>
          {words.value.again}
        </button>
      </p>
    </>
  );
}
