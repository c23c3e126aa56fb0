#!/usr/bin/env node
/** `wattwitness`: runs a command and ends with its exit code. */
import { type Command, CommanderError } from "commander";
import { CommandFailed } from "../oracle/commands/failed.ts";
import { EXIT, firstLine, Problem } from "./problem.ts";
import { createProgram } from "./program.ts";
import { written } from "./terminal/telling.ts";

for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.on(signal, () => {
    console.error("\nStopped. What was sent before may still come.");
    process.exit(code);
  });
}

// whoever reads may have read enough: `wattwitness meter list | head`
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

/** Commander's own words end the process by themselves: they are thrown here, so that this is the only place that does. */
function throwing(command: Command): Command {
  command.exitOverride();
  command.commands.forEach(throwing);
  return command;
}

const program = throwing(createProgram());
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = told(error);
}

/** Tells what went wrong; returns the exit code. */
function told(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const isKnown = error instanceof Problem || error instanceof CommandFailed;
  const message = isKnown ? error.message : `It failed: ${firstLine(error)}`;
  console.error(message);
  if (program.opts()["json"]) console.log(written({ error: message }));
  return error instanceof Problem ? error.code : EXIT.failed;
}
