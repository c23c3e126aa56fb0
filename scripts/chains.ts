/**
 * Writes cli/chain/chains.json: `npm run chains`. What viem knows of a chain is taken from there, what the chain itself says
 * from its own public node. Where that does not answer, what was known before stays. Typed here is what no chain tells:
 * Chainlink's addresses, and who announced what.
 */
import { writeFile } from "node:fs/promises";
import type { Hex } from "viem";
import * as viem from "viem/chains";
import { asked } from "../cli/chain/canary.ts";
import { CHAINS_FILE, type PublicChain, type PublicChains, publicChains } from "../cli/chain/chains.ts";

/** The end of Chainlink Functions, as Chainlink announced it: https://docs.chain.link/chainlink-functions */
const UNTIL = { mainnet: "2026-06-30", testnet: "2026-06-15" };

type Typed = { chain: viem.Chain; announced?: string; functions?: [router: Hex, donId: string, link: Hex] };

/** Chainlink's: https://docs.chain.link/chainlink-functions/supported-networks and /resources/link-token-contracts */
const TYPED: Record<string, Typed> = {
  mainnet: {
    chain: viem.mainnet,
    announced: "EIP-7951, Fusaka, 2025-12-03",
    functions: [
      "0x65Dcc24F8ff9e51F10DCc7Ed1e4e2A61e6E14bd6",
      "fun-ethereum-mainnet-1",
      "0x514910771AF9Ca656af840dff83E8264EcF986CA",
    ],
  },
  sepolia: {
    chain: viem.sepolia,
    announced: "EIP-7951, Fusaka",
    functions: [
      "0xb83E47C2bC239B3bf370bc41e1459A34b41238D0",
      "fun-ethereum-sepolia-1",
      "0x779877A7B0D9E8603169DdbD7836e478b4624789",
    ],
  },
  base: {
    chain: viem.base,
    announced: "RIP-7212, Fjord",
    functions: [
      "0xf9B8fc078197181C841c296C876945aaa425B278",
      "fun-base-mainnet-1",
      "0x88Fb150BDc53A65fe94Dea0c9BA0a6dAf8C6e196",
    ],
  },
  "base-sepolia": {
    chain: viem.baseSepolia,
    announced: "RIP-7212, Fjord",
    functions: [
      "0xf9B8fc078197181C841c296C876945aaa425B278",
      "fun-base-sepolia-1",
      "0xE4aB69C077896252FAFBD49EFD26B5D171A32410",
    ],
  },
  optimism: {
    chain: viem.optimism,
    announced: "RIP-7212, Fjord",
    functions: [
      "0xaA8AaA682C9eF150C0C8E96a8D60945BCB21faad",
      "fun-optimism-mainnet-1",
      "0x350a791Bfc2C21F9Ed5d10980Dad2e2638ffa7f6",
    ],
  },
  "optimism-sepolia": {
    chain: viem.optimismSepolia,
    announced: "RIP-7212, Fjord",
    functions: [
      "0xC17094E3A1348E5C7544D4fF8A36c28f2C6AAE28",
      "fun-optimism-sepolia-1",
      "0xE4aB69C077896252FAFBD49EFD26B5D171A32410",
    ],
  },
  "arbitrum-one": {
    chain: viem.arbitrum,
    announced: "ArbOS 51",
    functions: [
      "0x97083E831F8F0638855e2A515c90EdCF158DF238",
      "fun-arbitrum-mainnet-1",
      "0xf97f4df75117a78c1A5a0DBb814Af92458539FB4",
    ],
  },
  "arbitrum-sepolia": {
    chain: viem.arbitrumSepolia,
    announced: "ArbOS 51",
    functions: [
      "0x234a5fb5Bd614a7AA2FfAB244D603abFA0Ac5C5C",
      "fun-arbitrum-sepolia-1",
      "0xb1D4538B4571d411F07960EF2838Ce337FE1E80E",
    ],
  },
  matic: {
    chain: viem.polygon,
    functions: [
      "0xdc2AAF042Aeff2E68B3e8E33F19e4B9fA7C73F10",
      "fun-polygon-mainnet-1",
      "0xb0897686c545045aFc77CF20eC7A532E3120E0F1",
    ],
  },
  "polygon-amoy": {
    chain: viem.polygonAmoy,
    functions: [
      "0xC22a79eBA640940ABB6dF0f7982cc119578E11De",
      "fun-polygon-amoy-1",
      "0x0Fd9e8d3aF1aaee056EB9e802c3A762a667b1904",
    ],
  },
  avalanche: {
    chain: viem.avalanche,
    announced: "ACP-204, Granite",
    functions: [
      "0x9f82a6A0758517FD0AfA463820F586999AF314a0",
      "fun-avalanche-mainnet-1",
      "0x5947BB275c521040051D82396192181b413227A3",
    ],
  },
  fuji: {
    chain: viem.avalancheFuji,
    announced: "ACP-204, Granite",
    functions: [
      "0xA9d587a00A31A52Ed70D6026794a8FC5E2F5dCb0",
      "fun-avalanche-fuji-1",
      "0x0b9d5D9136855f6FEc3c0993feE6E9CE8a297846",
    ],
  },
  bsc: { chain: viem.bsc, announced: "BEP-439, Haber" },
  chapel: { chain: viem.bscTestnet, announced: "BEP-439, Haber" },
  linea: { chain: viem.linea },
  "linea-sepolia": { chain: viem.lineaSepolia },
  scroll: { chain: viem.scroll, announced: "RIP-7212, Euclid 2" },
  "scroll-sepolia": { chain: viem.scrollSepolia, announced: "RIP-7212, Euclid 2" },
};

function typed({ chain, announced, functions }: (typeof TYPED)[string], before?: PublicChain): PublicChain {
  const isTestnet = chain.testnet === true;
  const [router, don_id, link] = functions ?? [];
  return {
    title: chain.name,
    chain_id: chain.id,
    is_testnet: isTestnet,
    rpc_url: chain.rpcUrls.default.http[0] as string,
    explorer: chain.blockExplorers?.default.url as string,
    ...(router &&
      don_id &&
      link && {
        functions: { router, don_id, link, until: isTestnet ? UNTIL.testnet : UNTIL.mainnet },
      }),
    p256: { ...{ asked: null, answer: null, gas: null }, ...before?.p256, announced: announced ?? null },
  };
}

const before = await publicChains().catch((): PublicChains => ({}));
const chains: PublicChains = {};
for (const [name, entry] of Object.entries(TYPED)) {
  const chain = typed(entry, before[name]);
  chains[name] = chain;
  try {
    const { precompile, gas } = await asked(chain.rpc_url, chain.chain_id);
    const today = new Date().toISOString().slice(0, 10);
    chain.p256 = { ...chain.p256, asked: today, answer: precompile, gas: gas ?? null };
    console.log(`${name}: ${precompile}${gas === undefined ? "" : `, ${gas} gas`}`);
  } catch (error) {
    console.log(`${name}: ${(error as Error).message}`);
  }
}
await writeFile(CHAINS_FILE, `${JSON.stringify(chains, null, 2)}\n`);
