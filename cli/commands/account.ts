/** `wattwitness account`: a key in a file, and the account that it is. */
import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { formatEther } from "viem";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { reach } from "../chain/deployment.ts";
import { accountOf } from "../chain/keys.ts";
import { type GlobalOptions, telling } from "../command.ts";
import { Problem } from "../problem.ts";
import { type Answer, list } from "../terminal/telling.ts";

const AFTER = `
Examples:
  $ wattwitness account create operator.key            for whoever runs a node, say
  $ wattwitness account show operator.key --rpc-url https://…
  $ roof=$(wattwitness account address operator.key)

Who has the file has the account, and what is in it. A wallet's keystore, or Hardhat's, is as good as such a file.`;

export function accountCommand(): Command {
  const account = new Command("account").description("a key in a file: make one, and see whose account it is");
  account
    .command("create")
    .description("make a key, in a file that only you can read, and tell its account")
    .argument("<file>", "which is not there yet")
    .action(telling(create));
  account
    .command("address")
    .description("the account's address alone, for other commands")
    .argument("<file>", "with the key, or a keystore")
    .action(telling(address));
  account
    .command("show")
    .description("the account, and what it has to pay with")
    .argument("<file>", "with the key, or a keystore")
    .addOption(new Option("--rpc-url <url>", "JSON-RPC of a node of the chain").env("WATTWITNESS_RPC_URL"))
    .action(telling(show));
  return account.addHelpText("after", AFTER);
}

async function create(file: string, _options: GlobalOptions): Promise<Answer> {
  const key = generatePrivateKey();
  try {
    writeFileSync(file, `${key}\n`, { mode: 0o600, flag: "wx", flush: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Problem(
      code === "EEXIST"
        ? `${file} is there already: no key is ever written over.`
        : `${file} cannot be written (${code}).`,
    );
  }
  const account = privateKeyToAddress(key);
  return {
    text: `${account}\nIts key is in ${file}: keep a copy where nobody else finds it.`,
    data: { account, file },
  };
}

async function address(file: string, _options: GlobalOptions): Promise<Answer> {
  const account = (await accountOf({ keyFile: file })).address;
  return { text: account, data: { account } };
}

async function show(file: string, { rpcUrl }: GlobalOptions): Promise<Answer> {
  const { address: account } = await accountOf({ keyFile: file });
  const { client, chainId } = await reach(rpcUrl);
  const balance = await client.getBalance({ address: account });
  return {
    text: list({ account, has: `${formatEther(balance)} of the coin of chain ${chainId}` }),
    data: { account, chain_id: chainId, balance_wei: balance },
  };
}
