/** A command could not be done: what to tell whoever called it. By itself, as who catches it need not load the commands. */
export class CommandFailed extends Error {
  constructor(...lines: readonly string[]) {
    super(lines.join("\n  "));
  }
}
