/** What the owner of a meter decides about it, once the chain says that he is. */
import { useSignal } from "@preact/signals";
import { type Address, getAddress, type Hex, toHex, zeroAddress } from "viem";
import { getBlock, readContract } from "viem/actions";
import { moment, power } from "../model/format.ts";
import { Asking, Connected, useContracts } from "./connected.tsx";
import type { Contracts } from "./contracts.ts";
import { Field } from "./field.tsx";
import type { Connection } from "./provider.ts";
import { on, propose } from "./sending.ts";
import { words } from "./strings/index.ts";
import { addressIn } from "./typed.ts";

/** IMeterRegistry.Change */
const CHANGES = [0, 1, 2] as const;
type Change = (typeof CHANGES)[number];

/** Times in Unix s. */
type Proposal = { change: Change; value: bigint; from: number; until: number };
type Known = {
  contracts: Contracts;
  meter: Hex;
  owner: Address;
  payout: Address;
  watcher: Address;
  proposals: Proposal[];
  /** of the newest block */
  now: number;
};

/** Undefined where the registry knows no such key. */
async function ask(contracts: Contracts, keyId: Hex): Promise<Known | undefined> {
  const { client, registry } = contracts;
  const meter = await readContract(client, { ...registry, functionName: "meterOfKey", args: [keyId] });
  if (BigInt(meter) === 0n) return undefined;
  const [{ owner, payout, watcher }, delay, block, ...proposed] = await Promise.all([
    readContract(client, { ...registry, functionName: "meterOf", args: [meter] }),
    readContract(client, { ...registry, functionName: "PROPOSAL_DELAY" }),
    getBlock(client),
    ...CHANGES.map((change) =>
      readContract(client, { ...registry, functionName: "proposalOf", args: [meter, change] }),
    ),
  ]);
  const now = Number(block.timestamp);
  const proposals = proposed
    .map(({ value, proposedAt }, i) => {
      const change = CHANGES[i] as Change;
      const from = Number(proposedAt + delay);
      return { change, value, from, until: proposedAt === 0n ? 0 : from + Number(delay) };
    })
    .filter(({ until }) => until >= now);
  return { contracts, meter, owner, payout, watcher, proposals, now };
}

export const Owner = ({ keyId }: { keyId: string }) => (
  <Connected>{(connection) => <Meter connection={connection} keyId={keyId as Hex} />}</Connected>
);

function Meter({ connection, keyId }: { connection: Connection; keyId: Hex }) {
  const { owner: says } = words.value;
  const answer = useContracts(connection, async (contracts) => ({ known: await ask(contracts, keyId) }), keyId);
  if (!answer.value) return <Asking answer={answer} />;
  const { known } = answer.value;
  if (!known) return <p>{says.isUnknown}</p>;
  const isOwner = known.owner === connection.address;
  return (
    <>
      <p>
        {isOwner ? says.isYours : says.isNotYours} {!isOwner && <code>{known.owner}</code>}
      </p>
      <p>
        {says.payout} <code>{known.payout}</code>
      </p>
      {isOwner && <Transfer connection={connection} known={known} />}
      {isOwner && <Payout connection={connection} known={known} />}
      <Proposals connection={connection} known={known} />
    </>
  );
}

type Part = { connection: Connection; known: Known };

/** A form of one address, with what is done with it. */
function AddressForm({
  says,
  act,
  also,
}: {
  says: { title: string; text: string; to: string; button: string };
  act: (address: Address) => void;
  /** another button */
  also?: { text: string; act: () => void } | undefined;
}) {
  const text = useSignal("");
  const problem = useSignal<string | undefined>(undefined);
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        const typed = addressIn(text.value);
        problem.value = typed.ok ? undefined : typed.problem;
        if (typed.ok) act(typed.value);
      }}
    >
      <h3>{says.title}</h3>
      <p class="text">{says.text}</p>
      <Field label={says.to} text={text} problem={problem.value} />
      <p class="toolbar">
        <button type="submit" class="button">
          {says.button}
        </button>
        {also && (
          <button type="button" class="button" onClick={also.act}>
            {also.text}
          </button>
        )}
      </p>
    </form>
  );
}

const short = (meter: Hex): string => `${meter.slice(0, 10)}…`;

function Transfer({ connection, known: { contracts, meter, owner } }: Part) {
  const { transfer: says } = words.value.owner;
  return (
    <AddressForm
      says={says}
      act={(to) =>
        propose(connection, {
          ...{ ...on(contracts.registry), functionName: "safeTransferFrom", args: [owner, to, BigInt(meter)] },
          ...{ says: says.says(short(meter), to), warns: says.text },
        })
      }
    />
  );
}

function Payout({ connection, known: { contracts, meter, owner, payout } }: Part) {
  const { setPayout: says } = words.value.owner;
  const set = (to: Address, sentence: string) =>
    propose(connection, {
      ...{ ...on(contracts.registry), functionName: "setPayout", args: [meter, to] },
      says: sentence,
    });
  const clear = { text: says.clear, act: () => set(zeroAddress, says.saysClear(short(meter))) };
  return (
    <AddressForm
      says={says}
      act={(to) => set(to, says.says(short(meter), to))}
      also={payout === owner ? undefined : clear}
    />
  );
}

function Proposals({ connection, known }: Part) {
  const { proposals: says } = words.value.owner;
  const { contracts, meter, owner, watcher, proposals, now } = known;
  const mayCancel = [owner, watcher].includes(connection.address);
  const cancel = ({ change, value }: Proposal) =>
    propose(connection, {
      ...{ ...on(contracts.registry), functionName: "cancelProposal", args: [meter, change] },
      says: says.says(says.changes[change] as string, inWords(change, value)),
    });
  return (
    <section class="stack" aria-labelledby="proposals">
      <h3 id="proposals">{says.title}</h3>
      <p class="text">{proposals.length > 0 ? says.text : says.none}</p>
      {proposals.length > 0 && (
        <ul class="proposals">
          {proposals.map((proposal) => (
            <li key={proposal.change}>
              <p>
                <strong>{says.changes[proposal.change]}</strong>:{" "}
                <code>{inWords(proposal.change, proposal.value)}</code>
              </p>
              <p class="note">
                {proposal.from > now ? says.due(moment(proposal.from)) : says.isDue(moment(proposal.until))}
              </p>
              {mayCancel && (
                <button type="button" class="button small" onClick={() => cancel(proposal)}>
                  {says.cancel}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function inWords(change: Change, value: bigint): string {
  if (change === 2) return power(Number(value));
  return change === 0 ? toHex(value, { size: 32 }) : getAddress(toHex(value, { size: 20 }));
}
