export { firstLine } from "../oracle/said.ts";

/** Something that the user can mend: a sentence that says what is wrong and what to do. The command ends with this code. */
export class Problem extends Error {
  readonly code: number;
  constructor(message: string, code = 1) {
    super(message);
    this.code = code;
  }
}

/** Exit codes, the same for every command. */
export const EXIT = {
  done: 0,
  /** it was tried and refused, or could not be done */
  failed: 1,
  /** the command was written wrongly: nothing was tried */
  usage: 2,
} as const;
