/** The chain of the demo: Hardhat's own, with P-256 verification at 0x100, its clock set by the demo. */
import hre from "hardhat";
import { type Abi, createPublicClient, createWalletClient, defineChain, type Hex, http, type PublicClient } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import type { Artifact, Wallet } from "../contracts/deploy.ts";

const HOST = "127.0.0.1";
const CHAIN_ID = 31337;

/** The well-known accounts of local chains: never use them anywhere else. */
const MNEMONIC = "test test test test test test test test test test test junk";

export type LocalChain = {
  url: string;
  publicClient: PublicClient;
  /** the well-known accounts, by number */
  wallet: (index: number) => Wallet;
  /** private key of a well-known account */
  key: (index: number) => Hex;
  artifact: (name: string) => Promise<Artifact>;
  /** Unix time of the newest block, s */
  time: () => Promise<number>;
  /** Mines a block at this time (s) or shortly after: the chain's time only goes forward, also by itself. */
  mineAt: (timestamp: number) => Promise<void>;
  stop: () => Promise<void>;
};

/** Compiles the contracts where they changed. */
export const compile = (): Promise<unknown> => hre.tasks.getTask("build").run({ quiet: true, noTests: true });

/** `start`: Unix time of the first block, s. */
export async function startChain(port: number, start: number): Promise<LocalChain> {
  const override = { initialDate: new Date(start * 1000), accounts: { mnemonic: MNEMONIC, count: 20 } };
  const server = await hre.network.createServer({ network: "default", override }, HOST, port);
  const { port: actual } = await server.listen();
  const url = `http://${HOST}:${actual}`;
  const chain = defineChain({
    id: CHAIN_ID,
    name: "local",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
  const publicClient: PublicClient = createPublicClient({ chain, transport: http(url), pollingInterval: 50 });
  const account = (index: number) => mnemonicToAccount(MNEMONIC, { addressIndex: index });

  const request = (method: string, params: unknown[]) => publicClient.request({ method, params } as never);
  const time = async () => Number((await publicClient.getBlock({ blockTag: "latest" })).timestamp);

  return {
    url,
    publicClient,
    wallet: (index) => createWalletClient({ account: account(index), chain, transport: http(url) }),
    key: (index) => `0x${Buffer.from(account(index).getHdKey().privateKey as Uint8Array).toString("hex")}`,
    async artifact(name) {
      const { abi, bytecode } = await hre.artifacts.readArtifact(name);
      return { abi: abi as Abi, bytecode: bytecode as Hex };
    },
    time,
    async mineAt(timestamp) {
      const missing = timestamp - (await time());
      if (missing > 0) await request("evm_increaseTime", [missing]);
      await request("evm_mine", []);
    },
    stop: () => server.close(),
  };
}
