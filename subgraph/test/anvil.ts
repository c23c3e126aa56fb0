/** A chain in a process of its own that can be reorganised: anvil, with P-256 verification at 0x100. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createPublicClient, createWalletClient, defineChain, http } from "viem";
import type { Wallet } from "../../contracts/deploy.ts";
import { type Chain, mineAt, START } from "../../contracts/test/fixture.ts";
import { whyNoIndexer } from "../../demo/indexer/index.ts";
import { freePort, startProgram, until } from "../../demo/processes/process.ts";
import { type Stops, temporaryFolder } from "../../demo/processes/stop.ts";

const ANVIL = fileURLToPath(new URL("../../node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil", import.meta.url));
/** ms until it must answer */
const PATIENCE = 20_000;

/** Why what needs anvil and graph-node cannot be tested here; undefined = it can. */
export function whyNot(): string | undefined {
  return (
    whyNoIndexer() ?? (existsSync(ANVIL) ? undefined : `anvil is not installed: run npm ci (${ANVIL} is missing).`)
  );
}

export type Anvil = Chain & {
  rpcUrl: string;
  /** Forgets the newest `depth` blocks and mines as many empty ones in their place. */
  reorganise: (depth: number) => Promise<void>;
};

/** Begins at START. `accounts`: how many have Ether. */
export async function startAnvil(stops: Stops, accounts = 20): Promise<Anvil> {
  const folder = await temporaryFolder(stops, "anvil");
  const port = await freePort();
  const program = startProgram(
    ANVIL,
    [
      "--port",
      String(port),
      "--timestamp",
      String(START),
      "--accounts",
      String(accounts),
      "--order",
      "fifo",
      "--quiet",
    ],
    join(folder, "anvil.log"),
  );
  stops.add(() => program.stop("SIGTERM"));

  const rpcUrl = `http://127.0.0.1:${port}`;
  const chain = defineChain({
    id: 31337,
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
