/** Asks before something is sent that cannot be taken back. */
import { createInterface } from "node:readline/promises";
import { Problem } from "../problem.ts";

/** Resolves if the answer is yes. Where there is no terminal nobody can be asked: `--yes` has to say it beforehand. */
export async function confirm(question: string, isAgreed: boolean): Promise<void> {
  if (isAgreed) return;
  if (!process.stdin.isTTY) throw new Problem("There is no terminal to ask on: with --yes nobody is asked.");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new Problem("Nothing was sent.");
  } finally {
    terminal.close();
  }
}
