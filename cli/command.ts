/** What the commands are made of: options that several share, and how an answer or a problem comes out. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { getAddress, type Hex, isAddress, parseUnits } from "viem";
import type { ChainOptions } from "./chain/deployment.ts";
import type { SendOptions } from "./chain/sending.ts";
import { type Answer, tell } from "./terminal/telling.ts";

export type GlobalOptions = ChainOptions & { json?: boolean };
export type SendingOptions = GlobalOptions & SendOptions;

/** The command's own options and those of all above it. */
type Act<A extends unknown[], O> = (...given: [...A, O]) => Promise<Answer>;

/** Runs a command and tells its answer. */
export const telling =
  <A extends unknown[], O extends object>(act: Act<A, O>) =>
  async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command;
    const args = given.slice(0, -2) as A;
    const options = command.optsWithGlobals<GlobalOptions>();
    tell(await act(...args, options as O), options.json === true);
  };

/** What whoever sends can be told. */
export function sends(command: Command): Command {
  return command
    .option("--key-file <file>", "file with the private key of who sends: the key, or a keystore")
    .option("--hardhat-key <name>", "name of the key in Hardhat's keystore")
    .option("--dry-run", "simulate it, show what it does and costs, and send nothing")
    .option("--yes", "do not ask before it is sent");
}

/** Options about the chain and the contracts. */
export function aboutChain(command: Command): Command {
  return command
    .addOption(new Option("--rpc-url <url>", "JSON-RPC of a node of the chain").env("WATTWITNESS_RPC_URL"))
    .addOption(new Option("--network <name>", "which deployment, by its name in the table").env("WATTWITNESS_NETWORK"))
    .addOption(new Option("--registry <address>", "which deployment, by its MeterRegistry").env("WATTWITNESS_REGISTRY"))
    .option("--networks-file <file>", "the table (networks.json, or the project's)");
}

/* WHAT IS GIVEN, AS IT IS MEANT. Each throws InvalidArgumentError. */

export function address(text: string): Hex {
  if (!isAddress(text)) throw new InvalidArgumentError("It is no address, or has a typing error.");
  return getAddress(text);
}

/** A key id or a meter's id. */
export function id(text: string): Hex {
  if (!/^0x[0-9a-f]{64}$/i.test(text)) throw new InvalidArgumentError("It is no id: 0x and 64 hexadecimal digits.");
  return text.toLowerCase() as Hex;
}

/** kWh as units of the token, exactly. */
export const kilowattHours = (text: string): bigint => amountOf(text, "kWh");

/** LINK as juels, exactly. */
export const link = (text: string): bigint => amountOf(text, "LINK");

function amountOf(text: string, unit: string): bigint {
  if (!/^\d+(\.\d{1,18})?$/.test(text)) {
    throw new InvalidArgumentError(`It is no amount of ${unit}: digits, and 18 of them at most behind the point.`);
  }
  return parseUnits(text, 18);
}

export function watts(text: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 1 && value <= 0xffff_ffff))
    throw new InvalidArgumentError("It is no power in W, from 1 to 4294967295.");
  return value;
}

export function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("It is no whole number.");
  return Number(text);
}

/** With a slash at its end, so that routes are below it. */
export function oracleUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) {
    throw new InvalidArgumentError("It is no URL: http://… or https://…");
  }
  return text.endsWith("/") ? text : `${text}/`;
}
