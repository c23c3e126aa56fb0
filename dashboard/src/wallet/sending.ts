/**
 * The one way that a transaction goes: tried on the chain first, then sent by the wallet, then waited for. What is sent is
 * kept for as long as the page is open, whoever looks at it.
 */
import { computed, type Signal, signal } from "@preact/signals";
import {
  type Abi,
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  type Hash,
  type TransactionReceipt,
  UserRejectedRequestError,
} from "viem";
import {
  estimateContractGas,
  getGasPrice,
  simulateContract,
  waitForTransactionReceipt,
  writeContract,
} from "viem/actions";
import { meterRegistryAbi, productionTokenAbi, wattWitnessAbi } from "../../../contracts/abi.ts";
import { refresh } from "../model/live.ts";
import { type Contracts, clientOf } from "./contracts.ts";
import { type Connection, codeOf, REFUSED } from "./provider.ts";
import { words } from "./strings/index.ts";

/** What is to be done, and in one sentence what that is. */
export type Act = {
  says: string;
  /** what there is to know before */
  warns?: string;
  address: Address;
  abi: Abi;
  functionName: string;
  args: readonly unknown[];
  /** after it succeeded */
  done?(): void;
  /** where to look at what it did */
  leadsTo?(receipt: TransactionReceipt): { href: string; text: string } | undefined;
};

export type Phase =
  | { is: "simulating" | "refused" | "replaced" }
  | { is: "impossible" | "failed"; says: string }
  /** `cost`: of the chain's coin, in its smallest unit */
  | { is: "ready" | "asking"; cost: bigint }
  | { is: "waiting" | "lost"; hash: Hash }
  | { is: "done" | "reverted"; receipt: TransactionReceipt };

export type Sending = { act: Act; connection: Connection; phase: Signal<Phase> };

/** The oldest first. */
export const sendings = signal<readonly Sending[]>([]);
/** The one whose dialog is open. */
export const shown = signal<Sending | undefined>(undefined);
/** How many came into a block: what the chain says may be another now. */
export const finished = computed(
  () => sendings.value.filter(({ phase }) => ["done", "reverted"].includes(phase.value.is)).length,
);

/** Errors that come through one contract from another. */
const ERRORS = [...meterRegistryAbi, ...wattWitnessAbi, ...productionTokenAbi].filter(({ type }) => type === "error");

/** Shows what it would do, and tries it. */
export function propose(connection: Connection, act: Act): void {
  const sending: Sending = { act, connection, phase: signal<Phase>({ is: "simulating" }) };
  sendings.value = [...sendings.value, sending];
  shown.value = sending;
  void simulate(sending);
}

/** Closes the dialog. What was not sent is forgotten. */
export function close(): void {
  const sending = shown.peek();
  shown.value = undefined;
  if (!sending || !["simulating", "impossible", "ready", "refused", "failed"].includes(sending.phase.peek().is)) return;
  sendings.value = sendings.peek().filter((each) => each !== sending);
}

export async function simulate({ act, connection, phase }: Sending): Promise<void> {
  phase.value = { is: "simulating" };
  const client = clientOf(connection);
  const { address, functionName, args } = act;
  const call = { address, functionName, args, abi: [...act.abi, ...ERRORS] as Abi, account: connection.address };
  try {
    await simulateContract(client, call);
    const [gas, price] = await Promise.all([estimateContractGas(client, call), getGasPrice(client)]);
    phase.value = { is: "ready", cost: gas * price };
  } catch (error) {
    phase.value = { is: "impossible", says: whyNot(error) };
  }
}

/** Hands it to the wallet, which asks its owner. */
export async function send({ act, connection, phase }: Sending): Promise<void> {
  const before = phase.peek();
  if (before.is !== "ready") return;
  phase.value = { is: "asking", cost: before.cost };
  const { address, abi, functionName, args } = act;
  try {
    const hash = await writeContract(clientOf(connection), {
      ...{ address, abi, functionName, args, account: connection.address },
      // the wallet is asked for its chain once more: it may have been switched while this was looked at
      chain: chainOf(connection),
    });
    phase.value = { is: "waiting", hash };
  } catch (error) {
    phase.value = isRefusal(error) ? { is: "refused" } : { is: "failed", says: shortOf(error) };
    return;
  }
  await follow({ act, connection, phase });
}

/** Waits for as long as it takes. */
export async function follow({ act, connection, phase }: Sending): Promise<void> {
  const sent = phase.peek();
  if (sent.is !== "waiting" && sent.is !== "lost") return;
  phase.value = { is: "waiting", hash: sent.hash };
  let isAnother = false;
  try {
    const receipt = await waitForTransactionReceipt(clientOf(connection), {
      ...{ hash: sent.hash, timeout: 0 },
      // with a higher fee it is the same
      onReplaced: ({ reason }) => {
        isAnother = reason !== "repriced";
      },
    });
    if (isAnother) phase.value = { is: "replaced" };
    else phase.value = { is: receipt.status === "success" ? "done" : "reverted", receipt };
    if (phase.value.is === "done") act.done?.();
    // the oracle may have seen it, too
    void refresh();
  } catch {
    phase.value = { is: "lost", hash: sent.hash };
  }
}

const chainOf = ({ chainId: id }: Connection) => ({
  ...{ id, name: `${id}`, nativeCurrency: { name: "", symbol: "", decimals: 18 } },
  rpcUrls: { default: { http: [] } },
});

const isRefusal = (error: unknown): boolean =>
  error instanceof BaseError
    ? error.walk((each) => each instanceof UserRejectedRequestError || codeOf(each) === REFUSED) !== null
    : codeOf(error) === REFUSED;

export const shortOf = (error: unknown): string => (error instanceof BaseError ? error.shortMessage : String(error));

/** The contract's own reason in words, or the name of its error with what it says. */
function whyNot(error: unknown): string {
  const { reverts, otherRevert, noReason } = words.value;
  const reverted = error instanceof BaseError && error.walk((each) => each instanceof ContractFunctionRevertedError);
  if (!(reverted instanceof ContractFunctionRevertedError)) return noReason(shortOf(error));
  const { data, reason } = reverted;
  if (!data) return otherRevert(reason ?? reverted.signature ?? "");
  return reverts[data.errorName] ?? otherRevert(`${data.errorName}(${(data.args ?? []).map(String).join(", ")})`);
}

/** Which contract an act is of. */
export const on = ({ address, abi }: Contracts["registry" | "token"]): { address: Address; abi: Abi } => ({
  address,
  abi: abi as Abi,
});
