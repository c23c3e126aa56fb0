/** A chain in a process of its own that can be reorganised: anvil, with P-256 verification at 0x100. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createPublicClient, createWalletClient, defineChain, http } from "viem";
import type { Wallet } from "../contracts/deploy.ts";
import { type Chain, mineAt, START } from "../contracts/test/fixture.ts";
import { freePort, startProgram, until } from "../demo/processes/process.ts";
import { type Stops, temporaryFolder } from "../demo/processes/stop.ts";

const ANVIL = fileURLToPath(new URL("../node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil", import.meta.url));
/** ms until it must answer */
const PATIENCE = 20_000;

/** Why it cannot be had here; undefined = it can. */
export function whyNoAnvil(): string | undefined {
  return existsSync(ANVIL) ? undefined : `anvil is not installed: run npm ci (${ANVIL} is missing).`;
}

export type Anvil = Chain & {
  rpcUrl: string;
  /** Forgets the newest `depth` blocks and mines as many empty ones in their place. */
  reorganise: (depth: number) => Promise<void>;
};

export type AnvilOptions = {
  /** how many have Ether, and are nobody's secret */
  accounts?: number;
  chainId?: number;
  /** of anvil's own; without them it begins at START, and mines what it is sent */
  more?: readonly string[];
};

const FROM_START = ["--timestamp", String(START), "--order", "fifo"];

export async function startAnvil(
  stops: Stops,
  { accounts = 20, chainId = 31337, more = FROM_START }: AnvilOptions = {},
): Promise<Anvil> {
  const folder = await temporaryFolder(stops, "anvil");
  const port = await freePort();
  const numbers = { port, accounts, "chain-id": chainId };
  const args = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const program = startProgram(ANVIL, [...args, "--quiet", ...more], join(folder, "anvil.log"));
  stops.add(() => program.stop("SIGTERM"));

  const rpcUrl = `http://127.0.0.1:${port}`;
  const chain = defineChain({
    id: chainId,
    name: "anvil",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
  const transport = http(rpcUrl, { retryCount: 0, timeout: 60_000 });
  const publicClient = createPublicClient({ chain, transport, pollingInterval: 10, cacheTime: 0 });
  const request: Chain["request"] = (method, params = []) => publicClient.request({ method, params } as never);
  const addresses = await until("anvil", program, PATIENCE, () => request("eth_accounts") as Promise<Address[]>);
  const wallets = addresses.map((account): Wallet => createWalletClient({ account, chain, transport }));
  return {
    ...{ publicClient, wallets, request, rpcUrl },
    at: mineAt(request),
    async reorganise(depth) {
      await request("anvil_reorg", [depth, []]);
    },
  };
}

type Address = `0x${string}`;
