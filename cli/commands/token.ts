/** `wattwitness token`: what an account has, gives, and uses up. */
import { Command } from "commander";
import { formatUnits, type Hex, parseEventLogs, zeroAddress } from "viem";
import { productionTokenAbi } from "../../contracts/abi.ts";
import { type Deployment, deploymentOf } from "../chain/deployment.ts";
import { outcome, outcomeText, senderOf } from "../chain/sending.ts";
import {
  aboutChain,
  address,
  type GlobalOptions,
  kilowattHours,
  type SendingOptions,
  sends,
  telling,
  whole,
} from "../command.ts";
import { Problem } from "../problem.ts";
import { type Answer, list, quoted, time } from "../terminal/telling.ts";

export const kWh = (units: bigint): string => `${formatUnits(units, 18)} kWh`;

export function tokenCommand(): Command {
  const token = new Command("token").description("the tokens: one for every kWh that a meter proved");
  aboutChain(token.command("balance"))
    .description("what an account has, and what it has retired")
    .argument("<account>", "whose", address)
    .action(telling(balance));
  sends(aboutChain(token.command("transfer")))
    .description("give tokens to another account")
    .argument("<kWh>", "how many: 12.5", kilowattHours)
    .argument("<to>", "to whom", address)
    .action(telling(transfer));
  sends(aboutChain(token.command("retire")))
    .description("use tokens up, for good, in somebody's name")
    .argument("<kWh>", "how many: 12.5", kilowattHours)
    .requiredOption("--purpose <text>", "what for")
    .option("--name <text>", "in whose name, in words", "")
    .option("--beneficiary <address>", "in whose name, by an account", address)
    .action(telling(retire));
  aboutChain(token.command("certificate"))
    .description("what was retired, by the number of its retirement")
    .argument("<serial>", "number of the retirement, from 1", whole)
    .action(telling(certificate));
  return token;
}

const onToken = ({ token }: Deployment) => ({ address: token, abi: productionTokenAbi }) as const;

async function balance(account: Hex, options: GlobalOptions): Promise<Answer> {
  const deployment = await deploymentOf(options);
  const { client, token, chainId } = deployment;
  const [has, retired] = await Promise.all([
    client.readContract({ ...onToken(deployment), functionName: "balanceOf", args: [account] }),
    client.readContract({ ...onToken(deployment), functionName: "retiredBy", args: [account] }),
  ]);
  return {
    text: list({ account, has: kWh(has), retired: kWh(retired), token: `${token} on chain ${chainId}` }),
    data: { account, token, chain_id: chainId, balance_units: has, retired_units: retired },
  };
}

async function transfer(amount: bigint, to: Hex, options: SendingOptions): Promise<Answer> {
  const deployment = await deploymentOf(options);
  const sender = await senderOf(deployment, options);
  const receipt = await sender.send({
    ...{ ...onToken(deployment), does: `gives ${kWh(amount)} to ${to}`, functionName: "transfer", args: [to, amount] },
  });
  if (!receipt) return notSent;
  return {
    text: `${kWh(amount)} are ${to}'s: ${outcomeText(receipt)}`,
    data: { from: sender.account.address, to, units: amount, ...outcome(receipt) },
  };
}

type RetireOptions = SendingOptions & { purpose: string; name: string; beneficiary?: Hex };

async function retire(amount: bigint, options: RetireOptions): Promise<Answer> {
  const { purpose, name, beneficiary = zeroAddress } = options;
  const deployment = await deploymentOf(options);
  const sender = await senderOf(deployment, options);
  const receipt = await sender.send({
    ...onToken(deployment),
    does: `uses ${kWh(amount)} up, for good, for ${quoted(purpose)}`,
    functionName: "retire",
    args: [amount, beneficiary, name, purpose],
  });
  if (!receipt) return notSent;
  const [event] = parseEventLogs({ abi: productionTokenAbi, eventName: "Retired", logs: receipt.logs });
  if (!event) throw new Problem(`The transaction ${receipt.transactionHash} retired nothing.`);
  const { serial } = event.args;
  return {
    text: `${kWh(amount)} are retired, as number ${serial}: ${outcomeText(receipt)}`,
    data: { serial, units: amount, beneficiary, name, purpose, ...outcome(receipt) },
  };
}

/** After `--dry-run`. */
export const notSent: Answer = { text: "Nothing was sent.", data: { sent: false } };

async function certificate(serial: number, options: GlobalOptions): Promise<Answer> {
  const deployment = await deploymentOf(options);
  const { client, token, chainId } = deployment;
  const count = await client.readContract({ ...onToken(deployment), functionName: "retirements" });
  if (serial < 1 || BigInt(serial) > count) {
    throw new Problem(`There is no retirement ${serial}: there are ${count}, from 1 on.`);
  }
  const retired = await client.readContract({
    ...{ ...onToken(deployment), functionName: "retirement", args: [BigInt(serial)] },
  });
  const { from, retiredAt, amount, beneficiary, name, purpose } = retired;
  return {
    text: list({
      ...{ retirement: serial, amount: kWh(amount), name: name === "" ? undefined : quoted(name) },
      ...{ beneficiary: beneficiary === zeroAddress ? undefined : beneficiary, purpose: quoted(purpose) },
      ...{ by: from, at: `${time(retiredAt)} UTC`, token: `${token} on chain ${chainId}` },
    }),
    data: {
      ...{ serial, units: amount, from, retired_at: retiredAt, beneficiary, name, purpose },
      ...{ token, chain_id: chainId },
    },
  };
}
