/**
 * What a deployment has sent: a line that says of which it is, then one signed transaction a line, each written before it is
 * sent. Whoever goes on sends the same bytes again, which a chain takes once: nothing is ever deployed twice.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Hex } from "viem";
import { Problem } from "../../problem.ts";

export type Of = { network: string; chainId: number; deployer: Hex };

export type Journal = {
  file: string;
  /** in the order in which they are sent */
  transactions: readonly Hex[];
  add(transaction: Hex): void;
  /** forgets the last one */
  drop(): void;
};

/** Nothing is written before there is a transaction. Throws a Problem where the file is of another deployment. */
export function openJournal(file: string, of: Of): Journal {
  const first = JSON.stringify(of);
  const [begun, ...transactions] = linesOf(file) as [string | undefined, ...Hex[]];
  if (begun !== undefined && begun !== first) {
    throw new Problem(`${file} is of another deployment, ${begun}: go on with that one, or name another --journal.`);
  }
  const written = () => `${[first, ...transactions].join("\n")}\n`;
  return {
    file,
    transactions,
    add(transaction) {
      mkdirSync(dirname(file), { recursive: true });
      // what a dying process wrote half is written over
      if (transactions.length === 0) writeFileSync(file, written(), { flush: true });
      appendFileSync(file, `${transaction}\n`, { flush: true });
      transactions.push(transaction);
    },
    drop() {
      transactions.pop();
      writeFileSync(file, written(), { flush: true });
    },
  };
}

/** In the order in which they were sent. No file has none. */
export const transactionsIn = (file: string): readonly Hex[] => linesOf(file).slice(1) as Hex[];

/** Whole ones: a line without an end was never sent. */
function linesOf(file: string): string[] {
  try {
    const lines = readFileSync(file, "utf8").split("\n");
    if (lines.pop() !== "") writeFileSync(file, lines.map((line) => `${line}\n`).join(""), { flush: true });
    return lines;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    throw new Problem(`${file} cannot be read (${code}).`);
  }
}
