/**
 * The history of the token by its events: what was settled and minted, who holds it, what was retired. A node may leave
 * events out or invent some: what they come to is held against what the contract says at the same block.
 */
import type { Hash, Place } from "../../protocol/index.ts";
import type { Hex } from "../proof.ts";
import * as abi from "./abi.ts";
import { type Answer, answered, unanswered } from "./asking.ts";
import { logsIn, type Watch } from "./ranges.ts";
import type { ChainReader } from "./reader.ts";
import { type TokenAt, type Totals, tokenAt, totalsOf, UNITS_PER_MWH } from "./token.ts";
import { allOf, type Event, eventFrom, type Settlement, settlementIn } from "./views.ts";

export type Attested = { root: Hash; attestor: Hex; transaction: Hash; block: number };
/** Of tokens, in units; from the zero address it is minted, to it retired. */
export type Transfer = { from: Hex; to: Hex; amount: bigint };
export type Retired = { serial: number; from: Hex; amount: bigint; transaction: Hash; block: number };

export type Ledger = {
  at: TokenAt;
  totals: Totals;
  /** each in the chain's order */
  settlements: readonly Settlement[];
  attestations: readonly Attested[];
  transfers: readonly Transfer[];
  retirements: readonly Retired[];
};

type Lists = Pick<Ledger, "settlements" | "attestations" | "transfers" | "retirements">;

/** Up to the node's newest block: from `fromBlock`, or from where `before` ends. Refuses what `tokenAt` and `logsIn` refuse. */
export async function ledgerAt(
  chain: ChainReader,
  place: Place,
  fromBlock: number,
  before?: Ledger,
  watch?: Watch & { onBegin?: (blocks: number) => void },
): Promise<Answer<Ledger>> {
  const answer = await tokenAt(chain, place);
  if (!answer.ok) return answer;
  const at = answer.value;
  const from = before ? before.at.block + 1 : fromBlock;
  watch?.onBegin?.(at.block - from + 1);
  const filter = { address: [at.wattWitness, at.token], topics: [Object.values(KINDS).map(({ topic }) => topic)] };
  const [totals, logs] = await Promise.all([totalsOf(at), logsIn(chain, filter, from, at.block, watch)]);
  if (!totals.ok) return totals;
  if (!logs.ok) return logs;
  const lists = { settlements: [], attestations: [], transfers: [], retirements: [], ...before };
  const found = logs.value.map((log) => entryIn(log, at, from));
  if (found.includes(undefined)) {
    return unanswered("nonsense", "The chain's node answers eth_getLogs with what was not asked for.");
  }
  const more = <K extends keyof Lists>(kind: K) => [
    ...lists[kind],
    ...(found as Entry[]).flatMap((entry) => (entry.kind === kind ? [entry.value as Lists[K][number]] : [])),
  ];
  return answered({
    ...{ at, totals: totals.value, settlements: more("settlements"), attestations: more("attestations") },
    ...{ transfers: more("transfers"), retirements: more("retirements") },
  });
}

type Entry = { [K in keyof Lists]: { kind: K; value: Lists[K][number] } }[keyof Lists];

type Kind<T> = {
  topic: Hex;
  of: "wattWitness" | "token";
  words: number | undefined;
  read: (event: Event) => T | undefined;
};

const KINDS: { [K in keyof Lists]: Kind<Lists[K][number]> } = {
  settlements: { topic: abi.TOPIC.Settled, of: "wattWitness", words: 8, read: settlementIn },
  attestations: {
    ...{ topic: abi.TOPIC.Attested, of: "wattWitness" as const, words: 0 },
    read: ({ topics: [, root, attestor], transaction, block }: Event) =>
      allOf({ root, attestor: abi.addressOf(attestor), transaction, block }),
  },
  transfers: {
    ...{ topic: abi.TOPIC.Transfer, of: "token" as const, words: 1 },
    read: ({ topics: [, from, to], words: [amount] }: Event) =>
      allOf({ from: abi.addressOf(from), to: abi.addressOf(to), amount: abi.uintOf(amount, 256) }),
  },
  retirements: {
    ...{ topic: abi.TOPIC.Retired, of: "token" as const, words: undefined },
    read: ({ topics: [, serial, from], words: [amount], transaction, block }: Event) => {
      const numbers = { serial: abi.numberOf(serial, 53), amount: abi.uintOf(amount, 256) };
      return allOf({ ...numbers, from: abi.addressOf(from), transaction, block });
    },
  },
};

function entryIn(log: unknown, at: TokenAt, from: number): Entry | undefined {
  const [topic] = (log as { topics?: unknown[] } | null)?.topics ?? [];
  for (const [kind, { topic: own, of, words, read }] of Object.entries(KINDS)) {
    if (topic !== own) continue;
    const event = eventFrom(log, at[of], [own], words);
    const value = event && event.block >= from && event.block <= at.block && read(event);
    return value ? ({ kind, value } as Entry) : undefined;
  }
  return undefined;
}

const NOBODY = `0x${"0".repeat(40)}`;

const sumOf = (amounts: readonly bigint[]): bigint => amounts.reduce((all, amount) => all + amount, 0n);

/** Who has how much of the token, in units, most first. */
export function holdersOf({ transfers }: Ledger): [holder: Hex, balance: bigint][] {
  const balances = new Map<Hex, bigint>();
  const add = (holder: Hex, amount: bigint) => {
    if (holder !== NOBODY) balances.set(holder, (balances.get(holder) ?? 0n) + amount);
  };
  for (const { from, to, amount } of transfers) {
    add(from, -amount);
    add(to, amount);
  }
  return [...balances].filter(([, balance]) => balance !== 0n).sort(([, a], [, b]) => (a < b ? 1 : -1));
}

/** Whether the events come to what the contract says: units of each of both, and whether all is well. */
export type Check = {
  name: "settled" | "minted" | "held" | "retired";
  events: bigint;
  contract: bigint;
  holds: boolean;
};

export function checksOf(ledger: Ledger): Check[] {
  const { settlements, transfers, retirements, totals } = ledger;
  const amountOf = (all: readonly { amount: bigint }[]) => sumOf(all.map(({ amount }) => amount));
  const minted = amountOf(transfers.filter(({ from }) => from === NOBODY));
  const burned = amountOf(transfers.filter(({ to }) => to === NOBODY));
  const balances = holdersOf(ledger).map(([, balance]) => balance);
  const check = (name: Check["name"], events: bigint, contract: bigint, more = true): Check => ({
    ...{ name, events, contract, holds: events === contract && more },
  });
  return [
    check("settled", UNITS_PER_MWH * sumOf(settlements.map(({ produced }) => produced)), minted),
    check("minted", minted, totals.supply + totals.retired),
    check(
      "held",
      sumOf(balances),
      totals.supply,
      balances.every((balance) => balance > 0n),
    ),
    check("retired", amountOf(retirements), totals.retired, burned === totals.retired),
  ];
}
