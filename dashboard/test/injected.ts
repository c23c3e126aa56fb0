/** A wallet that a page finds (EIP-6963): of an account of the test's chain, asking nobody, refusing what it is told to. */
import type { Page } from "playwright-core";
import type { LocalChain } from "../../demo/chain.ts";

type Call = { method: string; params?: unknown[] | undefined };
type Answer = { result?: unknown; error?: { code: number; message: string; data?: unknown } };

export const REFUSED: Answer = { error: { code: 4001, message: "User rejected the request." } };
export const CHAIN_UNKNOWN: Answer = { error: { code: 4902, message: "Unrecognized chain ID." } };

export type Injected = {
  name: string;
  /** what it says instead of what the chain says, by method */
  instead: Record<string, Answer>;
  /** methods that it was asked */
  asked: string[];
  install(page: Page): Promise<void>;
  /** Tells the page that something changed. */
  tell(page: Page, event: "accountsChanged" | "chainChanged", value: unknown): Promise<void>;
};

const GAS = "0xf4240";
const ICON =
  "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><circle cx='4' cy='4' r='4' fill='teal'/></svg>";

export function injected(chain: LocalChain, account: number, name = "Test Wallet"): Injected {
  const { address } = chain.wallet(account).account;
  const own: Record<string, Answer> = {
    eth_requestAccounts: { result: [address] },
    wallet_switchEthereumChain: { result: null },
  };
  const wallet: Injected = {
    ...{ name, instead: {}, asked: [] },
    async install(page) {
      const hook = `ask${name.replaceAll(/\W/g, "")}`;
      await page.exposeFunction(hook, async (call: Call): Promise<Answer> => {
        wallet.asked.push(call.method);
        return wallet.instead[call.method] ?? own[call.method] ?? ask(chain.url, withGas(call));
      });
      await page.addInitScript(`(${announce})(${JSON.stringify({ hook, name, icon: ICON })})`);
    },
    tell: (page, event, value) =>
      page.evaluate(
        `dispatchEvent(new CustomEvent(${JSON.stringify(name + event)}, { detail: ${JSON.stringify(value)} }))`,
      ),
  };
  return wallet;
}

/** As a wallet does: the chain itself would try it once more, and not take what reverts. */
const withGas = ({ method, params }: Call): Call =>
  method === "eth_sendTransaction"
    ? { method, params: [{ gas: GAS, ...(params?.[0] as object) }] }
    : { method, params };

/** The chain's own answer, errors and all. */
async function ask(url: string, call: Call): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...call, params: call.params ?? [] }),
  });
  return (await response.json()) as Answer;
}

/** In the page. */
const announce = `({ hook, name, icon }) => {
  const provider = {
    async request(call) {
      const { result, error } = await globalThis[hook](call);
      if (error) throw Object.assign(new Error(error.message), error);
      return result;
    },
    on: (event, listener) => addEventListener(name + event, ({ detail }) => listener(detail)),
  };
  const detail = Object.freeze({ info: { uuid: name, name, icon, rdns: "test.wallet" }, provider });
  const tell = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  addEventListener("eip6963:requestProvider", tell);
  tell();
}`;
