/** What was looked at, and how it is: a line each. */

export type Finding = {
  /** what was looked at */
  at: string;
  is: "well" | "wrong" | "skipped";
  /** how it is, or why it was not looked at */
  says: string;
  /** what to do where it is wrong */
  remedy?: string;
};

export const MARKS = { well: "✔", wrong: "✖", skipped: "–" } as const;

export const well = (at: string, says: string): Finding => ({ at, is: "well", says });
export const wrong = (at: string, says: string, remedy: string): Finding => ({ at, is: "wrong", says, remedy });
export const skipped = (at: string, says: string): Finding => ({ at, is: "skipped", says });

/** An answer to what may be wrong: a reason, or nothing. */
export const judged = (at: string, reason: string | undefined, says: string, remedy: string): Finding =>
  reason === undefined ? well(at, says) : wrong(at, reason, remedy);
