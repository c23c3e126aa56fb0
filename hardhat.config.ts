import { createRequire } from "node:module";
import hardhatMocha from "@nomicfoundation/hardhat-mocha";
import hardhatToolboxViem from "@nomicfoundation/hardhat-toolbox-viem";
import { defineConfig } from "hardhat/config";

const require = createRequire(import.meta.url);

/** The compilers come from npm, so that building needs nothing else. */
const solc = (name: string) => require.resolve(`${name}/soljson.js`);

export default defineConfig({
  plugins: [hardhatToolboxViem, hardhatMocha],
  paths: { sources: "contracts" },
  solidity: {
    npmFilesToBuild: ["@openzeppelin/contracts/access/manager/AccessManager.sol"],
    compilers: [
      {
        version: "0.8.37",
        path: solc("solc"),
        // viaIR, because every settlement takes some 3,500 gas less with it
        settings: { optimizer: { enabled: true, runs: 10_000 }, evmVersion: "cancun", viaIR: true },
      },
    ],
  },
  networks: {
    /** Ethereum with P-256 verification at 0x100 (EIP-7951). */
    default: { type: "edr-simulated", chainType: "l1", hardfork: "osaka" },
    /** A rollup: the same precompile, older and cheaper (RIP-7212). */
    rollup: { type: "edr-simulated", chainType: "op" },
    /** A chain without the precompile. */
    prague: { type: "edr-simulated", chainType: "l1", hardfork: "prague" },
  },
  test: { mocha: { timeout: 60_000 } },
});
