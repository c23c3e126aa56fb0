/** A wallet that keeps a journal: what it sent before it does not send again, but waits for. */
import {
  type Chain,
  createWalletClient,
  type Hex,
  http,
  keccak256,
  type LocalAccount,
  type PublicClient,
  parseTransaction,
  TransactionNotFoundError,
  TransactionReceiptNotFoundError,
  walletActions,
} from "viem";
import { prepareTransactionRequest, sendRawTransaction } from "viem/actions";
import type { Wallet } from "../../../contracts/deploy.ts";
import { Problem } from "../../problem.ts";
import type { Journal } from "./journal.ts";

type Resuming = {
  client: PublicClient;
  account: LocalAccount;
  chain: Chain;
  rpcUrl: string;
  journal: Journal;
  /** before the first transaction that is not on the chain yet; throws where it is not to be sent */
  agreed: () => Promise<void>;
};

/** What a step of the deployment is: a contract where there is no `to`. */
type Transaction = { to?: Hex | null; data?: Hex };

export function resumingWallet({ client, account, chain, rpcUrl, journal, agreed }: Resuming): Wallet {
  let step = 0;
  let isAgreed = false;

  async function agree(): Promise<void> {
    if (!isAgreed) await agreed();
    isAgreed = true;
  }

  async function send(request: Transaction): Promise<Hex> {
    const sent = journal.transactions[step];
    step += 1;
    if (sent !== undefined) {
      if (!isSame(sent, request)) {
        throw new Problem(
          `${journal.file} has begun with other options, or with contracts of another version: go on with those, or name another --journal.`,
        );
      }
      const standing = await standingOf(sent);
      if (standing === "there") return keccak256(sent);
      await agree();
      if (standing === "unknown") return base.request({ method: "eth_sendRawTransaction", params: [sent] });
      if (step !== journal.transactions.length) throw forgotten(sent);
      journal.drop();
    }
    await agree();
    const prepared = await prepareTransactionRequest(base, { ...request, account, chain } as never);
    const signed = await account.signTransaction(prepared as never);
    journal.add(signed as Hex);
    return sendRawTransaction(base, { serializedTransaction: signed as Hex });
  }

  /** `void`: it failed, or another one has its place: it never comes. */
  async function standingOf(sent: Hex): Promise<"there" | "unknown" | "void"> {
    const hash = keccak256(sent);
    const receipt = await client.getTransactionReceipt({ hash }).catch(noneIf(TransactionReceiptNotFoundError));
    if (receipt) return receipt.status === "success" ? "there" : "void";
    if (await client.getTransaction({ hash }).catch(noneIf(TransactionNotFoundError))) return "there";
    const next = await client.getTransactionCount({ address: account.address });
    return next > (parseTransaction(sent).nonce ?? 0) ? "void" : "unknown";
  }

  const forgotten = (sent: Hex) =>
    new Problem(
      `The node does not know transaction ${keccak256(sent)} of ${journal.file}, and later ones came: is it the chain that was meant?`,
    );

  const base = createWalletClient({ account, chain, transport: http(rpcUrl) });
  // what calls a contract sends by the one that it finds here
  const wallet = { ...base, ...walletActions({ ...base, sendTransaction: send } as typeof base) };
  return { ...wallet, sendTransaction: send as Wallet["sendTransaction"] };
}

function isSame(sent: Hex, { to, data }: Transaction): boolean {
  const before = parseTransaction(sent);
  return before.data === data && (before.to ?? "").toLowerCase() === (to ?? "").toLowerCase();
}

const noneIf = (kind: new (...args: never[]) => Error) => (error: unknown) => {
  if (error instanceof kind) return undefined;
  throw error;
};
