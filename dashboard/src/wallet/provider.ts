/**
 * The wallets of this browser, as they announce themselves (EIP-6963), and the one that is connected (EIP-1193). What a
 * wallet says of itself is shown as text, and its picture where it is a data URL: nothing of it is loaded.
 */
import { computed, signal } from "@preact/signals";
import { type Address, getAddress } from "viem";
import { facts } from "../model/live.ts";

type Listener = (value: never) => void;
export type Provider = {
  request(call: { method: string; params?: unknown }): Promise<unknown>;
  on?(event: string, listener: Listener): void;
  removeListener?(event: string, listener: Listener): void;
};
export type Wallet = { info: { uuid: string; name: string; icon: string }; provider: Provider };
export type Connection = { wallet: Wallet; address: Address; chainId: number };

export const wallets = signal<readonly Wallet[]>([]);
export const connection = signal<Connection | undefined>(undefined);
/** The chain that everything here is on. */
export const neededChain = computed(() => facts.value?.chain_id);
/** The connected account, where its wallet is on that chain. */
export const ready = computed(() =>
  connection.value && connection.value.chainId === neededChain.value ? connection.value : undefined,
);

addEventListener("eip6963:announceProvider", (event) => {
  const wallet = (event as CustomEvent<Wallet>).detail;
  if (wallets.peek().some(({ info }) => info.uuid === wallet.info.uuid)) return;
  wallets.value = [...wallets.peek(), wallet];
});
dispatchEvent(new Event("eip6963:requestProvider"));

function takeAccounts([account]: readonly string[]): void {
  const known = connection.peek();
  if (!known) return;
  if (account === undefined) disconnect();
  else connection.value = { ...known, address: getAddress(account) };
}

function takeChain(chainId: string): void {
  const known = connection.peek();
  if (known) connection.value = { ...known, chainId: Number(chainId) };
}

/** Rejects with what the wallet says where its owner refuses. */
export async function connect(wallet: Wallet): Promise<void> {
  const { provider } = wallet;
  const [account] = (await provider.request({ method: "eth_requestAccounts" })) as string[];
  const chainId = Number(await provider.request({ method: "eth_chainId" }));
  if (account === undefined) return;
  disconnect();
  connection.value = { wallet, address: getAddress(account), chainId };
  provider.on?.("accountsChanged", takeAccounts);
  provider.on?.("chainChanged", takeChain);
}

/** The page forgets the account; what the wallet allows this page is the wallet's. */
export function disconnect(): void {
  const provider = connection.peek()?.wallet.provider;
  provider?.removeListener?.("accountsChanged", takeAccounts);
  provider?.removeListener?.("chainChanged", takeChain);
  connection.value = undefined;
}

/** Rejects where the wallet refuses, or does not know the chain. */
export async function switchChain({ wallet: { provider } }: Connection, chainId: number): Promise<void> {
  await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId: `0x${chainId.toString(16)}` }] });
  takeChain(String(await provider.request({ method: "eth_chainId" })));
}

/** EIP-1193 and EIP-3326: why a wallet did not. */
export const REFUSED = 4001;
export const CHAIN_UNKNOWN = 4902;
/** A wallet that wraps what it is told has the code further in. */
export const codeOf = (error: unknown): number | undefined => {
  const { code, data } = error as { code?: unknown; data?: { originalError?: { code?: unknown } } };
  const inner = data?.originalError?.code;
  return typeof inner === "number" ? inner : typeof code === "number" ? code : undefined;
};
