/**
 * Whose account sends: its private key from a file (the key itself, or a keystore as wallets write it), from Hardhat's
 * keystore, or from the environment. Never from an argument, which other users of the machine can read.
 */
import { readFileSync } from "node:fs";
import type { Hex, LocalAccount } from "viem";
import { nonceManager, privateKeyToAccount } from "viem/accounts";
import { Problem } from "../problem.ts";

export type KeyOptions = { keyFile?: string; hardhatKey?: string };

export const KEY = "WATTWITNESS_KEY";
export const PASSWORD = "WATTWITNESS_KEY_PASSWORD";

type Environment = Record<string, string | undefined>;

export async function accountOf(options: KeyOptions, environment: Environment = process.env): Promise<LocalAccount> {
  return privateKeyToAccount(await keyOf(options, environment), { nonceManager });
}

async function keyOf({ keyFile, hardhatKey }: KeyOptions, environment: Environment): Promise<Hex> {
  if (keyFile !== undefined && hardhatKey !== undefined) {
    throw new Problem("--key-file and --hardhat-key do not go together: one of them says whose key it is.");
  }
  if (keyFile !== undefined) return keyIn(keyFile, environment[PASSWORD]);
  if (hardhatKey !== undefined) return hardhatKeyOf(hardhatKey);
  const key = environment[KEY];
  if (key === undefined) {
    throw new Problem(`Whose account sends it? --key-file FILE, --hardhat-key NAME, or ${KEY} in the environment.`);
  }
  return checked(key, KEY);
}

async function keyIn(file: string, password: string | undefined): Promise<Hex> {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new Problem(`--key-file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  if (!text.startsWith("{")) return checked(text, `--key-file ${file}`);
  if (password === undefined) throw new Problem(`--key-file ${file} is a keystore: ${PASSWORD} has to open it.`);
  const { openKeystore } = await import("../../oracle/keystore.ts");
  const opened = openKeystore(text, password);
  if (!opened.ok) throw new Problem(`--key-file ${file} ${opened.problem.replace(/WATTWITNESS_\w+/, PASSWORD)}.`);
  return opened.key;
}

/** As `npx hardhat keystore set NAME` keeps it; Hardhat asks for its password. */
async function hardhatKeyOf(name: string): Promise<Hex> {
  const hardhat = await import("hardhat").catch(() => {
    throw new Problem("--hardhat-key needs Hardhat, which is not installed here: use --key-file.");
  });
  const { configVariable } = await import("hardhat/config");
  const { hooks } = hardhat.default;
  const key = await hooks.runHandlerChain("configurationVariables", "fetchValue", [configVariable(name)], async () => {
    throw new Problem(`Hardhat's keystore has no ${name}: npx hardhat keystore set ${name}`);
  });
  return checked(key, `--hardhat-key ${name}`);
}

/** What it is instead is not repeated. */
function checked(key: string, name: string): Hex {
  if (!/^0x[0-9a-f]{64}$/i.test(key)) throw new Problem(`${name} is no private key: 0x and 64 hexadecimal digits.`);
  try {
    privateKeyToAccount(key as Hex);
  } catch {
    throw new Problem(`${name} is no private key: beyond the order of secp256k1.`);
  }
  return key as Hex;
}
