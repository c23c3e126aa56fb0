/** What settling has cost since this oracle started, and when the DON answered last. */
import type { Sent } from "./jobs.ts";

export type Spent = { gas: number /** wei */; fee: bigint };

export type Tally = {
  /** A transaction of the operator was seen in a block, whether it did what it should or not. */
  paid(purpose: Sent["purpose"], spent: Spent): void;
  /** The DON answered, whatever it said: `at` is Unix time, s. */
  answered(at: number): void;
  spent(): Record<Sent["purpose"], Spent>;
  /** undefined = not since the start */
  answeredAt(): number | undefined;
};

export function createTally(): Tally {
  const spent = { request: { gas: 0, fee: 0n }, settle: { gas: 0, fee: 0n } };
  let answeredAt: number | undefined;
  return {
    paid(purpose, { gas, fee }) {
      const before = spent[purpose];
      spent[purpose] = { gas: before.gas + gas, fee: before.fee + fee };
    },
    answered: (at) => {
      answeredAt = at;
    },
    spent: () => spent,
    answeredAt: () => answeredAt,
  };
}
