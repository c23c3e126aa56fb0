import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import hardhatMocha from "@nomicfoundation/hardhat-mocha";
import hardhatToolboxViem from "@nomicfoundation/hardhat-toolbox-viem";
import { defineConfig } from "hardhat/config";
import type { HardhatPlugin } from "hardhat/types/plugins";

const require = createRequire(import.meta.url);

/** The compilers come from npm, so that building needs nothing else. */
const solc = (name: string) => require.resolve(`${name}/soljson.js`);

/** Chainlink Functions for the local DON: what runs in production, and mocks of its price feeds. */
const chainlink = [
  "functions/v1_0_0/FunctionsRouter.sol",
  "functions/v1_3_0/FunctionsCoordinator.sol",
  "functions/v1_3_0/accessControl/TermsOfServiceAllowList.sol",
  "shared/mocks/MockV3Aggregator.sol",
  "shared/token/ERC677/LinkToken.sol",
].map((file) => `@chainlink/contracts/src/v0.8/${file}`);

/** No hash of the sources in the code: that would change with what else is compiled at once. */
const metadata = { bytecodeHash: "none" } as const;

/** Without viaIR they compile in less than half the time. */
const fastCompiler = {
  version: "0.8.37",
  path: solc("solc"),
  settings: { optimizer: { enabled: true, runs: 1000 }, evmVersion: "cancun", metadata },
};

/** For contracts of which bytes are scarcer than gas. */
const smallCompiler = {
  version: "0.8.37",
  path: solc("solc"),
  settings: { optimizer: { enabled: true, runs: 500 }, evmVersion: "cancun", viaIR: true, metadata },
};

/** What is made once for each park. */
const PARKS = ["ParkFactory", "ParkGovernor", "RestrictedPark", "SolarPark"].map(
  (name) => `contracts/parks/${name}.sol`,
);

/** Warnings about other people's contracts are theirs to mend: only those about ours are shown. */
const quietDependencies: HardhatPlugin = {
  id: "quiet-dependencies",
  hookHandlers: {
    solidity: async () => ({
      default: async () => ({
        getCompilationJobErrors: async (context, job, output, next) =>
          (await next(context, job, output)).filter(
            ({ severity, formattedMessage }) => severity === "error" || !formattedMessage?.includes("/node_modules/"),
          ),
      }),
    }),
  },
};

/** Hardhat compiles together what has one and the same settings object, and makes another of it for each override. */
const togetherIfEqual: HardhatPlugin = {
  id: "together-if-equal",
  hookHandlers: {
    config: async () => ({
      default: async () => ({
        resolveUserConfig: async (config, resolveVariable, next) => {
          const resolved = await next(config, resolveVariable);
          for (const { overrides } of Object.values(resolved.solidity.profiles)) {
            const known = new Map<string, (typeof overrides)[string]>();
            for (const [file, compiler] of Object.entries(overrides)) {
              const text = JSON.stringify(compiler);
              if (!known.has(text)) known.set(text, compiler);
              overrides[file] = known.get(text) ?? compiler;
            }
          }
          return resolved;
        },
      }),
    }),
  },
};

/** The invariant tests deploy what the build made, and import no contract: they need no viaIR to be the real ones. */
const invariants = readdirSync(new URL("contracts/test/invariants", import.meta.url)).map(
  (file) => `contracts/test/invariants/${file}`,
);

/** Runs, and calls in each, of an invariant. */
const fuzzing = process.env["WATTWITNESS_FUZZ"] === "ci" ? { runs: 128, depth: 128 } : { runs: 16, depth: 64 };

export default defineConfig({
  plugins: [hardhatToolboxViem, hardhatMocha, quietDependencies, togetherIfEqual],
  paths: { sources: "contracts" },
  solidity: {
    // tests in Solidity are not compiled for those in TypeScript
    splitTestsCompilation: true,
    npmFilesToBuild: chainlink,
    compilers: [
      {
        version: "0.8.37",
        path: solc("solc"),
        // viaIR, because every settlement takes some 950 gas less with it
        settings: { optimizer: { enabled: true, runs: 5_000 }, evmVersion: "cancun", viaIR: true, metadata },
      },
    ],
    overrides: {
      ...Object.fromEntries([...chainlink, ...invariants].map((file) => [file, fastCompiler])),
      ...Object.fromEntries(["contracts/MeterRegistry.sol", ...PARKS].map((file) => [file, smallCompiler])),
    },
  },
  networks: {
    /** Ethereum with P-256 verification at 0x100 (EIP-7951). */
    default: { type: "edr-simulated", chainType: "l1", hardfork: "osaka" },
    /** A rollup: the same precompile, older and cheaper (RIP-7212). */
    rollup: { type: "edr-simulated", chainType: "op" },
    /** A chain without the precompile. */
    prague: { type: "edr-simulated", chainType: "l1", hardfork: "prague" },
  },
  test: {
    mocha: { timeout: 60_000 },
    solidity: {
      // every input is a seed, so the dictionary has nothing to add
      invariant: {
        ...fuzzing,
        failOnRevert: true,
        shrinkRunLimit: 500,
        dictionaryWeight: 0,
        includeStorage: false,
        includePushBytes: false,
      },
    },
  },
});
