/**
 * What certificates and parks stand on, event by event: who has which tokens and meters at that moment, and what was told in
 * one transaction and belongs together.
 */
import { type Hex, zeroAddress } from "viem";
import type { ChainEvent } from "../chain/events.ts";
import type { History } from "../chain/history.ts";
import { type Finding, refuted, said, type Where } from "../finding.ts";

export type Book = ReturnType<typeof createBook>;

export function createBook({ blocks }: Pick<History, "blocks">) {
  const findings: Finding[] = [];
  /** of the token: units */
  const balances = new Map<Hex, bigint>();
  /** of meters */
  const owners = new Map<Hex, Hex>();
  /** how often more it was to be told in this transaction than it was, by rule and fact */
  const owed = new Map<string, { rule: string; fact: string; times: number; where: Where }>();
  let where: Where = {};

  function unlike(rule: string, object: string, should: unknown, is: unknown): void {
    findings.push(refuted(rule, object, should, is, where));
  }

  function refute(rule: string, object: string, should: unknown, is: unknown): void {
    if (said(should) !== said(is)) unlike(rule, object, should, is);
  }

  function owe(rule: string, fact: unknown[], times: number): void {
    const name = `${rule}: ${said(fact)}`;
    const entry = owed.get(name) ?? { rule, fact: said(fact), times: 0, where };
    entry.times += times;
    owed.set(name, entry);
  }

  function close(): void {
    for (const { rule, fact, times, where: at } of owed.values()) {
      if (times > 0) findings.push(refuted(rule, fact, fact, "not in this transaction", at));
      if (times < 0) findings.push(refuted(rule, fact, "nothing of it in this transaction", fact, at));
    }
    owed.clear();
  }

  function move(from: Hex, to: Hex, amount: bigint): void {
    if (from !== zeroAddress) balances.set(from, (balances.get(from) ?? 0n) - amount);
    if (to !== zeroAddress) balances.set(to, (balances.get(to) ?? 0n) + amount);
  }

  return {
    ...{ findings, balances, owners, refute, unlike, close },
    /** Something that has to be told in this transaction, before or after. */
    asks: (rule: string, ...fact: unknown[]) => owe(rule, fact, 1),
    /** Something that is told, and has to be asked for in this transaction. */
    tells: (rule: string, ...fact: unknown[]) => owe(rule, fact, -1),
    isAsked: (rule: string, ...fact: unknown[]): boolean => (owed.get(`${rule}: ${said(fact)}`)?.times ?? 0) > 0,
    where: () => where,
    time: (): number => blocks.get(where.block as number)?.timestamp ?? 0,

    /** The next event; a new transaction closes the one before. Before all else that is made of it. */
    at({ block, transaction, index }: ChainEvent): void {
      if (transaction !== where.transaction) close();
      where = { block, transaction, index };
    },
    /** After all else that is made of it. */
    enter({ of, eventName, args }: ChainEvent): void {
      if (eventName !== "Transfer") return;
      if (of === "token") move(low(args.from), low(args.to), args.value);
      if (of === "registry") owners.set(meterIdOf(args.tokenId), low(args.to));
    },
  };
}

export const low = (address: string): Hex => address.toLowerCase() as Hex;

export const meterIdOf = (id: bigint): Hex => `0x${id.toString(16).padStart(64, "0")}`;
