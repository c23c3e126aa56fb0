/**
 * The public chains that were thought of: what they are called, whether Chainlink Functions was there, and what they have at
 * 0x100, as far as they were asked. `npm run chains` writes chains.json; who deploys anywhere asks that chain itself.
 */
import { readFile } from "node:fs/promises";
import type { Hex } from "viem";
import type { Precompile } from "./precompile.ts";

export const CHAINS_FILE = new URL("chains.json", import.meta.url);

export type PublicChain = {
  title: string;
  chain_id: number;
  is_testnet: boolean;
  /** of whoever runs the chain: limited, and no place to send what should stay private */
  rpc_url: string;
  explorer: string;
  /** Chainlink's, as it listed them; until: the day for which it announced their end */
  functions?: { router: Hex; don_id: string; link: Hex; until: string };
  p256: {
    /** by whom or with which upgrade it was announced; null = nothing was found */
    announced: string | null;
    /** the day on which the chain itself was asked; null = never */
    asked: string | null;
    answer: Precompile | null;
    /** of one verification */
    gas: number | null;
  };
};

/** By The Graph's names. */
export type PublicChains = Record<string, PublicChain>;

export const publicChains = async (): Promise<PublicChains> => JSON.parse(await readFile(CHAINS_FILE, "utf8"));

/** What Chainlink has there, as it listed it. */
export const functionsOn = async (chainId: number): Promise<PublicChain["functions"]> =>
  Object.values(await publicChains()).find(({ chain_id }) => chain_id === chainId)?.functions;

export const isSunset = (chain: PublicChain, now: Date): boolean =>
  chain.functions !== undefined && now.toISOString().slice(0, 10) > chain.functions.until;
