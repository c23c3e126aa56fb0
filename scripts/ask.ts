import { createInterface } from "node:readline";

/** Asks a question. Only y or yes is a yes; nothing, the end of the input and Ctrl-C are none. */
export function ask(
  question: string,
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stdout,
): Promise<boolean> {
  const terminal = createInterface({ input, output });
  return new Promise((resolve) => {
    // on a terminal that is being read Ctrl-C is a key, and no signal
    terminal.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
    terminal.once("close", () => resolve(false));
    terminal.question(question, (answer) => {
      resolve(/^\s*y(es)?\s*$/i.test(answer));
      terminal.close();
    });
  });
}
