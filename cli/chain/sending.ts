/** Every transaction is sent in one way: simulated, shown with what it does and costs, agreed to, sent, waited for. */
import {
  type Abi,
  createWalletClient,
  defineChain,
  formatEther,
  type Hex,
  http,
  type LocalAccount,
  type TransactionReceipt,
} from "viem";
import { firstLine, Problem } from "../problem.ts";
import { confirm } from "../terminal/asking.ts";
import { list } from "../terminal/telling.ts";
import type { Deployment } from "./deployment.ts";
import { accountOf, type KeyOptions } from "./keys.ts";
import { errorsAbi, refusalIn } from "./refusals.ts";

export type SendOptions = KeyOptions & { yes?: boolean; dryRun?: boolean; rpcUrl?: string };

/** `does`: what happens if it is sent, in a sentence. */
export type Call = {
  does: string;
  address: Hex;
  abi: Abi | readonly unknown[];
  functionName: string;
  args: readonly unknown[];
};

export type Sender = {
  account: LocalAccount;
  /** Undefined after `--dry-run`. Throws a Problem where it is refused, or was not agreed to. */
  send(call: Call): Promise<TransactionReceipt | undefined>;
};

export async function senderOf(
  { client, chainId }: Pick<Deployment, "client" | "chainId">,
  options: SendOptions,
): Promise<Sender> {
  const account = await accountOf(options);
  const chain = defineChain({
    id: chainId,
    name: `chain ${chainId}`,
    nativeCurrency: { name: "coin", symbol: "coin", decimals: 18 },
    rpcUrls: { default: { http: [options.rpcUrl as string] } },
  });
  const wallet = createWalletClient({ account, chain, transport: http(options.rpcUrl) });

  return {
    account,
    async send({ does, address, abi, functionName, args }) {
      const request = { address, abi: [...(abi as Abi), ...errorsAbi], functionName, args, account } as const;
      const gas = await simulated(client, request);
      const price = await priceOf(client);
      const balance = await client.getBalance({ address: account.address });
      const most = gas * price;
      console.error(
        list({
          does,
          from: account.address,
          calls: `${functionName} of ${address} on chain ${chainId}`,
          costs: `${gas.toLocaleString("en")} gas, at most ${formatEther(most)} of the chain's coin`,
        }),
      );
      if (options.dryRun) return undefined;
      if (balance < most) {
        throw new Problem(`${account.address} has ${formatEther(balance)} of the chain's coin: not enough to send it.`);
      }
      await confirm("Send it?", options.yes === true);
      const hash = await wallet.writeContract({ ...request, chain, gas });
      console.error(`sent       ${hash}`);
      const receipt = await client.waitForTransactionReceipt({ hash });
      if (receipt.status !== "success") {
        throw new Problem(`The transaction ${hash} reverted in block ${receipt.blockNumber}: somebody was faster.`);
      }
      return receipt;
    },
  };
}

/** Gas that it may use: a fifth more than it would now. */
async function simulated(
  client: Deployment["client"],
  request: { address: Hex; abi: Abi; functionName: string; args: readonly unknown[]; account: LocalAccount },
): Promise<bigint> {
  try {
    await client.simulateContract(request);
    return ((await client.estimateContractGas(request)) * 6n) / 5n;
  } catch (error) {
    throw new Problem(refusalIn(error) ?? `It cannot be simulated: ${firstLine(error)}`);
  }
}

/** wei a gas, at most. */
async function priceOf(client: Deployment["client"]): Promise<bigint> {
  const { maxFeePerGas } = await client.estimateFeesPerGas().catch(() => ({ maxFeePerGas: undefined }));
  return maxFeePerGas ?? (await client.getGasPrice());
}

/** What a transaction has come to, for the answer. */
export const outcome = ({ transactionHash, blockNumber, gasUsed, effectiveGasPrice }: TransactionReceipt) => ({
  ...{ transaction: transactionHash, block: Number(blockNumber), gas: gasUsed },
  cost: formatEther(gasUsed * effectiveGasPrice),
});

export const outcomeText = (receipt: TransactionReceipt): string => {
  const { transaction, block, gas, cost } = outcome(receipt);
  return `transaction ${transaction} in block ${block}, ${gas.toLocaleString("en")} gas, ${cost} of the chain's coin`;
};
