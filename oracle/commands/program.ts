/**
 * What every command does around its work: options and help, one sentence and exit code 1 for what fails, being stopped. A
 * command is a function, which `npm run oracle:…` and `wattwitness node …` call.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import pino, { type Logger } from "pino";
import { BaseError } from "viem";
import { firstLine } from "../said.ts";
import { openEmbeddedStore } from "../store/embedded/store.ts";
import { type Store, StoreDamaged, StoreUnavailable } from "../store/store.ts";
import { CommandFailed } from "./failed.ts";

/** Warnings go where problems go, so that what a command tells can be piped on. */
export const createLogger = (): Logger => pino({ level: "warn" }, pino.destination(2));

export function end(...lines: readonly string[]): never {
  throw new CommandFailed(...lines);
}

/** What a command has done, for people and for programs; and what is wrong all the same. */
export type Told = { text: string; data: object; problem?: string };

type Environment = Record<string, string | undefined>;
export type Command<N extends string> = (
  options: Partial<Record<N, string>>,
  environment: Environment,
) => Promise<Told>;

/** Runs a command with the options given, each a text, and ends with its exit code. */
export async function run<N extends string>(help: string, names: readonly N[], command: Command<N>): Promise<never> {
  try {
    const { text, problem } = await command(optionsOf(help, names), process.env);
    console.log(text);
    if (problem !== undefined) end(problem);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

function optionsOf<N extends string>(help: string, names: readonly N[]): Partial<Record<N, string>> {
  const options: ParseArgsOptionsConfig = { help: { type: "boolean" } };
  for (const name of names) options[name] = { type: "string" };
  const { help: isAsked, ...values } = parsed(help, options);
  if (!isAsked) return values as Partial<Record<N, string>>;
  console.log(help);
  process.exit(0);
}

function parsed(help: string, options: ParseArgsOptionsConfig) {
  try {
    return parseArgs({ args: process.argv.slice(2), options }).values;
  } catch (error) {
    return end(`${(error as Error).message}\n\n${help}`);
  }
}

/** The store in a folder that an oracle has used: a slip of the pen makes none. */
export async function openFolder(directory: string, logger: Logger): Promise<Store> {
  if (!["journal", "logs"].some((name) => existsSync(join(directory, name)))) {
    end(`There is nothing of an oracle in ${directory}.`);
  }
  const opening = await openEmbeddedStore(directory, logger);
  return opening.ok ? opening.store : end(opening.problem);
}

/** Says, when it is stopped, what that means, and ends as one that was. */
export function saysWhenStopped(meaning: string): void {
  for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
    process.once(signal, () => {
      console.error(`\nStopped. ${meaning}`);
      process.exit(code);
    });
  }
}

/** Does the work, and closes what it was done with; what fails for a reason outside is told in a sentence. */
export async function doing<T>(work: Promise<T>, close: () => Promise<void>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isOutside(error)) throw error;
    await close().catch(() => {});
    return end(firstLine(error));
  }
}

/** A disk, a database, or the chain. */
const isOutside = (error: unknown): boolean =>
  error instanceof StoreDamaged ||
  error instanceof StoreUnavailable ||
  error instanceof BaseError ||
  typeof (error as NodeJS.ErrnoException).syscall === "string";
